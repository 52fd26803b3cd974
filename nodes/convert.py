"""ComfyUI's IMAGE (B, H, W, C) and MASK (B, H, W) to the core's (B, C, H, W), and back."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..birefnet.errors import ShapeError
from ..birefnet.masks.combine import SAME_PROPORTIONS


def image_to_core(image: Tensor) -> Tensor:
    """Rearrange an IMAGE, without copying it.

    Args:
        image: (B, H, W, C) with 1, 3 or 4 channels, in [0, 1].

    Returns:
        (B, C, H, W).

    Raises:
        ShapeError: If it is something else, or holds no picture.
    """
    if not isinstance(image, Tensor):
        raise ShapeError(
            f"image must be an IMAGE, got a {type(image).__name__}; connect an image output."
        )
    if image.ndim != 4 or image.shape[3] not in (1, 3, 4):
        raise ShapeError(
            "image must be an IMAGE of shape (batch, height, width, 1, 3 or 4 channels), "
            f"got {tuple(image.shape)}; a node before this one made something else."
        )
    if 0 in image.shape:
        raise ShapeError(
            f"image must hold at least one picture with at least one pixel, "
            f"got {tuple(image.shape)}; check what the nodes before this one select."
        )
    return image.permute(0, 3, 1, 2)


def rgb(image: Tensor) -> Tensor:
    """The colors of an image: (B, 1, 3 or 4, H, W) to (B, 3, H, W); gray counts for all three."""
    return image.expand(-1, 3, -1, -1) if image.shape[1] == 1 else image[:, :3]


def core_to_image(image: Tensor) -> Tensor:
    """(B, C, H, W) to an IMAGE (B, H, W, C)."""
    return image.permute(0, 2, 3, 1)


def core_to_mask(alpha: Tensor) -> Tensor:
    """(B, 1, H, W) to a MASK (B, H, W)."""
    return alpha[:, 0]


def mask_to_core(mask: Tensor) -> Tensor:
    """Bring a MASK of any usual rank into one form.

    Args:
        mask: (H, W), (B, H, W), (B, 1, H, W) or (B, H, W, 1), floating or bool.

    Returns:
        (B, 1, H, W), floating, limited to [0, 1].

    Raises:
        ShapeError: If it is something else, or holds no mask.
    """
    if not isinstance(mask, Tensor):
        raise ShapeError(
            f"mask must be a MASK, got a {type(mask).__name__}; connect a mask output."
        )
    ranked = mask
    if mask.ndim == 2:
        ranked = mask[None, None]
    elif mask.ndim == 3:
        ranked = mask[:, None]
    elif mask.ndim == 4 and mask.shape[1] != 1:
        ranked = mask.permute(0, 3, 1, 2)
    if ranked.ndim != 4 or ranked.shape[1] != 1 or 0 in ranked.shape:
        raise ShapeError(
            "mask must be a MASK of shape (height, width), (batch, height, width) or (batch, 1, "
            f"height, width) with at least one pixel, got {tuple(mask.shape)}; a node before this "
            "one made something else."
        )
    if ranked.dtype == torch.bool:
        ranked = ranked.float()
    if not ranked.is_floating_point():
        raise ShapeError(
            f"mask must hold floating numbers from 0 to 1, got {mask.dtype}; "
            "a node before this one made something else."
        )
    return ranked.clamp(0, 1)


def mask_for(mask: Tensor, pictures: Tensor) -> Tensor:
    """A MASK that fits pictures: one for each, of their size.

    Args:
        mask: Of any rank `mask_to_core` takes; one for all pictures, or one for each. Of another
            size in the same proportions, it is resized.
        pictures: (B, C, H, W), as `image_to_core` gives them.

    Returns:
        (B, 1, H, W) with the pictures' B, H and W, in [0, 1].

    Raises:
        ShapeError: If their numbers or proportions differ.
    """
    alpha = mask_to_core(mask)
    count = pictures.shape[0]
    if alpha.shape[0] not in (1, count):
        raise ShapeError(
            f"there must be one mask, or as many as pictures, got {alpha.shape[0]} masks for "
            f"{count} pictures; pick the masks that belong to the pictures first."
        )
    height, width = pictures.shape[2:]
    rows, columns = alpha.shape[2:]
    if (rows, columns) != (height, width):
        if abs(rows * width / (columns * height) - 1) > SAME_PROPORTIONS:
            raise ShapeError(
                f"the mask must have the picture's proportions, got a mask of {columns} x {rows} "
                f"for a picture of {width} x {height} (width x height); crop or resize one of them "
                "first, and see that a mask is connected which belongs to this picture."
            )
        alpha = F.interpolate(
            alpha.float(), size=(height, width), mode="bilinear", antialias=True
        ).to(alpha.dtype)
    return alpha.expand(count, -1, -1, -1)


def pair(image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """An IMAGE and a MASK in the core's form, as many of both.

    Args:
        image: As in `image_to_core`.
        mask: As in `mask_for`; several masks of one picture are allowed as well.

    Returns:
        (B, C, H, W) and (B, 1, H, W); a single one of either is repeated.

    Raises:
        ShapeError: If their numbers or proportions differ.
    """
    pictures, alpha = image_to_core(image), mask_to_core(mask)
    if len(pictures) == 1:
        pictures = pictures.expand(len(alpha), -1, -1, -1)
    return pictures, mask_for(alpha, pictures)
