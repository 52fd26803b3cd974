"""Putting a foreground in front of a background."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .errors import ConfigError, ShapeError
from .filters import fill
from .tensors import check_alpha, check_image

TRUSTED = 8
"""A color that is at least 1 / TRUSTED visible is not mixed with those around it."""


def over(foreground: Tensor, alpha: Tensor, background: Tensor, *, linear: bool = False) -> Tensor:
    """Blend a foreground in front of a background.

    Args:
        foreground: Straight color, (B, 3, H, W), in [0, 1].
        alpha: Opacity, (B, 1, H, W), in [0, 1].
        background: (B, 3, H, W), or anything that broadcasts to it, such as (3, 1, 1).
        linear: Blend amounts of light instead of sRGB values, as a lens would; soft edges
            between dark and bright become brighter.

    Returns:
        alpha * foreground + (1 - alpha) * background, (B, 3, H, W); exactly the foreground where
        alpha is 1, and exactly the background where it is 0.

    Raises:
        ShapeError: If the shapes do not fit.

    Source: Porter and Duff, "Compositing Digital Images", SIGGRAPH 1984.
    """
    check_image(foreground)
    check_alpha(alpha, foreground)
    if background.ndim > 4 or any(
        side not in (1, whole)
        for side, whole in zip(reversed(background.shape), reversed(foreground.shape), strict=False)
    ):
        raise ShapeError(
            f"background must broadcast to {tuple(foreground.shape)}, "
            f"got {tuple(background.shape)}."
        )
    background = background.expand_as(foreground)
    if not linear:
        return torch.lerp(background, foreground, alpha)
    light = torch.lerp(to_linear(background.float()), to_linear(foreground.float()), alpha.float())
    blend = from_linear(light).to(foreground.dtype)
    # Going to light and back is not exact, and 8-bit files cut 254.99997 down to 254.
    blend = torch.where(alpha <= 0, background, blend)
    return torch.where(alpha >= 1, foreground, blend)


def to_linear(image: Tensor) -> Tensor:
    """Turn sRGB values in [0, 1] of any shape into amounts of light in [0, 1].

    Source: IEC 61966-2-1.
    """
    return torch.where(image <= 0.04045, image / 12.92, ((image + 0.055) / 1.055).pow(2.4))


def from_linear(light: Tensor) -> Tensor:
    """Turn amounts of light in [0, 1] of any shape back into sRGB values in [0, 1].

    Source: IEC 61966-2-1.
    """
    curve = 1.055 * light.clamp_min(0.0031308).pow(1 / 2.4) - 0.055
    return torch.where(light <= 0.0031308, light * 12.92, curve)


def layer(top: Tensor, bottom: Tensor) -> Tensor:
    """Lay one partly transparent picture over another one.

    Args:
        top: Straight RGBA, (B, 4, H, W), in [0, 1].
        bottom: The same, of the same size; its B may be 1.

    Returns:
        Straight RGBA, (B, 4, H, W), in the dtype of `top`. Where neither is visible the color is
        that of `top`.

    Raises:
        ShapeError: If the shapes do not fit.

    Source: Porter and Duff, "Compositing Digital Images", SIGGRAPH 1984.
    """
    check_image(top, (4,))
    check_image(bottom, (4,))
    if bottom.shape[0] not in (1, top.shape[0]) or bottom.shape[1:] != top.shape[1:]:
        raise ShapeError(
            f"bottom must be {tuple(top.shape)} as top is (or 1 item for all), "
            f"got {tuple(bottom.shape)}; resize one of them."
        )
    wide, below = top.float(), bottom.float()
    alpha, alpha_below = wide[:, 3:], below[:, 3:]
    total = torch.lerp(alpha_below, torch.ones_like(alpha), alpha)  # opaque below: exactly 1
    share = (1 - alpha) * alpha_below / total.clamp_min(1e-12)
    color = torch.lerp(wide[:, :3], below[:, :3], share)
    return torch.cat([color, total], dim=1).to(top.dtype)


def resize_cutout(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize a cutout without dark or foreign rims: colors count as much as they are visible.

    Args:
        picture: Straight RGBA, (B, 4, H, W), in [0, 1].
        size: New height and width, in pixels.

    Returns:
        Straight RGBA, (B, 4, *size), in [0, 1] and the same dtype; bicubic, antialiased. Colors of
        the nearest visible parts continue under full transparency. The same tensor if it has
        that size already.

    Raises:
        ShapeError: If it is not RGBA.

    Source: Porter and Duff, "Compositing Digital Images", SIGGRAPH 1984, for premultiplied color.
    """
    check_image(picture, (4,))
    if tuple(picture.shape[2:]) == tuple(size):
        return picture
    wide = picture.float()
    wide = torch.cat([wide[:, :3] * wide[:, 3:], wide[:, 3:]], dim=1)
    wide = F.interpolate(wide, size=size, mode="bicubic", antialias=True)
    alpha = wide[:, 3:]
    # Divided before clamping: the overshoot of the filter is the same in both and cancels.
    color = torch.where(alpha > 1e-4, wide[:, :3] / alpha.clamp_min(1e-4), 0).clamp(0, 1)
    color = fill(color, (TRUSTED * alpha).clamp(0, 1))
    return torch.cat([color, alpha.clamp(0, 1)], dim=1).to(picture.dtype)


