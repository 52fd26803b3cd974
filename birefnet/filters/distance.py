"""Exact Euclidean distances, in pixels."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ConfigError
from ..tensors import check_image
from .labels import check_bool

Field = NDArray[np.float32]

HALF_SEGMENT = 0.5
"""Half the length of contour that one pixel of the contour stands for, in pixels."""

LOOKS = 2
"""Segments of the contour that are tried for each pixel."""


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
        opacity is a ramp of any width it is exact; where the slope changes from pixel to pixel
        the error stays around a tenth of a pixel. The frame of the image is no contour.

    Raises:
        ShapeError: If `alpha` is not floating (B, 1, H, W).
        ConfigError: If the level leaves (0, 1].

    Source: the idea of Gustavson and Strand, "Anti-Aliased Euclidean Distance Transform", Pattern
        Recognition Letters 2011; contour segments instead of edge pixels are our own.
    """
    check_image(alpha, (1,))
    if not 0 < level <= 1:
        raise ConfigError(f"level must be above 0 and at most 1, got {level}.")
    items = alpha.detach().float().cpu().numpy()[:, 0]
    fields = np.stack([_signed_distance(item, level) for item in items])
    return torch.from_numpy(fields)[:, None].to(alpha.device)


def _signed_distance(alpha: Field, level: float) -> Field:
    from scipy import ndimage

    inside = alpha >= level
    if inside.all() or not inside.any():
        return np.where(inside, np.inf, -np.inf).astype(np.float32)
    contour = _contour(alpha, inside, level)
    places = np.nonzero(contour)
    offset, normal_y, normal_x = (np.zeros_like(alpha) for _ in range(3))
    slope_y, slope_x = _slopes(alpha, *places)
    slope = np.maximum(np.hypot(slope_y, slope_x), 1e-6)
    normal_y[places], normal_x[places] = slope_y / slope, slope_x / slope
    offset[places] = np.clip((alpha[places] - level) / slope, -1, 1)
    nearest = ndimage.distance_transform_edt(~contour, return_distances=False, return_indices=True)
    y, x = np.ogrid[: alpha.shape[0], : alpha.shape[1]]
    distance = np.full_like(alpha, np.inf)
    found_y, found_x = nearest
    for _ in range(LOOKS):
        found = found_y, found_x
        away_y, away_x = y - found_y, x - found_x
        n_y, n_x = normal_y[found], normal_x[found]
        along = away_y * n_y + away_x * n_x + offset[found]
        across = np.maximum(np.abs(away_y * n_x - away_x * n_y) - HALF_SEGMENT, 0)
        distance = np.minimum(distance, np.hypot(along, across).astype(np.float32))
        # The nearest pixel of the contour need not hold its nearest point: look where that is.
        foot_y = np.clip(np.rint(y - along * n_y), 0, alpha.shape[0] - 1).astype(np.int32)
        foot_x = np.clip(np.rint(x - along * n_x), 0, alpha.shape[1] - 1).astype(np.int32)
        found_y, found_x = nearest[:, foot_y, foot_x]
    signed: Field = np.where(inside, distance, -distance)
    return signed


def _contour(alpha: Field, inside: NDArray[np.bool_], level: float) -> NDArray[np.bool_]:
    """Of each two neighbors on different sides, the one nearer to the level; both if equal."""
    gap = np.abs(alpha - level)
    contour = np.zeros_like(inside)
    for here, there in (
        ((slice(1, None), slice(None)), (slice(None, -1), slice(None))),
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
    ):
        crossed = inside[here] != inside[there]
        contour[here] |= crossed & (gap[here] <= gap[there])
        contour[there] |= crossed & (gap[there] <= gap[here])
    return contour


def _slopes(alpha: Field, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> tuple[Field, Field]:
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
