"""The guided filter: a mask that follows the colors of a picture, at one cost for all radii."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..errors import ConfigError
from ..filters import box_mean
from ..tensors import check_alpha, check_image

RADIUS = 8.0
EPSILON = 1e-4

STRIP = 512
"""Rows that are worked on at once, in pixels; bounds the memory."""


def guided_filter(
    image: Tensor, alpha: Tensor, *, radius: float = RADIUS, epsilon: float = EPSILON
) -> Tensor:
    """Make a mask a linear function of the picture's color within every small window.

    Args:
        image: RGB, (B, 3, H, W), in [0, 1].
        alpha: (B, 1, H, W), in [0, 1].
        radius: Half the side of the square windows in pixels, rounded to whole ones, at least 1;
            the cost is the same for all.
        epsilon: Variance of color below which a window counts as flat, above 0. Less follows
            fainter edges, and noise.

    Returns:
        (B, 1, H, W), in [0, 1] and alpha's dtype.

    Raises:
        ShapeError: If the shapes do not fit.
        ConfigError: If an option is out of its range.

    Source: He, Sun and Tang, "Guided Image Filtering", TPAMI 2013, equations 14 to 16.
    """
    check_image(image)
    check_alpha(alpha, image)
    check_window(radius, epsilon)
    height, reach = image.shape[2], round(radius)
    result = torch.empty_like(alpha)
    for top in range(0, height, STRIP):
        bottom = min(height, top + STRIP)
        first, last = max(0, top - 2 * reach), min(height, bottom + 2 * reach)
        strip = _filter(image[:, :, first:last], alpha[:, :, first:last], reach, epsilon)
        result[:, :, top:bottom] = strip[:, :, top - first : bottom - first]
    return result


def check_window(radius: float, epsilon: float) -> None:
    """Refuse windows that cannot be, before any work.

    Raises:
        ConfigError: If the radius is below 1 or epsilon not positive.
    """
    if not (math.isfinite(radius) and radius >= 1):
        raise ConfigError(f"radius must be at least 1 pixel, got {radius}.")
    if not (math.isfinite(epsilon) and epsilon > 0):
        raise ConfigError(f"epsilon must be above 0, got {epsilon}.")


def _filter(image: Tensor, alpha: Tensor, radius: int, epsilon: float) -> Tensor:
    """One strip at once; exact where two radii of it lie around."""
    side = 2 * radius + 1
    guide, wanted = image.float(), alpha.float()
    mean = box_mean(guide, side)
    mean_wanted = box_mean(wanted, side)
    # Centered values keep the variances of float32 exact in flat parts.
    together = box_mean(guide * wanted, side) - mean * mean_wanted
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    products = torch.stack([guide[:, i] * guide[:, j] for i, j in pairs], dim=1)
    products = box_mean(products, side) - torch.stack(
        [mean[:, i] * mean[:, j] for i, j in pairs], dim=1
    )
    slope = solve_symmetric(products, together, epsilon)
    offset = mean_wanted - (slope * mean).sum(1, keepdim=True)
    slope, offset = box_mean(slope, side), box_mean(offset, side)
    filtered = (slope * guide).sum(1, keepdim=True) + offset
    return filtered.clamp(0, 1).to(alpha.dtype)


def solve_symmetric(matrix: Tensor, right: Tensor, epsilon: float) -> Tensor:
    """Solve (M + epsilon I) x = r for a symmetric 3 x 3 matrix per pixel, by Cramer's rule.

    Args:
        matrix: Its entries 00, 01, 02, 11, 12, 22, (B, 6, H, W); positive semidefinite.
        right: (B, 3, H, W).
        epsilon: Added to the diagonal, above 0.

    Returns:
        (B, 3, H, W).
    """
    a, b, c, d, e, f = matrix.unbind(1)
    a, d, f = a + epsilon, d + epsilon, f + epsilon
    inverse = [d * f - e * e, c * e - b * f, b * e - c * d]
    inverse += [a * f - c * c, b * c - a * e, a * d - b * b]
    determinant = a * inverse[0] + b * inverse[1] + c * inverse[2]
    x, y, z = right.unbind(1)
    rows = [
        inverse[0] * x + inverse[1] * y + inverse[2] * z,
        inverse[1] * x + inverse[3] * y + inverse[4] * z,
        inverse[2] * x + inverse[4] * y + inverse[5] * z,
    ]
    return torch.stack(rows, dim=1) / determinant[:, None]
