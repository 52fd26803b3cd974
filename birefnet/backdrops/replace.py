"""A subject in front of another background, with its shadow and the light around it."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ..compositing import cutout, layer, over
from ..errors import ShapeError
from ..foreground import METHODS, Method, estimate_foreground
from ..tensors import check_alpha, check_image
from .light import light_wrap
from .shadow import multiply_layer

BLACK = (0.0, 0.0, 0.0)


def replace_background(
    image: Tensor,
    alpha: Tensor,
    background: Tensor | None = None,
    *,
    foreground: Method | Literal["off"] = METHODS[0],
    shadow: Tensor | None = None,
    shadow_color: tuple[float, float, float] = BLACK,
    wrap: float = 0.0,
    wrap_width: float = 0.0,
    linear: bool = False,
) -> Tensor:
    """Put the subject of a picture in front of another background.

    Args:
        image: The photograph, (B, 3, H, W), in [0, 1].
        alpha: Opacity of the subject, (B, 1, H, W), in [0, 1].
        background: (B or 1, 3, H or 1, W or 1), in [0, 1]; with four channels, partly transparent
            straight RGBA. None for nothing at all. See `fit_background` and `blurred_original`.
        foreground: Method of `estimate_foreground` for the subject's own color; "off" takes the
            image as it is, which is right for colors that carry no old background any more.
        shadow: Opacity of a shadow between background and subject, (B, 1, H, W), in [0, 1]; see
            `cast_shadow` and `extract_shadow`.
        shadow_color: What the shadow looks like on white, red, green and blue in [0, 1]. Other
            backgrounds are multiplied with it.
        wrap: Strength of `light_wrap`, in [0, 1].
        wrap_width: Its width, in pixels.
        linear: Blend amounts of light instead of sRGB values, if the background is opaque.

    Returns:
        (B, 3, H, W) in the image's dtype if the background has three channels, else straight RGBA,
        (B, 4, H, W), with the shadow in its opacity. Exactly the background where there is neither
        subject nor shadow.

    Raises:
        ShapeError: If the shapes do not fit.
        ConfigError: If an option is out of its range.

    Source: W3C, "Compositing and Blending Level 1", for multiplying with transparency.
    """
    check_image(image)
    check_alpha(alpha, image)
    if shadow is not None:
        check_alpha(shadow, image)
    behind = _behind(background, image)
    color = image if foreground == "off" else estimate_foreground(image, alpha, method=foreground)
    if wrap > 0 and background is not None:
        light = behind[:, :3] * behind[:, 3:] if behind.shape[1] == 4 else behind
        color = light_wrap(color, alpha, light, width=wrap_width, strength=wrap)
    if shadow is not None:
        behind = lay_shadow(behind, shadow, shadow_color)
    if behind.shape[1] == 3:
        return over(color, alpha, behind, linear=linear)
    return layer(cutout(color, alpha), behind)


def _behind(background: Tensor | None, image: Tensor) -> Tensor:
    """The background at the image's size, (B, 3 or 4, H, W)."""
    batch, _, height, width = image.shape
    if background is None:
        return image.new_zeros(1, 4, 1, 1).expand(batch, -1, height, width)
    fitting = (
        background.ndim == 4
        and background.shape[0] in (1, batch)
        and background.shape[1] in (3, 4)
        and background.shape[2] in (1, height)
        and background.shape[3] in (1, width)
    )
    if not fitting:
        raise ShapeError(
            f"background must be ({batch} or 1, 3 or 4, {height} or 1, {width} or 1), got "
            f"{tuple(background.shape)}; bring it to the image's size with fit_background."
        )
    return background.to(image).expand(batch, -1, height, width)


def lay_shadow(
    background: Tensor, shadow: Tensor, color: tuple[float, float, float] = BLACK
) -> Tensor:
    """Multiply a background with a shadow; where it is transparent, the shadow lies on nothing.

    Args:
        background: (B, 3, H, W), or straight RGBA, (B, 4, H, W); in [0, 1].
        shadow: Opacity of the shadow, (B, 1, H, W), in [0, 1].
        color: What the shadow looks like on white.

    Returns:
        The shape of the background.

    Raises:
        ShapeError: If the shapes do not fit.

    Source: W3C, "Compositing and Blending Level 1", blend mode multiply.
    """
    check_image(background, (3, 4))
    check_alpha(shadow, background)
    multiplied = background[:, :3] * multiply_layer(shadow.to(background), color)
    if background.shape[1] == 3:
        return multiplied
    alpha = background[:, 3:]
    total = torch.lerp(alpha, torch.ones_like(alpha), shadow.to(alpha))
    own = torch.tensor(color).to(background).view(1, 3, 1, 1)
    visible = alpha * multiplied + (1 - alpha) * shadow * own
    straight = torch.where(total > 0, visible / total.clamp_min(1e-6), background[:, :3])
    return torch.cat([straight.clamp(0, 1), total], dim=1)
