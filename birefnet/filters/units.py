"""Lengths in pixels, or in percent of an image."""

from __future__ import annotations

import math
from typing import Literal

from ..errors import ConfigError

Unit = Literal["pixels", "percent"]
UNITS: tuple[Unit, ...] = ("pixels", "percent")


def pixels(value: float, unit: Unit, size: tuple[int, int]) -> float:
    """A length in pixels.

    Args:
        value: The length, in `unit`; may be negative.
        unit: "pixels", or "percent" of the shorter side of the image.
        size: (height, width) of the image, in pixels.

    Raises:
        ConfigError: If the unit is not known or the value not finite.
    """
    if unit not in UNITS:
        raise ConfigError(f"unit must be one of {', '.join(UNITS)}, got {unit!r}.")
    if not math.isfinite(value):
        raise ConfigError(f"a length must be a finite number, got {value}.")
    return float(value) if unit == "pixels" else value / 100 * min(size)
