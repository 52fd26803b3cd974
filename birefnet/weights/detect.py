"""Which architecture a file holds, read off the names and shapes of its tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ..errors import AmbiguousCheckpointError, CheckpointError, ConfigError
from ..model.architecture import (
    PRESETS,
    TIMM_WIDTHS,
    Architecture,
    Attention,
    Encoder,
    MultiScale,
    PvtConfig,
    SqueezeBlock,
    SwinConfig,
    TimmConfig,
)
from .layout import DINOS, RESNETS, VGGS

Shapes = Mapping[str, tuple[int, ...]]

_PVT_HEADS = (1, 2, 5, 8)
_DINO = {(TIMM_WIDTHS[name][0], gated): name for name, (_, _, gated) in DINOS.items()}
_RESNET = {layers: name for name, layers in RESNETS.items()}
_VGG = {sum(depths): name for name, depths in VGGS.items()}
_FIRST = "decoder.decoder_block4."


def detect(shapes: Shapes) -> tuple[Architecture, ...]:
    """Every architecture that tensors of these shapes can belong to.

    The answer is a proposal: whoever loads still compares all names and shapes.

    Args:
        shapes: Shape by published name, without prefixes such as "module.".

    Returns:
        One architecture; or two where the shapes of two are equal, because adding a second
        scale leaves no trace in them.

    Raises:
        CheckpointError: If the tensors are not those of a BiRefNet.
    """
    if not any(name.startswith("decoder.decoder_block") for name in shapes):
        raise CheckpointError(_not_ours(shapes))
    try:
        encoder = _encoder(shapes)
        return _architectures(shapes, encoder)
    except CheckpointError:
        raise
    except ConfigError as error:
        raise CheckpointError(f"the tensors fit no BiRefNet: {error}") from error
    except KeyError as error:
        raise CheckpointError(
            f"the tensors look like a BiRefNet, but {error} is missing, which is needed to tell "
            "its architecture; the file is incomplete."
        ) from error
    except (IndexError, ValueError) as error:
        raise CheckpointError(
            "the tensors are named as in a BiRefNet, but some have the wrong number of "
            "dimensions; the file is damaged or packed in an unknown way."
        ) from error


def choose(
    candidates: tuple[Architecture, ...], known: Architecture | None, *, name: str
) -> Architecture:
    """The one architecture to load.

    Args:
        candidates: What `detect` returned.
        known: What the file's metadata, the registry or the caller says; None if nothing does.
        name: What to call the file in an error.

    Returns:
        The only candidate, or the one that is `known`.

    Raises:
        AmbiguousCheckpointError: If several remain, listing them.
    """
    if len(candidates) == 1:
        return candidates[0]
    if known in candidates:
        return candidates[candidates.index(known)]
    listed = "; ".join(describe_architecture(candidate) for candidate in candidates)
    raise AmbiguousCheckpointError(
        f"{name} fits {len(candidates)} architectures whose tensors have the same shapes: "
        f"{listed}. Say which one it is: architecture=... in Python, or store it in the file's "
        "metadata with save_checkpoint."
    )


def describe_architecture(architecture: Architecture) -> str:
    """A short name: the preset's, or the nearest preset's with the fields that differ."""
    for name, preset in PRESETS.items():
        if preset == architecture:
            return name
    base = next(
        (name for name, preset in PRESETS.items() if preset.encoder == architecture.encoder), None
    )
    standard = PRESETS[base or "swin_v1_l"]
    names = [field for field in Architecture.__dataclass_fields__ if field != "encoder"]
    changed = [
        f"{field}={getattr(architecture, field)!r}"
        for field in names
        if getattr(architecture, field) != getattr(standard, field)
    ]
    return " with ".join(
        [base or str(architecture.encoder), ", ".join(changed)]
        if changed
        else [base or str(architecture.encoder)]
    )


def _not_ours(shapes: Shapes) -> str:
    first = ", ".join(repr(name) for name in list(shapes)[:3])
    if any(
        name.startswith(("patch_embed.", "layers.0.blocks.", "patch_embed1.")) for name in shapes
    ):
        return (
            f"these are the {len(shapes)} tensors of an encoder alone ({first}); prediction needs "
            "a whole BiRefNet checkpoint, which contains its encoder."
        )
    return (
        f"this is not a BiRefNet: none of its {len(shapes)} tensors is named "
        f"'decoder.decoder_block...'; the first are {first}."
    )


def _count(shapes: Shapes, prefix: str) -> int:
    """How many consecutive integers follow a prefix, starting at 0."""
    pattern = re.compile(re.escape(prefix) + r"(\d+)\.")
    found = {int(match[1]) for match in map(pattern.match, shapes) if match}
    return next(number for number in range(len(found) + 1) if number not in found)


def _encoder(shapes: Shapes) -> Encoder:
    if "bb.patch_embed.proj.weight" in shapes:
        return _swin(shapes)
    if "bb.patch_embed1.proj.weight" in shapes:
        return _pvt(shapes)
    if "bb.model.patch_embed.proj.weight" in shapes:
        return _dino(shapes)
    if "bb.conv1.0.weight" in shapes:
        return _resnet(shapes) if shapes["bb.conv1.0.weight"][-1] == 7 else _vgg(shapes)
    first = next((name for name in shapes if name.startswith("bb.")), "none begins with 'bb.'")
    raise CheckpointError(
        f"the encoder is none of Swin, PVT v2, ResNet, VGG or DINOv3; its first tensor: {first}."
    )


def _swin(shapes: Shapes) -> SwinConfig:
    tables = [
        shapes[f"bb.layers.{stage}.blocks.0.attn.relative_position_bias_table"]
        for stage in range(4)
    ]
    depths = [_count(shapes, f"bb.layers.{stage}.blocks.") for stage in range(4)]
    return SwinConfig(
        width=shapes["bb.patch_embed.proj.weight"][0],
        depths=(depths[0], depths[1], depths[2], depths[3]),
        heads=(tables[0][1], tables[1][1], tables[2][1], tables[3][1]),
        window=(round(tables[0][0] ** 0.5) + 1) // 2,
    )


def _pvt(shapes: Shapes) -> PvtConfig:
    widths, depths, ratios, reductions = [], [], [], []
    for stage in range(1, 5):
        block = f"bb.block{stage}.0."
        width = shapes[f"bb.patch_embed{stage}.proj.weight"][0]
        widths.append(width)
        depths.append(_count(shapes, f"bb.block{stage}."))
        ratios.append(shapes[block + "mlp.fc1.weight"][0] // width)
        reductions.append(shapes.get(block + "attn.sr.weight", (1,))[-1])
    if any(width % heads for width, heads in zip(widths, _PVT_HEADS, strict=True)):
        raise AmbiguousCheckpointError(
            f"the number of attention heads of a PVT v2 leaves no trace in its tensors, and the "
            f"usual {_PVT_HEADS} do not divide its channels {tuple(widths)}; give architecture=..."
        )
    return PvtConfig(
        widths=(widths[0], widths[1], widths[2], widths[3]),
        depths=(depths[0], depths[1], depths[2], depths[3]),
        heads=_PVT_HEADS,
        mlp_ratios=(ratios[0], ratios[1], ratios[2], ratios[3]),
        reductions=(reductions[0], reductions[1], reductions[2], reductions[3]),
    )


def _dino(shapes: Shapes) -> TimmConfig:
    width = shapes["bb.model.patch_embed.proj.weight"][0]
    gated = "bb.model.blocks.0.mlp.fc1_g.weight" in shapes
    return _timm(_DINO.get((width, gated)), f"DINOv3 with {width} channels")


def _resnet(shapes: Shapes) -> TimmConfig:
    bottleneck = "bb.conv1.4.0.conv3.weight" in shapes
    stages = ("bb.conv1.4.", "bb.conv2.", "bb.conv3.", "bb.conv4.")
    depths = tuple(_count(shapes, stage) for stage in stages)
    return _timm(_RESNET.get((bottleneck, depths)), f"ResNet with {depths} blocks")


def _vgg(shapes: Shapes) -> TimmConfig:
    count = sum(name.startswith("bb.conv") and len(shape) == 4 for name, shape in shapes.items())
    suffix = "bn" if "bb.conv1.1.running_mean" in shapes else ""
    name = _VGG.get(count)
    return _timm(name and name + suffix, f"VGG with {count} convolutions")


def _timm(name: str | None, found: str) -> TimmConfig:
    if name is None:
        raise CheckpointError(
            f"the encoder is a {found}, which is none of {', '.join(TIMM_WIDTHS)}."
        )
    return TimmConfig(name=name)


def _architectures(shapes: Shapes, encoder: Encoder) -> tuple[Architecture, ...]:
    factor = _scale_factor(shapes, encoder)
    block, depth = _squeeze(shapes)
    attention = _attention(shapes, _FIRST + "dec_att.")
    gradient = any(name.startswith("decoder.gdt_convs_attn_") for name in shapes)
    supervised = gradient or any(name.startswith("decoder.conv_ms_spvn_") for name in shapes)
    kernels, aspp_width = _pooling(shapes)
    patch = shapes["decoder.ipt_blk2.conv1.weight"]
    standard = Architecture(encoder=encoder)
    common = replace(
        standard,
        multi_scale="concat" if factor == 2 else "none",
        context=_context(shapes, encoder, factor),
        squeeze_block=block,
        squeeze_depth=depth,
        decoder_block="residual" if _FIRST + "conv_resi.weight" in shapes else "basic",
        attention=attention,
        inner_width=_inner_width(shapes),
        aspp_width=aspp_width or standard.aspp_width,
        patch_width=patch[0],
        deform_kernels=kernels or standard.deform_kernels,
        patch_split=patch[1] != 3,
        deepest_patch="decoder.ipt_blk5.conv1.weight" in shapes,
        gradient_attention=gradient,
        multi_scale_supervision=supervised,
        classes=shapes.get("cls_head.0.weight", (0,))[0],
        batch_norm=_FIRST + "bn_in.weight" in shapes,
    )
    if factor == 2 or (isinstance(encoder, TimmConfig) and not encoder.is_dino):
        return (common,)
    other: MultiScale = "add"
    return (common, replace(common, multi_scale=other))


def _scale_factor(shapes: Shapes, encoder: Encoder) -> int:
    """2 if the features of two scales were concatenated, 1 otherwise."""
    neck = shapes.get("decoder.pyramid_neck_x3.conv.weight")
    joined = neck or shapes["decoder.lateral_block4.conv.weight"]
    factor, rest = divmod(joined[1], encoder.widths[2])
    if rest or factor not in (1, 2):
        raise CheckpointError(
            f"the decoder expects {joined[1]} channels at stride 16, which is neither one nor two "
            f"times the {encoder.widths[2]} of the encoder; the file mixes two models."
        )
    return factor


def _squeeze(shapes: Shapes) -> tuple[SqueezeBlock, int]:
    depth = _count(shapes, "squeeze_module.")
    first = "squeeze_module.0."
    if depth == 0:
        return "none", 1
    if first + "conv_in.weight" in shapes:
        return ("residual" if first + "conv_resi.weight" in shapes else "decoder"), depth
    attention = _attention(shapes, first)
    return attention, depth


def _attention(shapes: Shapes, prefix: str) -> Attention:
    if prefix + "aspp1.atrous_conv.regular_conv.weight" in shapes:
        return "aspp_deformable"
    return "aspp" if prefix + "aspp1.atrous_conv.weight" in shapes else "none"


def _pooling(shapes: Shapes) -> tuple[tuple[int, ...], int]:
    """(kernels of the deformable branches, channels of a branch); empty and 0 without any."""
    kernels: tuple[int, ...] = ()
    width = 0
    for prefix in (_FIRST + "dec_att.", "squeeze_module.0.dec_att.", "squeeze_module.0."):
        kind = _attention(shapes, prefix)
        if kind == "aspp_deformable":
            width = shapes[prefix + "aspp1.atrous_conv.regular_conv.weight"][0]
            deforms = prefix + "aspp_deforms."
            kernels = tuple(
                shapes[f"{deforms}{branch}.atrous_conv.regular_conv.weight"][-1]
                for branch in range(_count(shapes, deforms))
            )
        elif kind == "aspp":
            width = shapes[prefix + "aspp1.atrous_conv.weight"][0]
    return kernels, width


def _inner_width(shapes: Shapes) -> int | None:
    inner = [shapes[f"decoder.decoder_block{block}.conv_in.weight"][:2] for block in (4, 3, 2, 1)]
    if all(width == channels // 4 for width, channels in inner):
        return None
    return inner[0][0]


def _context(shapes: Shapes, encoder: Encoder, factor: int) -> int:
    widths = [width * factor for width in encoder.widths]
    squeeze = shapes.get("squeeze_module.0.conv_in.weight")
    if squeeze is None:
        return 0
    extra = squeeze[1] - widths[3]
    sums = [sum(widths[3 - level : 3]) for level in range(4)]
    if extra not in sums:
        raise CheckpointError(
            f"the squeeze block expects {squeeze[1]} channels, which no number of context levels "
            f"of an encoder with {tuple(encoder.widths)} channels gives; the file mixes two models."
        )
    return sums.index(extra)
