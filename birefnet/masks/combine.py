"""Set operations on two soft masks."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import ConfigError, ShapeError
from ..tensors import check_image

Operation = Literal["union", "intersection", "difference", "exclusive or", "multiply"]
OPERATIONS: tuple[Operation, ...] = (
    *("union", "intersection", "difference", "exclusive or", "multiply"),
)

SizeChoice = Literal["resize", "stretch", "pad", "refuse"]
SIZE_CHOICES: tuple[SizeChoice, ...] = ("resize", "stretch", "pad", "refuse")

SAME_PROPORTIONS = 0.01
"""Most by which width / height of two masks may differ to count as the same, as a share."""


def combine(
    first: Tensor,
    second: Tensor,
    *,
    operation: Operation = "union",
    sizes: SizeChoice = "resize",
) -> Tensor:
    """Combine two masks pixel by pixel.

    With a and b in [0, 1]: "union" is max(a, b), "intersection" min(a, b), "difference" is a
    without the intersection, a - min(a, b), "exclusive or" is the union without the intersection,
    abs(a - b), and "multiply" is a * b. So a mask united with itself is itself, a mask without
    itself is empty, and difference and intersection add up to a, soft values included.

    Args:
        first: (B, 1, H, W), in [0, 1].
        second: (B, 1, h, w), in [0, 1]. A batch of one goes with each item of the other.
        operation: One of `OPERATIONS`.
        sizes: What happens if h, w are not H, W. "resize" resizes `second` if its proportions are
            the same (one that is 0 everywhere may have any), "stretch" whatever they are, "pad"
            keeps its pixels and centers it, 0 around it and cut off where it protrudes, "refuse"
            is an error.

    Returns:
        (B, 1, H, W), in `first`'s dtype.

    Raises:
        ShapeError: If the numbers of masks differ and neither is one, or the sizes are refused.
        ConfigError: If an option is not known.

    Source: minimum and maximum as in Zadeh, "Fuzzy Sets", Information and Control 1965.
    """
    check_image(first, (1,))
    check_image(second, (1,))
    if operation not in OPERATIONS:
        raise ConfigError(f"operation must be one of {', '.join(OPERATIONS)}, got {operation!r}.")
    if sizes not in SIZE_CHOICES:
        raise ConfigError(f"sizes must be one of {', '.join(SIZE_CHOICES)}, got {sizes!r}.")
    if 1 not in (len(first), len(second)) and len(first) != len(second):
        raise ShapeError(
            f"there must be as many masks on both sides, or one on one of them, got {len(first)} "
            f"and {len(second)}; pick those that belong together first."
        )
    size = (first.shape[2], first.shape[3])
    other = _fit(second, size, sizes).to(first)
    if operation == "union":
        return torch.maximum(first, other)
    if operation == "intersection":
        return torch.minimum(first, other)
    if operation == "difference":
        return first - torch.minimum(first, other)
    if operation == "exclusive or":
        return (first - other).abs()
    return first * other


def _fit(mask: Tensor, size: tuple[int, int], sizes: SizeChoice) -> Tensor:
    """Bring a mask to a size in one of the ways of `SIZE_CHOICES`."""
    height, width = size
    rows, columns = mask.shape[2:]
    if (rows, columns) == size:
        return mask
    if sizes == "pad":
        top, left = (height - rows) // 2, (width - columns) // 2
        return F.pad(mask, (left, width - columns - left, top, height - rows - top))
    alike = abs(rows * width / (columns * height) - 1) <= SAME_PROPORTIONS
    if sizes == "resize" and not alike and not bool(mask.any()):
        return mask.new_zeros((len(mask), 1, *size))
    if sizes == "refuse" or (sizes == "resize" and not alike):
        needed = "size" if sizes == "refuse" else "proportions"
        raise ShapeError(
            f"both masks must have the same {needed}, got {width} x {height} and {columns} x "
            f"{rows} (width x height); choose sizes = "
            f"{'resize, ' if sizes == 'refuse' else ''}stretch or pad, or see that the right mask "
            "is connected."
        )
    wide = F.interpolate(mask.float(), size=size, mode="bilinear", antialias=True)
    return wide.to(mask.dtype)
