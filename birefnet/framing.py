"""Subjects on a canvas of one size, as product pictures need them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from .compositing import resize_cutout
from .errors import ConfigError, ShapeError
from .regions import Box, bounding_box, crop
from .tensors import check_alpha, check_image

Position = Literal[
    "center",
    "top left",
    "top",
    "top right",
    "left",
    "right",
    "bottom left",
    "bottom",
    "bottom right",
    "centroid",
]
POSITIONS: tuple[Position, ...] = (
    *("center", "top left", "top", "top right", "left", "right"),
    *("bottom left", "bottom", "bottom right", "centroid"),
)

THRESHOLD = 0.05
"""Opacity above which a pixel counts when a subject is measured: soft hair does, haze does not."""

SUPPORT = 4  # pixels of the result beyond a canvas that a cubic filter can see, with room to spare


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture comes to lie on a canvas."""

    scale: float
    """Size on the canvas divided by size in the picture."""

    left: float
    """Column of the canvas at which the picture's first column starts, in pixels."""

    top: float
    """Row of the canvas at which the picture's first row starts, in pixels."""


def frame_subject(
    picture: Tensor,
    mask: Tensor | None = None,
    *,
    size: tuple[int, int] | None = None,
    margin: float = 0.0,
    position: Position = "center",
    upscale: bool = False,
    threshold: float = THRESHOLD,
) -> tuple[Tensor, Tensor]:
    """Place the subject of each cutout on a canvas, smaller if it must be, larger if it may be.

    Args:
        picture: Cutouts, straight RGBA, (B, 4, H, W), in [0, 1]. All that is visible is drawn.
        mask: What of it is measured, (B, 1, H, W), in [0, 1]; None for its opacity. A cutout with
            a shadow is framed by the subject alone this way.
        size: Height and width of the canvas, in pixels; None for those of the picture.
        margin: Least distance of the subject from each side of the canvas, in percent of its
            shorter side, in [0, 50).
        position: The place of the subject's bounding box between the margins, or "centroid" for
            the mask's center of mass in the middle of the canvas.
        upscale: Whether a subject smaller than the room between the margins is enlarged.
        threshold: Opacity above which a pixel counts when the subject is measured, in [0, 1).

    Returns:
        The canvases, straight RGBA, (B, 4, *size), and the masks on them, (B, 1, *size); both in
        the dtype of the picture. A subject that keeps its size keeps every value. An empty mask
        gives an empty canvas.

    Raises:
        ShapeError: If the shapes do not fit.
        ConfigError: If an option is out of its range.

    Source: our own.
    """
    check_image(picture, (4,))
    mask = picture[:, 3:] if mask is None else mask
    check_alpha(mask, picture)
    size = (picture.shape[2], picture.shape[3]) if size is None else size
    check_framing(size, margin, position)
    canvas = picture.new_zeros((len(picture), 4, *size))
    masks = picture.new_zeros((len(picture), 1, *size))
    for number, box in enumerate(bounding_box(mask, threshold)):
        if box is None:
            continue
        one = slice(number, number + 1)
        middle = _centroid(mask[one]) if position == "centroid" else None
        placement = _place(box, size, margin, position, middle, upscale)
        canvas[one] = _draw(picture[one], placement, size)
        # The mask is drawn as the opacity of something white, so that both lie alike.
        measured = torch.cat([torch.ones_like(picture[one, :3]), mask[one].to(picture)], dim=1)
        masks[one] = _draw(measured, placement, size)[:, 3:]
    return canvas, masks


def check_framing(size: tuple[int, int], margin: float, position: str) -> None:
    """Refuse options of `frame_subject`, before any work was done.

    Raises:
        ConfigError: If an option is out of its range.
    """
    if min(size) < 1:
        raise ConfigError(f"a canvas must be at least 1 x 1 pixels, got {size[1]} x {size[0]}.")
    if not (math.isfinite(margin) and 0 <= margin < 50):
        raise ConfigError(
            f"margin must lie in 0 to below 50 percent, got {margin}; at 50 no room is left."
        )
    if position not in POSITIONS:
        raise ConfigError(f"position must be one of {', '.join(POSITIONS)}, got {position!r}.")


def _centroid(mask: Tensor) -> tuple[float, float]:
    """Column and row of the center of mass of (1, 1, H, W), counted from the upper left corner."""
    weights = mask[0, 0].double()
    columns, rows = weights.sum(0), weights.sum(1)
    total = float(columns.sum())
    x, y = (
        float((line * (torch.arange(len(line)).to(line) + 0.5)).sum()) / total
        for line in (columns, rows)
    )
    return x, y


def _place(
    box: Box,
    size: tuple[int, int],
    margin: float,
    position: Position,
    middle: tuple[float, float] | None,
    upscale: bool,
) -> Placement:
    edge = margin / 100 * min(size)
    room = (size[1] - 2 * edge, size[0] - 2 * edge)  # wide, high
    starts, lengths = (box.left, box.top), (box.width, box.height)
    if middle is not None:  # the longer half must fit into half of the room
        needed = [
            2 * max(center - start, start + length - center)
            for center, start, length in zip(middle, starts, lengths, strict=True)
        ]
    else:
        needed = list(lengths)
    scale = min(space / length for space, length in zip(room, needed, strict=True))
    if not upscale:
        scale = min(scale, 1.0)
    places = []
    for axis, (lower, upper) in enumerate((("left", "right"), ("top", "bottom"))):
        whole = (size[1], size[0])[axis]
        if middle is not None:
            places.append(whole / 2 - scale * middle[axis])
            continue
        words = position.split()
        share = 0.0 if lower in words else 1.0 if upper in words else 0.5
        free = room[axis] - scale * lengths[axis]
        places.append(edge + share * free - scale * starts[axis])
    return Placement(scale, *places)


def _draw(picture: Tensor, placement: Placement, size: tuple[int, int]) -> Tensor:
    """The part of (1, 4, H, W) that lies on a canvas, (1, 4, *size), transparent elsewhere."""
    scale = placement.scale
    reach = SUPPORT / min(scale, 1.0)
    left, top = -placement.left / scale - reach, -placement.top / scale - reach
    wide, high = size[1] / scale + 2 * reach, size[0] / scale + 2 * reach
    seen = Box(math.floor(left), math.floor(top), math.ceil(wide) + 1, math.ceil(high) + 1)
    part = seen.clip((picture.shape[2], picture.shape[3]))
    if part is None:
        raise ShapeError("the subject must lie on its canvas.")  # cannot happen: it was measured
    pixels = (max(1, round(part.height * scale)), max(1, round(part.width * scale)))
    drawn = resize_cutout(crop(picture, part), pixels)
    x = round(placement.left + scale * part.left)
    y = round(placement.top + scale * part.top)
    return crop(drawn, Box(-x, -y, size[1], size[0]), border="zero")
