"""Connected parts of soft masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ConfigError
from ..filters import Unit
from ..regions import THRESHOLD, Box
from ..tensors import check_image
from .empty import EMPTY_POLICIES, FAINT, EmptyPolicy, fit_fallback

PartChoice = Literal["all", "largest", "by area"]
PART_CHOICES: tuple[PartChoice, ...] = ("all", "largest", "by area")

PartOrder = Literal["largest", "left to right", "top to bottom", "points"]
PART_ORDERS: tuple[PartOrder, ...] = ("largest", "left to right", "top to bottom", "points")

Point = tuple[float, float]
"""Horizontal and vertical position, in pixels from the left upper corner of the image."""

SPECK = 0.01
"""A part that meets another one, and is smaller than this share of it, belongs to that one."""

Labels = NDArray[np.int32]

TOUCHING = np.ones((3, 3))  # pixels that touch at a corner belong together


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Part:
    """One connected part of a mask, with the soft pixels around it."""

    box: Box
    """Around what is at least as opaque as the threshold the parts were told apart at."""

    area: float
    """Sum of its opacity, in pixels."""

    alpha: Tensor
    """Its opacity inside `place`, (1, 1, h, w), in [0, 1]."""

    place: Box
    """Around all of it, soft pixels included."""

    size: tuple[int, int]
    """Height and width of the mask, in pixels."""

    def full(self) -> Tensor:
        """The part as a mask of its own, (1, 1, H, W), in [0, 1]."""
        whole = self.alpha.new_zeros((1, 1, *self.size))
        place = self.place
        whole[..., place.top : place.bottom, place.left : place.right] = self.alpha
        return whole


@dataclass(frozen=True, eq=False, slots=True)
class _Division:
    """Which part each pixel of a mask belongs to."""

    labels: Labels
    """(H, W): 0 where the mask is 0, else the number of a part, from 1."""

    cores: Labels
    """The same, but 0 where the mask is fainter than the level its part was found at."""

    areas: NDArray[np.float64]
    """Sum of opacity of each part, the first entry that of no part."""

    @property
    def count(self) -> int:
        return len(self.areas) - 1


def area(value: float, unit: Unit, size: tuple[int, int]) -> float:
    """An area in pixels.

    Args:
        value: The area, in `unit`.
        unit: "pixels", or "percent" of the whole image.
        size: (height, width) of the image, in pixels.
    """
    return value if unit == "pixels" else value / 100 * size[0] * size[1]


def keep_parts(alpha: Tensor, *, largest: int | None = None, min_area: float = 0.0) -> Tensor:
    """Remove small separate parts, with the soft pixels around them.

    Args:
        alpha: (B, 1, H, W), in [0, 1].
        largest: How many parts are kept at most, the largest; None for all.
        min_area: Least sum of opacity of a part that is kept, in pixels.

    Returns:
        Same shape and dtype: `alpha` on the parts that are kept, 0 elsewhere. A mask that shows
        nothing but haze is left as it is.

    Raises:
        ShapeError: If `alpha` is not floating (B, 1, H, W).
        ConfigError: If `largest` is below 1 or `min_area` negative.

    Source: our own; for what a part is, see `find_parts`.
    """
    check_image(alpha, (1,))
    if largest is not None and largest < 1:
        raise ConfigError(f"largest must be at least 1 part, got {largest}.")
    _check_area(min_area)
    result = alpha.clone()
    for item in result:
        division = _divide(_to_array(item), FAINT)
        kept = division.areas >= min_area
        if largest is not None:
            kept &= _ranks(division.areas) < largest
        if division.count and not kept[1:].all():
            kept[0] = True
            item[0][torch.from_numpy(~kept[division.labels]).to(item.device)] = 0
    return result


def find_parts(
    alpha: Tensor,
    *,
    threshold: float = THRESHOLD,
    min_area: float = 0.0,
    points: Sequence[Sequence[Point]] = (),
    order: PartOrder = "largest",
    limit: int | None = None,
    on_empty: EmptyPolicy = "pass",
    fallback: Tensor | None = None,
) -> tuple[list[list[Part]], list[bool]]:
    """Take masks apart.

    Pixels that reach the threshold and touch, also at a corner, are one part. The level is then
    lowered step by step: what becomes visible and touches one part joins it, what touches none is
    a faint part of its own, and what touches several goes to the nearest; a part that meets one a
    hundred times as large, such as a tuft of hair, joins it. The haze that is left goes to the
    nearest part. So no opacity is lost: all parts add up to the mask.

    Args:
        alpha: (B, 1, H, W), in [0, 1].
        threshold: Opacity at which parts are told apart, above 0 and at most 1.
        min_area: Least sum of opacity of a part that is given, in pixels.
        points: Give only the parts at these places, or nearest to them; one list for all items or
            one for each. Without any, all parts are given.
        order: "largest" first, by the middle of their boxes, or as the `points` that chose them
            ("points" without any is "largest").
        limit: Most parts given for an item, the first in `order`; None for all.
        on_empty: What happens if an item has no part that is asked for: "pass" gives none, "error"
            refuses, "fallback" gives the parts of that item of `fallback`.
        fallback: Masks for "fallback", (B, 1, H, W) or (1, 1, H, W), in [0, 1].

    Returns:
        The parts of each item, and whether it had none itself.

    Raises:
        ShapeError: If `alpha` is not floating (B, 1, H, W), or the shapes do not fit.
        ConfigError: If an option is out of range, a point lies outside the masks, or the policy
            refuses.

    Source: our own; a watershed (Beucher and Lantuejoul 1979) in a few levels.
    """
    check_image(alpha, (1,))
    _check_area(min_area)
    if not 0 < threshold <= 1:
        raise ConfigError(f"threshold must be above 0 and at most 1, got {threshold}.")
    if order not in PART_ORDERS:
        raise ConfigError(f"order must be one of {', '.join(PART_ORDERS)}, got {order!r}.")
    if on_empty not in EMPTY_POLICIES:
        raise ConfigError(f"on_empty must be one of {', '.join(EMPTY_POLICIES)}, got {on_empty!r}.")
    if limit is not None and limit < 1:
        raise ConfigError(f"limit must be at least 1 part, got {limit}; None gives all.")
    places = _points_per_item(points, alpha)
    found = [
        _parts(item[None], threshold, min_area, chosen, order, limit)
        for item, chosen in zip(alpha, places, strict=True)
    ]
    empty = [not parts for parts in found]
    if any(empty) and on_empty == "error":
        which = ", ".join(str(number) for number, one in enumerate(empty) if one)
        raise ConfigError(
            f"every mask must have a part that is asked for, but mask {which} (counted from 0) "
            "has none; lower min_area, or choose on_empty = pass or fallback to go on."
        )
    if any(empty) and on_empty == "fallback":
        spare = fit_fallback(fallback, alpha)
        for number, one in enumerate(empty):
            if one:
                found[number] = _parts(spare[number][None], threshold, 0.0, (), order, limit)
    return found, empty


def _parts(
    alpha: Tensor,
    threshold: float,
    min_area: float,
    points: Sequence[Point],
    order: PartOrder,
    limit: int | None,
) -> list[Part]:
    """The parts of one mask (1, 1, H, W)."""
    from scipy import ndimage

    division = _divide(_to_array(alpha[0]), threshold)
    if not division.count:
        return []
    numbers = [n for n in range(1, division.count + 1) if division.areas[n] >= min_area]
    if points:
        chosen = dict.fromkeys(_part_at(division, x, y) for x, y in points)
        numbers = [number for number in chosen if number in set(numbers)]
    boxes = [_box(place) for place in ndimage.find_objects(division.cores)]
    places = [_box(place) for place in ndimage.find_objects(division.labels)]
    if order == "left to right":
        numbers.sort(key=lambda n: boxes[n - 1].left + boxes[n - 1].right)
    elif order == "top to bottom":
        numbers.sort(key=lambda n: boxes[n - 1].top + boxes[n - 1].bottom)
    elif order == "largest" or not points:
        numbers.sort(key=lambda n: -division.areas[n])
    parts = []
    for number in numbers[:limit]:
        place = places[number - 1]
        window = (slice(place.top, place.bottom), slice(place.left, place.right))
        mine = torch.from_numpy(division.labels[window] == number).to(alpha.device)
        parts.append(
            Part(
                box=boxes[number - 1],
                area=float(division.areas[number]),
                alpha=torch.where(mine, alpha[(..., *window)], 0),
                place=place,
                size=(alpha.shape[2], alpha.shape[3]),
            )
        )
    return parts


def _divide(alpha: NDArray[np.float32], threshold: float) -> _Division:
    """Assign every pixel that is not fully transparent to a part."""
    from scipy import ndimage

    labels = np.zeros(alpha.shape, np.int32)
    cores = np.zeros(alpha.shape, np.int32)
    for level in _levels(threshold):
        regions, count = ndimage.label(alpha >= level, TOUCHING)
        labels, known = _joined(labels, regions, alpha)
        # What each region is from now on: the part in it, undecided (0), or a new part.
        owners = np.zeros(count + 1, np.int64)
        becomes = np.zeros(count + 1, np.int32)
        for number, region in enumerate(known, 1):
            owners[region] += 1
            becomes[region] = number
        becomes[owners > 1] = 0
        new = np.flatnonzero(owners == 0)[1:]
        becomes[new] = np.arange(len(known) + 1, len(known) + len(new) + 1)
        free = (labels == 0) & (regions > 0)
        fresh = np.zeros(count + 1, bool)
        fresh[new] = True
        cores |= fresh[regions]
        labels[free] = becomes[regions[free]]
        if (owners > 1).any():
            _take_nearest(labels, (labels == 0) & (regions > 0))
    if labels.any():
        _take_nearest(labels, (labels == 0) & (alpha > 0))
    sums = np.bincount(labels.ravel(), weights=alpha.ravel())
    return _Division(labels, labels * cores, sums.astype(np.float64))


def _joined(
    labels: Labels, regions: Labels, alpha: NDArray[np.float32]
) -> tuple[Labels, list[int]]:
    """Parts so far, those next to a much larger one in the same region made part of it.

    Returns:
        The new numbers of the parts, and the region each of them lies in.
    """
    count = int(labels.max())
    if not count:
        return labels, []
    flat = labels.ravel()
    areas = np.bincount(flat, weights=alpha.ravel())
    _, first = np.unique(flat, return_index=True)
    region_of = np.zeros(count + 1, np.int64)
    region_of[flat[first]] = regions.ravel()[first]
    largest = np.zeros(regions.max() + 1, np.int64)  # the largest part of each region
    order = np.argsort(areas[1:], kind="stable") + 1
    largest[region_of[order]] = order
    host = largest[region_of]
    stays = areas >= SPECK * areas[host]
    stays[0] = False
    numbers = np.zeros(count + 1, np.int32)
    numbers[stays] = np.arange(1, int(stays.sum()) + 1)
    numbers[1:] = np.where(stays[1:], numbers[1:], numbers[host[1:]])
    return numbers[labels], region_of[stays].tolist()


def _levels(threshold: float) -> list[float]:
    """Levels from the threshold down to haze, each half of the one before."""
    levels = [threshold]
    while levels[-1] / 2 > FAINT:
        levels.append(levels[-1] / 2)
    return levels if threshold <= FAINT else [*levels, FAINT]


def _take_nearest(labels: Labels, pixels: NDArray[np.bool_]) -> None:
    """Give some pixels to the nearest part, in place."""
    from scipy import ndimage

    if not pixels.any():
        return
    if labels.max() == 1:
        labels[pixels] = 1
        return
    rows, columns = ndimage.distance_transform_edt(
        labels == 0, return_distances=False, return_indices=True
    )
    labels[pixels] = labels[rows[pixels], columns[pixels]]


def _part_at(division: _Division, x: float, y: float) -> int:
    """The number of the part at a place, or nearest to it."""
    row, column = int(y), int(x)
    if division.labels[row, column]:
        return int(division.labels[row, column])
    rows, columns = np.nonzero(division.labels)
    nearest = int(np.argmin((rows - row) ** 2 + (columns - column) ** 2))
    return int(division.labels[rows[nearest], columns[nearest]])


def _ranks(areas: NDArray[np.float64]) -> NDArray[np.int64]:
    """0 for the largest part, 1 for the next ...; the first entry, no part, comes last."""
    ranks = np.empty(len(areas), np.int64)
    order = np.argsort(-areas[1:], kind="stable") + 1
    ranks[order] = np.arange(len(order))
    ranks[0] = len(areas)
    return ranks


def _to_array(item: Tensor) -> NDArray[np.float32]:
    """(1, H, W) to (H, W) on the CPU."""
    array: NDArray[np.float32] = item[0].detach().float().cpu().numpy()
    return array


def _box(place: tuple[slice, slice]) -> Box:
    rows, columns = place
    return Box(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)


def _check_area(min_area: float) -> None:
    if not (math.isfinite(min_area) and min_area >= 0):
        raise ConfigError(f"min_area must be at least 0 pixels and finite, got {min_area}.")


def _points_per_item(points: Sequence[Sequence[Point]], alpha: Tensor) -> Sequence[Sequence[Point]]:
    count, _, height, width = alpha.shape
    if len(points) not in (0, 1, count):
        raise ConfigError(
            f"points must be given once for all masks or once for each, got {len(points)} lists "
            f"for {count} masks."
        )
    for x, y in (point for some in points for point in some):
        if not (0 <= x < width and 0 <= y < height):
            raise ConfigError(
                f"points must lie in the mask, 0 <= x < {width} and 0 <= y < {height}, got "
                f"x={x:g}, y={y:g}; were they made for another size?"
            )
    if len(points) == count:
        return points
    return [points[0] if points else ()] * count
