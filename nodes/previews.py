"""Pictures that nodes show on themselves: masks, and cutouts on a checkerboard.

They are temporary files. With `before`, `web/js/previews.js` lays a wipe between the two; without
JavaScript ComfyUI shows the result alone.
"""

from __future__ import annotations

import torch
from comfy_api.v0_0_2 import io, ui
from torch import Tensor
from torch.nn import functional as F

from ..birefnet.compositing import checkerboard, over, premultiply, unpremultiply
from .convert import core_to_image, rgb

MOST = 8
"""Most pictures shown on a node."""

SIDE = 1024
"""Longest side of a picture shown on a node, in pixels."""

BEFORE = "birefnet_before"
"""Where a node's output for the browser names the pictures a wipe starts from."""


def show_mask(
    mask: Tensor, *, before: Tensor | None = None, cls: type[io.ComfyNode]
) -> dict[str, object]:
    """What a node hands to `ui=` to show a MASK.

    Args:
        mask: (B, H, W), in [0, 1].
        before: A MASK (B or 1, H, W) or an IMAGE (B or 1, H, W, C) the wipe starts from; left out
            where its size is another one.
        cls: The node.
    """
    return _show(mask[:MOST, None], _from_mask_or_image(before), cls)


def show_cutout(
    image: Tensor,
    *,
    mask: Tensor | None = None,
    before: Tensor | None = None,
    cls: type[io.ComfyNode],
) -> dict[str, object]:
    """What a node hands to `ui=` to show an IMAGE, a checkerboard behind what is transparent.

    Args:
        image: (B, H, W, 1, 3 or 4), in [0, 1]; straight color.
        mask: Its opacity (B or 1, H, W), instead of the fourth channel.
        before: The original IMAGE (B or 1, H, W, C) the wipe starts from; left out where its size
            is another one.
        cls: The node.
    """
    pictures = image[:MOST].permute(0, 3, 1, 2)
    if mask is not None:
        alpha = mask[:MOST, None].expand(len(pictures), -1, -1, -1)
        pictures = torch.cat([rgb(pictures), alpha.to(pictures)], dim=1)
    return _show(pictures, _from_mask_or_image(before), cls)


def _from_mask_or_image(before: Tensor | None) -> Tensor | None:
    if before is None:
        return None
    return before[:MOST, None] if before.ndim == 3 else before[:MOST].permute(0, 3, 1, 2)


def _show(pictures: Tensor, before: Tensor | None, cls: type[io.ComfyNode]) -> dict[str, object]:
    """Write (b, C, H, W) to temporary files and name them."""
    shown: dict[str, object] = ui.PreviewImage(_thumbnails(pictures), cls=cls).as_dict()
    shown[BEFORE] = []  # always there: ComfyUI joins the outputs of list runs key by key
    if before is not None and before.shape[2:] == pictures.shape[2:]:
        shown[BEFORE] = ui.PreviewImage(_thumbnails(before), cls=cls).values
    return shown


def _thumbnails(pictures: Tensor) -> Tensor:
    """(b, C, H, W) to an opaque IMAGE (b, h, w, 3), no side above `SIDE`, float32, on the CPU."""
    pictures = pictures.detach().to("cpu", torch.float32)
    if pictures.shape[1] < 4:
        return core_to_image(_small(rgb(pictures)))
    alpha = pictures[:, 3:]
    color, alpha = _small(premultiply(rgb(pictures), alpha)), _small(alpha)
    board = checkerboard((color.shape[2], color.shape[3]))
    return core_to_image(over(unpremultiply(color, alpha), alpha, board))


def _small(pictures: Tensor) -> Tensor:
    size = pictures.shape[2:]
    if max(size) <= SIDE:
        return pictures
    height, width = (max(1, round(side * SIDE / max(size))) for side in size)
    return F.interpolate(pictures, size=(height, width), mode="bilinear", antialias=True)
