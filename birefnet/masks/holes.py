"""Holes of soft masks."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ConfigError
from ..tensors import check_image

HoleChoice = Literal["off", "all", "by area"]
HOLE_CHOICES: tuple[HoleChoice, ...] = ("off", "all", "by area")

SEA = 1 / 1024
"""Background that reaches the frame without exceeding this opacity is no hole, whatever ripples
it has; so the search is confined to what may be one."""

Values = NDArray[np.float32]
Indices = NDArray[np.int32]


def fill_holes(alpha: Tensor, *, max_area: float | None = None) -> Tensor:
    """Fill holes up to the opacity that encloses them.

    A pixel rises to the lowest opacity that a path from it to the frame of the image cannot
    avoid. So a hole in an opaque body becomes opaque, a hole in a body of 0.6 becomes 0.6, and
    haze in the background, which reaches the frame, stays as it is.

    Args:
        alpha: (B, 1, H, W), in [0, 1].
        max_area: Largest hole that is filled, in pixels; None fills all. At every level of
            opacity, the pixels below it that are connected are one hole.

    Returns:
        Same shape and dtype, nowhere below `alpha`.

    Raises:
        ShapeError: If `alpha` is not floating (B, 1, H, W).
        ConfigError: If `max_area` is negative.

    Source: reconstruction by erosion from the frame, and area closing: Vincent, "Morphological
        Grayscale Reconstruction in Image Analysis", IEEE TIP 1993, and "Grayscale Area Openings
        and Closings", 1993; by way of a minimum spanning tree, without levels of gray.
    """
    check_image(alpha, (1,))
    if max_area is not None and not (math.isfinite(max_area) and max_area >= 0):
        raise ConfigError(f"max_area must be at least 0 pixels and finite, got {max_area}.")
    result = alpha.clone()
    if max_area is not None and max_area < 1:
        return result
    for item in result:
        before = item[0].detach().float().cpu().numpy()
        after = torch.from_numpy(_filled(before, max_area)).to(item)
        item[0] = torch.maximum(item[0], after)
    return result


def _filled(alpha: Values, max_area: float | None) -> Values:
    from scipy import ndimage

    # Pixels that may lie in a hole: not opaque, and not background that surely reaches the frame.
    water, _ = ndimage.label(alpha <= SEA)
    frame = np.concatenate([water[0], water[-1], water[:, 0], water[:, -1]])
    sea = np.isin(water, np.unique(frame[frame > 0]))
    open_pixels = (alpha < 1) & ~sea
    count = int(open_pixels.sum())
    if count == 0:
        return alpha
    tree = _spanning_tree(alpha, open_pixels, sea)
    own = np.append(alpha[open_pixels], -np.inf).astype(np.float32)
    levels = _lowest_way_out(own, tree)
    if max_area is not None:
        levels = _close(own, levels, tree, max_area)
    result = alpha.copy()
    result[open_pixels] = levels[:count]
    return result


def _spanning_tree(
    alpha: Values, open_pixels: NDArray[np.bool_], sea: NDArray[np.bool_]
) -> tuple[Indices, Indices, Values]:
    """Minimum spanning tree over the open pixels and the outside.

    Neighbors are joined at the opacity where water flows from one to the other; the outside, the
    last number, is joined to the frame's pixels and to those beside the sea.

    Returns:
        Both ends and the level of each edge, from the lowest to the highest.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import minimum_spanning_tree

    count = int(open_pixels.sum())
    numbers = np.full(alpha.shape, -1, np.int32)
    numbers[open_pixels] = np.arange(count, dtype=np.int32)
    at_frame = np.ones_like(sea)
    at_frame[1:-1, 1:-1] = False
    shore = at_frame & open_pixels
    ends = []
    for here, there in (
        ((slice(1, None), slice(None)), (slice(None, -1), slice(None))),
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
    ):
        both = open_pixels[here] & open_pixels[there]
        ends.append((numbers[here][both], numbers[there][both]))
        shore[here] |= sea[there] & open_pixels[here]
        shore[there] |= sea[here] & open_pixels[there]
    outlets = numbers[shore]
    first = np.concatenate([*(one for one, _ in ends), np.full(len(outlets), count, np.int32)])
    second = np.concatenate([*(other for _, other in ends), outlets])
    own = np.append(alpha[open_pixels], 0).astype(np.float32)
    # A sparse matrix has no entry 0, so levels are stored one higher, in double precision.
    weights = np.maximum(own[first], own[second]).astype(np.float64) + 1
    graph = csr_matrix((weights, (first, second)), shape=(count + 1, count + 1))
    tree = minimum_spanning_tree(graph).tocoo()
    order = np.argsort(tree.data, kind="stable")
    first, second = tree.row[order].astype(np.int32), tree.col[order].astype(np.int32)
    return first, second, np.maximum(own[first], own[second])


