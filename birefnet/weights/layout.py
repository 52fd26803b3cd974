"""What a checkpoint of an architecture contains: name and shape of every tensor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ..model.architecture import Architecture, PvtConfig, SwinConfig, TimmConfig
from ..model.aspp import PLAIN_BRANCHES
from ..model.decoder import GRADIENT_WIDTH

COUNTER = "num_batches_tracked"
INDEX = "relative_position_index"

RESNETS: dict[
    str, tuple[bool, tuple[int, ...]]
] = {  # whether blocks are bottlenecks, blocks per stage
    "resnet18": (False, (2, 2, 2, 2)),
    "resnet34": (False, (3, 4, 6, 3)),
    "resnet50": (True, (3, 4, 6, 3)),
    "resnet101": (True, (3, 4, 23, 3)),
    "resnet152": (True, (3, 8, 36, 3)),
}
VGGS = {  # convolutions per stage
    "vgg13": (2, 2, 2, 2, 2),
    "vgg16": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
}
_VGG_WIDTHS = (64, 128, 256, 512, 512)
DINOS = {  # blocks, hidden channels of the feed-forward part, whether it is gated
    "dino_v3_s": (12, 1536, False),
    "dino_v3_s_plus": (12, 1536, True),
    "dino_v3_b": (12, 3072, False),
    "dino_v3_l": (24, 4096, False),
    "dino_v3_h_plus": (32, 5120, True),
    "dino_v3_7b": (40, 8192, True),
}
_DINO_PATCH = 16
_DINO_REGISTERS = 4


@dataclass(frozen=True, slots=True)
class Row:
    """One tensor of a checkpoint."""

    ours: str | None
    """Name in our network's state; None for a table that we compute instead of storing."""

    published: str
    """Name in a file."""

    shape: tuple[int, ...]
    """Its shape."""

    head: bool = False
    """Whether only training uses it."""

    @property
    def bookkeeping(self) -> bool:
        """Whether it can be recomputed, so that a file may lack it."""
        return self.ours is None or self.ours.endswith(COUNTER)


@lru_cache(maxsize=64)
def table(architecture: Architecture) -> tuple[Row, ...]:
    """Every tensor that a checkpoint of this architecture has, training heads included."""
    rows = _Rows(architecture)
    _encoder(rows, architecture)
    _squeeze(rows, architecture)
    _decoder(rows, architecture)
    if architecture.classes:
        with rows.heads():
            width = architecture.encoder_widths[3]
            rows.linear("classifier", "cls_head.0", architecture.classes, width)
    return tuple(rows.rows)


class _Heads:
    """Marks the rows made in its `with` block as training heads."""

    def __init__(self, rows: _Rows) -> None:
        self._rows = rows

    def __enter__(self) -> None:
        self._rows.head = True

    def __exit__(self, *_: object) -> None:
        self._rows.head = False


class _Rows:
    """Collects rows, layer by layer."""

    def __init__(self, architecture: Architecture) -> None:
        self.rows: list[Row] = []
        self.head = False
        self.batch_norm = architecture.batch_norm

    def heads(self) -> _Heads:
        return _Heads(self)

    def add(self, ours: str | None, published: str, *shape: int) -> None:
        self.rows.append(Row(ours, published, shape, self.head))

    def layer(self, ours: str, published: str, *shape: int, bias: bool = True) -> None:
        self.add(ours + ".weight", published + ".weight", *shape)
        if bias:
            self.add(ours + ".bias", published + ".bias", shape[0])

    def linear(self, ours: str, published: str, out: int, wide: int, *, bias: bool = True) -> None:
        self.layer(ours, published, out, wide, bias=bias)

    def conv(
        self, ours: str, published: str, out: int, wide: int, size: int, *, bias: bool = True
    ) -> None:
        self.layer(ours, published, out, wide, size, size, bias=bias)

    def norm(self, ours: str, published: str, width: int) -> None:
        self.layer(ours, published, width)

    def batch(self, ours: str, published: str, width: int, *, always: bool = False) -> None:
        if not (self.batch_norm or always):
            return
        for name in ("weight", "bias", "running_mean", "running_var"):
            self.add(f"{ours}.{name}", f"{published}.{name}", width)
        self.add(f"{ours}.{COUNTER}", f"{published}.{COUNTER}")


def _encoder(rows: _Rows, architecture: Architecture) -> None:
    config = architecture.encoder
    if isinstance(config, SwinConfig):
        _swin(rows, config)
    elif isinstance(config, PvtConfig):
        _pvt(rows, config)
    elif config.is_dino:
        _dino(rows, config)
    elif config.name in RESNETS:
        _resnet(rows, config)
    else:
        _vgg(rows, config)


