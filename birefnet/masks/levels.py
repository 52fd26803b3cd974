"""Stretching the range of a matte."""

from __future__ import annotations

import math

from torch import Tensor

from ..errors import ConfigError


def check_levels(black_point: float, white_point: float) -> None:
    """Refuse levels that cannot be applied, before any work was done.

    Args:
        black_point: As in `levels`.
        white_point: As in `levels`.

    Raises:
        ConfigError: If the points leave [0, 1] or the black one is not below the white one.
    """
    if not (math.isfinite(black_point) and 0 <= black_point < white_point <= 1):
        raise ConfigError(
            "black_point must be below white_point and both must lie in [0, 1], "
            f"got black_point={black_point} and white_point={white_point}; "
            "0 and 1 leave the mask as it is."
        )


def levels(alpha: Tensor, *, black_point: float = 0.0, white_point: float = 1.0) -> Tensor:
    """Stretch an alpha so that faint haze vanishes and almost opaque parts become opaque.

    Args:
        alpha: Opacity of any shape, in [0, 1].
        black_point: Opacity that becomes 0, in [0, 1); everything below does too.
        white_point: Opacity that becomes 1, in (0, 1]; everything above does too.

    Returns:
        Same shape and dtype, in [0, 1]; a straight line between the two points. The defaults
        return the values of `alpha` unchanged.

    Raises:
        ConfigError: If the points leave [0, 1] or the black one is not below the white one.

    Source: our own; the levels adjustment of any image editor without its gamma.
    """
    check_levels(black_point, white_point)
    if black_point == 0 and white_point == 1:
        return alpha
    return ((alpha - black_point) / (white_point - black_point)).clamp(0, 1)
