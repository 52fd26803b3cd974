"""Colors for pixels nobody knows, from the known ones around them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..tensors import check_alpha, check_image

NEGLIGIBLE = 1e-12
"""Weights up to here count as none at all."""


def fill(image: Tensor, weight: Tensor) -> Tensor:
    """Spread what is known of an image smoothly over what is not.

    Args:
        image: (B, C, H, W) with 1, 3 or 4 channels, any range.
        weight: How well each pixel is known, (B, 1, H, W), in [0, 1]: 1 keeps it exactly, 0
            ignores its value, anything between mixes it with its surroundings.

    Returns:
        (B, C, H, W), in the image's dtype; every value lies between the least and the largest
        known one. The image's mean where nothing is known at all. The cost per pixel is the same
        for holes of any size.

    Raises:
        ShapeError: If the shapes do not fit.

    Source: Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4 (pull-push).
    """
    check_image(image, (1, 3, 4))
    check_alpha(weight, image)
    color, known = image.float(), weight.float()
    levels = []
    while max(color.shape[2:]) > 1:
        levels.append((color, known))
        total = _halve(known)
        color = _halve(color * known) / total.clamp_min(NEGLIGIBLE)
        known = (4 * total).clamp(max=1)  # four half-known pixels make a well-known one
    mean = image.float().mean(dim=(2, 3), keepdim=True)
    result = torch.where(known > NEGLIGIBLE, color, mean)
    for color, known in reversed(levels):
        height, width = color.shape[2:]
        around = F.interpolate(result, scale_factor=2, mode="bilinear")[:, :, :height, :width]
        result = torch.lerp(around, color, known)
    return torch.where(weight >= 1, image, result.to(image.dtype))


def _halve(image: Tensor) -> Tensor:
    """Mean of 2 x 2 pixels; at a side of odd length, of those that exist."""
    return F.avg_pool2d(image, 2, ceil_mode=True, count_include_pad=False)
