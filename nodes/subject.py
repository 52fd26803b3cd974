"""Which part of a picture is its subject, for nodes that take an image and a mask of it."""

from __future__ import annotations

import torch
from torch import Tensor

from ..birefnet.errors import ConfigError
from ..birefnet.masks import EmptyPolicy, settle_empty
from . import host
from .convert import image_to_core, mask_for, pair


def find_subject(
    image: Tensor,
    mask: Tensor | None,
    *,
    on_empty: EmptyPolicy,
    fallback_mask: Tensor | None,
    node_id: str | None,
) -> tuple[Tensor, Tensor, bool]:
    """Bring an IMAGE and a MASK together with the transparency the picture has already.

    Args:
        image: IMAGE (B, H, W, 1, 3 or 4).
        mask: MASK for it; None for the picture's own transparency.
        on_empty: What happens to masks without a subject.
        fallback_mask: MASK for "fallback".
        node_id: Of the node that warns about such masks.

    Returns:
        Pictures (B, C, H, W), the opacity of their subjects (B, 1, H, W), and whether a mask was
        empty. The opacity nowhere exceeds the picture's own.

    Raises:
        ShapeError: If the shapes do not fit.
        ConfigError: If there is neither a mask nor transparency, or the policy refuses.
    """
    if mask is None:
        pictures = image_to_core(image)
        if pictures.shape[1] != 4:
            raise ConfigError(
                "this node needs a mask, or pictures with a fourth channel; connect the mask of "
                "Remove Background."
            )
        alpha = pictures[:, 3:]
    else:
        pictures, alpha = pair(image, mask)
    fallback = None if fallback_mask is None else mask_for(fallback_mask, pictures)
    alpha, empty = settle_empty(alpha, on_empty=on_empty, fallback=fallback)
    if any(empty):
        which = ", ".join(str(number) for number, one in enumerate(empty) if one)
        action = "fallback_mask is used" if on_empty == "fallback" else "nothing is cut out"
        host.say(f"No subject in mask {which} (counted from 0): {action}.", node_id)
    if pictures.shape[1] == 4:
        alpha = torch.minimum(alpha, pictures[:, 3:].to(alpha))
    return pictures, alpha, any(empty)


def is_cutout(picture: Tensor) -> bool:
    """Whether (1, C, H, W) has transparent parts, so that its colors are the subject's already."""
    return picture.shape[1] == 4 and bool((picture[:, 3] < 1).any())
