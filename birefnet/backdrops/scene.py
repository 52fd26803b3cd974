"""All choices about what lies behind a subject, checked once and applied to any picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ..errors import ConfigError
from ..foreground import METHODS, Method
from .extract import check_floor, extract_shadow
from .replace import BLACK, replace_background
from .shadow import cast_shadow, check_shadow
from .sources import WHITE, Fit, blur_background, blurred_original, check_fit, fit_background

Background = Literal["transparent", "color", "image", "blurred image", "blurred original"]
BACKGROUNDS: tuple[Background, ...] = (
    *("transparent", "color", "image", "blurred image", "blurred original"),
)

Shadow = Literal["off", "synthetic", "extracted"]
SHADOWS: tuple[Shadow, ...] = ("off", "synthetic", "extracted")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What a subject is put into; all lengths in pixels."""

    background: Background = "transparent"
    """What lies behind: nothing, `color`, another image (sharp or blurred), or the picture itself,
    blurred after its subject was removed."""

    fit: Fit = "cover"
    """How another image fills the picture, see `fit_background`."""

    color: tuple[float, float, float] = WHITE
    """Red, green and blue in [0, 1], for background "color" and around a contained image."""

    blur: float = 0.0
    """Standard deviation of the Gaussian for the blurred backgrounds, at least 0."""

    shadow: Shadow = "off"
    """None, one made from the subject's shape, or the real one of a plain background."""

    shadow_color: tuple[float, float, float] = BLACK
    """What a shadow looks like on white."""

    shadow_opacity: float = 0.5
    """How dark a synthetic shadow is, in [0, 1]; this and the next five as in `cast_shadow`."""

    shadow_offset: tuple[float, float] = (0.0, 0.0)
    """To the right, downwards."""

    shadow_blur: float = 0.0
    """Standard deviation, at least 0."""

    shadow_height: float = 1.0
    """Relative to the subject's, above 0."""

    shadow_lean: float = 0.0
    """Degrees to the right, in (-90, 90)."""

    contact: float = 0.0
    """Opacity where the subject touches the ground, in [0, 1]."""

    contact_size: float = 0.0
    """Standard deviation, at least 0."""

    strength: float = 1.0
    """How dark an extracted shadow is; 1 as in the picture, at least 0."""

    floor: float = 0.02
    """What of it is noise, in [0, 0.5], see `extract_shadow`."""

    wrap: float = 0.0
    """Strength of `light_wrap`, in [0, 1]."""

    wrap_width: float = 0.0
    """Its standard deviation, at least 0."""

    foreground: Method | Literal["off"] = METHODS[0]
    """How the subject's own color is found, as in `replace_background`."""

    linear: bool = False
    """Blend and blur amounts of light instead of sRGB values."""

    def __post_init__(self) -> None:
        for name, value, options in (
            ("background", self.background, BACKGROUNDS),
            ("shadow", self.shadow, SHADOWS),
            ("foreground", self.foreground, (*METHODS, "off")),
        ):
            if value not in options:
                raise ConfigError(f"{name} must be one of {', '.join(options)}, got {value!r}.")
        for name, color in (("color", self.color), ("shadow_color", self.shadow_color)):
            if len(color) != 3 or not all(0 <= value <= 1 for value in color):
                raise ConfigError(f"{name} must be three values in [0, 1], got {color}.")
        if len(self.shadow_offset) != 2 or not all(map(math.isfinite, self.shadow_offset)):
            raise ConfigError(
                f"shadow_offset must be two finite numbers (right, down), got {self.shadow_offset}."
            )
        if not 0 <= self.wrap <= 1:
            raise ConfigError(f"wrap must lie in [0, 1], got {self.wrap}.")
        for name, length in (
            ("blur", self.blur),
            ("shadow_blur", self.shadow_blur),
            ("contact_size", self.contact_size),
            ("strength", self.strength),
            ("wrap_width", self.wrap_width),
        ):
            if not (math.isfinite(length) and length >= 0):
                raise ConfigError(f"{name} must be at least 0, got {length}.")
        check_fit((1, 1), self.fit)
        check_floor(self.floor)
        check_shadow(
            opacity=self.shadow_opacity,
            height=self.shadow_height,
            lean=self.shadow_lean,
            contact=self.contact,
        )

    def place(
        self, image: Tensor, alpha: Tensor, other: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Put the subject of each image into the scene.

        Args:
            image: (B, 3, H, W), in [0, 1].
            alpha: Opacity of its subject, (B, 1, H, W), in [0, 1].
            other: For the backgrounds "image" and "blurred image": (B or 1, 3 or 4, any size), in
                [0, 1].

        Returns:
            The result as `replace_background` gives it; the opacity of the shadow, (B, 1, H, W);
            and the background alone, (B, 3 or 4, H, W).

        Raises:
            ShapeError: If the shapes do not fit.
            ConfigError: If the other image is missing.
        """
        shadow = None
        if self.shadow == "synthetic":
            shadow = cast_shadow(
                alpha,
                offset=self.shadow_offset,
                blur=self.shadow_blur,
                opacity=self.shadow_opacity,
                height=self.shadow_height,
                lean=self.shadow_lean,
                contact=self.contact,
                contact_size=self.contact_size,
            )
        elif self.shadow == "extracted":
            shadow = extract_shadow(image, alpha, floor=self.floor)
        behind = self._behind(image, alpha, other, shadow)
        if self.shadow == "extracted" and shadow is not None:
            shadow = (self.strength * shadow).clamp(max=1)
        result = replace_background(
            image,
            alpha,
            behind,
            foreground=self.foreground,
            shadow=shadow,
            shadow_color=self.shadow_color,
            wrap=self.wrap,
            wrap_width=self.wrap_width,
            linear=self.linear,
        )
        return result, torch.zeros_like(alpha) if shadow is None else shadow, behind

    def _behind(
        self, image: Tensor, alpha: Tensor, other: Tensor | None, shadow: Tensor | None
    ) -> Tensor:
        """The background at the image's size, (B, 3 or 4, H, W)."""
        batch, _, height, width = image.shape
        if self.background == "transparent":
            return image.new_zeros(1, 4, 1, 1).expand(batch, 4, height, width)
        if self.background == "color":
            color = torch.tensor(self.color).to(image).view(1, 3, 1, 1)
            return color.expand(batch, 3, height, width)
        if self.background == "blurred original":
            if self.shadow == "extracted" and shadow is not None:
                # The shadow is laid on again, sharp; it must not be there twice.
                image = (image / (1 - shadow).clamp_min(1e-3)).clamp(0, 1)
            return blurred_original(image, alpha, blur=self.blur, linear=self.linear)
        if other is None:
            raise ConfigError(
                f"background {self.background!r} needs another image, and there is none; give one, "
                "or choose another background."
            )
        fitted = fit_background(other, (height, width), fit=self.fit, color=self.color)
        if self.background == "blurred image":
            fitted = blur_background(fitted, self.blur, linear=self.linear)
        return fitted.to(image).expand(batch, -1, -1, -1)
