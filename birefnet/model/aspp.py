"""Atrous spatial pyramid pooling, plain and deformable."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .architecture import Architecture
from .deform import DeformableConv
from .operations import Operations

PLAIN_BRANCHES = ((1, 1), (3, 6), (3, 12), (3, 18))
"""Kernel side and dilation of the plain branches."""


def norm(channels: int, architecture: Architecture, operations: Operations) -> nn.Module:
    """Batch normalization, or nothing in an architecture without it."""
    return operations.BatchNorm2d(channels) if architecture.batch_norm else nn.Identity()


class Branch(nn.Module):
    """A convolution, its normalization and ReLU."""

    def __init__(self, conv: nn.Module, normalization: nn.Module) -> None:
        super().__init__()
        self.conv = conv
        self.norm = normalization

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, O, H, W)."""
        return F.relu(self.norm(self.conv(features)))


class Aspp(nn.Module):
    """Several views of the same features side by side, and their mean, joined by a 1x1 layer.

    Source: Chen et al., "Rethinking Atrous Convolution", 2017; the deformable form replaces
        dilated kernels by freely displaced ones (BiRefNet, 2024).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        architecture: Architecture,
        *,
        deformable: bool,
        dropout: float = 0.0,
        operations: Operations,
    ) -> None:
        super().__init__()
        width = architecture.aspp_width
        convs: list[nn.Module]
        if deformable:
            sizes = (1, *architecture.deform_kernels)
            convs = [DeformableConv(in_channels, width, s, operations=operations) for s in sizes]
        else:
            convs = [
                operations.Conv2d(
                    in_channels, width, k, padding=d if k > 1 else 0, dilation=d, bias=False
                )
                for k, d in PLAIN_BRANCHES
            ]
        self.branches = nn.ModuleList(
            Branch(conv, norm(width, architecture, operations)) for conv in convs
        )
        self.pool = Branch(
            operations.Conv2d(in_channels, width, 1, bias=False),
            norm(width, architecture, operations),
        )
        self.join = Branch(
            operations.Conv2d(width * (len(convs) + 1), out_channels, 1, bias=False),
            norm(out_channels, architecture, operations),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, O, H, W)."""
        size = features.shape[2:]
        mean = self.pool(features.mean((2, 3), keepdim=True)).expand(-1, -1, *size)
        joined = torch.cat([*(branch(features) for branch in self.branches), mean], dim=1)
        return cast("Tensor", self.dropout(self.join(joined)))
