"""Exact Euclidean distances, in pixels."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ConfigError
from ..tensors import check_image
from .labels import check_bool

Values = NDArray[np.float32]
Indices = NDArray[np.int32]

HALF_SEGMENT = 1.0
"""Half the length of contour that one pixel of the contour stands for, in pixels."""

NORMAL_SIGMA = 1.0
"""Of the Gaussian whose gradient gives a contour's direction, in pixels."""

NORMAL_REACH = 2
"""Half the side of the square that this gradient looks at, in pixels."""


class ContourField(NamedTuple):
    """Where the contour of a soft mask lies, seen from the pixels around it; all of shape (N,)."""

    pixels: Indices
    """Which pixels are meant, numbered row by row."""

    signed: Values
    """Distance of the pixel's center to the contour in pixels, negative outside."""

    inward_y: Values
    """Direction along the shortest way across the contour, towards the inside: its row part."""

    inward_x: Values
    """And its column part; both together have length 1."""


def distance_to(inside: Tensor) -> Tensor:
    """Distance of each pixel to the nearest True one, between pixel centers.

    Args:
        inside: (B, 1, H, W), bool.

    Returns:
        (B, 1, H, W), float32, in pixels: 0 where `inside`, infinity in an item without any True.

    Raises:
        ShapeError: If `inside` is not bool (B, 1, H, W).
    """
    from scipy import ndimage

    check_bool(inside)
    result = torch.full(inside.shape, torch.inf)
    for out, item in zip(result, inside.cpu(), strict=True):
        if item.any():
            distance = ndimage.distance_transform_edt(~item[0].numpy())
            out[0] = torch.from_numpy(distance)
    return result.to(inside.device)


def signed_distance(alpha: Tensor, *, level: float = 0.5) -> Tensor:
    """Distance of each pixel's center to the contour of a soft mask, finer than a pixel.

    Args:
        alpha: (B, 1, H, W), in [0, 1].
        level: The opacity whose contour is meant, in (0, 1].

    Returns:
        (B, 1, H, W), float32, in pixels: positive inside (opacity at least `level`), negative
        outside; plus or minus infinity in an item without a contour. On straight edges whose
        opacity is a ramp of two pixels or more it is exact, and on narrower ones along rows or
        columns; elsewhere the error stays around a tenth of a pixel. The frame of the image is no
        contour.

    Raises:
        ShapeError: If `alpha` is not floating (B, 1, H, W).
        ConfigError: If the level leaves (0, 1].

    Source: the idea of Gustavson and Strand, "Anti-Aliased Euclidean Distance Transform", Pattern
        Recognition Letters 2011; contour segments instead of edge pixels are our own.
    """
    check_image(alpha, (1,))
    if not 0 < level <= 1:
        raise ConfigError(f"level must be above 0 and at most 1, got {level}.")
    result = torch.empty(alpha.shape)
    for out, item in zip(result, alpha.detach().float().cpu(), strict=True):
        values = item[0].numpy()
        field = contour_field(values, level)
        if field is None:
            out.fill_(torch.inf if values[0, 0] >= level else -torch.inf)
        else:
            out[0] = torch.from_numpy(field.signed).view(values.shape)
    return result.to(alpha.device)


def contour_field(alpha: Values, level: float, reach: float = math.inf) -> ContourField | None:
    """Find the nearest point of a contour for each pixel around it.

    Args:
        alpha: One soft mask (H, W), float32.
        level: The opacity whose contour is meant.
        reach: Leave out pixels farther away than this, in pixels.

    Returns:
        What is known about these pixels (some beyond the reach included); None if there is no
        contour.
    """
    from scipy import ndimage

    inside = alpha >= level
    if inside.all() or not inside.any():
        return None
    contour = _contour(alpha, inside, level)
    rows, columns = np.nonzero(contour)
    tables = _segments(alpha, rows, columns, level)
    near_y, near_x = ndimage.distance_transform_edt(
        ~contour, return_distances=False, return_indices=True
    )
    height, width = alpha.shape
    numbers = np.zeros(alpha.shape, np.int32)
    numbers[contour] = np.arange(len(rows), dtype=np.int32)
    nearest = numbers.take(near_y * width + near_x)
    if math.isinf(reach):
        pixels = np.arange(height * width, dtype=np.int32)
    else:
        near_y -= np.arange(height, dtype=near_y.dtype)[:, None]
        near_x -= np.arange(width, dtype=near_x.dtype)[None]
        close = near_y * near_y + near_x * near_x <= (reach + 1) ** 2
        pixels = np.flatnonzero(close).astype(np.int32)
    y, x = (part.astype(np.float32) for part in np.divmod(pixels, width))
    found = nearest.take(pixels)
    first = _to_segment(y, x, found, tables)
    # The nearest pixel of the contour need not hold its nearest point: look where that is, too.
    foot_y = np.clip(np.rint(y + first[1]), 0, height - 1).astype(np.int32)
    foot_x = np.clip(np.rint(x + first[2]), 0, width - 1).astype(np.int32)
    second = _to_segment(y, x, nearest.take(foot_y * width + foot_x), tables)
    closer = second[0] < first[0]
    distance, _, _, inward_y, inward_x = (
        np.where(closer, two, one) for one, two in zip(first, second, strict=True)
    )
    sign = np.where(inside.ravel()[pixels], np.float32(1), np.float32(-1))
    return ContourField(pixels, sign * distance, inward_y, inward_x)


