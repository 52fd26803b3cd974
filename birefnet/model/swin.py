"""Swin transformer encoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .architecture import SwinConfig
from .drop_path import DropPath
from .operations import Operations

PATCH = 4  # side of the pixels that become one token


class Attention(nn.Module):
    """Multi-head attention inside windows, with a learned bias per relative position."""

    def __init__(self, width: int, heads: int, window: int, *, operations: Operations) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = operations.Linear(width, 3 * width)
        self.projection = operations.Linear(width, width)
        self.position_bias = operations.Embedding((2 * window - 1) ** 2, heads)

    def forward(self, windows: Tensor, index: Tensor, mask: Tensor | None) -> Tensor:
        """Let the tokens of each window look at each other.

        Args:
            windows: (B, n, N, C), n windows of N tokens per image.
            index: (N, N) int64, the row of the bias table for each pair of tokens.
            mask: (n, N, N), 0 where a pair may see each other and -inf where not; None if all may.

        Returns:
            (B, n, N, C).
        """
        batch, count, tokens, width = windows.shape
        qkv = self.qkv(windows).view(batch * count, tokens, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        bias = self.position_bias(index).permute(2, 0, 1).to(query.dtype)  # (heads, N, N)
        if mask is None:
            out = F.scaled_dot_product_attention(query, key, value, attn_mask=bias[None])
        else:
            # Only windows at the rim are masked: the others share one bias.
            out = torch.empty_like(query)
            shape = (batch, count, self.heads, tokens, width // self.heads)
            query, key, value = query.view(shape), key.view(shape), value.view(shape)
            seams = mask.flatten(1).any(1)
            views = out.view(shape)
            for chosen, masked in ((~seams, False), (seams, True)):
                where = chosen.nonzero().flatten()
                if not len(where):
                    continue
                q, k, v = (t.index_select(1, where).flatten(0, 1) for t in (query, key, value))
                both = bias[None]
                if masked:
                    both = both + mask.index_select(0, where)[:, None].to(bias.dtype)
                    both = both.repeat(batch, 1, 1, 1)
                seen = F.scaled_dot_product_attention(q, k, v, attn_mask=both)
                views = views.index_copy(1, where, seen.view(batch, -1, *shape[2:]))
            out = views.flatten(0, 1)
        return cast("Tensor", self.projection(out.transpose(1, 2).reshape(windows.shape)))


class FeedForward(nn.Module):
    """Two linear layers with a GELU between them."""

    def __init__(self, width: int, hidden: int, *, operations: Operations) -> None:
        super().__init__()
        self.expand = operations.Linear(width, hidden)
        self.contract = operations.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(..., C) -> (..., C)."""
        return cast("Tensor", self.contract(F.gelu(self.expand(tokens))))


class Block(nn.Module):
    """Windowed attention and a feed-forward part, each added to what came in."""

    def __init__(
        self,
        width: int,
        heads: int,
        window: int,
        shift: int,
        *,
        drop_path: float,
        operations: Operations,
    ) -> None:
        super().__init__()
        self.window = window
        self.shift = shift
        self.norm1 = operations.LayerNorm(width)
        self.attention = Attention(width, heads, window, operations=operations)
        self.norm2 = operations.LayerNorm(width)
        self.feed_forward = FeedForward(width, 4 * width, operations=operations)
        self.drop_path = DropPath(drop_path)

    def forward(self, tokens: Tensor, index: Tensor, mask: Tensor | None) -> Tensor:
        """(B, H, W, C) -> (B, H, W, C)."""
        _, height, width, _ = tokens.shape
        window, shift = self.window, self.shift
        # Padding comes after the norm, and padded tokens take part in the attention.
        normed = F.pad(self.norm1(tokens), (0, 0, 0, -width % window, 0, -height % window))
        if shift:
            normed = normed.roll((-shift, -shift), (1, 2))
        padded = normed.shape
        rows, columns = padded[1] // window, padded[2] // window
        windows = normed.view(-1, rows, window, columns, window, padded[3])
        windows = windows.transpose(2, 3).reshape(-1, rows * columns, window * window, padded[3])
        windows = self.attention(windows, index, mask if shift else None)
        windows = windows.view(-1, rows, columns, window, window, padded[3])
        seen = windows.transpose(2, 3).reshape(padded)
        if shift:
            seen = seen.roll((shift, shift), (1, 2))
        tokens = tokens + self.drop_path(seen[:, :height, :width])
        return cast("Tensor", tokens + self.drop_path(self.feed_forward(self.norm2(tokens))))


