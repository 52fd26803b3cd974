"""Views of an image: which part at which scale, and how one view is read in another."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

STRIP = 4 << 20
"""Numbers handled at once when a whole image is gone through."""


@dataclass(frozen=True, slots=True)
class View:
    """A part of an image, `factor` x `factor` of its pixels averaged into one."""

    top: int
    """First row in the image."""

    left: int
    """First column in the image."""

    height: int
    """Rows of the view."""

    width: int
    """Columns of the view."""

    factor: int
    """Pixels of the image along a side of a pixel of the view."""

    def part(self, top: int, left: int, height: int, width: int) -> View:
        """A part of this view, in its own pixels."""
        return View(
            self.top + top * self.factor, self.left + left * self.factor, height, width, self.factor
        )


def whole(size: tuple[int, int], factor: int = 1) -> View:
    """The view of a whole image of a height and width."""
    return View(0, 0, -(-size[0] // factor), -(-size[1] // factor), factor)


def look(image: Tensor, view: View) -> Tensor:
    """Cut a view out of images.

    Args:
        image: (B, C, H, W).
        view: Which part; its last row and column may reach beyond the image.

    Returns:
        (B, C, view.height, view.width) float32; pixels at the border average what there is.
    """
    factor = view.factor
    bottom, right = view.top + view.height * factor, view.left + view.width * factor
    part = image[:, :, view.top : bottom, view.left : right]
    if factor == 1:
        return part.float()
    # The result is there before the strips, so that the memory of each can serve the next.
    result = torch.empty((*part.shape[:2], view.height, view.width), device=image.device)
    rows = max(1, STRIP // (part.shape[1] * part.shape[3] * factor))
    for row, strip in enumerate(torch.split(part, rows * factor, dim=2)):
        averaged = F.avg_pool2d(strip.float().contiguous(), factor, ceil_mode=True)
        result[:, :, row * rows : row * rows + averaged.shape[2]] = averaged
    return result


def sample(plane: Tensor, at: View, wanted: View) -> Tensor:
    """Read a plane at the pixels of another view, with bilinear interpolation.

    Args:
        plane: (B, 1, at.height, at.width).
        at: What the plane shows.
        wanted: What is asked for; beyond the plane its border pixels are repeated.

    Returns:
        (B, 1, wanted.height, wanted.width).
    """
    plane, at = around(plane, at, wanted, 1)
    for dim, start, first, length in (  # whole rows are copied fast, so they come last
        (3, at.left, wanted.left, wanted.width),
        (2, at.top, wanted.top, wanted.height),
    ):
        plane = _sample_line(
            plane, dim, (first - start) / at.factor, wanted.factor / at.factor, length
        )
    return plane


def around(plane: Tensor, at: View, wanted: View, margin: int) -> tuple[Tensor, View]:
    """The part of a plane below a view.

    Args:
        plane: (B, 1, at.height, at.width).
        at: What it shows.
        wanted: The view; a place beyond the plane counts as its nearest pixel.
        margin: Pixels of the plane to keep around the view, as far as there are any.

    Returns:
        That part, without a copy, and what it shows.
    """
    spans = []
    for start, first, length, limit in (
        (at.top, wanted.top, wanted.height, at.height),
        (at.left, wanted.left, wanted.width, at.width),
    ):
        low = (first - start) // at.factor - margin
        high = -((start - first - length * wanted.factor) // at.factor) + margin
        spans.append((min(max(0, low), limit - 1), max(1, min(limit, high))))
    (top, bottom), (left, right) = spans
    part = plane[:, :, top:bottom, left:right]
    return part, at.part(top, left, bottom - top, right - left)


def _sample_line(plane: Tensor, dim: int, start: float, step: float, length: int) -> Tensor:
    """Along one axis: `length` positions from `start` on, both in pixels of the plane."""
    place = start + (torch.arange(length, dtype=torch.float64) + 0.5) * step - 0.5
    last = plane.shape[dim] - 1
    place = place.clamp(0, last)
    below = place.floor()
    share = (place - below).to(plane.dtype)
    index = below.long()
    if not share.any() and length == last + 1 and index[0] == 0:
        return plane
    index, share = index.to(plane.device), share.to(plane.device)
    shape = [1, 1, 1, 1]
    shape[dim] = length
    low = plane.index_select(dim, index)
    if not share.any():
        return low
    return low.lerp_(plane.index_select(dim, (index + 1).clamp_(max=last)), share.view(shape))
