"""Decoder: from four feature maps and the image itself to one map of logits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..preprocess import PatchOrder
from .architecture import Architecture
from .aspp import Aspp, norm
from .operations import Operations, kernel_layer

GRADIENT_WIDTH = 16  # channels of the gradient branches

STRIDES = (32, 16, 8, 4)


def resize(features: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Bilinear with aligned corners, the only resize inside the network."""
    if features.shape[2:] == torch.Size(size):
        return features
    return F.interpolate(features, size=tuple(size), mode="bilinear", align_corners=True)


class DecoderBlock(nn.Module):
    """Narrows its input, looks around, and widens again."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        architecture: Architecture,
        *,
        residual: bool,
        dropout: float = 0.0,
        operations: Operations,
    ) -> None:
        super().__init__()
        inner = architecture.inner_width or in_channels // 4
        self.conv_in = operations.Conv2d(in_channels, inner, 3, padding=1)
        self.norm_in = norm(inner, architecture, operations)
        self.attention: nn.Module = nn.Identity()
        if architecture.attention != "none":
            self.attention = Aspp(
                inner,
                inner,
                architecture,
                deformable=architecture.attention == "aspp_deformable",
                dropout=dropout,
                operations=operations,
            )
        self.conv_out = operations.Conv2d(inner, out_channels, 3, padding=1)
        self.norm_out = norm(out_channels, architecture, operations)
        self.shortcut = operations.Conv2d(in_channels, out_channels, 1) if residual else None

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, O, H, W)."""
        inner = self.attention(F.relu(self.norm_in(self.conv_in(features))))
        out = self.norm_out(self.conv_out(inner))
        if self.shortcut is not None:
            out = out + self.shortcut(features)
        return cast("Tensor", out)


class PatchBranch(nn.Module):
    """Brings the image itself to the resolution of a decoder stage.

    The pixels of each patch become channels, so that no detail is lost on the way down.
    """

    def __init__(
        self, grid: int, out_channels: int, architecture: Architecture, *, operations: Operations
    ) -> None:
        super().__init__()
        self.split = architecture.patch_split
        in_channels = 3 * grid * grid if self.split else 3
        width = architecture.patch_width
        self.conv_in = operations.Conv2d(in_channels, width, 3, padding=1)
        self.conv_out = operations.Conv2d(width, out_channels, 3, padding=1)

    def forward(self, images: Tensor, size: tuple[int, int], order: PatchOrder) -> Tensor:
        """(B, 3, H, W) -> (B, O, *size)."""
        patches = split_patches(images, size, order) if self.split else resize(images, size)
        return cast("Tensor", self.conv_out(self.conv_in(patches)))


def split_patches(images: Tensor, size: tuple[int, int], order: PatchOrder) -> Tensor:
    """Cut images into patches and stack them as channels.

    A patch is a tile of the image as large as the output, and the grid has H // h rows and
    W // w columns of them.

    Args:
        images: (B, C, H, W).
        size: (h, w) of the result; must divide (H, W).
        order: "current" counts color outermost, then the grid's rows, then its columns;
            "legacy" (before November 2024) columns outermost, then rows, then color.

    Returns:
        (B, C * (H // h) * (W // w), h, w).
    """
    batch, channels, height, width = images.shape
    rows, columns = height // size[0], width // size[1]
    tiles = images.view(batch, channels, rows, size[0], columns, size[1])
    order_of_axes = (0, 1, 2, 4, 3, 5) if order == "current" else (0, 4, 2, 1, 3, 5)
    return tiles.permute(order_of_axes).reshape(batch, channels * rows * columns, *size)


class GradientGate(nn.Module):
    """Lets a stage attend to where the image has fine structure."""

    def __init__(
        self,
        width: int,
        architecture: Architecture,
        *,
        training_heads: bool,
        operations: Operations,
    ) -> None:
        super().__init__()
        self.conv = operations.Conv2d(width, GRADIENT_WIDTH, 3, padding=1)
        self.norm = norm(GRADIENT_WIDTH, architecture, operations)
        self.gate = operations.Conv2d(GRADIENT_WIDTH, 1, 1)
        self.predict = operations.Conv2d(GRADIENT_WIDTH, 1, 1) if training_heads else None

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        """(B, C, H, W) -> (gated features, logits of the image gradient (B, 1, H, W) or None)."""
        gradient = F.relu(self.norm(self.conv(features)))
        gated = features * torch.sigmoid(self.gate(gradient))
        return gated, None if self.predict is None else self.predict(gradient)


@dataclass(kw_only=True)
class SideOutputs:
    """What training sees beside the final logits, coarse to fine."""

    side_logits: list[Tensor] = field(default_factory=list)
    gradient_logits: list[Tensor] = field(default_factory=list)


