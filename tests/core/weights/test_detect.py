"""The architecture is read off names and shapes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from birefnet.errors import AmbiguousCheckpointError, CheckpointError
from birefnet.model.architecture import PRESETS, PvtConfig, SwinConfig
from birefnet.weights.detect import choose, describe_architecture, detect
from birefnet.weights.layout import table

TINY = PRESETS["swin_v1_t"]
SWITCHES = {  # variant of the golden manifests -> what differs from swin_v1_t
    "auxcls": {"classes": 219},
    "batch_size-1": {"batch_norm": False},
    "cxt_num-0": {"context": 0},
    "cxt_num-1": {"context": 1},
    "cxt_num-2": {"context": 2},
    "dec_att-ASPP": {"attention": "aspp"},
    "dec_att-none": {"attention": "none"},
    "dec_blk-ResBlk": {"decoder_block": "residual"},
    "dec_channels_inter-adap": {"inner_width": None},
    "dec_ipt_split-False": {"patch_split": False},
    "ms_supervision-False": {"gradient_attention": False, "multi_scale_supervision": False},
    "mul_scl_ipt-none": {"multi_scale": "none"},
    "out_ref-False": {"gradient_attention": False},
    "squeeze-ASPPDeformable_x3.cxt_num-0": {
        "squeeze_block": "aspp_deformable",
        "squeeze_depth": 3,
        "context": 0,
    },
    "squeeze-ASPP_x3.cxt_num-0": {"squeeze_block": "aspp", "squeeze_depth": 3, "context": 0},
    "squeeze-ResBlk_x4.cxt_num-0": {"squeeze_block": "residual", "squeeze_depth": 4, "context": 0},
    "squeeze-none.cxt_num-0": {"squeeze_block": "none", "context": 0},
}


def shapes_of(architecture, heads=True):
    return {row.published: row.shape for row in table(architecture) if heads or not row.head}


def expected(variant):
    if variant == "legacy_2024-03_swin_v1_l":
        return PRESETS["legacy_2024_03"]
    name, _, switch = variant.partition(".")
    switch = switch.replace("mul_scl_ipt-add", "mul_scl_ipt-none")  # shapes cannot tell
    return replace(PRESETS[name], **SWITCHES[switch]) if switch else PRESETS[name]


def test_every_golden_manifest_is_detected(recipe):
    variants = recipe["variants"]()
    assert len(variants) == 36
    found = {variant: detect(recipe["manifest"](variant))[0] for variant in variants}
    assert found == {variant: expected(variant) for variant in variants}


def test_only_adding_scales_leaves_no_trace(recipe):
    several = [
        variant for variant in recipe["variants"]() if len(detect(recipe["manifest"](variant))) > 1
    ]
    assert several == ["swin_v1_t.mul_scl_ipt-add", "swin_v1_t.mul_scl_ipt-none"]


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_is_detected(name):
    assert detect(shapes_of(PRESETS[name])) == (PRESETS[name],)


CUSTOM = [
    replace(TINY, encoder=SwinConfig(width=24, depths=(1, 2, 3, 1), heads=(2, 4, 8, 8), window=5)),
    replace(TINY, encoder=SwinConfig(width=16, depths=(1, 1, 1, 1), heads=(1, 1, 1, 1), window=1)),
    replace(TINY, inner_width=24, aspp_width=40, patch_width=8, deform_kernels=(5,)),
    replace(TINY, classes=3, attention="aspp", inner_width=16),
    replace(PRESETS["dino_v3_s"], context=1),
    replace(PRESETS["dino_v3_l"], context=0, squeeze_block="none"),
    replace(PRESETS["vgg16"], multi_scale="none"),
    replace(
        PRESETS["pvt_v2_b0"],
        encoder=PvtConfig(
            widths=(8, 16, 40, 64),
            depths=(1, 1, 2, 1),
            mlp_ratios=(2, 3, 4, 4),
            reductions=(4, 4, 1, 1),
        ),
    ),
    replace(
        TINY, attention="aspp", squeeze_block="aspp_deformable", context=0, deform_kernels=(3, 5)
    ),
    replace(TINY, deepest_patch=False, gradient_attention=False),
]


@pytest.mark.parametrize("architecture", CUSTOM, ids=describe_architecture)
def test_any_width_is_detected(architecture):
    assert detect(shapes_of(architecture)) == (architecture,)


def test_files_without_training_heads_are_detected():
    assert detect(shapes_of(TINY, heads=False)) == (TINY,)


def test_an_ambiguous_file_is_reported_unless_somebody_knows():
    none, add = replace(TINY, multi_scale="none"), replace(TINY, multi_scale="add")
    candidates = detect(shapes_of(add))
    assert candidates == (none, add)
    assert choose(candidates, add, name="x") == add
    assert choose(candidates, none, name="x") == none
    for known in (None, TINY):
        with pytest.raises(AmbiguousCheckpointError, match="x fits 2 architectures") as caught:
            choose(candidates, known, name="x")
        assert "swin_v1_t with multi_scale='none'; swin_v1_t with multi_scale='add'" in str(
            caught.value
        )
        assert "architecture=..." in str(caught.value)


def test_the_heads_of_an_unusual_pvt_are_not_guessed():
    encoder = PvtConfig(widths=(8, 16, 24, 32), depths=(1, 1, 1, 1), heads=(1, 2, 3, 4))
    with pytest.raises(AmbiguousCheckpointError, match=r"attention heads.*\(8, 16, 24, 32\)"):
        detect(shapes_of(replace(TINY, encoder=encoder)))


def test_other_models_are_refused():
    with pytest.raises(CheckpointError, match=r"not a BiRefNet: none of its 2 tensors.*'stage1.w'"):
        detect({"stage1.w": (3,), "stage2.w": (3,)})
    with pytest.raises(CheckpointError, match="an encoder alone"):
        detect({"patch_embed.proj.weight": (96, 3, 4, 4), "norm.weight": (768,)})
    shapes = {name: shape for name, shape in shapes_of(TINY).items() if not name.startswith("bb.")}
    with pytest.raises(CheckpointError, match=r"none of Swin, PVT v2.*none begins with 'bb.'"):
        detect(shapes)


@pytest.mark.parametrize(
    "lost",
    [
        "bb.layers.2.blocks.0.attn.relative_position_bias_table",
        "decoder.ipt_blk2.conv1.weight",
        "decoder.lateral_block4.conv.weight",
        "decoder.decoder_block3.conv_in.weight",
    ],
)
def test_a_file_that_lacks_what_decides_says_so(lost):
    shapes = shapes_of(TINY)
    del shapes[lost]
    with pytest.raises(CheckpointError, match=f"{lost}.*incomplete"):
        detect(shapes)


@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [
        ("decoder.lateral_block4.conv.weight", (700, 700, 1, 1), "700 channels at stride 16"),
        ("squeeze_module.0.conv_in.weight", (64, 2000, 3, 3), "expects 2000 channels"),
        ("bb.patch_embed.proj.weight", (0, 3, 4, 4), "fit no BiRefNet.*width must be"),
        ("decoder.decoder_block4.conv_in.weight", (), "wrong number of dimensions"),
        ("bb.patch_embed.proj.weight", (), "wrong number of dimensions"),
    ],
)
def test_impossible_shapes_are_reported(name, shape, words):
    with pytest.raises(CheckpointError, match=words):
        detect(shapes_of(TINY) | {name: shape})


def test_unknown_members_of_known_families_are_reported(recipe):
    shapes = recipe["manifest"]("resnet50")
    shapes["bb.conv3.6.conv1.weight"] = (256, 1024, 1, 1)
    with pytest.raises(CheckpointError, match=r"ResNet with \(3, 4, 7, 3\) blocks.*resnet50"):
        detect(shapes)
    shapes = recipe["manifest"]("dino_v3_s")
    shapes["bb.model.patch_embed.proj.weight"] = (400, 3, 16, 16)
    with pytest.raises(CheckpointError, match="DINOv3 with 400 channels"):
        detect(shapes)


def test_an_architecture_has_a_short_name():
    assert describe_architecture(TINY) == "swin_v1_t"
    assert describe_architecture(replace(TINY, context=0)) == "swin_v1_t with context=0"
    own = replace(
        TINY, encoder=SwinConfig(width=16, depths=(1, 1, 1, 1), heads=(1, 1, 1, 1), window=7)
    )
    assert describe_architecture(own).startswith("SwinConfig(width=16")
