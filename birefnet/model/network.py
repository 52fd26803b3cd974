"""BiRefNet: encoder, squeeze and decoder, put together from an architecture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import ConfigError, ShapeError
from ..preprocess import STRIDE, PatchOrder
from .architecture import Architecture, PvtConfig, SwinConfig
from .aspp import Aspp
from .decoder import Decoder, DecoderBlock, SideOutputs, resize
from .operations import Operations
from .pvt import PvtEncoder
from .swin import SwinEncoder
from .timm_encoders import TimmEncoder

Progress = Callable[[float], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingOutputs:
    """Everything a training loss is computed on."""

    logits: Tensor
    """(B, 1, H, W)."""

    side_logits: list[Tensor]
    """Of the strides 32, 16 and 8, each (B, 1, H / stride, W / stride)."""

    gradient_logits: list[Tensor]
    """Predicted image gradient at the same strides, as far as there are gates."""

    gradient_targets: list[Tensor]
    """What each should be before the sigmoid, (B, 1, H, W): image gradient times side logits."""

    class_logits: Tensor | None
    """(B, classes), or None without an auxiliary classifier."""


class BiRefNet(nn.Module):
    """Bilateral reference network for dichotomous image segmentation.

    Source: Zheng et al., "Bilateral Reference for High-Resolution Dichotomous Image
        Segmentation", CAAI AIR 2024.
    """

    def __init__(
        self,
        architecture: Architecture,
        *,
        patch_order: PatchOrder = "current",
        training_heads: bool = False,
        drop_path: float = 0.0,
        dropout: float = 0.0,
        operations: Operations = nn,
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.patch_order: PatchOrder = patch_order
        self.encoder = _encoder(architecture, drop_path, operations)
        self.squeeze = _squeeze(architecture, dropout, operations)
        self.decoder = Decoder(
            architecture, training_heads=training_heads, dropout=dropout, operations=operations
        )
        self.training_heads = training_heads
        self.classifier: nn.Module | None = None
        if training_heads and architecture.classes:
            width = architecture.encoder_widths[3]
            self.classifier = operations.Linear(width, architecture.classes)

    @torch.no_grad()
    def forward(self, images: Tensor, *, progress: Progress | None = None) -> Tensor:
        """Predict where the subject is, without building an autograd graph.

        Args:
            images: RGB normalized as the checkpoint demands, (B, 3, H, W), height and width
                multiples of 32 and at least `architecture.minimum_side`.
            progress: Called with the finished fraction, in (0, 1], many times per call.

        Returns:
            Logits (B, 1, H, W), unbounded; their sigmoid is the alpha.

        Raises:
            ShapeError: If the shape or size is not legal.
        """
        self._check(images)
        scales = 1 if self.architecture.multi_scale == "none" else 2
        total = scales * cast("int", self.encoder.ticks) + self.decoder.ticks
        done = 0

        def tick() -> None:
            nonlocal done
            done += 1
            if progress is not None:
                progress(done / total)

        maps, _ = self._features(images, tick)
        return cast("Tensor", self.decoder(images, maps, self.patch_order, tick))

    def training_outputs(self, images: Tensor) -> TrainingOutputs:
        """Predict with gradients, and all that a training loss needs beside the logits.

        Args:
            images: As in `forward`.

        Raises:
            ShapeError: If the shape or size is not legal.
            ConfigError: If the network was built without `training_heads`.
        """
        if not self.training_heads:
            raise ConfigError(
                "training outputs need a network with its training heads; "
                "call build(architecture, training_heads=True)."
            )
        self._check(images)
        maps, deepest = self._features(images, _no_tick)
        side = SideOutputs()
        logits = self.decoder(images, maps, self.patch_order, _no_tick, side)
        targets = []
        if side.gradient_logits:
            laplacian = image_laplacian(images)
            gated = side.side_logits[-len(side.gradient_logits) :]
            targets = [laplacian * resize(m, images.shape[2:]) for m in gated]
        classes = None
        if self.classifier is not None:
            classes = self.classifier(deepest.mean((2, 3)))
        return TrainingOutputs(
            logits=logits,
            side_logits=side.side_logits,
            gradient_logits=side.gradient_logits,
            gradient_targets=targets,
            class_logits=classes,
        )

    def _features(self, images: Tensor, tick: Callable[[], None]) -> tuple[list[Tensor], Tensor]:
        """Four maps, the last with context and squeezed; and the deepest one as encoded."""
        architecture = self.architecture
        maps = self.encoder(images, tick)
        if architecture.multi_scale != "none":
            height, width = images.shape[2:]
            halves = self.encoder(resize(images, (height // 2, width // 2)), tick)
            for number, half in enumerate(halves):
                full = maps[number]
                half = resize(half, full.shape[2:])
                if architecture.multi_scale == "concat":
                    maps[number] = torch.cat([full, half], dim=1)
                else:
                    maps[number] = full + half
        deepest = maps[3]
        finer = maps[3 - architecture.context : 3]
        if finer:
            size = deepest.shape[2:]
            maps[3] = torch.cat([*(resize(m, size) for m in finer), deepest], dim=1)
        maps[3] = self.squeeze(maps[3])
        return maps, deepest

    def _check(self, images: Tensor) -> None:
        if images.ndim != 4 or images.shape[1] != 3 or not images.shape[0]:
            raise ShapeError(
                f"images must be (B, 3, H, W) with B at least 1, got {tuple(images.shape)}."
            )
        least = self.architecture.minimum_side
        for name, side in zip(("height", "width"), images.shape[2:], strict=True):
            if side % STRIDE or side < least:
                nearest = max(least, round(side / STRIDE) * STRIDE)
                raise ShapeError(
                    f"{name} must be a multiple of {STRIDE} and at least {least}, got {side}; "
                    f"resize the images to {nearest}, or use a Predictor, which does it."
                )


def build(
    architecture: Architecture,
    *,
    patch_order: PatchOrder = "current",
    training_heads: bool = False,
    drop_path: float = 0.0,
    dropout: float = 0.0,
    operations: Operations = nn,
) -> BiRefNet:
    """Make a network with untrained weights, in evaluation mode.

    Args:
        architecture: What to build.
        patch_order: How image patches are stacked; belongs to a checkpoint.
        training_heads: Whether to add the layers that only training uses.
        drop_path: Largest probability of skipping a residual branch of the encoder in training
            (Swin, PVT); the official program trains Swin with 0.2 and PVT with 0.1.
        dropout: Probability of dropping a value after a pooling block in training; the official
            program uses 0.5.
        operations: Namespace that the weighted layers come from.

    Raises:
        ConfigError: If the encoder needs a library that is not installed.
    """
    network = BiRefNet(
        architecture,
        patch_order=patch_order,
        training_heads=training_heads,
        drop_path=drop_path,
        dropout=dropout,
        operations=operations,
    )
    return network.eval()


def image_laplacian(images: Tensor) -> Tensor:
    """How much each pixel of the channel mean differs from its 5 x 5 neighborhood.

    Args:
        images: (B, C, H, W).

    Returns:
        (B, 1, H, W): neighborhood sum minus 25 times the pixel, over 48; mirrored at the border.
    """
    mean = images.mean(1, keepdim=True)
    around = F.avg_pool2d(F.pad(mean, (2, 2, 2, 2), mode="reflect"), 5, stride=1)
    return (around - mean) * (25 / 48)


def _no_tick() -> None:
    pass


def _encoder(architecture: Architecture, drop_path: float, operations: Operations) -> nn.Module:
    config = architecture.encoder
    if isinstance(config, SwinConfig):
        return SwinEncoder(config, drop_path=drop_path, operations=operations)
    if isinstance(config, PvtConfig):
        return PvtEncoder(config, drop_path=drop_path, operations=operations)
    return TimmEncoder(config)


def _squeeze(architecture: Architecture, dropout: float, operations: Operations) -> nn.Sequential:
    width = architecture.encoder_widths[3]
    blocks: list[nn.Module] = []
    kind = architecture.squeeze_block
    for number in range(0 if kind == "none" else architecture.squeeze_depth):
        in_width = width + (architecture.context_width if number == 0 else 0)
        if kind in ("decoder", "residual"):
            blocks.append(
                DecoderBlock(
                    in_width,
                    width,
                    architecture,
                    residual=kind == "residual",
                    dropout=dropout,
                    operations=operations,
                )
            )
        else:
            blocks.append(
                Aspp(
                    in_width,
                    width,
                    architecture,
                    deformable=kind == "aspp_deformable",
                    dropout=dropout,
                    operations=operations,
                )
            )
    return nn.Sequential(*blocks)
