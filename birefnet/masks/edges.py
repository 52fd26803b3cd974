"""Moving and fading the edges of soft masks, by distance."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ConfigError
from ..filters.distance import ContourField, contour_field
from ..tensors import check_image

FeatherSide = Literal["centered", "inside", "outside"]
FEATHER_SIDES: tuple[FeatherSide, ...] = ("centered", "inside", "outside")

LEVELS = (0.02, 0.25, 0.5, 0.75, 0.98)
"""Where the contours lie along which a soft edge is followed, between its extremes."""

FLAT = 1e-3
"""A mask whose opacity varies by less has no edge."""

STEPS = (0.0, 1.0, 2.5)
"""How far beyond a contour the opacity behind it is looked up, in pixels."""

Values = NDArray[np.float32]


def grow(alpha: Tensor, *, radius: float) -> Tensor:
    """Move the edge of a mask outward or inward.

    A soft edge moves as it is and keeps its softness; a pixel takes the largest opacity within
    the radius (the smallest one, if the radius is negative).

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
        moved = _dilate(values, radius) if radius > 0 else 1 - _dilate(1 - values, -radius)
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


def _fade(alpha: Values, width: float, side: FeatherSide) -> Values:
    fields = _fields(alpha, width)
    outside = inside = alpha
    if side != "inside":
        outside = _slope_up(alpha, [field for _, field in fields], width)
    if side != "outside":
        turned = [_turned(field) for _, field in fields]
        inside = 1 - _slope_up(1 - alpha, turned, width)
    if side == "outside":
        return outside
    if side == "inside":
        return inside
    # Between both, the slope through the middle of the edge; contours nearby count more.
    total = np.zeros(alpha.size, np.float32)
    middle = np.zeros(alpha.size, np.float32)
    for level, field in fields:
        weight = np.maximum(1 - np.abs(field.signed) / (1.5 * width), 1e-6)
        total[field.pixels] += weight
        middle[field.pixels] += weight * (level + field.signed / width)
    middle = np.where(total > 0, middle / np.maximum(total, 1e-6), alpha.ravel())
    return np.clip(middle.reshape(alpha.shape), inside, outside)


def _dilate(alpha: Values, radius: float) -> Values:
    """Largest opacity within a radius above 0."""
    result = alpha.copy()
    for _, field in _fields(alpha, radius + 2):
        reaching = field.signed >= -radius
        field = _where(field, reaching & (alpha.take(field.pixels) < 1))
        _raise_to(result, field, _look(alpha, field, np.float32(radius)))
        way = np.maximum(-field.signed, 0)
        for step in STEPS:
            near = np.minimum(way + np.float32(step), np.float32(radius))
            _raise_to(result, field, _look(alpha, field, near))
    return result


def _slope_up(alpha: Values, fields: list[ContourField], width: float) -> Values:
    """Smallest function above an opacity that falls by at most 1 over the width."""
    result = alpha.copy()
    for field in fields:
        field = _where(field, alpha.take(field.pixels) < 1)
        way = np.maximum(-field.signed, 0)
        for step in STEPS:
            there = way + np.float32(step)
            _raise_to(result, field, _look(alpha, field, there) - there / np.float32(width))
    return result


def _fields(alpha: Values, reach: float) -> list[tuple[float, ContourField]]:
    """Contours of a few levels between the extremes of a mask; equal ones only once."""
    lowest, highest = float(alpha.min()), float(alpha.max())
    if highest - lowest < FLAT:
        return []
    found = []
    known: list[NDArray[np.bool_]] = []
    for share in LEVELS:
        level = lowest + share * (highest - lowest)
        inside = alpha >= level
        if any(np.array_equal(inside, other) for other in known):
            continue
        known.append(inside)
        field = contour_field(alpha, level, reach)
        if field is not None:
            found.append((level, field))
    return found


def _turned(field: ContourField) -> ContourField:
    """The same contour of the inverted mask."""
    return ContourField(field.pixels, -field.signed, -field.inward_y, -field.inward_x)


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


def _raise_to(result: Values, field: ContourField, values: Values) -> None:
    """Raise some pixels to at least these values, in place."""
    flat = result.ravel()
    flat[field.pixels] = np.maximum(flat[field.pixels], values)
