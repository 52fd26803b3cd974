"""Everything that changes the shape of a tensor in the network, and the known combinations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ..errors import ConfigError

MultiScale = Literal["none", "add", "concat"]
SqueezeBlock = Literal["none", "decoder", "residual", "aspp", "aspp_deformable"]
DecoderBlockKind = Literal["basic", "residual"]
Attention = Literal["none", "aspp", "aspp_deformable"]

SWIN_L_WIDTHS = (192, 384, 768, 1536)
"""Channels of Swin-L's four stages; the DINOv3 neck maps onto twice these."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SwinConfig:
    """Sizes of a Swin transformer (Liu et al., ICCV 2021)."""

    width: int
    """Channels of the first stage; every later stage doubles them."""

    depths: tuple[int, int, int, int]
    """Blocks per stage."""

    heads: tuple[int, int, int, int]
    """Attention heads per stage; each must divide the stage's channels."""

    window: int
    """Side of an attention window, in tokens."""

    def __post_init__(self) -> None:
        _positive("Swin", width=self.width, window=self.window)
        _four("Swin", depths=self.depths, heads=self.heads)
        _divisible("Swin", self.widths, self.heads)

    @property
    def widths(self) -> tuple[int, int, int, int]:
        """Channels of the four stages, strides 4, 8, 16 and 32."""
        return (self.width, self.width * 2, self.width * 4, self.width * 8)


@dataclass(frozen=True, kw_only=True, slots=True)
class PvtConfig:
    """Sizes of a Pyramid Vision Transformer v2 (Wang et al., CVMJ 2022)."""

    widths: tuple[int, int, int, int]
    """Channels per stage."""

    depths: tuple[int, int, int, int]
    """Blocks per stage."""

    heads: tuple[int, int, int, int] = (1, 2, 5, 8)
    """Attention heads per stage; each must divide the stage's channels."""

    mlp_ratios: tuple[int, int, int, int] = (8, 8, 4, 4)
    """Hidden channels of the feed-forward part, as a multiple of the stage's."""

    reductions: tuple[int, int, int, int] = (8, 4, 2, 1)
    """Side of the patches that become one key and value token."""

    def __post_init__(self) -> None:
        _four(
            "PVT",
            widths=self.widths,
            depths=self.depths,
            heads=self.heads,
            mlp_ratios=self.mlp_ratios,
            reductions=self.reductions,
        )
        _divisible("PVT", self.widths, self.heads)


@dataclass(frozen=True, kw_only=True, slots=True)
class TimmConfig:
    """An encoder whose layers come from the timm library."""

    name: str
    """A key of TIMM_WIDTHS."""

    def __post_init__(self) -> None:
        if self.name not in TIMM_WIDTHS:
            raise ConfigError(
                f"a timm encoder must be one of {', '.join(TIMM_WIDTHS)}; got {self.name!r}."
            )

    @property
    def widths(self) -> tuple[int, int, int, int]:
        """Channels of the four feature maps."""
        return TIMM_WIDTHS[self.name]

    @property
    def is_dino(self) -> bool:
        """Whether it is a plain vision transformer, whose four maps all have stride 16."""
        return self.name.startswith("dino")


_BOTTLENECK = (256, 512, 1024, 2048)
_BASIC = (64, 128, 256, 512)
_VGG = (128, 256, 512, 512)
TIMM_WIDTHS: dict[str, tuple[int, int, int, int]] = {
    "resnet18": _BASIC,
    "resnet34": _BASIC,
    "resnet50": _BOTTLENECK,
    "resnet101": _BOTTLENECK,
    "resnet152": _BOTTLENECK,
    "vgg13": _VGG,
    "vgg13bn": _VGG,
    "vgg16": _VGG,
    "vgg16bn": _VGG,
    "vgg19": _VGG,
    "vgg19bn": _VGG,
    "dino_v3_s": (384,) * 4,
    "dino_v3_s_plus": (384,) * 4,
    "dino_v3_b": (768,) * 4,
    "dino_v3_l": (1024,) * 4,
    "dino_v3_h_plus": (1280,) * 4,
    "dino_v3_7b": (4096,) * 4,
}