def _lowest_way_out(own: Values, tree: tuple[Indices, Indices, Values]) -> Values:
    """The lowest opacity over which each pixel reaches the outside; 1 where none leads there."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order

    first, second, _ = tree
    outside = len(own) - 1
    graph = csr_matrix((np.ones(len(first)), (first, second)), shape=(len(own), len(own)))
    _, towards = breadth_first_order(graph, outside, directed=False)
    enclosed = towards < 0
    enclosed[outside] = False
    towards = np.where(towards < 0, np.arange(len(own)), towards)
    levels = own
    while True:  # twice as far along the way in each round
        levels = np.maximum(levels, levels[towards])
        further = towards[towards]
        if np.array_equal(further, towards):
            break
        towards = further
    return np.where(enclosed, np.float32(1), levels)


def _close(
    own: Values, levels: Values, tree: tuple[Indices, Indices, Values], max_area: float
) -> Values:
    """Fill only as long as the hole around a pixel is at most so large.

    Water rises in all holes at once and pools join along the tree's edges. A pixel keeps the
    level at which its pool gets too large.
    """
    raised = levels > own
    if not raised.any():
        return levels
    first, second, weights = tree
    inner = raised[first] | raised[second]
    # Only pixels in holes are numbered; all others have drained to the outside, number 0.
    numbers = np.zeros(len(own), np.int64)
    count = int(raised.sum())
    numbers[raised] = np.arange(1, count + 1)
    pool_of = list(range(count + 1))  # by pixel and, below, by pool: the pool it belongs to
    areas = [math.inf, *([1.0] * count)]
    heights = [0.0, *own[raised].tolist()]
    joined = list(range(count + 1))  # the pool that a pool became part of
    ends = zip(
        numbers[first[inner]].tolist(),
        numbers[second[inner]].tolist(),
        weights[inner].tolist(),
        strict=True,
    )
    for one, other, height in ends:
        one_pool, other_pool = _root(pool_of, one), _root(pool_of, other)
        if one_pool == other_pool:
            continue
        new = len(areas)
        areas.append(areas[one_pool] + areas[other_pool])
        heights.append(height)
        pool_of.append(new)
        joined.append(new)
        joined[one_pool] = joined[other_pool] = pool_of[one_pool] = pool_of[other_pool] = new
    area, height = np.array(areas), np.array(heights, np.float32)
    too_large = area > max_area
    last = np.array(joined)
    closed = last == np.arange(len(last))
    height[closed & ~too_large] = 1  # enclosed by opaque pixels only
    onward = np.where(too_large, np.arange(len(last)), last)
    while True:
        further = onward[onward]
        if np.array_equal(further, onward):
            break
        onward = further
    result = own.copy()
    result[raised] = np.maximum(own[raised], height[onward[1 : count + 1]])
    return result


def _root(pool_of: list[int], pool: int) -> int:
    while pool_of[pool] != pool:
        pool_of[pool] = pool_of[pool_of[pool]]
        pool = pool_of[pool]
    return pool
