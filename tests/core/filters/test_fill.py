"""Pixels nobody knows, filled from those around them."""

from __future__ import annotations

import pytest
import torch

from birefnet import ShapeError
from birefnet.filters import fill


def hole(side: int = 64, size: int = 20) -> torch.Tensor:
    weight = torch.ones(1, 1, side, side)
    start = (side - size) // 2
    weight[..., start : start + size, start : start + size] = 0
    return weight


def test_known_pixels_keep_every_bit() -> None:
    image, weight = torch.rand(1, 3, 64, 64), hole()
    filled = fill(image, weight)
    known = (weight == 1).expand_as(image)
    assert torch.equal(filled[known], image[known])


def test_what_is_ignored_does_not_matter() -> None:
    image, weight = torch.rand(1, 3, 64, 64), hole()
    other = torch.where(weight == 0, torch.rand(1, 3, 64, 64), image)
    assert torch.equal(fill(other, weight), fill(image, weight))


def test_a_hole_in_a_gradient_is_nearly_the_gradient() -> None:
    gradient = torch.linspace(0, 1, 64).view(1, 1, 1, 64).expand(1, 3, 64, 64)
    spoiled = gradient * hole()
    filled = fill(spoiled, hole())
    assert (filled - gradient).abs().max() < 0.06
    assert (spoiled - gradient).abs().max() > 0.5


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (7, 1), (33, 50), (64, 64)])
def test_values_stay_between_the_known_ones(height: int, width: int) -> None:
    image = torch.rand(2, 1, height, width)
    weight = (torch.rand(2, 1, height, width) < 0.2).float()
    weight[:, :, 0, 0] = 1
    filled = fill(torch.where(weight > 0, 0.3 + 0.2 * image, -9.0), weight)
    assert filled.min() >= 0.3 - 1e-5
    assert filled.max() <= 0.5 + 1e-5


def test_a_single_known_pixel_colors_everything() -> None:
    image, weight = torch.rand(1, 3, 37, 50), torch.zeros(1, 1, 37, 50)
    image[0, :, 5, 40] = torch.tensor([0.2, 0.4, 0.6])
    weight[0, 0, 5, 40] = 1
    expected = torch.tensor([0.2, 0.4, 0.6]).view(1, 3, 1, 1).expand(1, 3, 37, 50)
    torch.testing.assert_close(fill(image, weight), expected)


def test_the_mean_stands_for_what_nobody_knows() -> None:
    image = torch.rand(2, 3, 20, 30)
    filled = fill(image, torch.zeros(2, 1, 20, 30))
    torch.testing.assert_close(filled, image.mean((2, 3), keepdim=True).expand_as(image))


def test_half_known_pixels_lie_between_themselves_and_their_surroundings() -> None:
    image, weight = torch.zeros(1, 1, 32, 32), torch.ones(1, 1, 32, 32)
    image[..., 16, 16] = 1
    values = []
    for known in (1.0, 0.5, 0.0):
        weight[..., 16, 16] = known
        values.append(float(fill(image, weight)[..., 16, 16]))
    assert values[0] == 1
    assert 0.3 < values[1] < 0.7
    assert values[2] < 0.05


def test_items_and_precision() -> None:
    image, weight = torch.rand(3, 4, 21, 30), torch.rand(3, 1, 21, 30).round()
    together = fill(image, weight)
    for item in range(3):
        one = slice(item, item + 1)
        torch.testing.assert_close(fill(image[one], weight[one]), together[one])
    half = fill(image.half(), weight.half())
    assert half.dtype == torch.float16
    assert (half.float() - together).abs().max() < 4e-3


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match="alpha must be"):
        fill(torch.rand(1, 3, 4, 4), torch.rand(1, 1, 4, 5))
