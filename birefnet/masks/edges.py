"""Moving and fading the edges of soft masks, by distance."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ConfigError
from ..filters.distance import ContourField, contour_field
from ..tensors import check_image
from .empty import FAINT

FeatherSide = Literal["centered", "inside", "outside"]
FEATHER_SIDES: tuple[FeatherSide, ...] = ("centered", "inside", "outside")

LEVELS = (0.015, 0.15, 0.3, 0.5, 0.7, 0.85, 0.985)
"""Where the contours lie along which a soft edge is followed, between its extremes."""

FLAT = 1e-3
"""A mask whose opacity varies by less has no edge."""

STEPS = (1.0, 2.5)
"""How far behind a contour the opacity is looked up, in pixels."""

THREADS_LAST = 4.0
"""Shrinking by this many pixels leaves nothing of threads that are thinner."""

HARD = 0.98
"""Opacity from which on a pixel of a thread counts as hard ..."""

SOFT_SHARE = 0.5
"""... and the share of pixels below it that makes a thread soft."""

Values = NDArray[np.float32]


def grow(alpha: Tensor, *, radius: float) -> Tensor:
    """Move the edge of a mask outward or inward.

    A soft edge moves as it is and keeps its softness: a pixel takes the largest opacity within
    the radius, the smallest one if the radius is negative. Soft threads such as hair would be gone
    after a pixel or two; they fade instead, over the first `THREADS_LAST` pixels of shrinking.

    Args:
        alpha: (B, 1, H, W), in [0, 1].
        radius: How far, in pixels; fractions count, below 0 it shrinks and 0 changes nothing. The
            cost does not depend on it.

    Returns:
        Same shape and dtype, in [0, 1]. Where the frame of the image cuts the subject it does not
        shrink.

    Raises:
        ShapeError: If `alpha` is not floating (B, 1, H, W).
        ConfigError: If the radius is not finite.

    Source: our own; gray-scale dilation by a disk, followed along the contours of a few levels.
    """
    check_image(alpha, (1,))
    if not math.isfinite(radius):
        raise ConfigError(f"radius must be a finite number of pixels, got {radius}.")
    if radius == 0:
        return alpha
    result = torch.empty_like(alpha)
    for out, item in zip(result, alpha, strict=True):
        values = item[0].detach().float().cpu().numpy()
        moved = _dilate(values, radius) if radius > 0 else _shrunk(values, -radius)
        out[0] = torch.from_numpy(moved)
    return result


def feather(alpha: Tensor, *, width: float, side: FeatherSide = "centered") -> Tensor:
    """Fade the edge of a mask in proportion to the distance from it.

    A hard edge becomes a straight slope of the given width. An edge that is softer already stays
    as it is.

    Args:
        alpha: (B, 1, H, W), in [0, 1].
        width: Of the slope from 1 to 0, in pixels, at least 0; the cost does not depend on it.
        side: "centered" lays half of the slope on each side of the edge, "inside" only takes
            opacity away, "outside" only adds some.

    Returns:
        Same shape and dtype, in [0, 1]. Where the frame of the image cuts the subject it is not
        faded.

    Raises:
        ShapeError: If `alpha` is not floating (B, 1, H, W).
        ConfigError: If the width is negative or not finite, or the side not known.

    Source: our own; inside and outside are the largest function below and the smallest one above
        the mask whose slope is at most 1 / width.
    """
    check_image(alpha, (1,))
    if not (math.isfinite(width) and width >= 0):
        raise ConfigError(f"width must be at least 0 pixels and finite, got {width}.")
    if side not in FEATHER_SIDES:
        raise ConfigError(f"side must be one of {', '.join(FEATHER_SIDES)}, got {side!r}.")
    if width == 0:
        return alpha
    result = torch.empty_like(alpha)
    for out, item in zip(result, alpha, strict=True):
        values = item[0].detach().float().cpu().numpy()
        out[0] = torch.from_numpy(_fade(values, width, side))
    return result


def threads(alpha: Values, reach: float) -> Values:
    """What a soft mask has of hair and the like: threads that are thin and not hard.

    Args:
        alpha: One mask (H, W), in [0, 1].
        reach: Half the width of the widest thread, in pixels.

    Returns:
        (H, W): how much of each pixel's opacity is thread; nowhere above `alpha`.

    Source: the top hat of Meyer 1979, by a disk, without its small and its hard parts.
    """
    opened = np.minimum(_dilate(_erode(alpha, reach), reach), alpha)
    return _threads(alpha, opened, reach)


class _Contour(NamedTuple):
    """A contour of a mask, which stands for a range of opacity."""

    low: float
    """Opacity outside of it is at most this."""

    high: float
    """Opacity inside of it is at least this."""

    middle: float
    """Of the range of opacity it stands for."""

    share: float
    """Length of this range."""

    field: ContourField


def _fade(alpha: Values, width: float, side: FeatherSide) -> Values:
    contours = _contours(alpha, width)
    outside = inside = alpha
    if side != "inside":
        outside = _slope_up(alpha, contours, width)
    if side != "outside":
        inside = 1 - _slope_up(1 - alpha, [_turned(contour) for contour in contours], width)
    if side == "outside":
        return outside
    if side == "inside":
        return inside
    # Between both, the slope through the middle of the edge; contours nearby count more.
    total = np.zeros(alpha.size, np.float32)
    middle = np.zeros(alpha.size, np.float32)
    for contour in contours:
        field = contour.field
        near = np.maximum(1 - np.abs(field.signed) / (1.5 * width), 1e-6)
        total[field.pixels] += contour.share * near
        middle[field.pixels] += contour.share * near * (contour.middle + field.signed / width)
    middle = np.where(total > 0, middle / np.maximum(total, 1e-6), alpha.ravel())
    return np.clip(middle.reshape(alpha.shape), inside, outside)


def _dilate(alpha: Values, radius: float) -> Values:
    """Largest opacity within a radius above 0."""
    result = alpha.copy()
    for contour in _contours(alpha, radius + 2):
        field = contour.field
        near = _where(field, (field.signed >= -radius) & (alpha.take(field.pixels) < 1))
        _raise_to(result, near, _look(alpha, near, np.float32(radius)))
        # What is thinner than the radius lies between.
        _raise_to(result, _where(near, near.signed >= 1 - radius), np.float32(contour.high))
        way = np.maximum(-near.signed, 0)
        for step in STEPS:
            within = way + np.float32(step) <= radius
            some = _where(near, within)
            _raise_to(result, some, _look(alpha, some, way[within] + np.float32(step)))
    return result


def _erode(alpha: Values, radius: float) -> Values:
    """Smallest opacity within a radius above 0."""
    return 1 - _dilate(1 - alpha, radius)


def _shrunk(alpha: Values, radius: float) -> Values:
    """Like `_erode`, but threads fade over some pixels."""
    eroded = _erode(alpha, radius)
    if radius >= THREADS_LAST:
        return eroded
    reach = max(radius, 1.0)
    opened = np.minimum(_dilate(_erode(alpha, reach), reach), alpha)
    thin = _threads(alpha, opened, reach)
    if not thin.any():
        return eroded
    # They end where the body was; through the rim that it lost they go on to what is left of it.
    thin = np.maximum(thin, np.minimum(_dilate(thin, radius), opened - eroded))
    result: Values = eroded + np.float32(1 - radius / THREADS_LAST) * np.maximum(thin - eroded, 0)
    return result


def _threads(alpha: Values, opened: Values, reach: float) -> Values:
    """Threads, from a mask and what is left of it when a disk cannot enter."""
    from scipy import ndimage

    rest = alpha - opened
    numbers, count = ndimage.label(rest > FAINT, np.ones((3, 3)))
    if not count:
        return np.zeros_like(alpha)
    flat = numbers.ravel()
    pixels = np.bincount(flat, minlength=count + 1)
    soft = np.bincount(flat, (alpha < HARD).ravel(), count + 1)
    amount = np.bincount(flat, rest.ravel(), count + 1)
    kept = (amount > (1 + reach) ** 2) & (soft >= pixels * SOFT_SHARE)
    kept[0] = False
    found: Values = np.where(kept[numbers], rest, np.float32(0))
    return found


def _slope_up(alpha: Values, contours: list[_Contour], width: float) -> Values:
    """Smallest function above an opacity that falls by at most 1 over the width."""
    result = alpha.copy()
    for contour in contours:
        field = contour.field
        near = _where(field, (field.signed >= -width) & (alpha.take(field.pixels) < 1))
        way = np.maximum(-near.signed, 0)
        _raise_to(result, near, contour.high - (way / width).astype(np.float32))
        for step in STEPS:
            there = way + np.float32(step)
            _raise_to(result, near, _look(alpha, near, there) - (there / width).astype(np.float32))
    return result


def _contours(alpha: Values, reach: float) -> list[_Contour]:
    """Contours that share the range between the extremes of a mask; equal ones count as one."""
    lowest, highest = float(alpha.min()), float(alpha.max())
    span = highest - lowest
    if span < FLAT:
        return []
    groups: list[list[float]] = []
    known = None
    for share in LEVELS:
        level = lowest + share * span
        inside = alpha >= level
        if known is not None and np.array_equal(inside, known):
            groups[-1].append(level)
        else:
            groups.append([level])
        known = inside
    ends = [(one[-1] + other[0]) / 2 for one, other in pairwise(groups)]
    found = []
    for levels, (start, stop) in zip(groups, pairwise([lowest, *ends, highest]), strict=True):
        outermost = start == lowest or stop == highest
        middle = levels[0] if outermost and len(levels) == 1 else (start + stop) / 2
        field = contour_field(alpha, middle, reach)
        if field is not None:
            low = float(alpha[alpha < middle].max())
            high = float(alpha[alpha >= middle].min())
            # The outermost contours stand for the extremes.
            low = lowest if low < lowest + LEVELS[0] * span else low
            high = highest if high > highest - LEVELS[0] * span else high
            found.append(_Contour(low, high, middle, stop - start, field))
    return found


def _turned(contour: _Contour) -> _Contour:
    """The same contour of the inverted mask."""
    field = contour.field
    turned = ContourField(field.pixels, -field.signed, -field.inward_y, -field.inward_x)
    low, high = 1 - contour.high, 1 - contour.low
    return _Contour(low, high, 1 - contour.middle, contour.share, turned)


def _where(field: ContourField, chosen: NDArray[np.bool_]) -> ContourField:
    return ContourField(
        field.pixels[chosen],
        field.signed[chosen],
        field.inward_y[chosen],
        field.inward_x[chosen],
    )


def _look(alpha: Values, field: ContourField, way: Values | np.float32) -> Values:
    """Opacity some way towards the inside of a contour, between pixels if need be."""
    height, width = alpha.shape
    y, x = np.divmod(field.pixels, width)
    row = np.clip(y + way * field.inward_y, 0, height - 1).astype(np.float32)
    column = np.clip(x + way * field.inward_x, 0, width - 1).astype(np.float32)
    top = np.minimum(row.astype(np.int32), max(height - 2, 0))
    left = np.minimum(column.astype(np.int32), max(width - 2, 0))
    down, right = row - top, column - left
    corner = top * width + left
    below, beside = (width if height > 1 else 0), (1 if width > 1 else 0)
    upper = alpha.take(corner) * (1 - right) + alpha.take(corner + beside) * right
    lower = alpha.take(corner + below) * (1 - right) + alpha.take(corner + below + beside) * right
    values: Values = upper * (1 - down) + lower * down
    return values


def _raise_to(result: Values, field: ContourField, values: Values | np.float32) -> None:
    """Raise some pixels to at least these values, in place."""
    flat = result.ravel()
    flat[field.pixels] = np.maximum(flat[field.pixels], values)
