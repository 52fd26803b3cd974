"""What a forward costs."""

from __future__ import annotations

import torch

from .architecture import Architecture, SwinConfig
from .deform import CHUNK_ELEMENTS

MARGIN = 1.45
"""Measured peaks over the sum of the tensors that must exist, largest of those measured."""

CONSTANT = 32 << 20
"""Bytes that do not depend on the image."""


def activation_bytes(
    architecture: Architecture,
    *,
    batch: int,
    height: int,
    width: int,
    dtype: torch.dtype = torch.float32,
) -> int:
    """Peak memory of one forward beside the weights, for planning.

    Args:
        architecture: Of the network.
        batch: Images per forward.
        height: Of the network's input, in pixels.
        width: Likewise.
        dtype: Precision of the activations.

    Returns:
        Bytes, on the safe side of what was measured (see docs/accuracy.md). It grows linearly
        with the number of pixels.

    Source: our own; the three places where a forward holds the most at once, fitted to
        measurements.
    """
    widths = architecture.encoder_widths
    decoder = architecture.decoder_widths
    # Per pixel of the input, in elements: encoder block, finest decoder stage, full resolution.
    fourth = 1 / 16
    encoder_width = architecture.encoder.widths[0]
    block = 13 * encoder_width * fourth
    if isinstance(architecture.encoder, SwinConfig):
        block += 2 * architecture.encoder.heads[0] * architecture.encoder.window**2 * fourth
    maps = sum(w / s**2 for w, s in zip(widths, (4, 8, 16, 32), strict=True))
    joined = decoder[0] + widths[1] // 8
    inner = architecture.inner_width or joined // 4
    stage = (2 * joined + 10 * architecture.aspp_width + 4 * inner) * fourth
    full = architecture.patch_width + 2 * (widths[0] // 8) + 8
    per_pixel = maps + max(block, stage, full)
    elements = batch * height * width * per_pixel
    sampling = 3 * CHUNK_ELEMENTS if architecture.attention == "aspp_deformable" else 0
    size = torch.empty((), dtype=dtype).element_size()
    return int(MARGIN * elements * size) + CONSTANT + 4 * sampling
