"""The guided filter: a mask that follows the colors of a picture, at one cost for all radii."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import ConfigError
from ..filters import box_mean
from ..tensors import check_alpha, check_image

RADIUS = 8.0
"""Half the window of the guided filter, in pixels."""
EPSILON = 1e-4
"""Variance of color below which a window of the guided filter counts as flat."""

FLAT_MASK = 1e-4
"""Variance of opacity below which there is nothing to explain in a window."""

LEAST_WEIGHT = 1e-3
"""Pixels count at least this much, for windows in which nothing is certain."""

STRIP = 512
"""Rows that are worked on at once, in pixels; bounds the memory."""


def guided_filter(
    image: Tensor,
    alpha: Tensor,
    weight: Tensor | None = None,
    *,
    radius: float = RADIUS,
    epsilon: float = EPSILON,
) -> Tensor:
    """Make a mask a linear function of the picture's color within every small window.

    Args:
        image: RGB, (B, 3, H, W), in [0, 1].
        alpha: (B, 1, H, W), in [0, 1].
        weight: How much each pixel counts as an example, (B, 1, H, W), at least 0; None for all
            alike. With examples only where a mask is certain, a blurred edge becomes sharp again.
        radius: Half the side of the square windows in pixels, rounded to whole ones, at least 1;
            the cost is the same for all.
        epsilon: Variance of color below which a window counts as flat, above 0. Less follows
            fainter edges, and noise.

    Returns:
        (B, 1, H, W), in [0, 1] and alpha's dtype.

    Raises:
        ShapeError: If the shapes do not fit.
        ConfigError: If an option is out of its range.

    Source: He, Sun and Tang, "Guided Image Filtering", TPAMI 2013, equations 14 to 16; the
        weights are our own.
    """
    check_image(image)
    check_alpha(alpha, image)
    if weight is not None:
        check_alpha(weight, image)
    check_window(radius, epsilon)
    share = torch.ones_like(alpha) if weight is None else weight
    return learn(image, alpha, share, radius=radius, epsilon=epsilon)[0].to(alpha.dtype)


def check_window(radius: float, epsilon: float) -> None:
    """Refuse windows that cannot be, before any work.

    Raises:
        ConfigError: If the radius is below 1 or epsilon not positive.
    """
    if not (math.isfinite(radius) and radius >= 1):
        raise ConfigError(f"radius must be at least 1 pixel, got {radius}.")
    if not (math.isfinite(epsilon) and epsilon > 0):
        raise ConfigError(f"epsilon must be above 0, got {epsilon}.")


def guided_upsample(
    small: Tensor, small_alpha: Tensor, image: Tensor, *, radius: float, epsilon: float
) -> Tensor:
    """Bring a mask of a small picture to the large one, following its edges.

    Args:
        small: RGB of the small picture, (B, 3, h, w), in [0, 1].
        small_alpha: Its mask, (B, 1, h, w), in [0, 1].
        image: RGB of the large picture, (B, 3, H, W), in [0, 1].
        radius: As in `guided_filter`, in pixels of the small picture.
        epsilon: As in `guided_filter`.

    Returns:
        (B, 1, H, W), in [0, 1] and the type of `small_alpha`.

    Raises:
        ShapeError: If the shapes do not fit.
        ConfigError: If an option is out of its range.

    Source: He and Sun, "Fast Guided Filter", 2015.
    """
    check_image(small)
    check_image(image)
    check_alpha(small_alpha, small)
    check_window(radius, epsilon)
    share = torch.ones_like(small_alpha)
    found = _linear_model(small, small_alpha, share, round(radius), epsilon)
    model = torch.cat(found[:2], dim=1)
    model = F.interpolate(model, size=image.shape[2:], mode="bilinear")
    return _apply(model[:, :3], model[:, 3:], image).to(small_alpha.dtype)


def _apply(slope: Tensor, offset: Tensor, image: Tensor) -> Tensor:
    return ((slope * image.float()).sum(1, keepdim=True) + offset).clamp(0, 1)


def learn(
    image: Tensor,
    alpha: Tensor,
    weight: Tensor,
    *,
    radius: float = RADIUS,
    epsilon: float = EPSILON,
) -> tuple[Tensor, Tensor]:
    """Filter a mask, and find out how well color tells what belongs to the subject.

    Args:
        image: RGB, (B, 3, H, W), in [0, 1].
        alpha: (B, 1, H, W), in [0, 1].
        weight: As in `guided_filter`.
        radius: Likewise.
        epsilon: Likewise.

    Returns:
        The filtered mask, and the share of the mask's variance within windows that a linear
        function of color explains (1 where the mask does not vary); both (B, 1, H, W) float32, in
        [0, 1].

    Raises:
        ShapeError: If the shapes do not fit.
        ConfigError: If an option is out of its range.

    Source: He et al., TPAMI 2013; the second is the coefficient of determination of its
        regression.
    """
    check_image(image)
    check_alpha(alpha, image)
    check_alpha(weight, image)
    check_window(radius, epsilon)
    reach, height = 2 * round(radius), image.shape[2]
    strips = []
    for top in range(0, height, STRIP):
        bottom = min(height, top + STRIP)
        first, last = max(0, top - reach), min(height, bottom + reach)
        part, mask, share = (whole[:, :, first:last] for whole in (image, alpha, weight))
        slope, offset, told = _linear_model(part, mask, share, round(radius), epsilon)
        both = torch.cat([_apply(slope, offset, part), told], dim=1)
        strips.append(both[:, :, top - first : bottom - first])
    found = torch.cat(strips, dim=2)
    return found[:, :1], found[:, 1:]


def _linear_model(
    image: Tensor, alpha: Tensor, weight: Tensor, radius: int, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """What alpha is near each pixel, by weighted ridge regression in all windows that hold it.

    Returns:
        Slope (B, 3, H, W) times color plus offset (B, 1, H, W); and the share of the variance that
        this explains, (B, 1, H, W).
    """
    side = 2 * radius + 1
    # Variances are differences of large numbers, and windows may hold hardly any weight.
    wide = torch.float32 if image.device.type == "mps" else torch.float64
    guide, wanted, share = image.to(wide), alpha.to(wide), weight.to(wide).clamp_min(LEAST_WEIGHT)
    total = box_mean(share, side)

    def mean(values: Tensor) -> Tensor:
        return box_mean(values * share, side) / total

    center, level = mean(guide), mean(wanted)
    together = mean(guide * wanted) - center * level
    products = [
        mean(guide[:, i : i + 1] * guide[:, j : j + 1])
        - center[:, i : i + 1] * center[:, j : j + 1]
        for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    ]
    slope = solve_symmetric(torch.cat(products, dim=1), together, epsilon)
    offset = level - (slope * center).sum(1, keepdim=True)
    explained = (slope * together).sum(1, keepdim=True)
    varies = (mean(wanted * wanted) - level * level).clamp_min(0)
    told = ((explained + FLAT_MASK) / (varies + FLAT_MASK)).clamp(0, 1)
    around = box_mean(total, side)
    slope, offset, told = (
        (box_mean(values * total, side) / around).float() for values in (slope, offset, told)
    )
    return slope, offset, told


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
