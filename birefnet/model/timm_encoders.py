"""Encoders whose layers come from timm: ResNet, VGG and DINOv3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..errors import ConfigError
from .architecture import TimmConfig

_DINO = {  # timm's name, and the blocks whose outputs are used
    "dino_v3_s": ("vit_small_patch16_dinov3", (3, 5, 7, 11)),
    "dino_v3_s_plus": ("vit_small_plus_patch16_dinov3", (3, 5, 7, 11)),
    "dino_v3_b": ("vit_base_patch16_dinov3", (3, 5, 7, 11)),
    "dino_v3_l": ("vit_large_patch16_dinov3", (5, 11, 17, 23)),
    "dino_v3_h_plus": ("vit_huge_plus_patch16_dinov3", (7, 15, 23, 31)),
    "dino_v3_7b": ("vit_7b_patch16_dinov3", (9, 19, 29, 39)),
}


class TimmEncoder(nn.Module):
    """Image to four feature maps, through a model of the timm library.

    Its layers are timm's own and do not come from an operations namespace, so a host must move
    such an encoder as a whole.
    """

    ticks = 1

    def __init__(self, config: TimmConfig) -> None:
        super().__init__()
        try:
            import timm
        except ImportError as error:
            raise ConfigError(
                f"the encoder {config.name} comes from timm, which is not installed; "
                "run 'pip install timm', or use a Swin or PVT checkpoint."
            ) from error
        self.kind = "dino" if config.is_dino else config.name[:3]
        # Tables such as rotary frequencies are computed in the constructor and are in no file,
        # so it needs a real device even inside a `meta` context.
        model: Any
        with torch.device("cpu"):
            if config.is_dino:
                name, taps = _DINO[config.name]
                wrapper: Any = timm.create_model(
                    name, features_only=True, out_indices=taps, dynamic_img_size=True
                )
                model = wrapper.model
                self.taps = taps
            else:
                name = config.name.replace("bn", "_bn")
                model = timm.create_model(name, num_classes=0, global_pool="")
                if self.kind == "vgg":
                    model = model.features
        self.model = model

    def forward(self, images: Tensor, tick: Callable[[], None]) -> list[Tensor]:
        """Normalized RGB (B, 3, H, W) to four maps; strides 4 to 32, or 16 four times (DINOv3)."""
        extract = {"dino": self._dino, "res": self._resnet, "vgg": self._vgg}[self.kind]
        maps = extract(images)
        tick()
        return maps

    def _resnet(self, images: Tensor) -> list[Tensor]:
        model = self.model
        features = model.maxpool(model.act1(model.bn1(model.conv1(images))))
        maps = []
        for layer in (model.layer1, model.layer2, model.layer3, model.layer4):
            features = layer(features)
            maps.append(features)
        return maps

    def _vgg(self, images: Tensor) -> list[Tensor]:
        maps = []
        features = images
        for layer in self.model:
            features = layer(features)
            if isinstance(layer, nn.MaxPool2d):
                maps.append(features)
        return maps[1:]

    def _dino(self, images: Tensor) -> list[Tensor]:
        maps = self.model.forward_intermediates(
            images, indices=list(self.taps), norm=False, intermediates_only=True
        )
        return cast("list[Tensor]", maps)
