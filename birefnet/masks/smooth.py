"""Outlines without steps and bumps."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import ConfigError
from ..filters import gaussian_blur
from ..tensors import check_image
from .edges import threads

SIGMA = 0.5
"""Standard deviation of the blur that flattens bumps, as a share of their size."""

BAND = 1.5
"""Half the width of the band around the outline that is drawn anew, in sigmas, beside the edge."""

SIDES = 1.5
"""How far from the outline the opacity on both sides of it is read, in sigmas, beside the edge."""

FADE = 1.5
"""Width over which that band fades into what is kept, in sigmas."""

HAIR = 2.0
"""Half the width of the widest hair, in pixels."""

LEAST_CONTRAST = 0.02
"""Where both sides of an edge differ by less in opacity, there is no outline."""

MOST_CHANGE = (0.12, 0.18)
"""Changes of the mean opacity around a pixel that are a bump for sure, and surely none."""

CALM = 2.0
"""Standard deviation of the blur that opacity beside the outline is read from, in pixels."""

WIDEST = 8.0
"""Widest slope of an edge that is drawn anew, in sigmas."""

ROUNDS = 3

NEWTON_STEPS = 3

JUMP = 2.0
"""Change of the distance from pixel to pixel from which on it is not believed."""


def smooth_outline(alpha: Tensor, *, size: float) -> Tensor:
    """Round off stair-steps and bumps of the outline.

    The outline is drawn anew, as soft as it was, between the opacity found on both sides of it.
    What is farther away than about one and a half times the size is kept: haze, loose hair, and
    what is inside. Hair that crosses the outline is set aside before and put back.

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
    whole = alpha.float()
    hair = _hair(whole)
    mask = whole - hair
    blurred = gaussian_blur(mask, sigma)
    calm = gaussian_blur(mask, min(sigma / 2, CALM))
    normal = _gradient(gaussian_blur(mask, 1.5 * sigma))
    normal = normal / normal.norm(dim=1, keepdim=True).clamp_min(1e-6)
    # From a first guess to the distance from the outline: where it is, what is on both sides of
    # it, and how wide its slope is, tell about each other.
    steepness = _steepness(mask, sigma)
    contrast = torch.ones_like(mask)
    outer = torch.zeros_like(mask)
    for _ in range(ROUNDS):
        width = (contrast / steepness).clamp(1, WIDEST * sigma)
        depth = _distance((blurred - outer) / contrast, width, sigma)
        foot = -depth.clamp(-2 * sigma, 2 * sigma)
        away = SIDES * sigma + width / 2
        outer = _sample(calm, normal * (foot - away))
        contrast = (_sample(calm, normal * (foot + away)) - outer).clamp_min(LEAST_CONTRAST)
    depth = _distance((blurred - outer) / contrast, width, sigma)
    edge = outer + contrast * (0.5 + depth / width).clamp(0, 1)
    near = 1 - ((depth.abs() - width / 2 - BAND * sigma) / (FADE * sigma)).clamp(0, 1)
    clear = (contrast / LEAST_CONTRAST - 1).clamp(0, 1)
    # A distance changes by one pixel from pixel to pixel; where it jumps, two outlines meet.
    jump = F.max_pool2d(_gradient(depth).norm(dim=1, keepdim=True), 3, stride=1, padding=1)
    drawn = torch.lerp(mask, edge, near * clear * (2 * (JUMP - jump)).clamp(0, 1))
    # What would gain or lose a lot is no bump, but a thing of that size.
    change = (gaussian_blur(drawn, sigma) - blurred).abs()
    small, large = MOST_CHANGE
    drawn = torch.lerp(drawn, mask, ((change - small) / (large - small)).clamp(0, 1))
    return torch.where(hair > 0, torch.maximum(drawn, whole), drawn).clamp(0, 1).to(alpha.dtype)


def _hair(mask: Tensor) -> Tensor:
    """Opacity of soft threads, (B, 1, H, W)."""
    items = [threads(item[0].detach().cpu().numpy(), HAIR) for item in mask]
    return torch.from_numpy(np.stack(items))[:, None].to(mask)


def _steepness(mask: Tensor, sigma: float) -> Tensor:
    """Slope of the edges around each pixel, in opacity per pixel, above 0."""
    steepness = torch.hypot(*_one_sided(mask)).clamp(0, 1)
    usual = gaussian_blur(steepness, 2 * sigma).clamp_min(1e-6)
    return (gaussian_blur(steepness**2, 2 * sigma) / usual).clamp_min(1e-4)


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


def _distance(blurred: Tensor, width: Tensor, sigma: float) -> Tensor:
    """How deep inside a pixel lies, of a blurred straight edge from 0 to 1.

    Args:
        blurred: Its opacity, (B, 1, H, W).
        width: Of the edge's slope before the blur, in pixels.
        sigma: Of the blur, in pixels.
    """
    spread = (sigma**2 + width**2 / 12).sqrt()
    sure = (2 * blurred - 1).clamp(-1 + 1e-6, 1 - 1e-6)
    depth = spread * math.sqrt(2) * torch.erfinv(sure)
    farthest = width / 2 + 5 * sigma
    for _ in range(NEWTON_STEPS):
        before, after = (depth + width / 2) / sigma, (depth - width / 2) / sigma
        opacity = (_ramp(before) - _ramp(after)) * sigma / width
        slope = (torch.special.ndtr(before) - torch.special.ndtr(after)) / width
        step = (blurred - opacity) / slope.clamp_min(1e-3)
        depth = (depth + step.clamp(-sigma, sigma)).clamp(-farthest, farthest)
    return depth


def _ramp(place: Tensor) -> Tensor:
    """Integral of the normal distribution's integral."""
    density = torch.exp(-(place**2) / 2) / math.sqrt(2 * math.pi)
    integral: Tensor = place * torch.special.ndtr(place) + density
    return integral


def _sample(image: Tensor, offset: Tensor) -> Tensor:
    """Values at places given by an offset (B, 2, H, W) along x and y from each pixel, in pixels."""
    height, width = image.shape[2:]
    x = torch.arange(width, device=image.device) + offset[:, 0]
    y = torch.arange(height, device=image.device)[:, None] + offset[:, 1]
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=False)