class PatchMerging(nn.Module):
    """Joins 2 x 2 tokens into one with twice the channels."""

    def __init__(self, width: int, *, operations: Operations) -> None:
        super().__init__()
        self.norm = operations.LayerNorm(4 * width)
        self.reduction = operations.Linear(4 * width, 2 * width, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, H, W, C) -> (B, ceil(H / 2), ceil(W / 2), 2C)."""
        tokens = F.pad(tokens, (0, 0, 0, tokens.shape[2] % 2, 0, tokens.shape[1] % 2))
        four = [tokens[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return cast("Tensor", self.reduction(self.norm(torch.cat(four, dim=-1))))


class Stage(nn.Module):
    """Blocks of one resolution, every second one with shifted windows."""

    def __init__(
        self,
        width: int,
        heads: int,
        window: int,
        drop_paths: list[float],
        *,
        last: bool,
        operations: Operations,
    ) -> None:
        super().__init__()
        self.window = window
        self.blocks = nn.ModuleList(
            Block(
                width,
                heads,
                window,
                0 if number % 2 == 0 else window // 2,
                drop_path=drop_path,
                operations=operations,
            )
            for number, drop_path in enumerate(drop_paths)
        )
        self.downsample = None if last else PatchMerging(width, operations=operations)

    def forward(self, tokens: Tensor, tick: Callable[[], None]) -> Tensor:
        """(B, H, W, C) -> (B, H, W, C), before any downsampling."""
        index = relative_positions(self.window, tokens.device)
        height, width = tokens.shape[1:3]
        mask = None
        if len(self.blocks) > 1 and self.window > 1:
            mask = shift_mask(height, width, self.window, tokens.device)
        for block in self.blocks:
            tokens = block(tokens, index, mask)
            tick()
        return tokens


class SwinEncoder(nn.Module):
    """Image to four feature maps.

    Source: Liu et al., "Swin Transformer", ICCV 2021.
    """

    def __init__(
        self, config: SwinConfig, *, drop_path: float = 0.0, operations: Operations
    ) -> None:
        super().__init__()
        self.patch_embed = nn.ModuleDict(
            {
                "projection": operations.Conv2d(3, config.width, PATCH, stride=PATCH),
                "norm": operations.LayerNorm(config.width),
            }
        )
        rates = torch.linspace(0, drop_path, sum(config.depths), device="cpu").tolist()
        self.stages = nn.ModuleList()
        for number, depth in enumerate(config.depths):
            first = sum(config.depths[:number])
            self.stages.append(
                Stage(
                    config.widths[number],
                    config.heads[number],
                    config.window,
                    rates[first : first + depth],
                    last=number == 3,
                    operations=operations,
                )
            )
        self.norms = nn.ModuleList(operations.LayerNorm(width) for width in config.widths)
        self.ticks = sum(config.depths)

    def forward(self, images: Tensor, tick: Callable[[], None]) -> list[Tensor]:
        """Extract features.

        Args:
            images: Normalized RGB, (B, 3, H, W).
            tick: Called `ticks` times, once per block.

        Returns:
            Four maps (B, C, h, w) of strides 4, 8, 16 and 32, sizes rounded up.
        """
        images = F.pad(images, (0, -images.shape[3] % PATCH, 0, -images.shape[2] % PATCH))
        tokens = self.patch_embed["projection"](images).permute(0, 2, 3, 1)
        tokens = self.patch_embed["norm"](tokens)
        maps = []
        for stage, norm in zip(self.stages, self.norms, strict=True):
            tokens = stage(tokens, tick)
            maps.append(norm(tokens).permute(0, 3, 1, 2).contiguous())
            downsample = cast("Stage", stage).downsample
            if downsample is not None:
                tokens = downsample(tokens)
        return maps


def relative_positions(window: int, device: torch.device | str | None = None) -> Tensor:
    """Row of the position bias table for each pair of tokens in a window.

    Returns:
        (window**2, window**2) int64, in [0, (2 * window - 1)**2).
    """
    place = torch.arange(window, device=device)
    row = place.repeat_interleave(window)
    column = place.repeat(window)
    rows = row[:, None] - row[None] + window - 1
    columns = column[:, None] - column[None] + window - 1
    return rows * (2 * window - 1) + columns


def shift_mask(height: int, width: int, window: int, device: torch.device | str | None) -> Tensor:
    """Which tokens of a shifted window were neighbors before the map was rolled.

    Returns:
        (windows, window**2, window**2) float32: 0 for neighbors, -inf for strangers.
    """

    def regions(length: int) -> Tensor:
        padded = length + -length % window
        place = torch.arange(padded, device=device)
        return (place >= padded - window).long() + (place >= padded - window // 2).long()

    label = regions(height)[:, None] * 3 + regions(width)[None]
    rows, columns = label.shape[0] // window, label.shape[1] // window
    label = label.view(rows, window, columns, window).transpose(1, 2)
    label = label.reshape(rows * columns, window * window)
    strangers = label[:, :, None] != label[:, None, :]
    return torch.zeros(strangers.shape, device=device).masked_fill_(strangers, float("-inf"))
