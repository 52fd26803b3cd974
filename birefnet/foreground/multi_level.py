"""Multi-level estimation: the smoothest colors that explain the photograph, coarse to fine."""

from __future__ import annotations

from torch import Tensor

from .blur_fusion import blur_fusion


def multi_level(image: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Not there yet."""
    return blur_fusion(image, alpha)