def _swin(rows: _Rows, config: SwinConfig) -> None:
    rows.conv("encoder.patch_embed.projection", "bb.patch_embed.proj", config.width, 3, 4)
    rows.norm("encoder.patch_embed.norm", "bb.patch_embed.norm", config.width)
    for stage, width in enumerate(config.widths):
        for block in range(config.depths[stage]):
            ours = f"encoder.stages.{stage}.blocks.{block}."
            theirs = f"bb.layers.{stage}.blocks.{block}."
            rows.norm(ours + "norm1", theirs + "norm1", width)
            rows.add(
                ours + "attention.position_bias.weight",
                theirs + "attn.relative_position_bias_table",
                (2 * config.window - 1) ** 2,
                config.heads[stage],
            )
            rows.add(None, f"{theirs}attn.{INDEX}", config.window**2, config.window**2)
            rows.linear(ours + "attention.qkv", theirs + "attn.qkv", 3 * width, width)
            rows.linear(ours + "attention.projection", theirs + "attn.proj", width, width)
            rows.norm(ours + "norm2", theirs + "norm2", width)
            rows.linear(ours + "feed_forward.expand", theirs + "mlp.fc1", 4 * width, width)
            rows.linear(ours + "feed_forward.contract", theirs + "mlp.fc2", width, 4 * width)
        if stage < 3:
            ours, theirs = f"encoder.stages.{stage}.downsample.", f"bb.layers.{stage}.downsample."
            name = "reduction"
            rows.linear(ours + name, theirs + name, 2 * width, 4 * width, bias=False)
            rows.norm(ours + "norm", theirs + "norm", 4 * width)
    for stage, width in enumerate(config.widths):
        rows.norm(f"encoder.norms.{stage}", f"bb.norm{stage}", width)


def _pvt(rows: _Rows, config: PvtConfig) -> None:
    wide = 3
    for stage, width in enumerate(config.widths):
        ours, theirs = f"encoder.stages.{stage}.", f"bb.patch_embed{stage + 1}."
        size = 7 if stage == 0 else 3
        rows.conv(ours + "patch_embed.projection", theirs + "proj", width, wide, size)
        rows.norm(ours + "patch_embed.norm", theirs + "norm", width)
        for block in range(config.depths[stage]):
            _pvt_block(rows, config, stage, block)
        rows.norm(ours + "norm", f"bb.norm{stage + 1}", width)
        wide = width


def _pvt_block(rows: _Rows, config: PvtConfig, stage: int, block: int) -> None:
    ours, theirs = f"encoder.stages.{stage}.blocks.{block}.", f"bb.block{stage + 1}.{block}."
    width, reduction = config.widths[stage], config.reductions[stage]
    hidden = width * config.mlp_ratios[stage]
    rows.norm(ours + "norm1", theirs + "norm1", width)
    rows.linear(ours + "attention.query", theirs + "attn.q", width, width)
    rows.linear(ours + "attention.key_value", theirs + "attn.kv", 2 * width, width)
    rows.linear(ours + "attention.projection", theirs + "attn.proj", width, width)
    if reduction > 1:
        rows.conv(ours + "attention.reduction", theirs + "attn.sr", width, width, reduction)
        rows.norm(ours + "attention.reduction_norm", theirs + "attn.norm", width)
    rows.norm(ours + "norm2", theirs + "norm2", width)
    rows.linear(ours + "feed_forward.expand", theirs + "mlp.fc1", hidden, width)
    rows.conv(ours + "feed_forward.depthwise", theirs + "mlp.dwconv.dwconv", hidden, 1, 3)
    rows.linear(ours + "feed_forward.contract", theirs + "mlp.fc2", width, hidden)


def _resnet(rows: _Rows, config: TimmConfig) -> None:
    bottleneck, depths = RESNETS[config.name]
    rows.conv("encoder.model.conv1", "bb.conv1.0", 64, 3, 7, bias=False)
    rows.batch("encoder.model.bn1", "bb.conv1.1", 64, always=True)
    wide = 64
    for stage, depth in enumerate(depths):
        inner = 64 << stage
        out = 4 * inner if bottleneck else inner
        for block in range(depth):
            ours = f"encoder.model.layer{stage + 1}.{block}."
            theirs = f"bb.conv1.4.{block}." if stage == 0 else f"bb.conv{stage + 1}.{block}."
            convs = [(inner, wide, 3), (inner, inner, 3)]
            if bottleneck:
                convs = [(inner, wide, 1), (inner, inner, 3), (out, inner, 1)]
            for number, (to, come, size) in enumerate(convs, start=1):
                conv, norm = f"conv{number}", f"bn{number}"
                rows.conv(ours + conv, theirs + conv, to, come, size, bias=False)
                rows.batch(ours + norm, theirs + norm, to, always=True)
            if wide != out:
                ours, theirs = ours + "downsample.", theirs + "downsample."
                rows.conv(ours + "0", theirs + "0", out, wide, 1, bias=False)
                rows.batch(ours + "1", theirs + "1", out, always=True)
            wide = out