Encoder = SwinConfig | PvtConfig | TimmConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class Architecture:
    """Everything that changes the shape of a tensor in a BiRefNet.

    What a checkpoint expects of its input (size, normalization, patch order) is not here but in
    `Preprocess`; what belongs to a training run is not here either.
    """

    encoder: Encoder
    """The feature extractor."""

    multi_scale: MultiScale = "concat"
    """What becomes of a second encoder pass over the image at half size."""

    context: int = 3
    """How many of the finer feature maps join the deepest one, 0 to 3."""

    squeeze_block: SqueezeBlock = "decoder"
    """Kind of the blocks that condense the deepest features."""

    squeeze_depth: int = 1
    """How many of them follow each other."""

    decoder_block: DecoderBlockKind = "basic"
    """Whether decoder blocks add a projection of their input to their output."""

    attention: Attention = "aspp_deformable"
    """What stands in the middle of a block."""

    inner_width: int | None = 64
    """Channels inside a block; None takes a quarter of the block's input."""

    aspp_width: int = 256
    """Channels of each pooling branch."""

    patch_width: int = 64
    """Channels inside an image patch branch."""

    deform_kernels: tuple[int, ...] = (1, 3, 7)
    """Kernel sides of the deformable branches beside the first 1x1 one."""

    patch_split: bool = True
    """Whether the image patch branches see all pixels as channels or a small copy of the image."""

    deepest_patch: bool = True
    """Whether the stride 32 stage has an image patch branch and gate (not before May 2024)."""

    gradient_attention: bool = True
    """Whether decoder stages are gated by a prediction of the image gradient."""

    multi_scale_supervision: bool = True
    """Whether training has an output per decoder stage."""

    classes: int = 0
    """Classes of the auxiliary classifier used in training; 0 for none, 219 for DIS5K."""

    batch_norm: bool = True
    """Whether layers outside the encoder are followed by batch normalization."""

    def __post_init__(self) -> None:
        if not 0 <= self.context <= 3:
            raise ConfigError(f"context must be 0, 1, 2 or 3, got {self.context}.")
        _positive("Architecture", squeeze_depth=self.squeeze_depth, aspp_width=self.aspp_width)
        _positive("Architecture", patch_width=self.patch_width)
        if self.inner_width is not None:
            _positive("Architecture", inner_width=self.inner_width)
        if not self.deform_kernels or any(k < 1 or k % 2 == 0 for k in self.deform_kernels):
            raise ConfigError(f"deform_kernels must be odd sides, got {self.deform_kernels}.")
        if self.context and (self.squeeze_block == "none" or self.squeeze_depth > 1):
            raise ConfigError(
                "context features change the number of channels, which only a single squeeze "
                f"block can undo; got context={self.context}, squeeze_block="
                f"{self.squeeze_block!r}, squeeze_depth={self.squeeze_depth}. Set context=0 or "
                "squeeze_depth=1."
            )
        if self.gradient_attention and not self.multi_scale_supervision:
            raise ConfigError(
                "gradient_attention=True needs multi_scale_supervision=True; set both or neither."
            )
        if self.classes < 0:
            raise ConfigError(f"classes must be 0 or more, got {self.classes}.")
        cnn = isinstance(self.encoder, TimmConfig) and not self.encoder.is_dino
        if cnn and self.multi_scale == "add":
            raise ConfigError("multi_scale='add' is not defined for ResNet and VGG; use 'concat'.")

    @property
    def scale_factor(self) -> int:
        """How often each feature map's channels occur: 2 when two scales are concatenated."""
        return 2 if self.multi_scale == "concat" else 1

    @property
    def encoder_widths(self) -> tuple[int, int, int, int]:
        """Channels of the four encoder maps after both scales were joined."""
        a, b, c, d = self.encoder.widths
        f = self.scale_factor
        return (a * f, b * f, c * f, d * f)

    @property
    def has_neck(self) -> bool:
        """Whether the four maps share one stride and are resampled into a pyramid."""
        return isinstance(self.encoder, TimmConfig) and self.encoder.is_dino

    @property
    def decoder_widths(self) -> tuple[int, int, int, int]:
        """Channels the decoder works with at strides 4, 8, 16 and 32."""
        if self.has_neck:
            a, b, c, d = SWIN_L_WIDTHS
            return (2 * a, 2 * b, 2 * c, 2 * d)
        return self.encoder_widths

    @property
    def context_width(self) -> int:
        """Channels that the finer maps add before the squeeze."""
        return sum(self.encoder_widths[:3][3 - self.context :]) if self.context else 0

    @property
    def minimum_side(self) -> int:
        """Smallest legal height and width of a network input, in pixels."""
        return 32 if isinstance(self.encoder, SwinConfig) or self.has_neck else 64


