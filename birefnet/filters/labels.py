"""Connected parts of a mask."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ..errors import ConfigError, ShapeError

Connectivity = Literal[4, 8]


def label(mask: Tensor, connectivity: Connectivity = 8) -> tuple[Tensor, list[int]]:
    """Number the connected parts of masks.

    Args:
        mask: (B, 1, H, W), bool.
        connectivity: Whether pixels that touch at a corner belong together (8) or not (4).

    Returns:
        Numbers (B, 1, H, W), int32 on the mask's device, 0 outside all parts and 1, 2, ... in
        the order in which rows from the top reach them; and how many parts each item has.

    Raises:
        ShapeError: If the mask is not bool (B, 1, H, W).
        ConfigError: If the connectivity is neither 4 nor 8.
    """
    from scipy import ndimage

    check_bool(mask)
    if connectivity not in (4, 8):
        raise ConfigError(f"connectivity must be 4 or 8, got {connectivity}.")
    structure = np.ones((3, 3)) if connectivity == 8 else None
    numbers = np.zeros(tuple(mask.shape), np.int32)
    counts = [
        ndimage.label(item, structure, output=out)
        for (item,), (out,) in zip(mask.cpu().numpy(), numbers, strict=True)
    ]
    return torch.from_numpy(numbers).to(mask.device), counts


def check_bool(mask: Tensor) -> None:
    """Refuse what is not a batch of binary masks.

    Raises:
        ShapeError: If `mask` is not bool (B, 1, H, W).
    """
    if mask.dtype != torch.bool or mask.ndim != 4 or mask.shape[1] != 1:
        raise ShapeError(
            f"a binary mask must be bool (B, 1, H, W), got {mask.dtype} {tuple(mask.shape)}; "
            "compare an alpha with a threshold first."
        )
