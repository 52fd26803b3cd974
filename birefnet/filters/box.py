"""Means over squares at the same cost for every size."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import ConfigError

Border = Literal["replicate", "reflect"]
Anchor = Literal["center", "before", "after"]


def box_mean(
    image: Tensor, size: int, *, border: Border = "replicate", anchor: Anchor = "center"
) -> Tensor:
    """Mean over a square around each pixel, at the same cost for every size.

    Args:
        image: (B, C, H, W).
        size: Side of the square in pixels, at least 1.
        border: What lies outside: the border pixel repeated, or the image mirrored without
            repeating the border pixel (repeatedly, if the square is larger than the image).
        anchor: Where a square of even size lies. "center" covers half a pixel of each rim;
            "before" covers the offsets -size / 2 to size / 2 - 1 as OpenCV does; "after" covers
            -size / 2 + 1 to size / 2. Odd sizes are centered in any case.

    Returns:
        (B, C, H, W), in the image's dtype; sums are kept in float64 where the device has it.

    Raises:
        ConfigError: If the size is below 1.

    Source: Crow, "Summed-Area Tables for Texture Mapping", SIGGRAPH 1984, one axis at a time.
    """
    if size < 1:
        raise ConfigError(f"size must be at least 1 pixel, got {size}.")
    if size == 1:
        return image
    wide = torch.float32 if image.device.type == "mps" else torch.float64
    result = image.to(wide)
    for dim in (2, 3):
        result = _line_mean(result, size, dim, border, anchor)
    return result.to(image.dtype)


def _line_mean(image: Tensor, size: int, dim: int, border: Border, anchor: Anchor) -> Tensor:
    length = image.shape[dim]
    half = size // 2
    before, after = half, half
    if size % 2 == 0 and anchor != "center":
        before, after = (half, half - 1) if anchor == "before" else (half - 1, half)
    place = torch.arange(-before, length + after, device=image.device)
    if border == "replicate" or length == 1:
        place = place.clamp(0, length - 1)
    else:
        period = 2 * (length - 1)
        place = place.remainder(period)
        place = torch.minimum(place, period - place)
    padded = image.index_select(dim, place)
    sums = F.pad(padded.cumsum(dim), (0, 0, 1, 0) if dim == 2 else (1, 0))
    window = before + after + 1
    total = sums.narrow(dim, window, length) - sums.narrow(dim, 0, length)
    if window > size:  # an even square in the center: half of each rim
        rims = padded.narrow(dim, 0, length) + padded.narrow(dim, window - 1, length)
        total = total - rims / 2
    return total / size
