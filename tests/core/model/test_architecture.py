"""Architectures as data."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
import torch

from birefnet import ConfigError
from birefnet.model.architecture import (
    PRESETS,
    Architecture,
    PvtConfig,
    SwinConfig,
    TimmConfig,
)
from birefnet.model.cost import activation_bytes

L = PRESETS["swin_v1_l"]


def test_the_published_lateral_channels() -> None:
    assert L.encoder_widths == (384, 768, 1536, 3072)
    assert L.context_width == 384 + 768 + 1536
    assert replace(L, context=1).context_width == 1536
    assert replace(L, multi_scale="none").encoder_widths == (192, 384, 768, 1536)
    assert PRESETS["dino_v3_s"].decoder_widths == (384, 768, 1536, 3072)
    assert PRESETS["resnet50"].encoder_widths == (512, 1024, 2048, 4096)


def test_an_architecture_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        L.context = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"context": 4}, "0, 1, 2 or 3"),
        ({"squeeze_block": "none"}, "context=0"),
        ({"squeeze_depth": 3}, "context=0"),
        ({"deform_kernels": (2,)}, "odd"),
        ({"deform_kernels": ()}, "odd"),
        ({"multi_scale_supervision": False}, "gradient_attention"),
        ({"classes": -1}, "classes"),
        ({"inner_width": 0}, "inner_width"),
        ({"encoder": TimmConfig(name="resnet18"), "multi_scale": "add"}, "concat"),
    ],
)
def test_what_does_not_build_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        replace(L, **changes)


def test_encoders_are_checked() -> None:
    with pytest.raises(ConfigError, match="heads do not divide"):
        SwinConfig(width=32, depths=(1, 1, 1, 1), heads=(3, 4, 8, 16), window=7)
    with pytest.raises(ConfigError, match="four positive"):
        SwinConfig(width=32, depths=(1, 1, 0, 1), heads=(1, 2, 4, 8), window=7)
    with pytest.raises(ConfigError, match="heads do not divide"):
        PvtConfig(widths=(32, 64, 160, 250), depths=(1, 1, 1, 1))
    with pytest.raises(ConfigError, match="resnet18"):
        TimmConfig(name="resnet19")


def test_memory_grows_with_pixels_batch_and_precision() -> None:
    def needed(batch: int = 1, side: int = 1024, dtype: torch.dtype = torch.float32) -> int:
        return activation_bytes(L, batch=batch, height=side, width=side, dtype=dtype)

    assert needed(2) > 1.7 * needed()
    assert needed(side=2048) > 3.4 * needed()
    assert 1.6 < needed() / needed(dtype=torch.bfloat16) < 2
    small = activation_bytes(PRESETS["starter"], batch=1, height=1024, width=1024)
    assert isinstance(PRESETS["starter"], Architecture)
    assert small < needed() / 3
