"""The subject in front of another background."""

from __future__ import annotations

import pytest
import torch

from birefnet import ConfigError, ShapeError, cutout, estimate_foreground, over
from birefnet.backdrops import light_wrap, multiply_layer, replace_background
from birefnet.foreground import METHODS

GENERATOR = torch.Generator().manual_seed(4)
IMAGE = torch.rand(2, 3, 40, 50, generator=GENERATOR)
OTHER = torch.rand(1, 3, 40, 50, generator=GENERATOR)
SHADOW = torch.rand(2, 1, 40, 50, generator=GENERATOR)
RAMP = torch.linspace(-0.5, 1.5, 50).clamp(0, 1).view(1, 1, 1, 50).expand(2, 1, 40, 50)
"""Transparent, soft and opaque parts."""


def test_without_background_it_is_the_cutout() -> None:
    result = replace_background(IMAGE, RAMP)
    torch.testing.assert_close(result, cutout(estimate_foreground(IMAGE, RAMP), RAMP))


@pytest.mark.parametrize("method", METHODS)
def test_colors_are_freed_of_the_old_background_first(method: str) -> None:
    result = replace_background(IMAGE, RAMP, OTHER, foreground=method)
    color = estimate_foreground(IMAGE, RAMP, method=method)
    torch.testing.assert_close(result, over(color, RAMP, OTHER))


def test_off_keeps_the_colors() -> None:
    result = replace_background(IMAGE, RAMP, OTHER, foreground="off")
    assert torch.equal(result, over(IMAGE, RAMP, OTHER))


@pytest.mark.parametrize("linear", [False, True])
def test_pixels_without_subject_keep_every_bit(linear: bool) -> None:
    result = replace_background(IMAGE, RAMP, OTHER, foreground="off", linear=linear)
    outside = (RAMP == 0).expand_as(result)
    assert torch.equal(result[outside], OTHER.expand_as(result)[outside])
    inside = (RAMP == 1).expand_as(result)
    assert torch.equal(result[inside], IMAGE[inside])


def test_linear_light_brightens_soft_edges() -> None:
    black, white = torch.zeros(1, 3, 40, 50), torch.ones(1, 3, 1, 1)
    plain = replace_background(black, RAMP[:1], white, foreground="off")
    light = replace_background(black, RAMP[:1], white, foreground="off", linear=True)
    soft = ((RAMP[:1] > 0.1) & (RAMP[:1] < 0.9)).expand_as(plain)
    assert (light - plain)[soft].min() > 0.03


def test_one_color_and_one_background_serve_all_pictures() -> None:
    color = torch.tensor([0.2, 0.4, 0.6]).view(1, 3, 1, 1)
    result = replace_background(IMAGE, torch.zeros_like(RAMP), color)
    assert torch.equal(result, color.expand_as(result))
    result = replace_background(IMAGE, torch.zeros_like(RAMP), OTHER)
    assert torch.equal(result, OTHER.expand_as(result))


def test_a_shadow_is_multiplied_behind_the_subject() -> None:
    result = replace_background(
        IMAGE, RAMP, OTHER, foreground="off", shadow=SHADOW, shadow_color=(0.3, 0.0, 0.0)
    )
    dark = OTHER * multiply_layer(SHADOW, (0.3, 0.0, 0.0))
    torch.testing.assert_close(result, over(IMAGE, RAMP, dark))


@pytest.mark.parametrize("color", [(0.0, 0.0, 0.0), (0.2, 0.1, 0.5)])
def test_a_transparent_shadow_looks_the_same_once_it_lies_on_white(color: tuple) -> None:
    options = {"foreground": "off", "shadow": SHADOW, "shadow_color": color}
    white = torch.ones(1, 3, 1, 1)
    rgba = replace_background(IMAGE, RAMP, **options)
    laid = over(rgba[:, :3], rgba[:, 3:], white)
    torch.testing.assert_close(laid, replace_background(IMAGE, RAMP, white, **options))


def test_a_transparent_black_shadow_fits_every_background() -> None:
    options = {"foreground": "off", "shadow": SHADOW}
    rgba = replace_background(IMAGE, RAMP, **options)
    laid = over(rgba[:, :3], rgba[:, 3:], OTHER)
    torch.testing.assert_close(laid, replace_background(IMAGE, RAMP, OTHER, **options))


def test_a_partly_transparent_background_stays_so() -> None:
    hidden = torch.cat([OTHER, torch.zeros(1, 1, 40, 50)], dim=1)
    seen = torch.cat([OTHER, torch.ones(1, 1, 40, 50)], dim=1)
    options = {"foreground": "off", "shadow": SHADOW}
    through = replace_background(IMAGE, RAMP, hidden, **options)
    torch.testing.assert_close(through[:, 3:], 1 - (1 - RAMP) * (1 - SHADOW))
    opaque = replace_background(IMAGE, RAMP, seen, **options)
    assert torch.equal(opaque[:, 3:], torch.ones_like(RAMP))
    flat = replace_background(IMAGE, RAMP, OTHER, **options)
    torch.testing.assert_close(opaque[:, :3], flat)


def test_light_of_the_new_background_falls_on_the_edge() -> None:
    result = replace_background(IMAGE, RAMP, OTHER, foreground="off", wrap=0.7, wrap_width=3)
    lit = light_wrap(IMAGE, RAMP, OTHER, width=3, strength=0.7)
    torch.testing.assert_close(result, over(lit, RAMP, OTHER))
    hidden = torch.cat([OTHER, torch.zeros(1, 1, 40, 50)], dim=1)
    dark = replace_background(IMAGE, RAMP, hidden, foreground="off", wrap=1, wrap_width=3)
    torch.testing.assert_close(dark[:, :3], IMAGE)  # what nobody sees gives no light


def test_items_of_a_batch_are_independent() -> None:
    options = {"wrap": 0.5, "wrap_width": 2}
    together = replace_background(IMAGE, RAMP, OTHER, shadow=SHADOW, **options)
    for item in range(2):
        one = slice(item, item + 1)
        alone = replace_background(IMAGE[one], RAMP[one], OTHER, shadow=SHADOW[one], **options)
        torch.testing.assert_close(alone, together[one])


def test_half_precision_stays_half_precision() -> None:
    for background in (None, OTHER):
        half = replace_background(IMAGE.half(), RAMP.half(), background, shadow=SHADOW.half())
        full = replace_background(IMAGE, RAMP, background, shadow=SHADOW)
        assert half.dtype == torch.float16
        seen = full[:, 3:] > 0.05 if full.shape[1] == 4 else torch.tensor(True)
        assert ((half.float() - full).abs() * seen).max() < 2e-2


def test_bad_input_is_refused() -> None:
    with pytest.raises(ShapeError, match="bring it to the image's size with fit_background"):
        replace_background(IMAGE, RAMP, torch.rand(1, 3, 20, 25))
    with pytest.raises(ShapeError, match="background must be"):
        replace_background(IMAGE, RAMP, torch.rand(3, 3, 40, 50))
    with pytest.raises(ShapeError, match="alpha must be"):
        replace_background(IMAGE, RAMP, shadow=SHADOW[:1])
    with pytest.raises(ConfigError, match="strength of a light wrap"):
        replace_background(IMAGE, RAMP, OTHER, wrap=2)
    with pytest.raises(ConfigError, match="method must be"):
        replace_background(IMAGE, RAMP, foreground="magic")
