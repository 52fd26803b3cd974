"""Gaussian blur at a bounded cost for every width."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import ConfigError

DIRECT = 4.0
"""Up to this sigma, in pixels, the kernel is applied as it is."""

REACH = 4.0
"""Half the length of that kernel, in sigmas."""

PASSES = 4
"""Extended box means that stand for a wider kernel."""


def gaussian_blur(image: Tensor, sigma: float | tuple[float, float]) -> Tensor:
    """Blur with a Gaussian; beyond the border the border pixel is repeated.

    Args:
        image: (B, C, H, W).
        sigma: Standard deviation in pixels, at least 0; or one for rows and one for columns
            (along y, along x).

    Returns:
        (B, C, H, W), in the image's dtype. Above `DIRECT` pixels four box means stand for the
        Gaussian: the cost does not grow any more, and a step is met within 0.01.

    Raises:
        ConfigError: If a sigma is negative or not finite.

    Source: Gwosdek et al., "Theoretical Foundations of Gaussian Convolution by Extended Box
        Filtering", SSVM 2011.
    """
    sigmas = sigma if isinstance(sigma, tuple) else (sigma, sigma)
    if not all(math.isfinite(value) and value >= 0 for value in sigmas):
        raise ConfigError(f"sigma must be at least 0 pixels and finite, got {sigma}.")
    result = image.float()
    for dim, value in zip((2, 3), sigmas, strict=True):
        if value == 0 or image.shape[dim] == 1:
            continue
        blur = _line_gaussian if value <= DIRECT else _line_boxes
        result = blur(result, value, dim)
    return result.to(image.dtype)


def _line_gaussian(image: Tensor, sigma: float, dim: int) -> Tensor:
    reach = math.ceil(REACH * sigma)
    place = torch.arange(-reach, reach + 1, device=image.device, dtype=torch.float32)
    # The Gaussian's integral over each pixel, so that a tiny sigma is a tiny blur.
    edges = torch.erf((torch.stack((place - 0.5, place + 0.5))) / (sigma * math.sqrt(2)))
    kernel = edges[1] - edges[0]
    kernel = kernel / kernel.sum()
    shape = (1, 1, -1, 1) if dim == 2 else (1, 1, 1, -1)
    pad = (0, 0, reach, reach) if dim == 2 else (reach, reach, 0, 0)
    flat = image.flatten(0, 1)[:, None]
    blurred = F.conv2d(F.pad(flat, pad, mode="replicate"), kernel.view(shape))
    return blurred.view_as(image)


def _line_boxes(image: Tensor, sigma: float, dim: int) -> Tensor:
    """Repeated box means whose ends weigh what makes the variance exactly sigma squared."""
    variance = sigma**2 / PASSES
    reach = int((math.sqrt(1 + 12 * variance) - 1) / 2)
    inner = reach * (reach + 1) * (2 * reach + 1) / 3  # sum of squares of the offsets
    rim = (variance * (2 * reach + 1) - inner) / (2 * ((reach + 1) ** 2 - variance))
    length = image.shape[dim]
    margin = PASSES * (reach + 1)
    place = torch.arange(-margin, length + margin, device=image.device).clamp(0, length - 1)
    wide = torch.float32 if image.device.type == "mps" else torch.float64
    result = image.to(wide).index_select(dim, place)
    for _ in range(PASSES):
        sums = F.pad(result.cumsum(dim), (0, 0, 1, 0) if dim == 2 else (1, 0))
        window = 2 * reach + 1
        size = result.shape[dim] - window - 1
        total = sums.narrow(dim, window + 1, size) - sums.narrow(dim, 1, size)
        ends = result.narrow(dim, 0, size) + result.narrow(dim, window + 1, size)
        result = (total + rim * ends) / (window + 2 * rim)
    return result.to(image.dtype)
