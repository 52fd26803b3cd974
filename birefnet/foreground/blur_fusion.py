"""Blur fusion: the colors around a pixel decide what its foreground and background are."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ..errors import ConfigError
from ..filters import Anchor, Border, box_mean

SIZES = (90.0, 6.0)
"""Sides of the squares that colors are averaged over, in pixels, one per pass."""

EPSILON = 1e-5  # keeps the division defined where there is no foreground or background at all


def blur_fusion(
    image: Tensor,
    alpha: Tensor,
    *,
    sizes: Sequence[float] = SIZES,
    border: Border = "replicate",
    anchor: Anchor = "center",
) -> tuple[Tensor, Tensor]:
    """Blur fusion with all its knobs, at the same cost for every size.

    Args:
        image: (B, 3, H, W), in [0, 1].
        alpha: (B, 1, H, W), in [0, 1].
        sizes: Side of the averaging square of each pass, in pixels, rounded to whole ones. One
            pass is the paper's method, a second, small one finds more of the texture.
        border: As in `box_mean`. The official program mirrors on a CPU and replicates on a GPU.
        anchor: As in `box_mean`. The official program uses "before" on a CPU, "after" on a GPU.

    Returns:
        Foreground in [0, 1] and blurred background, both (B, 3, H, W) and in the image's dtype.

    Raises:
        ConfigError: If there is no size, or one below 1 pixel.

    Source: Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021, equations 4 to 6.
    """
    if not sizes or min(sizes) < 1:
        raise ConfigError(
            f"each square that colors are averaged over must have at least 1 pixel, got {sizes}."
        )
    wide = image.float()
    opacity = alpha.to(wide)
    foreground = background = wide
    for size in sizes:
        side = round(size)
        mean_alpha = box_mean(opacity, side, border=border, anchor=anchor)
        mean_foreground = box_mean(foreground * opacity, side, border=border, anchor=anchor)
        mean_foreground = mean_foreground / (mean_alpha + EPSILON)
        mean_background = box_mean(background * (1 - opacity), side, border=border, anchor=anchor)
        mean_background = mean_background / (1 - mean_alpha + EPSILON)
        blend = opacity * mean_foreground + (1 - opacity) * mean_background
        foreground = (mean_foreground + opacity * (wide - blend)).clamp(0, 1)
        background = mean_background
    return foreground.to(image.dtype), background.to(image.dtype)
