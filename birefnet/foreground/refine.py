"""From a photograph and a mask to colors that can be put anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from ..errors import ConfigError
from ..filters.fill import fill
from ..tensors import check_alpha, check_image
from .blur_fusion import SIZES
from .despill import DESPILLS, KEYS, Color, Despill, despill
from .estimate import METHODS, Method, estimate_foreground

UnderAlpha = Literal["bleed", "keep", "zero", "fill"]
UNDER_ALPHA: tuple[UnderAlpha, ...] = ("bleed", "keep", "zero", "fill")

AlphaType = Literal["straight", "premultiplied"]
ALPHA_TYPES: tuple[AlphaType, ...] = ("straight", "premultiplied")

INVISIBLE = 1 / 255
"""Opacity below which nothing is visible: programs that truncate to 8 bits write 0."""


def refine_foreground(
    image: Tensor,
    alpha: Tensor,
    *,
    method: Method | Literal["off"] = METHODS[0],
    sizes: Sequence[float] = SIZES,
    despill_key: Despill = "off",
    key_color: Color = KEYS["green"],
    despill_strength: float = 1.0,
    under_alpha: UnderAlpha = "bleed",
    fill_color: Color = (0.0, 0.0, 0.0),
) -> Tensor:
    """Colors of a cutout that bring nothing of the old background with them.

    The subject's own color is estimated, the light of a screen is taken off it, and a color is
    chosen for what is transparent.

    Args:
        image: The photograph, (B, 3, H, W), in [0, 1].
        alpha: Opacity of the subject, (B, 1, H, W), in [0, 1].
        method: As in `estimate_foreground`; "off" takes the photograph's colors.
        sizes: As in `estimate_foreground`.
        despill_key: Whose light is taken off: "green", "blue", "key color" or "off".
        key_color: For "key color": the screen's red, green and blue, in [0, 1].
        despill_strength: As `strength` in `despill`.
        under_alpha: What lies under full transparency. "bleed": the color of the nearest edge
            spreads outward, so that neither scaling nor the encoder of a diffusion model brings
            the old background back. "keep": the photograph. "zero": black. "fill": `fill_color`.
        fill_color: Red, green and blue in [0, 1].

    Returns:
        Straight color, (B, 3, H, W), in [0, 1] and the image's dtype.

    Raises:
        ShapeError: If the shapes do not fit.
        ConfigError: If an option is not possible.

    Source: our own; the parts name theirs.
    """
    check_image(image)
    check_alpha(alpha, image)
    if despill_key not in DESPILLS:
        raise ConfigError(f"despill must be one of {', '.join(DESPILLS)}, got {despill_key!r}.")
    if under_alpha not in UNDER_ALPHA:
        raise ConfigError(
            f"under_alpha must be one of {', '.join(UNDER_ALPHA)}, got {under_alpha!r}."
        )
    color = image
    if method != "off":
        color = estimate_foreground(image, alpha, method=method, sizes=sizes)
    if despill_key != "off":
        color = despill(color, key=KEYS.get(despill_key, key_color), strength=despill_strength)
    visible = alpha >= INVISIBLE
    if under_alpha == "bleed":
        return torch.where(visible, color, fill(color, (alpha * visible).clamp(0, 1)).to(color))
    if under_alpha == "keep":
        return torch.where(visible, color, image)
    behind = (0.0, 0.0, 0.0) if under_alpha == "zero" else fill_color
    return torch.where(visible, color, color.new_tensor(behind).view(3, 1, 1))