def _positive(what: str, **values: int) -> None:
    for name, value in values.items():
        if value < 1:
            raise ConfigError(f"{what}: {name} must be at least 1, got {value}.")


def _four(what: str, **values: tuple[int, ...]) -> None:
    for name, value in values.items():
        if len(value) != 4 or min(value) < 1:
            raise ConfigError(f"{what}: {name} must be four positive numbers, got {value}.")


def _divisible(what: str, widths: tuple[int, ...], heads: tuple[int, ...]) -> None:
    for width, count in zip(widths, heads, strict=True):
        if width % count:
            raise ConfigError(f"{what}: {count} heads do not divide {width} channels.")


SWIN_L = Architecture(
    encoder=SwinConfig(width=192, depths=(2, 2, 18, 2), heads=(6, 12, 24, 48), window=12)
)
"""The architecture of nearly all published checkpoints."""


def _pvt(widths: tuple[int, int, int, int], depths: tuple[int, int, int, int]) -> Architecture:
    return replace(SWIN_L, encoder=PvtConfig(widths=widths, depths=depths))


_PVT_WIDTHS = (64, 128, 320, 512)

PRESETS: dict[str, Architecture] = {
    "swin_v1_l": SWIN_L,
    "swin_v1_b": replace(
        SWIN_L,
        encoder=SwinConfig(width=128, depths=(2, 2, 18, 2), heads=(4, 8, 16, 32), window=12),
    ),
    "swin_v1_s": replace(
        SWIN_L, encoder=SwinConfig(width=96, depths=(2, 2, 18, 2), heads=(3, 6, 12, 24), window=7)
    ),
    "swin_v1_t": replace(
        SWIN_L, encoder=SwinConfig(width=96, depths=(2, 2, 6, 2), heads=(3, 6, 12, 24), window=7)
    ),
    "pvt_v2_b0": _pvt((32, 64, 160, 256), (2, 2, 2, 2)),
    "pvt_v2_b1": _pvt(_PVT_WIDTHS, (2, 2, 2, 2)),
    "pvt_v2_b2": _pvt(_PVT_WIDTHS, (3, 4, 6, 3)),
    "pvt_v2_b5": replace(
        SWIN_L,
        encoder=PvtConfig(widths=_PVT_WIDTHS, depths=(3, 6, 40, 3), mlp_ratios=(4, 4, 4, 4)),
    ),
    **{name: replace(SWIN_L, encoder=TimmConfig(name=name)) for name in TIMM_WIDTHS},
    "legacy_2024_03": replace(SWIN_L, deform_kernels=(3,), deepest_patch=False),
    "starter": Architecture(
        encoder=SwinConfig(width=32, depths=(2, 2, 4, 2), heads=(1, 2, 4, 8), window=8),
        attention="aspp",
        inner_width=32,
        aspp_width=64,
        patch_width=16,
    ),
}
"""Known architectures by name; those of the official program carry its names."""
