"""The color an object had before it was blended with its background, by any of the methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from ..errors import ConfigError
from ..tensors import check_alpha, check_image
from .adaptive import adaptive
from .blur_fusion import SIZES, blur_fusion
from .multi_level import multi_level

Method = Literal["adaptive", "multi-level", "blur-fusion", "blur-fusion-once"]
METHODS: tuple[Method, ...] = ("adaptive", "multi-level", "blur-fusion", "blur-fusion-once")


def estimate_foreground(
    image: Tensor,
    alpha: Tensor,
    *,
    method: Method = METHODS[0],
    sizes: Sequence[float] = SIZES,
) -> Tensor:
    """Estimate the color of the subject alone where it is partly transparent.

    A soft edge of a photograph shows a blend of subject and background, so a cutout that keeps
    the photograph's colors carries a colored halo. The mask itself is not changed.

    Args:
        image: The photograph, (B, 3, H, W), in [0, 1].
        alpha: Opacity of the subject, (B, 1, H, W), in [0, 1].
        method: "adaptive" is our own and has the smallest measured error. "multi-level" solves
            for the smoothest colors that explain the photograph, from coarse to fine.
            "blur-fusion" averages known foreground and background colors in two passes, a wide
            and a narrow one; "blur-fusion-once" in the wide one alone.
        sizes: Sides of the squares that blur fusion averages over, in pixels: the wide one and
            the narrow one. The other methods need none.

    Returns:
        Straight color, (B, 3, H, W), in [0, 1] and the image's dtype. Where alpha is 1 it is the
        image; far away from the subject it means nothing (blur fusion gives black).

    Raises:
        ShapeError: If the shapes do not fit.
        ConfigError: If the method is not known or a size is not possible.

    Source: as given with each method.
    """
    check_image(image)
    check_alpha(alpha, image)
    if method not in METHODS:
        raise ConfigError(f"method must be one of {', '.join(METHODS)}, got {method!r}.")
    if method == "adaptive":
        foreground, _ = adaptive(image, alpha)
    elif method == "multi-level":
        foreground, _ = multi_level(image, alpha)
    else:
        passes = sizes[:1] if method == "blur-fusion-once" else sizes
        foreground, _ = blur_fusion(image, alpha, sizes=passes)
    return torch.where(alpha >= 1, image, foreground)
