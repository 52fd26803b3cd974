"""Crops around a subject that can be worked on alone and put back without a seam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from .compositing import premultiply, unpremultiply
from .errors import ConfigError, ShapeError
from .filters import signed_distance
from .masks.empty import FAINT
from .regions import Box, bounding_box, crop, fade, grow_box, paste, resize_box
from .tensors import check_image

Shape = Literal["free", "square"]
SHAPES: tuple[Shape, ...] = ("free", "square")

Grouping = Literal["each", "all"]
GROUPINGS: tuple[Grouping, ...] = ("each", "all")

CONTEXT = 1.2
"""How many times wider and higher than its subject a crop is."""

MULTIPLE = 8
"""Sides of a crop are multiples of this, in pixels: what diffusion models need."""

BLEND = 16.0
"""Width of the seam of a crop that is put back, in pixels."""

LARGEST = 16384
"""Longest side of a crop in pixels."""

SAME_PROPORTIONS = 0.02  # a crop of 8 rows that lost none may still be one pixel off


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """Where crops were taken from, all that `paste_back` needs to know. Plain data."""

    boxes: tuple[Box, ...]
    """One box per picture, in its pixels; boxes may reach outside it."""

    size: tuple[int, int]
    """Height and width of the pictures."""

    crop_size: tuple[int, int]
    """Height and width of the crops as they were handed out."""


def plan_crops(
    alpha: Tensor,
    *,
    context: float = CONTEXT,
    multiple: int = MULTIPLE,
    target: int | None = None,
    shape: Shape = "free",
    grouping: Grouping = "each",
    threshold: float = FAINT,
) -> Region:
    """Choose boxes around subjects so that all crops have one size.

    Args:
        alpha: (B, 1, H, W), in [0, 1].
        context: How many times wider and higher than the subject, at least 1; it ends at the
            picture's borders.
        multiple: Both sides of a crop are multiples of this, in pixels. Boxes only grow for it,
            and reach outside the picture where that is too small.
        target: Longer side of a crop in pixels, rounded up to `multiple`; None for the box's own
            pixels. Boxes grow to the proportions of the crop, so that nothing is distorted.
        shape: "free" for the proportions of the subject, "square" for equal sides.
        grouping: "each" has a box per item, and without a target the smaller ones grow to the
            largest; "all" has one box around the subjects of all items, which a video needs.
        threshold: Opacity above which a pixel belongs to a subject, in [0, 1).

    Returns:
        Boxes and sizes. An item without subject gets a box in its middle, as large as the others;
        if no item has a subject, the box is the whole picture, grown as the options say.

    Raises:
        ShapeError: If alpha is not (B, 1, H, W).
        ConfigError: If an option is out of its range.
    """
    _check_plan(multiple, target, shape, grouping)
    found = bounding_box(alpha, threshold)
    inside = (alpha.shape[2], alpha.shape[3])
    picture = Box(0, 0, inside[1], inside[0])
    known = [box for box in found if box is not None] or [picture]
    if grouping == "all":
        known = [_around(known)]
        found = [known[0]] * len(found)
    square = 1.0 if shape == "square" else None
    grown = [grow_box(box, context=context, aspect=square, inside=inside) for box in known]
    largest = (max(box.height for box in grown), max(box.width for box in grown))
    crop_size = _crop_size(largest, multiple, target)
    middle = resize_box(picture, largest)
    if target is None:
        boxes = [resize_box(box or middle, crop_size, inside=inside) for box in found]
    else:
        aspect = crop_size[1] / crop_size[0]
        boxes = [
            grow_box(box, context=context, aspect=aspect, inside=inside)
            if box is not None
            else grow_box(middle, aspect=aspect, inside=inside)
            for box in found
        ]
    return Region(boxes=tuple(boxes), size=inside, crop_size=crop_size)


def _check_plan(multiple: int, target: int | None, shape: str, grouping: str) -> None:
    if not 1 <= multiple <= LARGEST:
        raise ConfigError(f"multiple must lie in 1 to {LARGEST} pixels, got {multiple}.")
    if target is not None and not 1 <= target <= LARGEST:
        raise ConfigError(
            f"target must lie in 1 to {LARGEST} pixels, got {target}; "
            "leave it out to keep the size of the crop."
        )
    if shape not in SHAPES:
        raise ConfigError(f"shape must be one of {', '.join(SHAPES)}, got {shape!r}.")
    if grouping not in GROUPINGS:
        raise ConfigError(f"grouping must be one of {', '.join(GROUPINGS)}, got {grouping!r}.")


def _around(boxes: list[Box]) -> Box:
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    return Box(left, top, right - left, bottom - top)


def _crop_size(box_size: tuple[int, int], multiple: int, target: int | None) -> tuple[int, int]:
    """Height and width of a crop: the box's, or in proportion with the longer side `target`."""
    height, width = (side if target is None else side * target / max(box_size) for side in box_size)
    return (_round_up(height, multiple), _round_up(width, multiple))


