"""A decision between subject and background, hard or with a slope."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from ..errors import ConfigError

ThresholdKind = Literal["off", "soft", "hard"]
THRESHOLD_KINDS: tuple[ThresholdKind, ...] = ("off", "soft", "hard")


def check_threshold(value: float, softness: float) -> None:
    """Refuse a threshold that cannot be applied.

    Raises:
        ConfigError: If one of the numbers leaves [0, 1].
    """
    for name, number in (("threshold", value), ("softness", softness)):
        if not (math.isfinite(number) and 0 <= number <= 1):
            raise ConfigError(f"{name} must lie in 0 to 1, got {number}.")


def threshold(alpha: Tensor, *, value: float = 0.5, softness: float = 0.0) -> Tensor:
    """Decide what is subject.

    Args:
        alpha: Opacity of any shape, in [0, 1].
        value: Opacity from which on a pixel becomes 1; with a slope, opacity that becomes 0.5.
        softness: Range of opacity the slope from 0 to 1 spans, in [0, 1]; 0 leaves 0 and 1 only.

    Returns:
        Same shape and dtype, in [0, 1]. Complete transparency stays, as does complete opacity.

    Raises:
        ConfigError: If one of the numbers leaves [0, 1].

    Source: our own.
    """
    check_threshold(value, softness)
    if softness == 0:
        decided = (alpha >= value) & (alpha > 0)
        return decided.to(alpha.dtype)
    # Near 0 and 1 the slope is moved, so that it ends where opacity does.
    start = min(max(value - softness / 2, 0.0), 1.0 - softness)
    slope = ((alpha.float() - start) / softness).clamp(0, 1)
    return torch.where(alpha == 1, 1, slope).to(alpha.dtype)  # whatever the division rounds to
