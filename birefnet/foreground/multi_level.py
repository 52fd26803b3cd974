"""Multi-level estimation: the smoothest colors that explain the photograph, coarse to fine."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .relax import Model, relax

SMALL = 32
"""Levels up to this side, in pixels, are cheap and get more iterations."""

ITERATIONS = (10, 2)
"""Of small levels and of the others."""

SURE = 0.9
"""Opacity above which a pixel counts for the mean foreground that everything starts from; those
below one minus it count for the background's."""


def multi_level(
    image: Tensor,
    alpha: Tensor,
    *,
    regularization: float = 1e-5,
    gradient_weight: float = 1.0,
    iterations: tuple[int, int] = ITERATIONS,
) -> tuple[Tensor, Tensor]:
    """Multi-level estimation with all its knobs.

    Looks for foreground and background that blend to the photograph and are smooth, above all
    where alpha changes. The equations are solved on a pyramid, each level starting from the
    coarser one's answer.

    Args:
        image: (B, 3, H, W), in [0, 1].
        alpha: (B, 1, H, W), in [0, 1].
        regularization: Smoothness everywhere, above 0.
        gradient_weight: Smoothness per difference of alpha between neighbors.
        iterations: Sweeps on levels up to 32 pixels, and on the others.

    Returns:
        Foreground and background in [0, 1], both (B, 3, H, W) and in the image's dtype.

    Source: Germer, Uelwer, Conrad and Harmeling, "Fast Multi-Level Foreground Estimation", ICPR
        2020. Even and odd rows are visited in turn, which suits tensors, instead of pixel after
        pixel as in the authors' pymatting; results differ by less than a gray level on average.
    """
    model = Model(
        flat=regularization, steep=gradient_weight, foreground=1.0, background=1.0, noise=1.0
    )
    wide, opacity = image.float(), alpha.float()
    items = [slice(item, item + 1) for item in range(len(image))]
    colors = torch.cat([_estimate(wide[one], opacity[one], model, iterations) for one in items])
    foreground, background = colors.to(image.dtype).chunk(2, 1)
    return foreground, background


def _estimate(image: Tensor, alpha: Tensor, model: Model, iterations: tuple[int, int]) -> Tensor:
    """Foreground and background (1, 6, H, W) of one image."""
    height, width = image.shape[2:]
    count = max(1, math.ceil(math.log2(max(height, width))))
    colors = torch.cat([_mean(image, alpha > SURE), _mean(image, alpha < 1 - SURE)], 1)
    for level in range(count + 1):
        size = (round(height ** (level / count)), round(width ** (level / count)))
        colors = relax(
            _nearest(colors, size),
            _nearest(image, size),
            _nearest(alpha, size),
            model,
            sweeps=iterations[0] if max(size) <= SMALL else iterations[1],
        )
    return colors


def _mean(image: Tensor, where: Tensor) -> Tensor:
    """Mean color of some pixels, (1, 3, 1, 1); black where there are none."""
    chosen = where.to(image)
    return (image * chosen).sum((2, 3), keepdim=True) / (chosen.sum((2, 3), keepdim=True) + 1e-5)


def _nearest(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize by taking pixels."""
    for dim, length in zip((2, 3), size, strict=True):
        if length != image.shape[dim]:
            place = torch.arange(length, device=image.device) * image.shape[dim] // length
            image = image.index_select(dim, place)
    return image
