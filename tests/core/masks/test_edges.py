"""Edges that move and fade: exact on straight edges and disks, soft where they were soft."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from birefnet import ConfigError, ShapeError
from birefnet.masks import feather, grow
from birefnet.masks.edges import THREADS_LAST, threads

SIDE = 80
MIDDLE = slice(24, 56)
ANGLES = (0, 20, 45, 90, 133)


def places(side: int = SIDE) -> tuple[torch.Tensor, torch.Tensor]:
    line = torch.arange(side, dtype=torch.float32)
    return torch.meshgrid(line, line, indexing="ij")


def edge(degrees: float, width: float, moved: float = 0.0) -> torch.Tensor:
    """A straight edge that is a ramp of some pixels, moved outward."""
    y, x = places()
    angle = math.radians(degrees)
    depth = (x - SIDE / 2 + 0.2) * math.cos(angle) + (y - SIDE / 2) * math.sin(angle)
    return (0.5 + (depth + moved) / width).clamp(0, 1)[None, None]


def disk(radius: float, supersampled: int = 6) -> torch.Tensor:
    """A disk whose edge pixels are as opaque as they are covered."""
    line = (torch.arange(SIDE * supersampled) + 0.5) / supersampled - 0.5
    y, x = torch.meshgrid(line, line, indexing="ij")
    inside = torch.hypot(y - SIDE / 2 + 0.3, x - SIDE / 2 - 0.1) < radius
    return F.avg_pool2d(inside.float()[None, None], supersampled)


def square(low: int = 24, high: int = 56) -> torch.Tensor:
    alpha = torch.zeros(1, 1, SIDE, SIDE)
    alpha[..., low:high, low:high] = 1
    return alpha


def error(result: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
    return (result - expected)[..., MIDDLE, MIDDLE].abs()


def softest(alpha: torch.Tensor) -> int:
    """How many pixels of the middle row are neither clear nor opaque."""
    row = alpha[0, 0, SIDE // 2]
    return int(((row > 0.02) & (row < 0.98)).sum())


@pytest.mark.parametrize("radius", [0.3, 1.0, 2.5, 9.0, -0.3, -1.0, -2.5, -9.0])
@pytest.mark.parametrize(("width", "most"), [(3, 0.11), (10, 0.04)])
def test_a_soft_edge_moves_as_it_is(radius, width, most):
    for degrees in ANGLES:
        off = error(grow(edge(degrees, width), radius=radius), edge(degrees, width, radius))
        assert off.max() < most
        assert off.mean() < 0.005


@pytest.mark.parametrize("radius", [0.5, 2.0, 12.0, -0.5, -2.0, -12.0])
def test_a_disk_stays_a_disk(radius):
    result = grow(disk(20), radius=radius)
    area = math.pi * (20 + radius) ** 2
    assert result.sum().item() == pytest.approx(area, rel=0.02)
    assert error(result, disk(20 + radius)).mean() < 0.01


@pytest.mark.parametrize("radius", [1.0, 7.0, -1.0, -7.0])
def test_a_hard_edge_stays_hard_along_rows(radius):
    moved = int(radius)
    result = grow(square(), radius=radius)[0, 0, SIDE // 2]
    assert torch.equal(result, square(24 - moved, 56 + moved)[0, 0, SIDE // 2])


def test_corners_are_round_outside_and_sharp_inside():
    grown, shrunk = grow(square(), radius=8)[0, 0], grow(square(), radius=-8)[0, 0]
    assert grown[24 - 7, 24 - 7] == 0  # 9.9 pixels from the corner
    assert grown[24 - 5, 24 - 5] == 1  # 7.1 pixels
    assert shrunk[32, 32] == 1
    assert shrunk[31, 32] == 0


def test_nothing_to_do_is_the_same_tensor():
    alpha = disk(10)
    assert grow(alpha, radius=0) is alpha
    assert feather(alpha, width=0) is alpha


def test_fractions_of_a_pixel_lie_between():
    sums = [grow(disk(20), radius=radius / 4).sum().item() for radius in range(-6, 7)]
    steps = np.diff(sums)
    assert steps.min() > 0.8 * math.pi * 38 / 4
    assert steps.max() < 1.2 * math.pi * 42 / 4


def test_growing_takes_the_largest_opacity_within_the_radius():
    generator = torch.Generator().manual_seed(1)
    alpha = torch.rand(1, 1, 12, 16, generator=generator)
    smooth = F.interpolate(alpha, (48, 64), mode="bicubic").clamp(0, 1)
    result = grow(smooth, radius=3)
    y, x = torch.meshgrid(torch.arange(-4.0, 5), torch.arange(-4.0, 5), indexing="ij")
    away = torch.hypot(y, x).flatten()
    near = F.unfold(F.pad(smooth, (4, 4, 4, 4)), 9).view(1, 81, 48, 64)
    assert (result - near[:, away <= 3].max(1, keepdim=True).values).abs().mean() < 0.02
    assert (result <= near[:, away <= 4].max(1, keepdim=True).values + 0.02).all()
    assert (result >= smooth).all()


def test_two_plateaus_keep_their_opacity():
    alpha = square(30, 50)
    alpha[..., 30:50, 50:70] = 0.6
    grown = grow(alpha, radius=4)[0, 0]
    assert grown[40, 72] == pytest.approx(0.6, abs=1e-4)
    assert grown[40, 53] == 1
    assert grown[40, 60] == pytest.approx(0.6, abs=1e-4)
    assert grow(alpha, radius=-4)[0, 0, 40, 60] == pytest.approx(0.6, abs=1e-4)


def test_haze_stays_haze():
    alpha = disk(15).clamp_min(1 / 255)
    for radius in (6.0, -6.0):
        result = grow(alpha, radius=radius)
        assert result.min() == pytest.approx(1 / 255)
        assert (result[0, 0, :8] < 0.005).all()


def test_the_frame_does_not_eat_what_it_cuts():
    alpha = torch.zeros(1, 1, 40, 60)
    alpha[..., 10:, :30] = 1
    for result in (
        grow(alpha, radius=-6),
        feather(alpha, width=12),
        feather(alpha, width=12, side="inside"),
    ):
        assert (result[0, 0, 24:, 0] == 1).all()
        assert (result[0, 0, 39, :16] == 1).all()
        assert result[0, 0, 39, 29] < 1


def strands() -> torch.Tensor:
    """A body, and soft threads of about a pixel out of it."""
    line = (torch.arange(SIDE * 4) + 0.5) / 4 - 0.5
    y, x = torch.meshgrid(line, line, indexing="ij")
    inside = y > 50
    for start in range(8, 76, 8):
        inside |= ((x - start - (50 - y) / 6).abs() < 0.4) & (y > 12)
    return F.avg_pool2d(inside.float()[None, None], 4)


@pytest.mark.parametrize(("radius", "least"), [(0.5, 0.8), (1.0, 0.7), (2.0, 0.45)])
def test_shrinking_a_little_leaves_hair(radius, least):
    before, after = strands(), grow(strands(), radius=-radius)
    assert after[..., 14:46, :].sum() > least * before[..., 14:46, :].sum()
    assert (after <= before + 1e-6).all()
    row = after[0, 0, :, 4]  # between two hairs
    assert row[50:].sum().item() == pytest.approx(SIDE - 50 - radius - 0.5, abs=0.6)


def test_shrinking_much_takes_hair_away():
    after = grow(strands(), radius=-THREADS_LAST)
    assert after[..., :46, :].max() < 0.05


def test_hard_threads_are_no_hair():
    alpha = square()
    alpha[..., 10:24, 40:42] = 1
    assert grow(alpha, radius=-1)[..., :22, :].max() < 0.1
    assert threads(alpha[0, 0].numpy(), 2).max() == 0
    assert threads(strands()[0, 0].numpy(), 2)[14:46].sum() > 0.8 * strands()[..., 14:46, :].sum()


@pytest.mark.parametrize("side", ["centered", "inside", "outside"])
@pytest.mark.parametrize("width", [4.0, 11.5, 30.0])
def test_a_hard_edge_becomes_a_slope_of_the_width(side, width):
    alpha = torch.zeros(1, 1, 9, 120)
    alpha[..., 60:] = 1
    depth = torch.arange(120) - 59.5
    shift = {"centered": 0.5, "inside": 0.0, "outside": 1.0}[side]
    expected = (shift + depth / width).clamp(0, 1)
    result = feather(alpha, width=width, side=side)
    # Between pixels the edge is anywhere within one: half a pixel of the slope.
    assert (result[0, 0, 4] - expected).abs().max() < 0.55 / width


@pytest.mark.parametrize("degrees", ANGLES)
def test_a_soft_edge_is_centered_too(degrees):
    result = feather(edge(degrees, 3), width=14)
    assert error(result, edge(degrees, 14)).max() < 0.03


@pytest.mark.parametrize("side", ["centered", "inside", "outside"])
def test_an_edge_that_is_softer_already_stays(side):
    alpha = edge(30, 24)
    assert error(feather(alpha, width=12, side=side), alpha).max() < 0.02


def test_inside_only_takes_and_outside_only_adds():
    alpha = torch.maximum(disk(18), strands() * 0.7)
    assert (feather(alpha, width=9, side="inside") <= alpha + 1e-6).all()
    assert (feather(alpha, width=9, side="outside") >= alpha - 1e-6).all()


def test_only_what_is_within_the_width_changes():
    depth = 20 - torch.hypot(*(place - SIDE / 2 for place in places()))
    alpha = (depth > 0).float()[None, None]
    for side, low, high in (("inside", -0.8, 8.8), ("outside", -8.8, 0.8), ("centered", -4.8, 4.8)):
        changed = (feather(alpha, width=8, side=side) - alpha)[0, 0].abs() > 1e-6
        assert depth[changed].min() > low
        assert depth[changed].max() < high


def test_fading_a_thin_line_keeps_its_middle_the_strongest():
    alpha = torch.zeros(1, 1, 30, 60)
    alpha[..., 28:32] = 1
    row = feather(alpha, width=20)[0, 0, 15]
    assert row.argmax().item() in range(28, 32)
    assert (row[29:50].diff() <= 1e-6).all()


def test_rounding_a_square_by_distance():
    result = feather(square(), width=10, side="outside")[0, 0]
    assert result[40, 19] == pytest.approx(result[19, 40].item())
    assert result[24 - 4, 24 - 4] == pytest.approx(1 - 4 * math.sqrt(2) / 10, abs=0.08)


@pytest.mark.parametrize(
    "work",
    [
        lambda alpha: grow(alpha, radius=3.3),
        lambda alpha: grow(alpha, radius=-1.2),
        lambda alpha: feather(alpha, width=7.0),
    ],
)
def test_items_are_independent_and_types_kept(work):
    batch = torch.cat([disk(12), torch.zeros(1, 1, SIDE, SIDE), strands(), square()])
    whole = work(batch)
    for number in range(len(batch)):
        assert torch.equal(whole[number], work(batch[number : number + 1])[0])
    half = work(batch.half())
    assert half.dtype == torch.float16
    assert (half.float() - whole).abs().mean() < 0.003


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (5, 7)])
def test_a_plain_mask_stays(value, size):
    alpha = torch.full((1, 1, *size), value)
    for result in (grow(alpha, radius=5), grow(alpha, radius=-5), feather(alpha, width=8)):
        torch.testing.assert_close(result, alpha)


@pytest.mark.parametrize("size", [(1, 2), (2, 1), (2, 2), (3, 1)])
def test_the_smallest_pictures_work(size):
    alpha = torch.zeros(1, 1, *size)
    alpha[..., 0, 0] = 1
    assert grow(alpha, radius=4).min() == 1
    assert grow(alpha, radius=-4).max() == 0
    for side in ("centered", "inside", "outside"):
        assert feather(alpha, width=4, side=side).isfinite().all()


def test_what_is_refused():
    with pytest.raises(ConfigError, match="radius must be a finite number"):
        grow(disk(5), radius=math.inf)
    with pytest.raises(ConfigError, match="width must be at least 0"):
        feather(disk(5), width=-1)
    with pytest.raises(ConfigError, match=r"centered, inside, outside, got 'left'"):
        feather(disk(5), width=1, side="left")
    with pytest.raises(ShapeError):
        grow(disk(5)[0], radius=1)
