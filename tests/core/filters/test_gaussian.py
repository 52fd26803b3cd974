"""Gaussian blur, direct and by box means."""

from __future__ import annotations

import math

import pytest
import torch

from birefnet import ConfigError
from birefnet.filters import gaussian_blur
from birefnet.filters.gaussian import DIRECT


def step(length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(1, 1, 1, L) from 0 to 1 in the middle, and the distance of each pixel from there."""
    place = torch.arange(length) - (length - 1) / 2
    return (place > 0).float().view(1, 1, 1, -1), place


@pytest.mark.parametrize(
    ("sigma", "error"), [(0.3, 1e-4), (1.0, 1e-4), (DIRECT, 1e-4), (4.1, 0.01), (20.0, 0.01)]
)
def test_a_step_becomes_the_integral_of_the_gaussian(sigma, error):
    image, place = step(301)
    blurred = gaussian_blur(image, sigma).flatten()
    # The step lies between pixels 149 and 150, half a pixel off the middle of 301.
    exact = 0.5 * (1 + torch.erf((place - 0.5) / (sigma * math.sqrt(2))))
    assert (blurred - exact).abs().max() < error


@pytest.mark.parametrize("sigma", [1.5, 12.0])
def test_the_variance_is_sigma_squared(sigma):
    image = torch.zeros(1, 1, 1, 401)
    image[..., 200] = 1
    blurred = gaussian_blur(image, sigma).flatten().double()
    place = torch.arange(401) - 200
    pixel = 1 / 12 if sigma <= DIRECT else 0  # the direct kernel is integrated over each pixel
    assert blurred.sum().item() == pytest.approx(1, abs=1e-5)
    assert (blurred * place**2).sum().item() == pytest.approx(sigma**2 + pixel, rel=2e-3)


@pytest.mark.parametrize("sigma", [0.7, 3.0, 9.0, 200.0])
def test_a_constant_stays_up_to_the_border(sigma):
    image = torch.full((1, 2, 9, 13), 0.3)
    torch.testing.assert_close(gaussian_blur(image, sigma), image, atol=1e-6, rtol=0)


def test_beyond_the_border_the_border_pixel_is_repeated():
    image = torch.rand(1, 1, 12, 14, generator=torch.Generator().manual_seed(3))
    wide = torch.nn.functional.pad(image, (60, 60, 60, 60), mode="replicate")
    for sigma in (2.0, 6.0):
        inner = gaussian_blur(wide, sigma)[..., 60:-60, 60:-60]
        torch.testing.assert_close(gaussian_blur(image, sigma), inner, atol=1e-5, rtol=0)


def test_both_axes_have_their_own_sigma():
    image = torch.rand(1, 1, 20, 20, generator=torch.Generator().manual_seed(4))
    both = gaussian_blur(gaussian_blur(image, (2.0, 0.0)), (0.0, 5.0))
    torch.testing.assert_close(gaussian_blur(image, (2.0, 5.0)), both)
    assert torch.equal(gaussian_blur(image, 0.0), image)


def test_items_are_independent_and_keep_their_type():
    image = torch.rand(3, 2, 10, 11, generator=torch.Generator().manual_seed(5))
    for sigma in (1.0, 7.0):
        whole = gaussian_blur(image, sigma)
        torch.testing.assert_close(whole[1], gaussian_blur(image[1:2], sigma)[0])
        half = gaussian_blur(image.half(), sigma)
        assert half.dtype == torch.float16
        torch.testing.assert_close(half.float(), whole, atol=2e-3, rtol=0)


@pytest.mark.parametrize("sigma", [-1.0, math.nan, (1.0, math.inf)])
def test_an_impossible_sigma_is_refused(sigma):
    with pytest.raises(ConfigError, match="sigma must be at least 0"):
        gaussian_blur(torch.zeros(1, 1, 3, 3), sigma)
