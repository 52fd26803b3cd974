"""What no learning reaches: three trivial ways to find a subject, and the measure for all."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from .compose import Scene
from .materials import Pixels, positions
from .noise import Field

Mask = NDArray[np.bool_]


def all_foreground(image: Pixels) -> Field:
    """Calls everything subject: alpha (H, W) of ones for an image (H, W, 3)."""
    return np.ones(image.shape[:2], np.float32)


def centered_ellipse(image: Pixels, *, share: float = 0.7) -> Field:
    """Calls the middle subject: an ellipse whose axes span `share` of the sides of (H, W, 3)."""
    height, width = image.shape[:2]
    rows, columns = positions(height, width)
    longer = max(height, width)
    radius = (rows * longer / height) ** 2 + (columns * longer / width) ** 2
    return np.asarray(radius < share**2, np.float32)


def gray_saliency(image: Pixels) -> Field:
    """Calls subject what differs in brightness from the border of the picture.

    The distance of every pixel's luminance to the border's median, smoothed, is split in two by
    Otsu's threshold ("A threshold selection method from gray-level histograms", 1979).

    Args:
        image: (H, W, 3), uint8.

    Returns:
        Alpha of zeros and ones, (H, W).
    """
    from scipy.ndimage import uniform_filter

    gray = image @ np.array([0.299, 0.587, 0.114], np.float32)
    rim = max(1, min(gray.shape) // 16)
    border = np.concatenate(
        [gray[:rim].ravel(), gray[-rim:].ravel(), gray[:, :rim].ravel(), gray[:, -rim:].ravel()]
    )
    distance = uniform_filter(np.abs(gray - np.median(border)), max(1, min(gray.shape) // 24))
    return np.asarray(distance > otsu(distance), np.float32)


def otsu(values: Field) -> float:
    """The threshold that separates values into the two most different groups (Otsu, 1979)."""
    counts, edges = np.histogram(values, 64)
    middle = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    total = np.cumsum(counts * middle)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = total / below - (total[-1] - total) / above
    between = np.nan_to_num(below * above * gap**2)
    return float(edges[1 + int(between.argmax())])


BASELINES: dict[str, Callable[[Pixels], Field]] = {
    "all foreground": all_foreground,
    "centered ellipse": centered_ellipse,
    "gray-level saliency": gray_saliency,
}
"""Name to function: image (H, W, 3), uint8, to alpha (H, W)."""


def intersection_over_union(predicted: Field, truth: Field) -> float:
    """Overlap of two mattes (H, W) cut at one half, in [0, 1]; two empty ones overlap fully."""
    found, wanted = predicted > 0.5, truth > 0.5
    union = int((found | wanted).sum())
    return int((found & wanted).sum()) / union if union else 1.0


def mean_iou(predict: Callable[[Pixels], Field], scenes: Iterable[Scene]) -> float:
    """How well a function finds the subjects of scenes.

    Args:
        predict: Image (H, W, 3), uint8, to alpha (H, W) in [0, 1].
        scenes: At least one.

    Returns:
        Mean intersection over union at an opacity of one half, in [0, 1].
    """
    scores = [intersection_over_union(predict(scene.image), scene.alpha) for scene in scenes]
    return sum(scores) / len(scores)
