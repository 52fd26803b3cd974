"""What a prediction costs in training: one function per file, one value per image."""

from .bce import binary_cross_entropy
from .iou import soft_iou_loss

__all__ = ["binary_cross_entropy", "soft_iou_loss"]
