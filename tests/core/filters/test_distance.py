"""Distances: between pixels, and to contours that run between them."""

from __future__ import annotations

import math

import pytest
import torch

from birefnet import ConfigError, ShapeError
from birefnet.filters import distance_to, signed_distance
from birefnet.filters.distance import contour_field

SIDE = 64
MIDDLE = slice(16, 48)


def places(side: int = SIDE) -> tuple[torch.Tensor, torch.Tensor]:
    line = torch.arange(side, dtype=torch.float32)
    return torch.meshgrid(line, line, indexing="ij")


def depth(degrees: float, shift: float = 0.3) -> torch.Tensor:
    """Signed distance to a straight line through the middle."""
    y, x = places()
    angle = math.radians(degrees)
    return (x - 31.5 - shift) * math.cos(angle) + (y - 31.5) * math.sin(angle)


def edge(degrees: float, width: float) -> torch.Tensor:
    """(1, 1, H, W): a straight edge that is a ramp of some pixels."""
    return (0.5 + depth(degrees) / width).clamp(0, 1)[None, None]


def test_distances_by_hand():
    inside = torch.zeros(1, 1, 4, 5, dtype=torch.bool)
    inside[0, 0, 0, 0] = True
    result = distance_to(inside)[0, 0]
    assert result.dtype == torch.float32
    assert result[0, 0] == 0
    assert result[3, 4] == 5
    assert result[1, 1] == pytest.approx(math.sqrt(2))


def test_distances_are_exact():
    generator = torch.Generator().manual_seed(0)
    inside = torch.rand(2, 1, 17, 23, generator=generator) > 0.97
    place = torch.stack(torch.meshgrid(torch.arange(17.0), torch.arange(23.0), indexing="ij"), -1)
    for item, result in zip(inside, distance_to(inside), strict=True):
        gaps = torch.cdist(place.reshape(-1, 2), place[item[0]])
        torch.testing.assert_close(result.flatten(), gaps.min(1).values)


def test_nothing_is_infinitely_far():
    inside = torch.zeros(2, 1, 3, 3, dtype=torch.bool)
    inside[1] = True
    result = distance_to(inside)
    assert torch.isinf(result[0]).all()
    assert (result[1] == 0).all()


@pytest.mark.parametrize("wrong", [torch.zeros(1, 1, 3, 3), torch.zeros(3, 3, dtype=torch.bool)])
def test_distances_want_a_binary_mask(wrong):
    with pytest.raises(ShapeError, match="bool"):
        distance_to(wrong)


@pytest.mark.parametrize("degrees", [0, 10, 26, 45, 77, 135, 200, 300])
@pytest.mark.parametrize(("width", "error"), [(1, 0.1), (2, 0.02), (5, 0.01), (12, 0.01)])
def test_straight_soft_edges_are_met_between_pixels(degrees, width, error):
    result = signed_distance(edge(degrees, width))[0, 0]
    assert (result - depth(degrees))[MIDDLE, MIDDLE].abs().max() < error


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.75])
@pytest.mark.parametrize("axis", [2, 3])
def test_one_soft_pixel_says_where_between_pixels_the_edge_is(share, axis):
    line = torch.tensor([0.0, 0.0, 0.0, share, 1.0, 1.0, 1.0])
    alpha = line.view((1, 1, 1, -1) if axis == 3 else (1, 1, -1, 1)).expand(1, 1, 7, 7)
    result = signed_distance(alpha.contiguous())
    expected = torch.arange(7.0) - 3.5 + share
    torch.testing.assert_close(result.select(5 - axis, 3).flatten(), expected, atol=1e-5, rtol=0)


def test_a_circle_far_and_near():
    y, x = places()
    away = torch.hypot(y - 30.2, x - 31.7)
    alpha = (0.5 + (12 - away) / 2).clamp(0, 1)[None, None]
    result = signed_distance(alpha)[0, 0]
    error = (result - (12 - away)).abs()
    assert error.mean() < 0.03
    assert error.max() < 0.25


def test_another_level_lies_farther_out():
    alpha = edge(0, 10)
    outer, inner = signed_distance(alpha, level=0.2), signed_distance(alpha, level=0.8)
    torch.testing.assert_close(
        (outer - inner)[..., MIDDLE, MIDDLE], torch.full((1, 1, 32, 32), 6.0), atol=1e-3, rtol=0
    )


def test_a_single_faint_pixel_is_a_dot():
    alpha = torch.zeros(1, 1, 9, 9)
    alpha[0, 0, 4, 4] = 0.6
    result = signed_distance(alpha)[0, 0]
    assert result[4, 4] >= 0
    assert result[4, 8] == pytest.approx(-4, abs=0.2)
    assert result[0, 0] == pytest.approx(-4 * math.sqrt(2), abs=0.2)


def test_without_a_contour_it_is_infinite():
    assert (signed_distance(torch.ones(1, 1, 4, 4)) == torch.inf).all()
    assert (signed_distance(torch.zeros(1, 1, 4, 4)) == -torch.inf).all()
    assert (signed_distance(torch.zeros(1, 1, 1, 1)) == -torch.inf).all()


def test_the_frame_is_no_contour():
    alpha = torch.zeros(1, 1, 8, 20)
    alpha[..., :10] = 1
    assert signed_distance(alpha)[0, 0, 4, 0] == pytest.approx(9.5)


def test_each_item_of_a_batch_is_measured_alone():
    batch = torch.cat([edge(20, 3), torch.zeros(1, 1, SIDE, SIDE), edge(70, 1)])
    whole = signed_distance(batch)
    for number in range(3):
        assert torch.equal(whole[number], signed_distance(batch[number : number + 1])[0])


def test_half_precision_is_measured_in_full():
    alpha = edge(30, 4)
    half = signed_distance(alpha.half())
    assert half.dtype == torch.float32
    assert (half - signed_distance(alpha)).abs().mean() < 0.01


def test_a_level_outside_the_range_is_refused():
    with pytest.raises(ConfigError, match="level must be above 0"):
        signed_distance(edge(0, 1), level=0)


def test_a_field_of_limited_reach_is_part_of_the_whole_one():
    alpha = edge(25, 3)[0, 0].numpy()
    whole = contour_field(alpha, 0.5)
    near = contour_field(alpha, 0.5, reach=4)
    assert len(near.pixels) < len(whole.pixels) / 3
    assert set(near.pixels.tolist()) >= set(whole.pixels[abs(whole.signed) <= 4].tolist())
    assert (whole.signed[near.pixels] == near.signed).all()


def test_the_direction_leads_inside():
    y, x = places()
    alpha = (0.5 + (12 - torch.hypot(y - 31.5, x - 31.5)) / 3).clamp(0, 1).numpy()
    field = contour_field(alpha, 0.5, reach=8)
    rows, columns = field.pixels // SIDE, field.pixels % SIDE
    out_y, out_x = rows - 31.5, columns - 31.5
    far = torch.hypot(torch.from_numpy(out_y), torch.from_numpy(out_x)).numpy()
    toward = -(out_y * field.inward_y + out_x * field.inward_x) / far
    assert toward.min() > 0.98
