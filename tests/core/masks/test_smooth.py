"""Smooth outlines: steps and bumps go, everything else stays."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from birefnet import ConfigError
from birefnet.filters import signed_distance
from birefnet.masks import smooth_outline

SIDE = 96
MIDDLE = slice(28, 68)


def places() -> tuple[torch.Tensor, torch.Tensor]:
    line = torch.arange(SIDE, dtype=torch.float32)
    return torch.meshgrid(line, line, indexing="ij")


def edge(degrees: float, width: float, high: float = 1.0) -> torch.Tensor:
    y, x = places()
    angle = math.radians(degrees)
    depth = (x - SIDE / 2) * math.cos(angle) + (y - SIDE / 2) * math.sin(angle)
    return high * (0.5 + depth / width).clamp(0, 1)[None, None]


def stairs(step: int) -> torch.Tensor:
    """A hard diagonal edge in steps of some pixels."""
    y, x = places()
    return ((x // step + y // step) * step > SIDE - step).float()[None, None]


def roughness(alpha: torch.Tensor) -> float:
    """Standard deviation of the contour of a diagonal edge from a straight line, in pixels."""
    y, x = places()
    ideal = (x + y - SIDE) / math.sqrt(2)
    off = (signed_distance(alpha)[0, 0] - ideal)[MIDDLE, MIDDLE]
    return float(off[ideal[MIDDLE, MIDDLE].abs() < 1].std())


@pytest.mark.parametrize("step", [2, 4, 8])
def test_stair_steps_go(step):
    before = stairs(step)
    after = smooth_outline(before, size=2.0 * step)
    assert roughness(after) < roughness(before) / 5
    # Still an edge, not a blur: the slope spans a pixel or two.
    y, x = places()
    far = ((x + y - SIDE).abs() / math.sqrt(2) > step + 3)[MIDDLE, MIDDLE]
    assert torch.equal(after[0, 0, MIDDLE, MIDDLE][far].round(), before[0, 0, MIDDLE, MIDDLE][far])
    soft = ((after > 0.05) & (after < 0.95))[..., MIDDLE, MIDDLE].float().mean()
    assert soft < 3 / SIDE


@pytest.mark.parametrize("degrees", [0, 30, 45, 100])
@pytest.mark.parametrize("width", [1, 4, 16])
@pytest.mark.parametrize("high", [1.0, 0.6])
def test_a_straight_edge_stays_as_soft_as_it_was(degrees, width, high):
    alpha = edge(degrees, width, high)
    off = (smooth_outline(alpha, size=8.0) - alpha)[..., MIDDLE, MIDDLE].abs()
    assert off.max() < 0.25 if width == 1 else off.max() < 0.05
    assert off.mean() < 0.005


def test_a_bump_goes_and_a_far_larger_form_stays():
    alpha = torch.zeros(1, 1, SIDE, SIDE)
    alpha[..., 48:, :] = 1
    alpha[..., 44:48, 40:46] = 1  # a bump
    alpha[..., 20:48, 70:] = 1  # a form
    after = smooth_outline(alpha, size=12.0)
    assert after[0, 0, 45, 43] < 0.2
    assert after[0, 0, 25:, 80:].min() > 0.99


def test_the_inside_stays_between_glass_and_haze():
    alpha = edge(45, 2).clamp_min(1 / 255)
    alpha[..., 60:90, 60:90] *= 0.5
    after = smooth_outline(alpha, size=6.0)
    assert torch.equal(after[..., 70:80, 70:80], alpha[..., 70:80, 70:80])
    assert torch.equal(after[..., :20, :20], alpha[..., :20, :20])


def test_hair_across_the_outline_is_kept():
    line = (torch.arange(SIDE * 4) + 0.5) / 4 - 0.5
    y, x = torch.meshgrid(line, line, indexing="ij")
    inside = y > 60
    for start in range(10, 90, 10):
        inside |= ((x - start - (60 - y) / 5).abs() < 0.4) & (y > 20)
    alpha = F.avg_pool2d(inside.float()[None, None], 4)
    after = smooth_outline(alpha, size=10.0)
    assert after[..., 22:58, :].sum() > 0.9 * alpha[..., 22:58, :].sum()
    assert torch.equal(after[..., 22:40, :], alpha[..., 22:40, :])


def test_what_is_smaller_than_the_size_is_not_removed():
    y, x = places()
    alpha = (0.5 + (6 - torch.hypot(y - 48, x - 48)) / 2).clamp(0, 1)[None, None]
    after = smooth_outline(alpha, size=40.0)
    assert after.sum().item() == pytest.approx(alpha.sum().item(), rel=0.3)


def test_nothing_to_do_is_the_same_tensor():
    alpha = stairs(4)
    assert smooth_outline(alpha, size=0) is alpha


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (6, 5)])
def test_a_plain_mask_stays(value, size):
    alpha = torch.full((1, 1, *size), value)
    torch.testing.assert_close(smooth_outline(alpha, size=5.0), alpha, atol=1e-6, rtol=0)


def test_items_are_independent_and_types_kept():
    batch = torch.cat([stairs(4), edge(20, 3), torch.zeros(1, 1, SIDE, SIDE)])
    whole = smooth_outline(batch, size=6.0)
    for number in range(3):
        alone = smooth_outline(batch[number : number + 1], size=6.0)[0]
        torch.testing.assert_close(whole[number], alone, atol=1e-5, rtol=0)
    half = smooth_outline(batch.half(), size=6.0)
    assert half.dtype == torch.float16
    assert (half.float() - whole).abs().mean() < 0.003


def test_an_impossible_size_is_refused():
    with pytest.raises(ConfigError, match="size must be at least 0"):
        smooth_outline(stairs(2), size=-1)