def _round_up(side: float, multiple: int) -> int:
    # A hair below the next multiple, because divisions leave 512.0000000000001.
    return max(1, -int(-(side - 1e-6) // multiple)) * multiple


def cut_out(image: Tensor, box: Box, size: tuple[int, int]) -> Tensor:
    """Cut a box out of pictures, and resize it if it has another size.

    Args:
        image: Picture, alpha or both, (B, C, H, W), in [0, 1]; of four channels the last one is
            opacity, and color is weighted with it.
        box: What to cut out; what lies outside the picture repeats its border.
        size: Height and width of the result.

    Returns:
        (B, C, *size), in [0, 1] and the image's dtype; the exact pixels if the box has that size.

    Raises:
        ShapeError: If the image is not (B, C, H, W) with 1, 3 or 4 channels.
    """
    check_image(image, (1, 3, 4))
    return _resample(crop(image, box), size)


def mask_in_box(mask: Tensor, region: Region, box: Box) -> Tensor:
    """Bring a mask of a crop, or of a whole picture, to the size of a box.

    Args:
        mask: (B, 1, h, w), in [0, 1]; of the picture's size, or a crop's in any size.
        region: Where the crops came from.
        box: One of its boxes.

    Returns:
        (B, 1, box.height, box.width), in [0, 1].

    Raises:
        ShapeError: If the mask has neither the picture's size nor the crop's proportions.
    """
    check_image(mask, (1,))
    height, width = mask.shape[2:]
    if (height, width) == region.size != region.crop_size:
        return crop(mask, box, "zero")
    rows, columns = region.crop_size
    if abs(height * columns / (width * rows) - 1) > SAME_PROPORTIONS:
        raise ShapeError(
            f"the mask must have the crop's proportions, {columns} x {rows} (width x height), or "
            f"the picture's size, {region.size[1]} x {region.size[0]}, got {width} x {height}; "
            "connect crop_mask, or the mask that was cropped."
        )
    return _resample(mask, box.size)


def check_parts(region: Region, image: Tensor, patch: Tensor, mask: Tensor | None = None) -> int:
    """How many pictures pasting gives; refuses parts that do not belong together.

    Args:
        region: Where the crops came from.
        image: The pictures, (B, C, H, W).
        patch: The edited crops, (B, C, h, w).
        mask: Masks for them, (B, 1, h, w).

    Returns:
        The largest number among them; whatever there is one of serves all.

    Raises:
        ShapeError: If the pictures have another size than those that were cropped, or if there
            are different numbers of parts above one.
    """
    if tuple(image.shape[2:]) != region.size:
        raise ShapeError(
            f"the pictures must have the size of those that were cropped, {region.size[1]} x "
            f"{region.size[0]} (width x height), got {image.shape[3]} x {image.shape[2]}; connect "
            "the same pictures as to Crop to Mask, or resize them."
        )
    counts = {"pictures": len(image), "crops": len(patch), "boxes": len(region.boxes)}
    if mask is not None:
        counts["masks"] = len(mask)
    count = max(counts.values())
    if any(number not in (1, count) for number in counts.values()):
        told = ", ".join(f"{number} {name}" for name, number in counts.items())
        raise ShapeError(
            f"there must be one of each part, or as many as of the others, got {told}; "
            "pick those that belong together first."
        )
    return count


def paste_back(
    image: Tensor,
    patch: Tensor,
    mask: Tensor | None = None,
    *,
    box: Box,
    blend: float = BLEND,
) -> Tensor:
    """Put an edited crop back where it was taken from.

    Args:
        image: The whole picture, (B, 3 or 4, H, W), in [0, 1].
        patch: The crop, (B or 1, 3 or 4, h, w), of any size; it is resized to the box. With four
            channels on a picture of three, what is transparent shows the picture.
        mask: Where the crop is wanted, (B or 1, 1, box.height, box.width), in [0, 1]; None for
            the whole box.
        box: Where it was taken from.
        blend: Width of the soft transition in pixels of the picture, at least 0: inwards from the
            sides of the box, and outwards from the mask.

    Returns:
        (B, C, H, W) with the picture's channels and dtype. Outside the box, and where the mask and
        its transition are 0, every pixel keeps its exact value. A picture of four channels keeps
        its opacity under a crop of three.

    Raises:
        ShapeError: If the shapes do not fit.
        ConfigError: If `blend` is negative.
    """
    check_image(image, (3, 4))
    check_image(patch, (3, 4))
    weight = fade(box, blend, (image.shape[2], image.shape[3])).to(image.device)
    if mask is not None:
        weight = weight * _soften(mask, box, blend)
    patch = _resample(patch, box.size).to(image)
    if image.shape[1] == patch.shape[1] == 3:
        return paste(image, patch, box, weight)
    if image.shape[1] == 3:
        return paste(image, patch[:, :3], box, weight * patch[:, 3:].float())
    if patch.shape[1] == 3:
        color = paste(image[:, :3], patch, box, weight)
        return torch.cat([color, image[:, 3:]], dim=1)
    return _paste_transparent(image, patch, box, weight)


def _soften(mask: Tensor, box: Box, blend: float) -> Tensor:
    """A mask that falls smoothly to 0 within `blend` pixels outside its edge."""
    if not mask.is_floating_point() or mask.ndim != 4 or tuple(mask.shape[1:]) != (1, *box.size):
        raise ShapeError(
            f"mask must be floating and (B or 1, 1, {box.height}, {box.width}) to fill its box, "
            f"got {mask.dtype} {tuple(mask.shape)}; cut it out with the same box."
        )
    mask = mask.float()
    if blend == 0:
        return mask
    ramp = (1 + signed_distance(mask) / blend).clamp(0, 1)
    return torch.maximum(mask, ramp * ramp * (3 - 2 * ramp))


def _paste_transparent(image: Tensor, patch: Tensor, box: Box, weight: Tensor) -> Tensor:
    """Blend opacity, and color by how much of it is seen, so that no hidden color comes out."""
    opacity = paste(image[:, 3:], patch[:, 3:], box, weight)
    share = weight * patch[:, 3:].float()
    seen = crop(image[:, 3:], box, "zero").float() * (1 - weight) + share
    share = torch.where(seen > 0, share / seen.clamp_min(1e-6), weight)
    share = torch.where(weight > 0, share, 0).clamp(0, 1)
    return torch.cat([paste(image[:, :3], patch[:, :3], box, share), opacity], dim=1)


def _resample(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Bicubic, averaging where it shrinks; bilinear for an alpha alone, which must not ring."""
    if tuple(image.shape[2:]) == tuple(size):
        return image
    wide = image.float()
    if image.shape[1] == 4:
        alpha = _resample(wide[:, 3:], size)
        color = _resample(premultiply(wide[:, :3], wide[:, 3:]), size)
        # Where nothing is seen, the hidden color is kept as it is.
        hidden = _resample(wide[:, :3], size)
        color = torch.where(alpha > 0, unpremultiply(color, alpha), hidden)
        return torch.cat([color, alpha], dim=1).to(image.dtype)
    mode = "bilinear" if image.shape[1] == 1 else "bicubic"
    result = F.interpolate(wide, size=size, mode=mode, antialias=True)
    return result.clamp(0, 1).to(image.dtype)
