"""Soft intersection over union."""

from __future__ import annotations

from torch import Tensor

from .shapes import check_pair


def soft_iou_loss(logits: Tensor, alpha: Tensor) -> Tensor:
    """One minus the overlap of the predicted and the true subject, relative to their union.

    It looks at an image as a whole, so a small subject counts as much as a large one.

    Args:
        logits: What the network emits, (B, 1, H, W), unbounded; half precision is widened to
            float32 because the sums run over all pixels.
        alpha: True opacity, same shape, in [0, 1].

    Returns:
        One loss per image, (B,), in [0, 1]: 0 for a perfect hard mask. An image without any
        subject costs 1 whatever is predicted, so leave such images out of a batch.

    Raises:
        ShapeError: If the shapes differ or are not (B, 1, H, W).

    Source: sum(p t) / sum(p + t - p t) with p the sigmoid of the logits; the official program's
        `iou` is its sum over the batch.
    """
    check_pair(logits, alpha)
    predicted = logits.float().sigmoid()
    truth = alpha.float()
    product = predicted * truth
    axes = (1, 2, 3)
    return 1 - product.sum(axes) / (predicted + truth - product).sum(axes)