def _to_segment(
    y: Values, x: Values, found: Indices, tables: tuple[Values, ...]
) -> tuple[Values, Values, Values, Values, Values]:
    """From pixels to segments: distance, the way to the segment's line, and inward direction."""
    at_y, at_x, normal_y, normal_x, depth = (table.take(found) for table in tables)
    away_y, away_x = y - at_y, x - at_x
    along = away_y * normal_y + away_x * normal_x + depth
    across = away_y * normal_x - away_x * normal_y
    beyond = across - np.clip(across, -HALF_SEGMENT, HALF_SEGMENT)
    distance = np.sqrt(along * along + beyond * beyond)
    # At the side of a segment the way is its normal, around its end a line to that end.
    sure = np.maximum(distance, np.float32(1e-6))
    turn = np.where(along < 0, -1, 1) / sure
    around = beyond != 0
    inward_y = np.where(around, (along * normal_y + beyond * normal_x) * turn, normal_y)
    inward_x = np.where(around, (along * normal_x - beyond * normal_y) * turn, normal_x)
    dots = (normal_y == 0) & (normal_x == 0)  # specks and threads: as steep on all sides
    if dots.any():
        distance = np.where(dots, np.hypot(away_y, away_x), distance)
        sure = np.maximum(distance, np.float32(1e-6))
        inward_y = np.where(dots, -away_y / sure, inward_y)
        inward_x = np.where(dots, -away_x / sure, inward_x)
    return distance, -along * normal_y, -along * normal_x, inward_y, inward_x


def _contour(alpha: Values, inside: NDArray[np.bool_], level: float) -> NDArray[np.bool_]:
    """Of each two neighbors on different sides, the one nearer to the level; both if equal."""
    gap = np.abs(alpha - np.float32(level))
    contour = np.zeros_like(inside)
    for here, there in (
        ((slice(1, None), slice(None)), (slice(None, -1), slice(None))),
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
    ):
        crossed = inside[here] != inside[there]
        contour[here] |= crossed & (gap[here] <= gap[there])
        contour[there] |= crossed & (gap[there] <= gap[here])
    return contour


def _segments(
    alpha: Values, rows: NDArray[np.intp], columns: NDArray[np.intp], level: float
) -> tuple[Values, ...]:
    """Pieces of the contour near some pixels.

    Returns:
        Row and column of the pixel, row and column part of the normal towards the inside, and how
        deep inside the contour the pixel's center is.
    """
    slope = np.hypot(*_slopes(alpha, rows, columns))
    depth = (alpha[rows, columns] - level) / np.maximum(slope, 1e-6)
    reach = NORMAL_REACH
    padded = np.pad(alpha, reach, mode="edge")
    normal_y = np.zeros(len(rows))
    normal_x = np.zeros(len(rows))
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            weight = math.exp(-(down**2 + right**2) / (2 * NORMAL_SIGMA**2))
            values = weight * padded[rows + reach + down, columns + reach + right]
            normal_y += down * values
            normal_x += right * values
    length = np.hypot(normal_y, normal_x)
    length[length < 1e-4] = np.inf  # without a direction
    parts = (rows, columns, normal_y / length, normal_x / length, np.clip(depth, -1, 1))
    return tuple(part.astype(np.float32) for part in parts)


def _slopes(
    alpha: Values, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[Values, Values]:
    """Slope of the opacity at some pixels along y and x, per pixel.

    A ramp is clipped where it reaches 0 or 1, so the steeper of both sides is the true one; a
    single soft pixel between 0 and 1 is an edge of one pixel.
    """
    padded = np.pad(alpha, 1, mode="edge")
    here = alpha[rows, columns]
    slopes = []
    for row, column in ((1, 0), (0, 1)):
        before = padded[rows + 1 - row, columns + 1 - column]
        after = padded[rows + 1 + row, columns + 1 + column]
        left, right = here - before, after - here
        steeper = np.where(np.abs(left) > np.abs(right), left, right)
        clipped = (np.minimum(before, after) <= 0) & (np.maximum(before, after) >= 1)
        slopes.append(np.where(clipped, left + right, steeper))
    return slopes[0], slopes[1]
