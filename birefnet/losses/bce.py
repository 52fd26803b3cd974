"""Binary cross-entropy."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from .shapes import check_pair


def binary_cross_entropy(logits: Tensor, alpha: Tensor) -> Tensor:
    """Price of each pixel's opacity being coded with the predicted one, averaged over an image.

    It pulls every pixel on its own, which makes it the steady part of a loss. Soft opacities are
    allowed; the lowest possible value is then the alpha's own entropy and not 0.

    Args:
        logits: What the network emits, (B, 1, H, W), unbounded; half precision is widened to
            float32, where the logarithm is safe.
        alpha: True opacity, same shape, in [0, 1].

    Returns:
        One loss per image, (B,), at least 0.

    Raises:
        ShapeError: If the shapes differ or are not (B, 1, H, W).

    Source: the standard definition; the official program's `bce` is its mean over the batch.
    """
    check_pair(logits, alpha)
    each = F.binary_cross_entropy_with_logits(logits.float(), alpha.float(), reduction="none")
    return each.mean(dim=(1, 2, 3))