class Decoder(nn.Module):
    """Four stages from stride 32 to 4, each seeing the image, then the full resolution."""

    ticks = 5

    def __init__(
        self,
        architecture: Architecture,
        *,
        training_heads: bool,
        dropout: float = 0.0,
        operations: Operations,
    ) -> None:
        super().__init__()
        c4, c8, c16, c32 = architecture.decoder_widths
        e4, e8, e16, e32 = architecture.encoder_widths
        self.has_neck = architecture.has_neck

        if self.has_neck:
            pairs = zip((4, 8, 16, 32), (e4, e8, e16, e32), (c4, c8, c16, c32), strict=True)
            self.neck = nn.ModuleDict({str(s): operations.Conv2d(i, o, 1) for s, i, o in pairs})

        # Image patch branches by the stride at which they join, 1 being the full resolution.
        patch_widths = {32: e32 // 8, 16: e32 // 8, 8: e16 // 8, 4: e8 // 8, 1: e4 // 8}
        if not architecture.deepest_patch:
            del patch_widths[32]
        self.patches = nn.ModuleDict(
            {
                str(stride): PatchBranch(stride, width, architecture, operations=operations)
                for stride, width in patch_widths.items()
            }
        )

        joined = {
            32: c32 + patch_widths.get(32, 0),
            16: c16 + patch_widths[16],
            8: c8 + patch_widths[8],
            4: c4 + patch_widths[4],
        }
        outs = {32: c16, 16: c8, 8: c4, 4: c4 // 2}
        self.stages = nn.ModuleDict(
            {
                str(stride): DecoderBlock(
                    joined[stride],
                    outs[stride],
                    architecture,
                    residual=architecture.decoder_block == "residual",
                    dropout=dropout,
                    operations=operations,
                )
                for stride in STRIDES
            }
        )
        laterals = {16: c16, 8: c8, 4: c4}
        self.laterals = nn.ModuleDict(
            {str(stride): operations.Conv2d(w, w, 1) for stride, w in laterals.items()}
        )
        gated = STRIDES[:3] if architecture.deepest_patch else STRIDES[1:3]
        self.gates = nn.ModuleDict()
        if architecture.gradient_attention:
            for stride in gated:
                self.gates[str(stride)] = GradientGate(
                    outs[stride],
                    architecture,
                    training_heads=training_heads,
                    operations=operations,
                )
        self.side_heads = nn.ModuleDict()
        if architecture.multi_scale_supervision and training_heads:
            for stride in STRIDES[:3]:
                self.side_heads[str(stride)] = operations.Conv2d(outs[stride], 1, 1)
        self.output = kernel_layer(operations.Conv2d)(outs[4] + patch_widths[1], 1, 1)

    def forward(
        self,
        images: Tensor,
        maps: list[Tensor],
        order: PatchOrder,
        tick: Callable[[], None],
        side: SideOutputs | None = None,
    ) -> Tensor:
        """Predict logits.

        Args:
            images: Normalized RGB, (B, 3, H, W).
            maps: Features of strides 4, 8, 16 and 32, the last one squeezed.
            order: How patches of the image are stacked.
            tick: Called `ticks` times.
            side: Collects the training outputs, if given.

        Returns:
            (B, 1, H, W).
        """
        if self.has_neck:
            maps = self._pyramid(images, maps)
        by_stride = dict(zip((4, 8, 16, 32), maps, strict=True))
        current = self._with_patches(by_stride[32], images, 32, order)
        for stride, finer in ((32, 16), (16, 8), (8, 4)):
            features = self.stages[str(stride)](current)
            if side is not None and str(stride) in self.side_heads:
                side.side_logits.append(self.side_heads[str(stride)](features))
            if str(stride) in self.gates:
                features, gradient = self.gates[str(stride)](features)
                if side is not None and gradient is not None:
                    side.gradient_logits.append(gradient)
            skip = by_stride[finer]
            current = resize(features, skip.shape[2:]) + self.laterals[str(finer)](skip)
            current = self._with_patches(current, images, finer, order)
            tick()
        features = self.stages["4"](current)
        tick()
        logits = self._join(features, images, order)
        tick()
        return logits

    def _with_patches(
        self, features: Tensor, images: Tensor, stride: int, order: PatchOrder
    ) -> Tensor:
        if str(stride) not in self.patches:
            return features
        size = features.shape[2:]
        return torch.cat([features, self.patches[str(stride)](images, tuple(size), order)], dim=1)

    def _join(self, features: Tensor, images: Tensor, order: PatchOrder) -> Tensor:
        """Logits at full resolution from the finest features and the image.

        A 1x1 layer and a resize commute, so the features are reduced to one channel first
        instead of enlarging them all.
        """
        kernel = self.output(features)
        width = features.shape[1]
        coarse = _weighted_sum(features, kernel[:width])
        patches = self.patches["1"](images, images.shape[2:], order)
        fine = _weighted_sum(patches, kernel[width:-1])
        return cast("Tensor", resize(coarse, images.shape[2:]) + fine + kernel[-1])

    def _pyramid(self, images: Tensor, maps: list[Tensor]) -> list[Tensor]:
        height, width = images.shape[2:]
        return [
            self.neck[str(stride)](resize(features, (height // stride, width // stride)))
            for stride, features in zip((4, 8, 16, 32), maps, strict=True)
        ]


def _weighted_sum(features: Tensor, weights: Tensor) -> Tensor:
    """(B, C, H, W) and (C, 1) to (B, 1, H, W)."""
    return F.conv2d(features, weights.view(1, -1, 1, 1))
