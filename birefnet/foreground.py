"""The color an object had before it was blended with its background."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from .errors import ConfigError
from .filters import Anchor, Border, box_mean
from .tensors import check_alpha, check_image

Method = Literal["blur-fusion"]
METHODS: tuple[Method, ...] = ("blur-fusion",)

RADII = (90, 6)
"""Sides of the squares that colors are averaged over, in pixels, one per pass."""

EPSILON = 1e-5  # keeps the division defined where there is no foreground or background at all


def estimate_foreground(image: Tensor, alpha: Tensor, *, method: Method = "blur-fusion") -> Tensor:
    """Estimate the color of the subject alone where it is partly transparent.

    A soft edge of a photograph shows a blend of subject and background, so a cutout that keeps
    the photograph's colors carries a colored halo. The mask itself is not changed.

    Args:
        image: The photograph, (B, 3, H, W), in [0, 1].
        alpha: Opacity of the subject, (B, 1, H, W), in [0, 1].
        method: "blur-fusion" averages known foreground and background colors in two passes, a
            wide and a narrow one.

    Returns:
        Straight color, (B, 3, H, W), in [0, 1] and the image's dtype. Where alpha is 1 it is the
        image; far away from the subject it is black.

    Raises:
        ShapeError: If the shapes do not fit.
        ConfigError: If the method is not known.

    Source: Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021.
    """
    check_image(image)
    check_alpha(alpha, image)
    if method not in METHODS:
        raise ConfigError(f"method must be one of {', '.join(METHODS)}, got {method!r}.")
    foreground, _ = blur_fusion(image, alpha)
    return foreground


def blur_fusion(
    image: Tensor,
    alpha: Tensor,
    *,
    radii: tuple[int, ...] = RADII,
    border: Border = "replicate",
    anchor: Anchor = "center",
) -> tuple[Tensor, Tensor]:
    """Blur fusion with all its knobs.

    Args:
        image: (B, 3, H, W), in [0, 1].
        alpha: (B, 1, H, W), in [0, 1].
        radii: Side of the averaging square of each pass, in pixels.
        border: As in `box_mean`. The official program mirrors on a CPU and replicates on a GPU.
        anchor: As in `box_mean`. The official program uses "before" on a CPU, "after" on a GPU.

    Returns:
        Foreground in [0, 1] and blurred background, both (B, 3, H, W) and in the image's dtype.

    Source: Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021, equations 4 to 6.
    """
    wide = image.float()
    opacity = alpha.to(wide)
    foreground = background = wide
    for radius in radii:
        mean_alpha = box_mean(opacity, radius, border=border, anchor=anchor)
        mean_foreground = box_mean(foreground * opacity, radius, border=border, anchor=anchor)
        mean_foreground = mean_foreground / (mean_alpha + EPSILON)
        mean_background = box_mean(background * (1 - opacity), radius, border=border, anchor=anchor)
        mean_background = mean_background / (1 - mean_alpha + EPSILON)
        blend = opacity * mean_foreground + (1 - opacity) * mean_background
        foreground = (mean_foreground + opacity * (wide - blend)).clamp(0, 1)
        background = mean_background
    return foreground.to(image.dtype), background.to(image.dtype)
