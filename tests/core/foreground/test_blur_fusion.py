"""Blur fusion beside the official program's numbers."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import torch

from birefnet import ConfigError
from birefnet.foreground import blur_fusion

GOLDEN = numpy.load(Path(__file__).parents[2] / "golden" / "foreground.npz")


def golden(name: str) -> torch.Tensor:
    return torch.from_numpy(GOLDEN[name]).float() / 255


IMAGE = golden("image").permute(2, 0, 1)[None]
ALPHA = golden("mask")[None, None]


@pytest.mark.parametrize(
    ("path", "border", "anchor"), [("cpu", "reflect", "before"), ("gpu", "replicate", "after")]
)
def test_both_official_formulations(path: str, border: str, anchor: str) -> None:
    name = "cpu_float" if path == "cpu" else "gpu_path_float"
    foreground, _ = blur_fusion(IMAGE, ALPHA, border=border, anchor=anchor)
    first, background = blur_fusion(IMAGE, ALPHA, sizes=(90,), border=border, anchor=anchor)
    for result, key in (
        (foreground, name),
        (first, f"{path}_pass1_fg"),
        (background, f"{path}_pass1_bg"),
    ):
        # The official GPU blur sums 8100 values in float32; divided by a small mean alpha, its
        # own error reaches 5e-5 in the first pass.
        tolerance = 2e-5 if path == "cpu" or key == name else 1e-4
        assert numpy.abs(result[0].permute(1, 2, 0).numpy() - GOLDEN[key]).max() < tolerance
    truncated = (foreground[0].permute(1, 2, 0) * 255).byte().int()
    stored = GOLDEN["cpu_uint8" if path == "cpu" else "gpu_path_uint8"].astype(int)
    assert numpy.abs(truncated.numpy() - stored).max() <= 1


def test_another_size() -> None:
    foreground, _ = blur_fusion(IMAGE, ALPHA, sizes=(21, 6), border="reflect", anchor="before")
    truncated = (foreground[0].permute(1, 2, 0) * 255).byte().int().numpy()
    assert numpy.abs(truncated - GOLDEN["cpu_r21_uint8"].astype(int)).max() <= 1


def test_our_default_treats_all_sides_alike() -> None:
    def mirrored(border: str, anchor: str) -> float:
        there, _ = blur_fusion(IMAGE.flip(2, 3), ALPHA.flip(2, 3), border=border, anchor=anchor)
        here, _ = blur_fusion(IMAGE, ALPHA, border=border, anchor=anchor)
        return float((there.flip(2, 3) - here).abs().max())

    ours, _ = blur_fusion(IMAGE, ALPHA)
    torch.testing.assert_close(
        ours, blur_fusion(IMAGE, ALPHA, border="replicate", anchor="center")[0]
    )
    assert mirrored("replicate", "center") < 1e-5
    assert mirrored("reflect", "before") > 0.01
    assert mirrored("replicate", "after") > 0.01


def test_sizes_are_rounded_to_whole_pixels() -> None:
    rounded, _ = blur_fusion(IMAGE, ALPHA, sizes=(20.6, 6.2))
    torch.testing.assert_close(rounded, blur_fusion(IMAGE, ALPHA, sizes=(21, 6))[0])


def test_a_square_of_no_pixels_is_refused() -> None:
    for sizes in ((), (90, 0.4)):
        with pytest.raises(ConfigError, match="at least 1 pixel"):
            blur_fusion(IMAGE, ALPHA, sizes=sizes)


def test_far_from_the_subject_the_background_is_the_blurred_picture() -> None:
    image = torch.rand(1, 3, 40, 40)
    _, background = blur_fusion(image, torch.zeros(1, 1, 40, 40), sizes=(1,))
    torch.testing.assert_close(background, image, atol=2e-5, rtol=0)
