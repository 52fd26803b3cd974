"""The real shadow of a subject that was photographed in front of a plain background."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import ConfigError
from ..filters import fill, gaussian_blur
from ..tensors import check_alpha, check_image
from .sources import background_weight

GRID = 128
"""Longest side at which the smooth background is estimated, in pixels."""

DEGREES = ((0, 0), (1, 1), (2, 2), (2, 6), (2, 6))
"""Degrees of the polynomials that are fitted one after the other: as a whole, and of y alone,
because a sweep of paper bends from the floor to the wall."""

TOLERANCES = (0.10, 0.05, 0.04, 0.02, 0.01)
"""How much darker than the fit a pixel may be to count as lit, for each of them."""

ROUNDS = 8  # of each fit; the weights hardly change afterwards

SMOOTH = 3.0  # sigma on the grid, in pixels, of what a polynomial cannot follow

DARKEST = 1 / 64  # a background below this is black, and nothing can be darker

FINE_PERCENT, COARSE_PERCENT = 0.15, 1.0
"""How far shadows are smoothed where they have edges and where not, of the shorter side."""

GRAIN = 0.015
"""Most that smoothing may change: grain and the blocks of a JPEG go, edges of a shadow stay."""

PLAIN = 1 / 3
"""Part of a background that must be plain for `extract_shadow` to make sense."""

LUMA = (0.2126, 0.7152, 0.0722)  # ITU-R BT.709


def plain_backdrop(image: Tensor, alpha: Tensor) -> Tensor:
    """Estimate what a plain background looks like without subject and shadow.

    Args:
        image: A picture in front of a wall, a sweep of paper or the like; (B, 3, H, W), in [0, 1].
        alpha: Opacity of the subject, (B, 1, H, W), in [0, 1].

    Returns:
        A smooth image (B, 3, H, W), in [0, 1] and the image's dtype; gradients of the light are
        part of it, what is darker than its surroundings is not.

    Raises:
        ShapeError: If the shapes do not fit.

    Source: our own; a robust polynomial fit that trusts bright pixels more than dark ones, and
        pull-push for what it cannot follow.
    """
    check_image(image)
    check_alpha(alpha, image)
    wide, weight = image.float(), background_weight(alpha)
    height, width = wide.shape[2:]
    scale = min(1.0, GRID / max(height, width))
    grid = (max(1, round(height * scale)), max(1, round(width * scale)))
    known = F.adaptive_avg_pool2d(weight, grid)
    color = F.adaptive_avg_pool2d(wide * weight, grid) / known
    smooth, lit = _fit(color, known)
    rest = gaussian_blur(fill(color / smooth, lit.clamp(0, 1)), SMOOTH)
    backdrop = F.interpolate(smooth * rest, size=(height, width), mode="bicubic", antialias=True)
    return backdrop.clamp(DARKEST, 1).to(image.dtype)


def _fit(color: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """A polynomial through the lit pixels of (B, 3, h, w): its values, and their weights."""
    rows, columns = color.shape[2:]
    y = torch.linspace(-1, 1, rows, dtype=torch.float64).view(-1, 1).expand(rows, columns)
    x = torch.linspace(-1, 1, columns, dtype=torch.float64).view(1, -1).expand(rows, columns)
    # Small systems in float64, which not every device has: on the CPU.
    values = color.double().cpu().flatten(2).mT  # (B, N, 3)
    trust = known.double().cpu().flatten(2).mT  # (B, N, 1)
    luma = values @ torch.tensor(LUMA, dtype=torch.float64).view(3, 1)
    bright = (luma * trust).amax(1, keepdim=True)
    weight = trust * (luma >= 0.5 * bright)
    fitted = values
    for (degree, degree_y), tolerance in zip(DEGREES, TOLERANCES, strict=True):
        powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
        powers += [(0, j) for j in range(degree + 1, degree_y + 1)]
        terms = torch.stack([(x**i * y**j).flatten() for i, j in powers], dim=1)  # (N, K)
        for _ in range(ROUNDS):
            square = terms.mT @ (weight * terms)
            square = square + 1e-9 * torch.eye(len(powers), dtype=torch.float64)
            fitted = terms @ torch.linalg.solve(square, terms.mT @ (weight * values))
            level = (fitted @ torch.tensor(LUMA, dtype=torch.float64).view(3, 1)).clamp_min(DARKEST)
            weight = trust * _lit(luma / level - 1, tolerance)
    shape = (len(color), -1, rows, columns)
    smooth = fitted.mT.reshape(shape).clamp_min(DARKEST)
    return smooth.to(color), weight.mT.reshape(shape).to(color)


def _lit(difference: Tensor, tolerance: float) -> Tensor:
    """Weights from relative brightness above the fit: shadows soon count nothing, light little."""
    distance = difference.abs() / tolerance
    dark = distance.clamp_min(1) ** -4
    light = distance.clamp_min(1) ** -1
    return torch.where(difference < 0, dark, light)


def extract_shadow(image: Tensor, alpha: Tensor, *, floor: float = 0.02) -> Tensor:
    """Find the shadow of a subject in front of a plain, light background.

    Args:
        image: A picture in front of a wall, a sweep of paper or the like; (B, 3, H, W), in [0, 1].
        alpha: Opacity of the subject, (B, 1, H, W), in [0, 1].
        floor: Shadows up to here are the background's noise and become exactly 0; from twice as
            much on they stay as they are. In [0, 0.5].

    Returns:
        Opacity of the shadow, (B, 1, H, W), in [0, 1] and the image's dtype, to be given to
        `replace_background` or `multiply_layer`. Under the subject it goes on smoothly.

    Raises:
        ShapeError: If the shapes do not fit.
        ConfigError: If the floor leaves [0, 0.5].

    Source: our own; the brightness of each pixel divided by that of `plain_backdrop`.
    """
    check_floor(floor)
    backdrop = plain_backdrop(image, alpha)
    ratio = _luma(image) / _luma(backdrop)
    ratio = fill(ratio, background_weight(alpha))
    side = min(ratio.shape[2:])
    fine, coarse = (gaussian_blur(ratio, p / 100 * side) for p in (FINE_PERCENT, COARSE_PERCENT))
    dark = (1 - torch.clamp(coarse, fine - GRAIN, fine + GRAIN)).clamp(0, 1)
    if floor > 0:
        share = ((dark - floor) / floor).clamp(0, 1)
        dark = dark * share * share * (3 - 2 * share)
    return dark.to(image.dtype)


def check_floor(floor: float) -> None:
    """Refuse a floor of `extract_shadow`, before any work was done.

    Raises:
        ConfigError: If it leaves [0, 0.5].
    """
    if not 0 <= floor <= 0.5:
        raise ConfigError(f"floor must lie in [0, 0.5], got {floor}; 0.02 is usual.")


def lit_share(image: Tensor, alpha: Tensor, *, tolerance: float = 0.04) -> Tensor:
    """How much of the background is as plain as `extract_shadow` expects it.

    Args:
        image: (B, 3, H, W), in [0, 1].
        alpha: Opacity of the subject, (B, 1, H, W), in [0, 1].
        tolerance: Relative difference of brightness that is still plain.

    Returns:
        For each picture the part of its background that `plain_backdrop` describes, (B,) float32, 0
        to 1. Below `PLAIN` there is more texture than background.

    Raises:
        ShapeError: If the shapes do not fit.
    """
    backdrop = plain_backdrop(image, alpha)
    weight = background_weight(alpha)
    plain = (_luma(image) / _luma(backdrop) - 1).abs() <= tolerance
    return (weight * plain).sum((1, 2, 3)) / weight.sum((1, 2, 3))


def _luma(image: Tensor) -> Tensor:
    weights = torch.tensor(LUMA, device=image.device).view(1, 3, 1, 1)
    return (image.float() * weights).sum(1, keepdim=True)
