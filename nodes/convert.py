"""ComfyUI's IMAGE (B, H, W, C) and MASK (B, H, W) to the core's (B, C, H, W), and back."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from ..birefnet.errors import ShapeError

PREVIEWS = 8
"""Most masks shown on a node."""

PREVIEW_SIDE = 1024
"""Longest side of a mask shown on a node, in pixels."""


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


def preview(mask: Tensor) -> Tensor:
    """What a node shows of a MASK: few pictures of moderate size.

    Args:
        mask: (B, H, W).

    Returns:
        (b, h, w) float32 with b at most `PREVIEWS` and no side above `PREVIEW_SIDE`.
    """
    shown = mask[:PREVIEWS, None].float()
    longest = max(mask.shape[1:])
    if longest > PREVIEW_SIDE:
        height, width = (max(1, round(s * PREVIEW_SIDE / longest)) for s in mask.shape[1:])
        shown = F.interpolate(shown, size=(height, width), mode="bilinear", antialias=True)
    return shown[:, 0]
