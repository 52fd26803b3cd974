"""Light of a background on the edge of the subject in front of it."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import ConfigError
from ..filters import gaussian_blur
from ..tensors import check_alpha, check_image


def light_wrap(
    foreground: Tensor, alpha: Tensor, background: Tensor, *, width: float, strength: float = 1.0
) -> Tensor:
    """Let light of the background spill over the subject's edge, as in a camera.

    Args:
        foreground: Straight color of the subject, (B, 3, H, W), in [0, 1].
        alpha: Opacity of the subject, (B, 1, H, W), in [0, 1].
        background: (B or 1, 3, H, W), in [0, 1].
        width: How far light reaches into the subject, as a Gaussian's standard deviation in
            pixels, at least 0.
        strength: 0 (none) to 1: on a straight edge half the light there is, on a thin hair all.

    Returns:
        Straight color, (B, 3, H, W), in the foreground's dtype. It is at least the foreground and
        at most the brighter one of foreground and blurred background, channel by channel, so
        that no halo can arise.

    Raises:
        ShapeError: If the shapes do not fit.
        ConfigError: If the width is negative or the strength leaves [0, 1].

    Source: our own; the effect is known from compositing programs.
    """
    check_image(foreground)
    check_alpha(alpha, foreground)
    check_image(background)
    if not 0 <= strength <= 1:
        raise ConfigError(f"the strength of a light wrap must lie in [0, 1], got {strength}.")
    if strength == 0:
        return foreground
    own = foreground.float()
    light = torch.maximum(own, gaussian_blur(background.float(), width))
    reach = gaussian_blur(1 - alpha.float(), width).clamp(0, 1)
    return torch.lerp(own, light, strength * reach).to(foreground.dtype)
