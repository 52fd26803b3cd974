"""All operations together: their order, their options, and that each of them is connected."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch

from birefnet import ConfigError, ShapeError
from birefnet.masks import (
    MaskOptions,
    apply_mask_ops,
    feather,
    fill_holes,
    grow,
    keep_parts,
    levels,
    smooth_outline,
    threshold,
)


def picture() -> torch.Tensor:
    """A soft body with a hole, a small part beside it, haze: (1, 1, 50, 80)."""
    y, x = torch.meshgrid(torch.arange(50.0), torch.arange(80.0), indexing="ij")

    def disk(row, column, radius, softness):
        return (0.5 + (radius - torch.hypot(y - row, x - column)) / softness).clamp(0, 1)

    body = disk(25, 30, 18, 6) * (1 - disk(22, 30, 4, 2))
    return torch.maximum(body, disk(30, 65, 5, 2)).clamp_min(0.02)[None, None]


def test_the_defaults_change_nothing():
    alpha = picture()
    assert torch.equal(apply_mask_ops(alpha, options=MaskOptions()), alpha)


def test_the_order_is_the_documented_one():
    alpha = picture()
    expected = levels(alpha, black_point=0.05, white_point=0.9)
    expected = threshold(expected, value=0.4, softness=0.5)
    expected = fill_holes(expected, max_area=100)
    expected = keep_parts(expected, largest=1)
    expected = grow(expected, radius=-2.0)
    expected = smooth_outline(expected, size=3.0)
    expected = 1 - feather(expected, width=4.0, side="inside")
    options = MaskOptions(
        black_point=0.05,
        white_point=0.9,
        threshold_kind="soft",
        threshold=0.4,
        softness=0.5,
        fill_holes="by area",
        hole_area=100,
        keep_parts="largest",
        grow=-2.0,
        smooth=3.0,
        feather=4.0,
        feather_side="inside",
        invert=True,
    )
    torch.testing.assert_close(apply_mask_ops(alpha, options=options), expected)


CHANGES = {
    "black_point": ({}, 0.3),
    "white_point": ({}, 0.6),
    "threshold_kind": ({}, "hard"),
    "threshold": ({"threshold_kind": "hard"}, 0.8),
    "softness": ({"threshold_kind": "soft"}, 0.7),
    "fill_holes": ({}, "all"),
    "hole_area": ({"fill_holes": "by area"}, 5.0),
    "keep_parts": ({}, "largest"),
    "keep_count": ({"keep_parts": "largest"}, 2),
    "min_area": ({"keep_parts": "by area"}, 2.0),
    "grow": ({}, 0.5),
    "smooth": ({}, 20.0),
    "feather": ({}, 8.0),
    "feather_side": ({"feather": 8.0}, "outside"),
    "unit": ({"grow": 1.0}, "percent"),
    "area_unit": ({"keep_parts": "by area", "min_area": 2.5}, "percent"),
    "invert": ({}, True),
}


@pytest.mark.parametrize("name", [field.name for field in fields(MaskOptions)])
def test_every_option_is_connected(name):
    others, value = CHANGES[name]
    alpha = picture()
    if name == "smooth":
        alpha = (alpha > 0.5).float()
    if name == "area_unit":  # the small part has about 80 pixels of 4000
        alpha = (alpha > 0.5).float()
    before = apply_mask_ops(alpha, options=MaskOptions(**others))
    after = apply_mask_ops(alpha, options=MaskOptions(**{**others, name: value}))
    assert not torch.equal(before, after)


def test_percent_is_of_the_shorter_side():
    alpha = picture()
    percent = apply_mask_ops(alpha, options=MaskOptions(grow=4.0, unit="percent"))
    assert torch.equal(percent, apply_mask_ops(alpha, options=MaskOptions(grow=2.0)))


def test_progress_is_told_and_can_stop():
    told = []
    apply_mask_ops(picture(), options=MaskOptions(), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1

    def stop(fraction):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply_mask_ops(picture(), options=MaskOptions(), progress=stop)


def test_items_are_independent():
    batch = torch.cat([picture(), torch.zeros(1, 1, 50, 80), 1 - picture()])
    options = MaskOptions(
        fill_holes="all", keep_parts="largest", grow=1.5, smooth=4.0, feather=3.0, invert=True
    )
    whole = apply_mask_ops(batch, options=options)
    assert whole.isfinite().all()
    for number in range(3):
        alone = apply_mask_ops(batch[number : number + 1], options=options)[0]
        torch.testing.assert_close(whole[number], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"black_point": 0.6, "white_point": 0.4}, "black_point must be below"),
        ({"threshold_kind": "medium"}, r"threshold_kind must be one of off, soft, hard"),
        ({"threshold": 2.0}, "threshold must lie in 0 to 1"),
        ({"fill_holes": "some"}, "fill_holes must be one of"),
        ({"hole_area": -1.0}, "hole_area must be at least 0"),
        ({"keep_parts": "best"}, "keep_parts must be one of"),
        ({"keep_count": 0}, "keep_count must be at least 1"),
        ({"grow": float("inf")}, "grow must be a finite number"),
        ({"smooth": -0.5}, "smooth must be at least 0"),
        ({"feather": float("nan")}, "feather must be at least 0"),
        ({"feather_side": "both"}, "feather_side must be one of"),
        ({"unit": "cm"}, "unit must be one of pixels, percent"),
        ({"area_unit": "cm"}, "area_unit must be one of"),
    ],
)
def test_impossible_options_are_refused_before_any_work(options, words):
    with pytest.raises(ConfigError, match=words):
        MaskOptions(**options)


def test_only_masks_are_taken():
    with pytest.raises(ShapeError):
        apply_mask_ops(torch.zeros(1, 3, 4, 4), options=MaskOptions())
