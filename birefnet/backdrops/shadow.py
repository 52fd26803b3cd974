"""Shadows made from the shape of the subject."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import ConfigError, ShapeError
from ..filters import gaussian_blur
from ..tensors import check_image

SOLID = 0.5
"""Opacity from which a pixel counts as the subject's body when its foot is looked for."""

NEAR = 0.25
"""Softness of a shadow where the subject stands, relative to that at its far end."""

FOOT = 0.06
"""What counts as standing on the ground, as part of the subject's height above its lowest point."""

FLAT = 3.0
"""How many times a contact shadow is wider than high."""


def cast_shadow(
    alpha: Tensor,
    *,
    offset: tuple[float, float] = (0.0, 0.0),
    blur: float = 0.0,
    opacity: float = 0.5,
    height: float = 1.0,
    lean: float = 0.0,
    contact: float = 0.0,
    contact_size: float = 0.0,
) -> Tensor:
    """Make the shadow a subject casts on a wall behind it or on the ground.

    Args:
        alpha: Opacity of the subject, (B, 1, H, W), in [0, 1].
        offset: How far the shadow is moved (to the right, downwards), in pixels.
        blur: Softness, as a Gaussian's standard deviation in pixels, at least 0. A shadow on the
            ground is sharper where the subject stands.
        opacity: How dark, in [0, 1].
        height: Height of the shadow relative to the subject's, above 0: 1 on a wall, 0.3 on the
            ground. Its foot, the subject's lowest solid row, stays where it is.
        lean: Degrees by which it leans to the right, in (-90, 90).
        contact: Opacity of a `contact_shadow` in addition, in [0, 1].
        contact_size: Its size, in pixels, at least 0.

    Returns:
        Opacity of the shadow, (B, 1, H, W), in [0, 1] and the dtype of alpha. A subject that
        touches the left, right or lower border is taken to go on beyond it.

    Raises:
        ShapeError: If alpha has another shape.
        ConfigError: If an option is out of its range.

    Source: our own; a shear and a blur.
    """
    check_image(alpha, (1,))
    check_shadow(opacity=opacity, height=height, lean=lean, contact=contact)
    wide = alpha.float()
    rows, columns = wide.shape[2:]
    foot = _foot(wide)  # (B, 1, 1)
    y = torch.arange(rows, device=wide.device).view(1, -1, 1) - offset[1]
    x = torch.arange(columns, device=wide.device).view(1, 1, -1) - offset[0]
    above = (foot - y) / height  # of the subject, in pixels above its foot
    source_y = foot - above
    source_x = x - (foot - y) * math.tan(math.radians(lean))
    moved = _sample(wide, source_x, source_y, overhang=abs(offset[1]) / height)
    if height == 1 and lean == 0:
        soft = gaussian_blur(moved, blur)
    else:
        length = (foot - _head(wide)).clamp_min(1)
        distance = (above / length).clamp(0, 1)[:, None]
        soft = torch.lerp(gaussian_blur(moved, NEAR * blur), gaussian_blur(moved, blur), distance)
    shadow = opacity * soft.clamp(0, 1)
    if contact > 0:
        narrow = contact_shadow(wide, size=contact_size, opacity=contact)
        shadow = 1 - (1 - shadow) * (1 - narrow)  # light has to pass both
    return shadow.to(alpha.dtype)


def check_shadow(
    *, opacity: float = 0.5, height: float = 1.0, lean: float = 0.0, contact: float = 0.0
) -> None:
    """Refuse options of `cast_shadow` and `contact_shadow`, before any work was done.

    Raises:
        ConfigError: If an option is out of its range.
    """
    for name, value in (("opacity", opacity), ("contact", contact)):
        if not 0 <= value <= 1:
            raise ConfigError(f"the {name} of a shadow must lie in [0, 1], got {value}.")
    if not (math.isfinite(height) and height > 0):
        raise ConfigError(f"the height of a shadow must be above 0, got {height}; 1 is upright.")
    if not -90 < lean < 90:
        raise ConfigError(f"lean must lie between -90 and 90 degrees, got {lean}.")


