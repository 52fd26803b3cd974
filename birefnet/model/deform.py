"""Modulated deformable convolution in plain torch, without a compiled operator."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .operations import Operations, kernel_layer

CHUNK_ELEMENTS = 1 << 23
"""Largest number of sampled values held at once (32 MiB in float32)."""


def deformable_convolution(
    features: Tensor, offsets: Tensor, modulation: Tensor, kernel: Tensor, size: int
) -> Tensor:
    """Convolve features sampled at freely displaced positions.

    Tap t = row * size + column of output pixel (y, x) reads the features at
    (y + row - size // 2 + offsets[2t], x + column - size // 2 + offsets[2t + 1]), interpolated
    bilinearly from the four neighbors; a neighbor outside the map counts as zero. Not a number
    counts as outside, and any finite offset is safe.

    Args:
        features: (B, C, H, W).
        offsets: (B, 2 * size**2, H, W), in pixels, row before column.
        modulation: (B, size**2, H, W), a factor per tap.
        kernel: (size**2 * C, O), the weights as a matrix: taps outer, channels inner.
        size: Side of the kernel, odd.

    Returns:
        (B, O, H, W) in the features' dtype. Positions are computed in float32 whatever it is.

    Source: Zhu et al., "Deformable ConvNets v2", CVPR 2019, equation 1; our own method: the taps
        are weighted bags of rows in a channels-last table, followed by one matrix product.
    """
    batch, channels, height, width = features.shape
    taps = size * size
    rows = max(1, CHUNK_ELEMENTS // (taps * channels * width))
    results = []
    for item in range(batch):
        table = features[item].permute(1, 2, 0).reshape(height * width, channels)
        parts = []
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            indices, weights = _corners(
                offsets[item, :, top:bottom].float(),
                modulation[item, :, top:bottom].float(),
                top,
                (height, width),
                size,
            )
            columns = F.embedding_bag(
                indices, table, mode="sum", per_sample_weights=weights.to(table.dtype)
            )
            parts.append(columns.view(-1, taps * channels) @ kernel)
        results.append(torch.cat(parts) if len(parts) > 1 else parts[0])
    return torch.stack(results).view(batch, height, width, -1).permute(0, 3, 1, 2)


def _corners(
    offsets: Tensor, modulation: Tensor, top: int, map_size: tuple[int, int], size: int
) -> tuple[Tensor, Tensor]:
    """Where each tap reads, and how much of it.

    Args:
        offsets: (2 * size**2, h, W) float32, for rows from `top` on.
        modulation: (size**2, h, W) float32.
        top: First row of the strip in the map.
        map_size: Height and width of the map.
        size: Side of the kernel.

    Returns:
        Indices (h * W * size**2, 4) int64 into the flattened map and their weights, same shape.
    """
    height, width = map_size
    _, strip, _ = offsets.shape
    device = offsets.device
    reach = size // 2
    step = torch.arange(size, device=device, dtype=torch.float32) - reach
    # (size, size, h, W) positions, clamped to one pixel outside, where every weight is zero.
    offsets = offsets.view(size, size, 2, strip, width)
    y = torch.arange(top, top + strip, device=device, dtype=torch.float32).view(-1, 1)
    x = torch.arange(width, device=device, dtype=torch.float32)
    y = (offsets[:, :, 0] + step.view(-1, 1, 1, 1) + y).nan_to_num(nan=-1.0).clamp(-1, height)
    x = (offsets[:, :, 1] + step.view(1, -1, 1, 1) + x).nan_to_num(nan=-1.0).clamp(-1, width)
    y0, x0 = y.floor(), x.floor()
    wy1, wx1 = y - y0, x - x0
    wy0, wx0 = 1 - wy1, 1 - wx1
    y0, x0 = y0.long(), x0.long()
    y1, x1 = y0 + 1, x0 + 1
    wy0 = wy0 * ((y0 >= 0) & (y0 < height))
    wy1 = wy1 * (y1 < height)
    wx0 = wx0 * ((x0 >= 0) & (x0 < width))
    wx1 = wx1 * (x1 < width)
    y0, y1 = y0.clamp(0, height - 1) * width, y1.clamp(0, height - 1) * width
    x0, x1 = x0.clamp(0, width - 1), x1.clamp(0, width - 1)
    modulation = modulation.view(size, size, strip, width)
    wy0, wy1 = wy0 * modulation, wy1 * modulation
    indices = torch.stack([y0 + x0, y0 + x1, y1 + x0, y1 + x1], dim=-1)
    weights = torch.stack([wy0 * wx0, wy0 * wx1, wy1 * wx0, wy1 * wx1], dim=-1)
    order = (2, 3, 0, 1, 4)  # pixels outer, taps inner
    return indices.permute(order).reshape(-1, 4), weights.permute(order).reshape(-1, 4)


class DeformableConv(nn.Module):
    """A deformable convolution that derives offsets and modulation from its own input."""

    def __init__(
        self, in_channels: int, out_channels: int, size: int, *, operations: Operations
    ) -> None:
        super().__init__()
        self.size = size
        pad = size // 2
        self.offsets = operations.Conv2d(in_channels, 2 * size * size, size, padding=pad)
        self.modulation = operations.Conv2d(in_channels, size * size, size, padding=pad)
        self.kernel = kernel_layer(operations.Conv2d)(in_channels, out_channels, size, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, O, H, W)."""
        offsets = self.offsets(features)
        modulation = 2 * torch.sigmoid(self.modulation(features).float())
        kernel = self.kernel(features)[:-1]  # it has no bias
        return deformable_convolution(features, offsets, modulation, kernel, self.size)
