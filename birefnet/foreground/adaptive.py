"""Our own estimate."""

from __future__ import annotations

from torch import Tensor

from .multi_level import multi_level


def adaptive(image: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """For now multi-level estimation; see there."""
    return multi_level(image, alpha)
