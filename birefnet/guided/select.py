"""Which part of a prediction belongs to a prompt."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..filters import distance_to, label
from ..regions import Box
from .prompts import Point

CORE = 0.5
"""Opacity above which pixels that touch form one part."""

MOSTLY = 0.5
"""A part belongs to a prompt if at least this share of its area does."""

LARGE = 0.3
"""A part also belongs to a prompt if it covers at least this share of it."""

RAMP = 0.02
"""Width over which parts that touch are divided, as a share of the picture's shorter side."""


def inside_box(box: Box, reach: float, size: tuple[int, int]) -> Tensor:
    """Weights that fall from 1 in a box to 0 outside.

    Args:
        box: In an image of `size`.
        reach: Where they arrive at 0, as a share of the box's sides; they begin to fall halfway.
        size: Height and width of the result.

    Returns:
        (1, 1, *size) float32, in [0, 1].
    """
    rows = _inside_line(box.top, box.height, reach, size[0])
    columns = _inside_line(box.left, box.width, reach, size[1])
    return (rows[:, None] * columns)[None, None]


def _inside_line(start: int, length: int, reach: float, limit: int) -> Tensor:
    place = torch.arange(limit) + 0.5
    beyond = torch.maximum(start - place, place - (start + length)).clamp_min(0)
    return _fall(beyond, reach * length)


def near_mask(inside: Tensor, reach: float) -> Tensor:
    """Weights that fall from 1 on a mask to 0 away from it.

    Args:
        inside: (1, 1, H, W), bool.
        reach: Where they arrive at 0, in pixels; they begin to fall halfway.

    Returns:
        (1, 1, H, W) float32, in [0, 1]; 0 everywhere if the mask is empty.
    """
    return _fall((distance_to(inside) - 0.5).clamp_min(0), reach)


def _fall(distance: Tensor, width: float) -> Tensor:
    """1 up to half of `width` pixels, then a smoothstep to 0 at all of it."""
    if width < 1:
        return (distance < 0.5).float()
    share = (2 - 2 * distance / width).clamp(0, 1)
    return share * share * (3 - 2 * share)


def parts_at(alpha: Tensor, points: Sequence[Point]) -> Tensor:
    """The parts of an alpha that points lie on, (1, 1, H, W) bool."""
    numbers, _ = label(alpha > CORE)
    return torch.isin(numbers, _as_tensor(_hit(numbers, points), numbers))


def own_parts(
    alpha: Tensor,
    prompt: Tensor,
    *,
    points: Sequence[Point] = (),
    negative_points: Sequence[Point] = (),
) -> Tensor:
    """Keep the parts of an alpha that a prompt means.

    Parts are what is connected at an opacity above one half; softer pixels go with the nearest
    one. A part is meant if a point lies on it, if it lies mostly in the prompt, or if it covers a
    large share of the prompt. It is not meant if a negative point lies on it; if a point does as
    well, it is divided halfway between the two.

    Args:
        alpha: (1, 1, H, W), in [0, 1].
        prompt: Pixels of the box or rough mask, (1, 1, H, W), bool.
        points: Places on the object, in pixels.
        negative_points: Places that do not belong to it; those outside the alpha do not count.

    Returns:
        (1, 1, H, W), in [0, 1], nowhere above `alpha`.
    """
    height, width = alpha.shape[2:]
    numbers, (count,) = label(alpha > CORE)
    flat = numbers.flatten().long()
    areas = torch.bincount(flat, minlength=count + 1)
    shared = torch.bincount(flat[prompt.flatten()], minlength=count + 1)
    meant = shared >= MOSTLY * areas
    meant |= shared >= LARGE * max(1, int(prompt.sum()))
    positive, negative = _hit(numbers, points), _hit(numbers, negative_points)
    for number in positive:
        meant[number] = True
    for number in negative - positive:
        meant[number] = False
    meant[0] = False
    kept = meant[numbers.long()]
    dropped = (numbers > 0) & ~kept
    result = alpha
    if bool(dropped.any()):
        result = result * _share(distance_to(kept), distance_to(dropped))
    if positive & negative:
        ramp = RAMP * min(height, width)
        divided = torch.isin(numbers, _as_tensor(positive & negative, numbers))
        own, other = (_distance(some, height, width) for some in (points, negative_points))
        share = (0.5 + (other - own) / (2 * max(ramp, 1.0))).clamp(0, 1).to(result)
        # Softer pixels around a divided part are divided with it.
        near = distance_to(divided) <= distance_to(kept & ~divided)
        result = torch.where(near, result * share, result)
    return result


def _hit(numbers: Tensor, points: Sequence[Point]) -> set[int]:
    """Numbers of the parts that points lie on."""
    height, width = numbers.shape[2:]
    inside = [(int(x), int(y)) for x, y in points if 0 <= x < width and 0 <= y < height]
    return {int(numbers[0, 0, y, x]) for x, y in inside} - {0}


def _as_tensor(wanted: set[int], like: Tensor) -> Tensor:
    return torch.tensor(sorted(wanted), dtype=like.dtype, device=like.device)


def _share(own: Tensor, other: Tensor) -> Tensor:
    """1 where `other` is three times as far away as `own`, 0 the other way round, soft between."""
    if not bool(torch.isfinite(own).any()):
        return torch.zeros_like(own)
    share = (2 * other / (own + other) - 0.5).clamp(0, 1)
    return share * share * (3 - 2 * share)


def _distance(points: Sequence[Point], height: int, width: int) -> Tensor:
    """To the nearest point, (1, 1, height, width)."""
    rows, columns = torch.arange(height)[:, None] + 0.5, torch.arange(width) + 0.5
    distances = [torch.hypot(rows - y, columns - x) for x, y in points]
    return torch.stack(distances).amin(0)[None, None]