def _vgg(rows: _Rows, config: TimmConfig) -> None:
    """Four groups, each ending with a pooling layer; the numbers run on from group to group."""
    depths = VGGS[config.name.removesuffix("bn")]
    normalized = config.name.endswith("bn")
    step = 3 if normalized else 2  # a convolution, perhaps a norm, and an activation
    position, wide = 0, 3
    slices = ((0, 1), (2,), (3,), (4,))
    for number, stages in enumerate(slices, start=1):
        for stage in stages:
            width = _VGG_WIDTHS[stage]
            for _ in range(depths[stage]):
                ours, theirs = "encoder.model.", f"bb.conv{number}."
                rows.conv(f"{ours}{position}", f"{theirs}{position}", width, wide, 3)
                if normalized:
                    norm = position + 1
                    rows.batch(f"{ours}{norm}", f"{theirs}{norm}", width, always=True)
                position += step
                wide = width
            position += 1  # the pooling layer


def _dino(rows: _Rows, config: TimmConfig) -> None:
    depth, hidden, gated = DINOS[config.name]
    width = config.widths[0]
    ours, theirs = "encoder.model.", "bb.model."
    rows.add(ours + "cls_token", theirs + "cls_token", 1, 1, width)
    rows.add(ours + "reg_token", theirs + "reg_token", 1, _DINO_REGISTERS, width)
    name = "patch_embed.proj"
    rows.conv(ours + name, theirs + name, width, 3, _DINO_PATCH)
    for block in range(depth):
        ours, theirs = f"encoder.model.blocks.{block}.", f"bb.model.blocks.{block}."
        for name in ("gamma_1", "gamma_2"):
            rows.add(ours + name, theirs + name, width)
        for name in ("norm1", "norm2"):
            rows.norm(ours + name, theirs + name, width)
        rows.linear(ours + "attn.qkv", theirs + "attn.qkv", 3 * width, width, bias=False)
        rows.linear(ours + "attn.proj", theirs + "attn.proj", width, width)
        for name in ("mlp.fc1_g", "mlp.fc1_x") if gated else ("mlp.fc1",):
            rows.linear(ours + name, theirs + name, hidden, width)
        rows.linear(ours + "mlp.fc2", theirs + "mlp.fc2", width, hidden)


def _squeeze(rows: _Rows, architecture: Architecture) -> None:
    kind = architecture.squeeze_block
    width = architecture.encoder_widths[3]
    for number in range(0 if kind == "none" else architecture.squeeze_depth):
        ours, theirs = f"squeeze.{number}", f"squeeze_module.{number}"
        wide = width + (architecture.context_width if number == 0 else 0)
        if kind in ("decoder", "residual"):
            _block(rows, architecture, ours, theirs, wide, width, residual=kind == "residual")
        else:
            deformable = kind == "aspp_deformable"
            _aspp(rows, architecture, ours, theirs, wide, width, deformable=deformable)


def _block(
    rows: _Rows,
    architecture: Architecture,
    ours: str,
    theirs: str,
    wide: int,
    out: int,
    *,
    residual: bool,
) -> None:
    inner = architecture.inner_width or wide // 4
    rows.conv(ours + ".conv_in", theirs + ".conv_in", inner, wide, 3)
    if architecture.attention != "none":
        deformable = architecture.attention == "aspp_deformable"
        names = (ours + ".attention", theirs + ".dec_att")
        _aspp(rows, architecture, *names, inner, inner, deformable=deformable)
    rows.conv(ours + ".conv_out", theirs + ".conv_out", out, inner, 3)
    rows.batch(ours + ".norm_in", theirs + ".bn_in", inner)
    rows.batch(ours + ".norm_out", theirs + ".bn_out", out)
    if residual:
        rows.conv(ours + ".shortcut", theirs + ".conv_resi", out, wide, 1)


