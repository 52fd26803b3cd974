"""Putting a foreground in front of a background."""

from __future__ import annotations

import torch
from torch import Tensor

from .errors import ConfigError, ShapeError
from .tensors import check_alpha, check_image


def over(foreground: Tensor, alpha: Tensor, background: Tensor) -> Tensor:
    """Blend a foreground in front of a background.

    Args:
        foreground: Straight color, (B, 3, H, W), in [0, 1].
        alpha: Opacity, (B, 1, H, W), in [0, 1].
        background: (B, 3, H, W), or anything that broadcasts to it, such as (3, 1, 1).

    Returns:
        alpha * foreground + (1 - alpha) * background, (B, 3, H, W).

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
    return torch.lerp(background.expand_as(foreground), foreground, alpha)


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