def _sample(image: Tensor, x: Tensor, y: Tensor, *, overhang: float) -> Tensor:
    """Values of (B, 1, H, W) at places (B, H, W), in pixels: bilinear.

    Beyond the left, right and lower border the border goes on. Above the upper one it does so for
    `overhang` pixels; further up there is nothing.
    """
    rows, columns = image.shape[2:]
    x, y = x.float().expand(len(image), rows, columns), y.float().expand(len(image), rows, columns)
    exists = (y + overhang + 1).clamp(0, 1)
    grid = torch.stack(
        [
            (2 * x.clamp(0, columns - 1) + 1) / columns - 1,
            (2 * y.clamp(0, rows - 1) + 1) / rows - 1,
        ],
        dim=-1,
    )
    sampled = F.grid_sample(
        image, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return sampled * exists[:, None]


def _foot(alpha: Tensor) -> Tensor:
    """Lowest row with a solid pixel, (B, 1, 1) float; the last row of the image without one."""
    solid = (alpha[:, 0] >= SOLID).any(2)
    place = torch.arange(solid.shape[1], device=alpha.device)
    lowest = torch.where(solid, place, -1).amax(1)
    return torch.where(lowest < 0, solid.shape[1] - 1, lowest).float().view(-1, 1, 1)


def _head(alpha: Tensor) -> Tensor:
    """Highest row with a solid pixel, (B, 1, 1) float; the first row of the image without one."""
    solid = (alpha[:, 0] >= SOLID).any(2)
    place = torch.arange(solid.shape[1], device=alpha.device)
    highest = torch.where(solid, place, solid.shape[1]).amin(1)
    return torch.where(highest == solid.shape[1], 0, highest).float().view(-1, 1, 1)


def contact_shadow(alpha: Tensor, *, size: float, opacity: float = 0.5) -> Tensor:
    """Make the narrow shadow where a subject touches the ground.

    Args:
        alpha: Opacity of the subject, (B, 1, H, W), in [0, 1].
        size: Softness along the ground, as a Gaussian's standard deviation in pixels, at least 0.
        opacity: How dark at its darkest, in [0, 1].

    Returns:
        Opacity of the shadow, (B, 1, H, W), in [0, 1] and the dtype of alpha: along the parts of
        the lower outline that are nearly as low as its lowest point, such as feet or a base.

    Raises:
        ShapeError: If alpha has another shape.
        ConfigError: If the opacity leaves [0, 1] or the size is negative.

    Source: our own.
    """
    check_image(alpha, (1,))
    check_shadow(contact=opacity)
    wide = alpha.float()
    foot, head = _foot(wide), _head(wide)
    tall = (foot - head).clamp_min(1)
    solid = wide[:, 0] >= SOLID
    y = torch.arange(wide.shape[2], device=wide.device).view(1, -1, 1)
    outline = torch.where(solid, y, -1).amax(1, keepdim=True)  # lowest solid row of each column
    gap = torch.where(outline < 0, float("inf"), (foot - outline) / (FOOT * tall))
    standing = torch.exp(-(gap**2))  # (B, 1, W)
    thick = max(size / FLAT, 0.5)
    sole = (1 - (y - outline).abs() / thick).clamp_min(0)  # rows around the outline
    soft = gaussian_blur((standing * sole)[:, None], (size / FLAT, size))
    peak = soft.amax((2, 3), keepdim=True)
    return (opacity * soft / peak.clamp_min(1e-6)).clamp(0, 1).to(alpha.dtype)


def multiply_layer(shadow: Tensor, color: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Tensor:
    """Turn a shadow into a picture that a background is multiplied with.

    Args:
        shadow: Opacity of the shadow, (B, 1, H, W), in [0, 1].
        color: What it looks like on white where its opacity is 1: red, green and blue in [0, 1].

    Returns:
        (B, 3, H, W), in [0, 1] and the dtype of the shadow; exactly 1 where there is none.

    Raises:
        ShapeError: If the shadow has another shape.
    """
    if shadow.ndim != 4 or shadow.shape[1] != 1 or not shadow.is_floating_point():
        raise ShapeError(
            f"shadow must be floating (B, 1, H, W), got {shadow.dtype} {tuple(shadow.shape)}."
        )
    dark = 1 - torch.tensor(color).to(shadow).view(1, 3, 1, 1)
    return 1 - shadow * dark
