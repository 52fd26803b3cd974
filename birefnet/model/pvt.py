"""Pyramid Vision Transformer v2 encoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .architecture import PvtConfig
from .drop_path import DropPath
from .operations import Operations

BLOCK_EPS = 1e-6  # blocks and stages; embeddings and reductions have torch's default


class Attention(nn.Module):
    """Multi-head attention whose keys and values come from a coarser grid."""

    def __init__(self, width: int, heads: int, reduction: int, *, operations: Operations) -> None:
        super().__init__()
        self.heads = heads
        self.query = operations.Linear(width, width)
        self.key_value = operations.Linear(width, 2 * width)
        self.projection = operations.Linear(width, width)
        self.reduction: nn.Module | None = None
        self.reduction_norm: nn.Module | None = None
        if reduction > 1:
            self.reduction = operations.Conv2d(width, width, reduction, stride=reduction)
            self.reduction_norm = operations.LayerNorm(width)

    def forward(self, tokens: Tensor, height: int, width: int) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        batch, count, channels = tokens.shape
        split = (self.heads, channels // self.heads)
        query = self.query(tokens).view(batch, count, *split).transpose(1, 2)
        if self.reduction is not None and self.reduction_norm is not None:
            image = tokens.transpose(1, 2).reshape(batch, channels, height, width)
            tokens = self.reduction_norm(self.reduction(image).flatten(2).transpose(1, 2))
        key_value = self.key_value(tokens).view(batch, -1, 2, *split)
        key, value = key_value.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value)
        return cast("Tensor", self.projection(seen.transpose(1, 2).flatten(2)))


class FeedForward(nn.Module):
    """Two linear layers around a depth-wise convolution, which also tells positions apart."""

    def __init__(self, width: int, hidden: int, *, operations: Operations) -> None:
        super().__init__()
        self.expand = operations.Linear(width, hidden)
        self.depthwise = operations.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)
        self.contract = operations.Linear(hidden, width)

    def forward(self, tokens: Tensor, height: int, width: int) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        hidden = self.expand(tokens).transpose(1, 2)
        mixed = self.depthwise(hidden.unflatten(2, (height, width))).flatten(2).transpose(1, 2)
        return cast("Tensor", self.contract(F.gelu(mixed)))


class Block(nn.Module):
    """Attention and a feed-forward part, each added to what came in."""

    def __init__(
        self,
        width: int,
        heads: int,
        reduction: int,
        ratio: int,
        *,
        drop_path: float,
        operations: Operations,
    ) -> None:
        super().__init__()
        self.norm1 = operations.LayerNorm(width, eps=BLOCK_EPS)
        self.attention = Attention(width, heads, reduction, operations=operations)
        self.norm2 = operations.LayerNorm(width, eps=BLOCK_EPS)
        self.feed_forward = FeedForward(width, ratio * width, operations=operations)
        self.drop_path = DropPath(drop_path)

    def forward(self, tokens: Tensor, height: int, width: int) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        tokens = tokens + self.drop_path(self.attention(self.norm1(tokens), height, width))
        mixed = self.feed_forward(self.norm2(tokens), height, width)
        return cast("Tensor", tokens + self.drop_path(mixed))


class Stage(nn.Module):
    """Overlapping patches become tokens, which pass through blocks and a norm."""

    def __init__(
        self,
        in_width: int,
        config: PvtConfig,
        number: int,
        drop_paths: list[float],
        *,
        operations: Operations,
    ) -> None:
        super().__init__()
        width = config.widths[number]
        size, stride = (7, 4) if number == 0 else (3, 2)
        self.patch_embed = nn.ModuleDict(
            {
                "projection": operations.Conv2d(
                    in_width, width, size, stride=stride, padding=size // 2
                ),
                "norm": operations.LayerNorm(width),
            }
        )
        self.blocks = nn.ModuleList(
            Block(
                width,
                config.heads[number],
                config.reductions[number],
                config.mlp_ratios[number],
                drop_path=drop_path,
                operations=operations,
            )
            for drop_path in drop_paths
        )
        self.norm = operations.LayerNorm(width, eps=BLOCK_EPS)

    def forward(self, features: Tensor, tick: Callable[[], None]) -> Tensor:
        """(B, C, H, W) -> (B, C', H', W')."""
        image = self.patch_embed["projection"](features)
        height, width = image.shape[2:]
        tokens = self.patch_embed["norm"](image.flatten(2).transpose(1, 2))
        for block in self.blocks:
            tokens = block(tokens, height, width)
            tick()
        normed = self.norm(tokens).transpose(1, 2)
        return cast("Tensor", normed.unflatten(2, (height, width)).contiguous())


class PvtEncoder(nn.Module):
    """Image to four feature maps.

    Source: Wang et al., "PVT v2: Improved Baselines with Pyramid Vision Transformer", 2022.
    """

    def __init__(
        self, config: PvtConfig, *, drop_path: float = 0.0, operations: Operations
    ) -> None:
        super().__init__()
        rates = torch.linspace(0, drop_path, sum(config.depths), device="cpu").tolist()
        widths = (3, *config.widths)
        self.stages = nn.ModuleList()
        for number, depth in enumerate(config.depths):
            first = sum(config.depths[:number])
            self.stages.append(
                Stage(
                    widths[number],
                    config,
                    number,
                    rates[first : first + depth],
                    operations=operations,
                )
            )
        self.ticks = sum(config.depths)

    def forward(self, images: Tensor, tick: Callable[[], None]) -> list[Tensor]:
        """Normalized RGB (B, 3, H, W) to four maps of strides 4, 8, 16 and 32."""
        maps = []
        features = images
        for stage in self.stages:
            features = stage(features, tick)
            maps.append(features)
        return maps
