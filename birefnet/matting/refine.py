"""A given mask made better by its picture, along its edges only."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ..errors import ConfigError
from ..masks.trimap import BAND, trimap
from ..tensors import check_alpha, check_image
from .guided_filter import EPSILON, RADIUS, guided_filter

Method = Literal["closed-form", "knn", "guided filter"]
METHODS: tuple[Method, ...] = ("closed-form", "knn", "guided filter")

TRUST = 0.5
"""How much the given mask counts where it is uncertain, in [0, 1]."""

MAX_MEGAPIXELS = 2.0
"""Bands with more pixels than this, in millions, are solved at a lower size."""


def find_band(alpha: Tensor, *, inside: float = BAND, outside: float = BAND) -> Tensor:
    """Where the edge of a mask may be found anew: a trimap with an uncertain band.

    Args:
        alpha: (B, 1, H, W), in [0, 1].
        inside: How far the band reaches into the opaque part, in pixels, at least 0.
        outside: How far it reaches into the transparent part, in pixels, at least 0.

    Returns:
        (B, 1, H, W): 0 on the background, 1 on the subject, 0.5 between.
    """
    return trimap(alpha, inside=inside, outside=outside)


def refine_mask(
    image: Tensor,
    alpha: Tensor,
    band: Tensor | None = None,
    *,
    method: Method = "closed-form",
    radius: float = RADIUS,
    epsilon: float = EPSILON,
    trust: float = TRUST,
    max_megapixels: float = MAX_MEGAPIXELS,
) -> Tensor:
    """Draw the edge of a mask where the picture has it."""
    check_image(image)
    check_alpha(alpha, image)
    if method not in METHODS:
        raise ConfigError(f"method must be one of {', '.join(METHODS)}, got {method!r}.")
    if band is None:
        band = find_band(alpha)
    unknown = (band > 0) & (band < 1)
    filtered = guided_filter(image, alpha, radius=radius, epsilon=epsilon)
    return torch.where(unknown, filtered, alpha)
