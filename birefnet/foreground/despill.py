"""Taking a screen's color off a subject that it shone on."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ..errors import ConfigError
from ..tensors import check_image

Despill = Literal["off", "green", "blue", "key color"]
DESPILLS: tuple[Despill, ...] = ("off", "green", "blue", "key color")

Color = tuple[float, float, float]
KEYS: dict[str, Color] = {"green": (0.0, 1.0, 0.0), "blue": (0.0, 0.0, 1.0)}

LUMA = (0.2126, 0.7152, 0.0722)
"""Weights of red, green and blue in the brightness of a picture (Rec. ITU-R BT.709)."""

GRAYEST_KEY = 0.02
"""A key color whose channels differ less than this has no hue that could be taken off."""


def despill(image: Tensor, *, key: Color = KEYS["green"], strength: float = 1.0) -> Tensor:
    """Take the light of a colored screen off a subject, and keep its brightness.

    Of each color, that part of its saturation is removed by which its hue lies within 60 degrees
    of the key's: with a green key green falls to the larger of red and blue. Grays and all hues
    farther away (skin, say) are not touched.

    Args:
        image: (B, 3, H, W), in [0, 1].
        key: Color of the screen, red, green and blue in [0, 1]; only its hue counts.
        strength: How much of it is removed, in [0, 1].

    Returns:
        (B, 3, H, W), in [0, 1], with the image's dtype and its luma.

    Raises:
        ShapeError: If `image` is not (B, 3, H, W).
        ConfigError: If the key is gray or the strength leaves [0, 1].

    Source: our own; the usual "green limited by the larger other channel", turned to any hue.
    """
    check_image(image)
    if not 0 <= strength <= 1:
        raise ConfigError(f"strength must lie in [0, 1], got {strength}; 0 changes nothing.")
    if max(key) - min(key) < GRAYEST_KEY:
        raise ConfigError(
            f"the key color must have a hue, got the gray {tuple(round(c, 3) for c in key)}; "
            "take the color of the screen, such as #00b140."
        )
    if strength == 0:
        return image
    color = image.float()
    toward = color.new_tensor(key)
    toward = (toward - toward.mean()) / (toward - toward.mean()).norm()  # the key's saturation
    across = torch.linalg.cross(toward, color.new_ones(3)) / 3**0.5
    along = torch.einsum("c,bchw->bhw", toward, color)
    aside = torch.einsum("c,bchw->bhw", across, color).abs()
    spill = (along - aside / 3**0.5).clamp_min(0) * strength
    weights = color.new_tensor(LUMA)
    change = toward - (toward * weights).sum()  # of each channel; no change of luma
    luma = torch.einsum("c,bchw->bhw", weights, color)[:, None]
    saturation = color - spill[:, None] * change.view(3, 1, 1) - luma
    room = torch.where(saturation > 0, 1 - luma, luma) / saturation.abs().clamp_min(1e-6)
    saturation = saturation * room.amin(1, keepdim=True).clamp(0, 1)
    return torch.where(spill[:, None] > 0, (luma + saturation).clamp(0, 1), color).to(image.dtype)