def _aspp(
    rows: _Rows,
    architecture: Architecture,
    ours: str,
    theirs: str,
    wide: int,
    out: int,
    *,
    deformable: bool,
) -> None:
    width = architecture.aspp_width
    sizes = tuple(size for size, _ in PLAIN_BRANCHES)
    if deformable:
        sizes = (1, *architecture.deform_kernels)
    for number, size in enumerate(sizes):
        branch = f"{ours}.branches.{number}."
        other = f"{theirs}.aspp{number + 1}."
        if deformable and number:
            other = f"{theirs}.aspp_deforms.{number - 1}."
        if deformable:
            conv, atrous = branch + "conv.", other + "atrous_conv."
            taps = size * size
            rows.conv(conv + "offsets", atrous + "offset_conv", 2 * taps, wide, size)
            rows.conv(conv + "modulation", atrous + "modulator_conv", taps, wide, size)
            rows.conv(conv + "kernel", atrous + "regular_conv", width, wide, size, bias=False)
        else:
            rows.conv(branch + "conv", other + "atrous_conv", width, wide, size, bias=False)
        rows.batch(branch + "norm", other + "bn", width)
    rows.conv(ours + ".pool.conv", theirs + ".global_avg_pool.1", width, wide, 1, bias=False)
    rows.batch(ours + ".pool.norm", theirs + ".global_avg_pool.2", width)
    joined = width * (len(sizes) + 1)
    rows.conv(ours + ".join.conv", theirs + ".conv1", out, joined, 1, bias=False)
    rows.batch(ours + ".join.norm", theirs + ".bn1", out)


def _decoder(rows: _Rows, architecture: Architecture) -> None:
    c4, c8, c16, c32 = architecture.decoder_widths
    e4, e8, e16, e32 = architecture.encoder_widths
    if architecture.has_neck:
        sizes = zip((e4, e8, e16, e32), (c4, c8, c16, c32), strict=True)
        for number, (wide, out) in enumerate(sizes, start=1):
            ours = f"decoder.neck.{1 << (number + 1)}"
            rows.conv(ours, f"decoder.pyramid_neck_x{number}.conv", out, wide, 1)
    patch = {5: e32 // 8, 4: e32 // 8, 3: e16 // 8, 2: e8 // 8, 1: e4 // 8}
    if not architecture.deepest_patch:
        del patch[5]
    for number, out in patch.items():
        stride = _stride(number)
        ours, theirs = f"decoder.patches.{stride}.", f"decoder.ipt_blk{number}."
        wide = 3 * stride * stride if architecture.patch_split else 3
        rows.conv(ours + "conv_in", theirs + "conv1", architecture.patch_width, wide, 3)
        rows.conv(ours + "conv_out", theirs + "conv_out", out, architecture.patch_width, 3)
    joined = {4: c32 + patch.get(5, 0), 3: c16 + patch[4], 2: c8 + patch[3], 1: c4 + patch[2]}
    outs = {4: c16, 3: c8, 2: c4, 1: c4 // 2}
    for number, out in outs.items():
        names = (f"decoder.stages.{_stride(number + 1)}", f"decoder.decoder_block{number}")
        residual = architecture.decoder_block == "residual"
        _block(rows, architecture, *names, joined[number], out, residual=residual)
    rows.conv("decoder.output", "decoder.conv_out1.0", 1, outs[1] + patch[1], 1)
    for number, width in ((4, c16), (3, c8), (2, c4)):
        stride = _stride(number)
        ours = f"decoder.laterals.{stride}"
        rows.conv(ours, f"decoder.lateral_block{number}.conv", width, width, 1)
    _side_branches(rows, architecture, outs)


def _side_branches(rows: _Rows, architecture: Architecture, outs: dict[int, int]) -> None:
    if architecture.multi_scale_supervision:
        with rows.heads():
            for number in (4, 3, 2):
                ours = f"decoder.side_heads.{_stride(number + 1)}"
                rows.conv(ours, f"decoder.conv_ms_spvn_{number}", 1, outs[number], 1)
    if not architecture.gradient_attention:
        return
    numbers = (4, 3, 2) if architecture.deepest_patch else (3, 2)
    gates = {number: f"decoder.gates.{_stride(number + 1)}." for number in numbers}
    theirs = "decoder.gdt_convs_"
    for number, ours in gates.items():
        rows.conv(ours + "conv", f"{theirs}{number}.0", GRADIENT_WIDTH, outs[number], 3)
        rows.batch(ours + "norm", f"{theirs}{number}.1", GRADIENT_WIDTH)
    with rows.heads():
        for number, ours in gates.items():
            rows.conv(ours + "predict", f"{theirs}pred_{number}.0", 1, GRADIENT_WIDTH, 1)
    for number, ours in gates.items():
        rows.conv(ours + "gate", f"{theirs}attn_{number}.0", 1, GRADIENT_WIDTH, 1)


def _stride(number: int) -> int:
    """Stride at which patch branch `number` joins: 32, 16, 8, 4 and 1 for 5 to 1."""
    return 1 if number == 1 else 1 << number
