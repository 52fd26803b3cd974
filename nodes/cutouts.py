"""Cutouts of pictures and their masks, for the nodes that remove backgrounds."""

from __future__ import annotations

import torch
from torch import Tensor

from ..birefnet.compositing import cutout, over
from ..birefnet.foreground import estimate_foreground
from ..birefnet.predict import Progress
from . import host
from .convert import core_to_image, rgb

BACKGROUNDS = ("transparent", "color")
"""What can lie behind the subject."""

PREDICTION_SHARE = 0.9
"""Of the progress bar; the cutouts get the rest."""


def make_cutouts(
    pictures: Tensor,
    alpha: Tensor,
    *,
    foreground: str,
    backdrop: Tensor | None,
    progress: Progress,
) -> Tensor:
    """Cut pictures out, one after the other.

    Args:
        pictures: (B, 1, 3 or 4, H, W), in [0, 1].
        alpha: (B, 1, H, W), in [0, 1].
        foreground: A way to find the subject's own color, or "off" for the picture's colors.
        backdrop: RGB (3,) behind the subject; None for nothing.
        progress: Called with the finished fraction of the whole node.

    Returns:
        IMAGE (B, H, W, 4), straight RGBA; opaque in front of a backdrop.
    """
    cutouts = host.empty((len(pictures), *pictures.shape[2:], 4))
    for number in range(len(cutouts)):
        one = slice(number, number + 1)
        rgba = host.on_device(
            _cut_out, pictures[one], alpha[one], method=foreground, backdrop=backdrop
        )
        cutouts[one] = core_to_image(rgba)
        done = (number + 1) / len(cutouts)
        progress(PREDICTION_SHARE + (1 - PREDICTION_SHARE) * done)
    return cutouts


def _cut_out(picture: Tensor, alpha: Tensor, *, method: str, backdrop: Tensor | None) -> Tensor:
    """One picture (1, C, H, W) and its alpha (1, 1, H, W) to straight RGBA (1, 4, H, W)."""
    color = rgb(picture)
    if method != "off":
        color = estimate_foreground(color, alpha, method=method)
    if backdrop is None:
        return cutout(color, alpha)
    flat = over(color, alpha, backdrop.to(color).view(3, 1, 1))
    return cutout(flat, torch.ones_like(alpha))
