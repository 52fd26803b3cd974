"""Rectangles of an image: find them, cut them out, put them back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from .errors import ConfigError, ShapeError

Outside = Literal["replicate", "reflect", "zero"]
OUTSIDE: tuple[Outside, ...] = ("replicate", "reflect", "zero")

THRESHOLD = 0.5
"""Opacity above which a pixel counts as subject when a hard decision is needed."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of whole pixels; it may reach outside the image."""

    left: int
    """First column."""

    top: int
    """First row."""

    width: int
    """Number of columns, at least 1."""

    height: int
    """Number of rows, at least 1."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ConfigError(
                f"a box must be at least 1 x 1 pixels, got {self.width} x {self.height}; "
                "check the order of its four numbers: left, top, width, height."
            )

    @property
    def right(self) -> int:
        """First column after the box."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """First row after the box."""
        return self.top + self.height

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return (self.height, self.width)

    def clip(self, size: tuple[int, int]) -> Box | None:
        """The part inside an image of this height and width; None if there is none."""
        left, top = max(0, self.left), max(0, self.top)
        right, bottom = min(size[1], self.right), min(size[0], self.bottom)
        if right <= left or bottom <= top:
            return None
        return Box(left, top, right - left, bottom - top)


def bounding_box(alpha: Tensor, threshold: float = THRESHOLD) -> list[Box | None]:
    """Find the smallest box around each item's subject.

    Args:
        alpha: (B, 1, H, W), in [0, 1], or bool.
        threshold: Opacity above which a pixel counts, in [0, 1).

    Returns:
        One box per item; None for an item without such a pixel.

    Raises:
        ShapeError: If alpha is not (B, 1, H, W).
        ConfigError: If the threshold leaves [0, 1).
    """
    if alpha.ndim != 4 or alpha.shape[1] != 1:
        raise ShapeError(f"alpha must be (B, 1, H, W), got {tuple(alpha.shape)}.")
    if not 0 <= threshold < 1:
        raise ConfigError(
            f"threshold must lie in 0 to below 1, got {threshold}; 0 counts every pixel that is "
            "not fully transparent."
        )
    inside = alpha[:, 0] if alpha.dtype == torch.bool else alpha[:, 0] > threshold
    boxes: list[Box | None] = []
    for rows, columns in zip(inside.any(2).cpu(), inside.any(1).cpu(), strict=True):
        y, x = rows.nonzero().flatten().tolist(), columns.nonzero().flatten().tolist()
        boxes.append(Box(x[0], y[0], x[-1] - x[0] + 1, y[-1] - y[0] + 1) if y else None)
    return boxes


def grow_box(
    box: Box,
    *,
    context: float = 1.0,
    multiple: int = 1,
    aspect: float | None = None,
    inside: tuple[int, int] | None = None,
) -> Box:
    """Enlarge a box around its center; it never gets smaller, so that it keeps its content.

    Args:
        box: What must stay inside.
        context: Factor for both sides, at least 1.
        multiple: Both sides are rounded up to multiples of this, in pixels, at least 1.
        aspect: Width divided by height; the side that is too short grows. Rounding to
            multiples comes after it. None for any.
        inside: Height and width of the image. The context then ends at its borders, and the box is
            shifted into the image instead of losing size. It reaches outside only where
            `multiple` or `aspect` ask for more than the image has, by equal amounts on both sides.

    Returns:
        The new box. It holds the old one, or that part of it which is inside.

    Raises:
        ConfigError: If an option is out of its range, or no part of the box is inside.
    """
    if not (math.isfinite(context) and context >= 1):
        raise ConfigError(f"context must be at least 1, got {context}; 1 adds nothing.")
    if multiple < 1:
        raise ConfigError(f"multiple must be at least 1 pixel, got {multiple}.")
    if aspect is not None and not (math.isfinite(aspect) and aspect > 0):
        raise ConfigError(f"aspect must be positive (width / height), got {aspect}.")
    if inside is not None:
        clipped = box.clip(inside)
        if clipped is None:
            raise ConfigError(
                f"a box must overlap its image, got {box} for an image of {inside[1]} x "
                f"{inside[0]} pixels; check that box and image belong together."
            )
        box = clipped
    # A hair below the next pixel, because 100 * 1.1 is 110.00000000000001.
    width, height = (math.ceil(side * context - 1e-9) for side in (box.width, box.height))
    if inside is not None:
        height, width = min(height, inside[0]), min(width, inside[1])
    if aspect is not None:
        if width < height * aspect:
            width = math.ceil(height * aspect - 1e-9)
        else:
            height = math.ceil(width / aspect - 1e-9)
    width, height = (-(-side // multiple) * multiple for side in (width, height))
    return resize_box(box, (height, width), inside=inside)


def resize_box(box: Box, size: tuple[int, int], *, inside: tuple[int, int] | None = None) -> Box:
    """Give a box another size around the same center.

    Args:
        box: Whose center stays, up to half a pixel.
        size: New height and width, in pixels.
        inside: Height and width of the image; the new box is shifted into it, or centered on it
            along an axis where it is too long for that.

    Returns:
        The new box; with `inside` it still holds the part of a smaller old box that is inside.
    """
    height, width = size
    left, top = box.left - (width - box.width) // 2, box.top - (height - box.height) // 2
    if inside is not None:
        left, top = _shift(left, width, inside[1]), _shift(top, height, inside[0])
    return Box(left, top, width, height)


def _shift(start: int, length: int, limit: int) -> int:
    """Where a stretch starts once it was shifted into 0 ... limit, or centered if too long."""
    if length > limit:
        return -((length - limit) // 2)
    return min(max(start, 0), limit - length)


def crop(image: Tensor, box: Box, border: Outside = "replicate") -> Tensor:
    """Cut a box out of every item.

    Args:
        image: (B, C, H, W), any type and range.
        box: What to cut out.
        border: What lies outside the image: its border pixels repeated, the image mirrored
            without repeating them, or zeros.

    Returns:
        (B, C, box.height, box.width); a view of the image if the box lies inside it.

    Raises:
        ShapeError: If the image has no four axes or no pixels.
        ConfigError: If the border is not known.
    """
    if image.ndim != 4 or 0 in image.shape[2:]:
        raise ShapeError(f"image must be (B, C, H, W) with pixels, got {tuple(image.shape)}.")
    if border not in OUTSIDE:
        raise ConfigError(f"border must be one of {', '.join(OUTSIDE)}, got {border!r}.")
    height, width = image.shape[2:]
    clipped = box.clip((height, width))
    if clipped == box:
        return image[:, :, box.top : box.bottom, box.left : box.right]
    if border == "zero":
        result = image.new_zeros((*image.shape[:2], *box.size))
        if clipped is not None:
            top, left = clipped.top - box.top, clipped.left - box.left
            part = result[:, :, top : top + clipped.height, left : left + clipped.width]
            part.copy_(crop(image, clipped))
        return result
    rows = _places(box.top, box.height, height, border, image.device)
    columns = _places(box.left, box.width, width, border, image.device)
    return image.index_select(2, rows).index_select(3, columns)


def _places(start: int, length: int, limit: int, border: Outside, device: torch.device) -> Tensor:
    """Indices along one axis, brought into 0 ... limit - 1."""
    place = torch.arange(start, start + length, device=device)
    if border == "replicate" or limit == 1:
        return place.clamp(0, limit - 1)
    period = 2 * (limit - 1)
    place = place.remainder(period)
    return torch.minimum(place, period - place)


def paste(image: Tensor, patch: Tensor, box: Box, weight: Tensor | None = None) -> Tensor:
    """Put a patch into every item, at once or softly.

    Args:
        image: (B, C, H, W), floating.
        patch: What the box becomes, (B or 1, C, box.height, box.width). What lies outside the
            image is ignored.
        box: Where.
        weight: (B or 1, 1, box.height, box.width), in [0, 1]: 1 for the patch, 0 for the image;
            None for 1 everywhere.

    Returns:
        (B, C, H, W), a new tensor in the image's dtype; every pixel outside the box, and every one
        of weight 0, keeps its exact value. Blended in float32.

    Raises:
        ShapeError: If the shapes do not fit.
    """
    batch, channels = image.shape[:2]
    _check_patch("patch", patch, (batch, channels, *box.size))
    if weight is not None:
        _check_patch("weight", weight, (batch, 1, *box.size))
    result = image.clone()
    clipped = box.clip((image.shape[2], image.shape[3]))
    if clipped is None:
        return result
    rows = slice(clipped.top, clipped.bottom)
    columns = slice(clipped.left, clipped.right)
    in_box = Box(clipped.left - box.left, clipped.top - box.top, clipped.width, clipped.height)
    part = crop(patch, in_box).to(image)
    if weight is not None:
        share = crop(weight, in_box).to(image.device, torch.float32)
        old = image[:, :, rows, columns]
        blend = torch.lerp(old.float(), part.float(), share).to(image.dtype)
        part = torch.where(share > 0, blend, old)
    result[:, :, rows, columns] = part
    return result


def _check_patch(name: str, patch: Tensor, shape: tuple[int, int, int, int]) -> None:
    if (
        not patch.is_floating_point()
        or patch.ndim != 4
        or patch.shape[0] not in (1, shape[0])
        or tuple(patch.shape[1:]) != shape[1:]
    ):
        raise ShapeError(
            f"{name} must be floating and {shape} (or 1 item for all) to fill its box, got "
            f"{patch.dtype} {tuple(patch.shape)}; resize it to the box first."
        )


def fade(box: Box, width: float, size: tuple[int, int]) -> Tensor:
    """Weights for `paste` that fall smoothly to 0 towards the sides of a box.

    Args:
        box: Where the patch goes.
        width: Pixels from the side of the box to full weight, at least 0; not more than half the
            box is used. 0 for no fading.
        size: Height and width of the image; sides on or outside its border do not fade.

    Returns:
        (1, 1, box.height, box.width) float32 on the CPU, in (0, 1].

    Raises:
        ConfigError: If the width is negative or not finite.

    Source: our own; the product of a smoothstep per side.
    """
    if not (math.isfinite(width) and width >= 0):
        raise ConfigError(f"the width of a blend must be at least 0 pixels, got {width}.")
    rows = _fade_line(box.top, box.height, size[0], width)
    columns = _fade_line(box.left, box.width, size[1], width)
    return (rows[:, None] * columns[None, :])[None, None]


def _fade_line(start: int, length: int, limit: int, width: float) -> Tensor:
    weight = torch.ones(length)
    width = min(width, length / 2)
    if width == 0:
        return weight
    ramp = ((torch.arange(length) + 0.5) / width).clamp(max=1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    if start > 0:
        weight = weight * ramp
    if start + length < limit:
        weight = weight * ramp.flip(0)
    return weight
