"""Light of the background on the subject's edge."""

from __future__ import annotations

import pytest
import torch

from birefnet import ConfigError
from birefnet.backdrops import light_wrap
from birefnet.filters import gaussian_blur

STEP = (torch.arange(64) < 32).float().view(1, 1, 1, 64).expand(1, 1, 20, 64)
"""A subject on the left half."""


def test_light_reaches_in_from_the_edge_and_fades() -> None:
    dark, bright = torch.full((1, 3, 20, 64), 0.2), torch.full((1, 3, 20, 64), 0.8)
    wrapped = light_wrap(dark, STEP, bright, width=4)[0, 0, 10]
    assert float(wrapped[31]) == pytest.approx(0.2 + 0.6 * 0.5, abs=0.04)
    assert (wrapped[:32].diff() >= 0).all()
    assert float(wrapped[31 - 16]) == pytest.approx(0.2, abs=1e-3)


def test_it_brightens_up_to_the_background_and_no_further() -> None:
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(1, 3, 20, 64, generator=generator)
    background = torch.rand(1, 3, 20, 64, generator=generator)
    wrapped = light_wrap(image, STEP, background, width=3)
    assert (wrapped >= image - 1e-6).all()
    assert (wrapped <= torch.maximum(image, gaussian_blur(background, 3.0)) + 1e-6).all()


def test_a_dark_background_gives_no_light() -> None:
    image = 0.2 + torch.rand(1, 3, 20, 64) / 2
    black = torch.zeros(1, 3, 20, 64)
    torch.testing.assert_close(light_wrap(image, STEP, black, width=3), image)


def test_strength_is_linear_and_zero_changes_nothing() -> None:
    image, background = torch.rand(1, 3, 20, 64) / 2, torch.rand(1, 3, 20, 64)
    assert light_wrap(image, STEP, background, width=3, strength=0) is image
    half = light_wrap(image, STEP, background, width=3, strength=0.5)
    full = light_wrap(image, STEP, background, width=3, strength=1)
    torch.testing.assert_close(half - image, (full - image) / 2)
    assert (full - image).max() > 0.1


def test_width_says_how_far() -> None:
    dark, bright = torch.zeros(1, 3, 20, 64), torch.ones(1, 3, 20, 64)
    near, far = (light_wrap(dark, STEP, bright, width=width)[0, 0, 10] for width in (1, 6))
    assert float(near[24]) < 1e-3
    assert float(far[24]) > 0.05


def test_a_batch_equals_its_items() -> None:
    images, backgrounds = torch.rand(3, 3, 20, 64), torch.rand(3, 3, 20, 64)
    alphas = torch.rand(3, 1, 20, 64)
    together = light_wrap(images, alphas, backgrounds, width=2)
    for item in range(3):
        one = slice(item, item + 1)
        alone = light_wrap(images[one], alphas[one], backgrounds[one], width=2)
        torch.testing.assert_close(alone, together[one])


def test_bad_strength_is_refused() -> None:
    image = torch.rand(1, 3, 20, 64)
    with pytest.raises(ConfigError, match=r"must lie in \[0, 1\], got 1.5"):
        light_wrap(image, STEP, image, width=2, strength=1.5)
