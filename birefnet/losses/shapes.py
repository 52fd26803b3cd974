"""The one check that all losses share."""

from __future__ import annotations

from torch import Tensor

from ..errors import ShapeError


def check_pair(logits: Tensor, alpha: Tensor) -> None:
    """Refuse a prediction and a truth that do not belong together.

    Raises:
        ShapeError: If the two are not (B, 1, H, W) of one size.
    """
    if logits.shape != alpha.shape or logits.ndim != 4 or logits.shape[1] != 1:
        raise ShapeError(
            "logits and alpha must both be (B, 1, H, W) of one size, got "
            f"{tuple(logits.shape)} and {tuple(alpha.shape)}; resize one to the other first."
        )
