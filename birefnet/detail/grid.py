"""Overlapping tiles whose weights add up to one everywhere."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

OVERLAP = 0.25
"""Share of a tile that it has in common with the next one, at least."""


def starts(length: int, side: int) -> list[int]:
    """Where tiles begin along one axis.

    Args:
        length: Of the axis, in pixels.
        side: Of the tiles, in pixels, at most `length`.

    Returns:
        First pixels of evenly spread tiles that begin and end with the axis.
    """
    overlap = int(side * OVERLAP)
    count = max(1, -(-(length - overlap) // max(1, side - overlap)))
    if count == 1:
        return [0]
    return [round(number * (length - side) / (count - 1)) for number in range(count)]


def weights(begins: list[int], side: int) -> list[Tensor]:
    """How much each tile counts along one axis.

    Args:
        begins: As `starts` gives them.
        side: Of the tiles, in pixels.

    Returns:
        One (side,) float32 for each tile, in [0, 1]. At every pixel of the axis they add up to 1;
        a tile counts fully in its middle and nothing towards the ends where others take over.

    Source: our own; a smoothstep in the middle of each overlap.
    """
    found = [torch.ones(side) for _ in begins]
    for number, (first, second) in enumerate(itertools.pairwise(begins)):
        shared = first + side - second
        ramp = min(shared, max(1, int(side * OVERLAP)))
        begin = second + (shared - ramp) // 2
        place = torch.arange(second, first + side) + 0.5
        rise = ((place - begin) / ramp).clamp(0, 1)
        rise = rise * rise * (3 - 2 * rise)
        found[number][second - first :] *= 1 - rise
        found[number + 1][:shared] *= rise
    return found