def premultiply(foreground: Tensor, alpha: Tensor) -> Tensor:
    """Straight color (B, 3, H, W) to color times opacity.

    Raises:
        ShapeError: If the shapes do not fit.
    """
    check_image(foreground)
    check_alpha(alpha, foreground)
    return foreground * alpha


def unpremultiply(color: Tensor, alpha: Tensor) -> Tensor:
    """Color times opacity (B, 3, H, W) back to straight color, in [0, 1]; 0 where alpha is 0.

    Raises:
        ShapeError: If the shapes do not fit.
    """
    check_image(color)
    check_alpha(alpha, color)
    return torch.where(alpha > 0, color / alpha.clamp_min(1e-6), 0).clamp(0, 1)


def cutout(foreground: Tensor, alpha: Tensor) -> Tensor:
    """Join straight color (B, 3, H, W) and opacity (B, 1, H, W) to straight RGBA (B, 4, H, W).

    Raises:
        ShapeError: If the shapes do not fit.
    """
    check_image(foreground)
    check_alpha(alpha, foreground)
    return torch.cat([foreground, alpha.to(foreground.dtype)], dim=1)


def checkerboard(size: tuple[int, int], *, square: int = 12) -> Tensor:
    """The pattern that stands for nothing behind a picture, (1, H, W), of 0.8 and 1.

    Args:
        size: (height, width), in pixels.
        square: Side of its squares, in pixels; the first one, top left, is 1.
    """
    rows, columns = (torch.arange(side).div(square, rounding_mode="floor") for side in size)
    return torch.where((rows[:, None] + columns) % 2 == 0, 1.0, 0.8)[None]


def parse_color(text: str) -> tuple[float, float, float]:
    """Read a color such as "#ffffff", "#fff", "255,255,255" or a CSS name like "white".

    Returns:
        Red, green and blue in [0, 1].

    Raises:
        ConfigError: If it is not a color.
    """
    from PIL import ImageColor

    words = text.strip()
    try:
        if words.count(",") == 2 and "(" not in words:
            words = f"rgb({words})"
        elif len(words) in (3, 6) and all(c in "0123456789abcdefABCDEF" for c in words):
            words = f"#{words}"
        red, green, blue = ImageColor.getrgb(words)[:3]
    except ValueError as error:
        raise ConfigError(
            f"a color must look like #ffffff, 255,255,255 or white, got {text!r}."
        ) from error
    return (min(red, 255) / 255, min(green, 255) / 255, min(blue, 255) / 255)
