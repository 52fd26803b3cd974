"""Outlines without steps and bumps."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import ConfigError
from ..filters import gaussian_blur
from ..tensors import check_image

SIGMA = 0.5
"""Standard deviation of the blur that flattens bumps, as a share of their size."""

BAND = 2.0
"""Half the width of the band around the outline that is drawn anew, in sigmas, beside the edge."""

FADE = 2.0
"""Width over which that band fades into what is kept, in sigmas."""

LEAST_CONTRAST = 0.02
"""Where both sides of an edge differ by less in opacity, there is no outline."""


def smooth_outline(alpha: Tensor, *, size: float) -> Tensor:
    """Round off stair-steps and bumps of the outline.

    The outline is drawn anew, as soft as it was, between the opacity found on both sides of it;
    whatever is farther away than about twice the size is kept: loose hair, haze, and what is
    inside.

    Args:
        alpha: (B, 1, H, W), in [0, 1].
        size: Size of the bumps, in pixels, at least 0; 0 changes nothing.

    Returns:
        Same shape and dtype, in [0, 1].

    Raises:
        ShapeError: If `alpha` is not floating (B, 1, H, W).
        ConfigError: If the size is negative or not finite.

    Source: our own. The blurred edge tells where the outline runs, since a straight edge blurred
        by a Gaussian is its integral over the distance.
    """
    check_image(alpha, (1,))
    if not (math.isfinite(size) and size >= 0):
        raise ConfigError(f"size must be at least 0 pixels and finite, got {size}.")
    if size == 0:
        return alpha
    sigma = max(SIGMA * size, 0.3)
    mask = alpha.float()
    width = _edge_width(mask, sigma)
    spread = (sigma**2 + width**2 / 12).sqrt()
    blurred = gaussian_blur(mask, sigma)
    normal = _gradient(gaussian_blur(mask, 1.5 * sigma))
    normal = normal / normal.norm(dim=1, keepdim=True).clamp_min(1e-6)
    # A first guess of the distance, then the opacity on both sides, then the distance itself.
    depth = _distance(blurred, spread)
    for _ in range(2):
        away = BAND * sigma + width / 2
        inner = _sample(mask, normal * (away - depth))
        outer = _sample(mask, normal * (-away - depth))
        contrast = inner - outer
        depth = _distance((blurred - outer) / contrast.clamp_min(LEAST_CONTRAST), spread)
    edge = outer + contrast * (0.5 + depth / width).clamp(0, 1)
    near = 1 - ((depth.abs() - width / 2 - BAND * sigma) / (FADE * sigma)).clamp(0, 1)
    clear = (contrast / LEAST_CONTRAST - 1).clamp(0, 1)
    return torch.lerp(mask, edge, near * clear).clamp(0, 1).to(alpha.dtype)


def _edge_width(mask: Tensor, sigma: float) -> Tensor:
    """Width in pixels of the slope of the edges around each pixel, at least 1."""
    steepness = torch.maximum(*(step.abs() for step in _one_sided(mask))).clamp(0, 1)
    strongest = gaussian_blur(steepness**2, 2 * sigma)
    return 1 / (strongest / gaussian_blur(steepness, 2 * sigma).clamp_min(1e-6)).clamp(1e-3, 1)


def _one_sided(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Differences to the pixel below and to the right."""
    down = F.pad(mask, (0, 0, 0, 1), mode="replicate")
    right = F.pad(mask, (0, 1, 0, 0), mode="replicate")
    return down[:, :, 1:] - mask, right[..., 1:] - mask


def _gradient(image: Tensor) -> Tensor:
    """Central differences of (B, 1, H, W) as (B, 2, H, W), along x and y."""
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    along_x = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    along_y = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    return torch.cat([along_x, along_y], dim=1) / 2


def _distance(blurred: Tensor, spread: Tensor) -> Tensor:
    """How deep inside a pixel lies, of the blur of a straight edge from 0 to 1."""
    sure = (2 * blurred - 1).clamp(-1 + 1e-6, 1 - 1e-6)
    return spread * math.sqrt(2) * torch.erfinv(sure)


def _sample(image: Tensor, offset: Tensor) -> Tensor:
    """Values at places given by an offset (B, 2, H, W) along x and y from each pixel, in pixels."""
    height, width = image.shape[2:]
    x = torch.arange(width, device=image.device) + offset[:, 0]
    y = torch.arange(height, device=image.device)[:, None] + offset[:, 1]
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=False)
