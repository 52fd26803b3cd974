"""Bands along the outline of a mask: trimaps, edge bands and strokes."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from ..errors import ConfigError
from ..filters import distance_to, signed_distance
from ..tensors import check_image

Where = Literal["edge", "soft"]
WHERE: tuple[Where, ...] = ("edge", "soft")

Position = Literal["outside", "inside", "center"]
POSITIONS: tuple[Position, ...] = ("outside", "inside", "center")

TRANSPARENT, OPAQUE = 0.05, 0.95
"""Opacities up to the first and from the second count as certain."""

UNKNOWN = 0.5
"""Value of a trimap where the opacity has to be found."""


BAND = 10.0
"""How far the uncertain band reaches to either side, in pixels."""

STROKE = 8.0
"""Width of a stroke in pixels."""


def trimap(
    alpha: Tensor,
    *,
    inside: float = BAND,
    outside: float = BAND,
    where: Where = "edge",
    transparent: float = TRANSPARENT,
    opaque: float = OPAQUE,
) -> Tensor:
    """Split a mask into subject, background and a band in which neither is certain.

    Args:
        alpha: (B, 1, H, W), in [0, 1].
        inside: How far the band reaches into the opaque part, in pixels, at least 0.
        outside: How far it reaches into the transparent part, in pixels, at least 0.
        where: "edge" for a band along the whole outline; "soft" for one around soft pixels only,
            so that hard edges stay as they are.
        transparent: Highest opacity that is certainly background, in [0, 1).
        opaque: Lowest opacity that is certainly subject, above `transparent` and at most 1.

    Returns:
        (B, 1, H, W) in alpha's dtype: 1 on the subject, 0 on the background, 0.5 between. Soft
        pixels are always between. Distances are exact and run between pixel centers.

    Raises:
        ShapeError: If alpha is not floating (B, 1, H, W).
        ConfigError: If an option is out of its range.

    Source: our own; the border conditions of natural matting (Chuang et al., CVPR 2001).
    """
    check_image(alpha, (1,))
    check_band(inside, outside)
    if where not in WHERE:
        raise ConfigError(f"where must be one of {', '.join(WHERE)}, got {where!r}.")
    if not 0 <= transparent < opaque <= 1:
        raise ConfigError(
            "transparent must be below opaque and both must lie in 0 to 1, got "
            f"transparent={transparent} and opaque={opaque}."
        )
    subject, background = alpha >= opaque, alpha <= transparent
    if where == "soft":
        distance = distance_to(~(subject | background))
        subject, background = subject & (distance > inside), background & (distance > outside)
    else:
        subject = distance_to(~subject) > inside
        background = distance_to(~background) > outside
    result = torch.full_like(alpha, UNKNOWN)
    return result.masked_fill(subject, 1).masked_fill(background, 0)


def check_band(inside: float, outside: float) -> None:
    """Refuse widths of a band that cannot be, before any work.

    Raises:
        ConfigError: If one of them is negative or not finite.
    """
    for name, width in (("inside", inside), ("outside", outside)):
        if not (math.isfinite(width) and width >= 0):
            raise ConfigError(f"{name} must be at least 0 pixels, got {width}.")


def edge_band(alpha: Tensor, *, inside: float, outside: float) -> Tensor:
    """A mask of the surroundings of the outline, with smooth edges.

    Args:
        alpha: (B, 1, H, W), in [0, 1].
        inside: How far it reaches into the subject, in pixels, at least 0; finer than a pixel.
        outside: How far it reaches into the background, likewise.

    Returns:
        (B, 1, H, W), in [0, 1] and alpha's dtype: 1 within the band along the contour where the
        opacity crosses one half; its own edges are one pixel soft.

    Raises:
        ShapeError: If alpha is not floating (B, 1, H, W).
        ConfigError: If a width is negative or not finite.

    Source: our own, on exact distances.
    """
    check_image(alpha, (1,))
    check_band(inside, outside)
    distance = signed_distance(alpha)
    band = _covered(distance + outside) - _covered(distance - inside)
    return band.clamp(0, 1).to(alpha.dtype)


def stroke(alpha: Tensor, *, width: float, position: Position = "outside") -> Tensor:
    """An outline of even width, as stickers have.

    Args:
        alpha: (B, 1, H, W), in [0, 1].
        width: Pixels, at least 0; finer than a pixel.
        position: "outside" the subject: added to alpha it gives the subject grown by `width`
            without a gap; "inside": what shrinking by `width` takes away; "center" on the contour.

    Returns:
        (B, 1, H, W), in [0, 1] and alpha's dtype, with smooth edges.

    Raises:
        ShapeError: If alpha is not floating (B, 1, H, W).
        ConfigError: If an option is out of its range.

    Source: our own, on exact distances.
    """
    check_image(alpha, (1,))
    if position not in POSITIONS:
        raise ConfigError(f"position must be one of {', '.join(POSITIONS)}, got {position!r}.")
    if not (math.isfinite(width) and width >= 0):
        raise ConfigError(f"width must be at least 0 pixels, got {width}.")
    if position == "center":
        return edge_band(alpha, inside=width / 2, outside=width / 2)
    if width == 0:
        return torch.zeros_like(alpha)
    distance, wide = signed_distance(alpha), alpha.float()
    if position == "outside":
        ring = _covered(distance + width) - wide
    else:
        ring = wide - _covered(distance - width)
    return ring.clamp(0, 1).to(alpha.dtype)


def _covered(distance: Tensor) -> Tensor:
    """Share of a pixel that lies on the positive side of a straight edge at this distance."""
    return (distance + 0.5).clamp(0, 1)
