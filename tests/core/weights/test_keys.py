"""Published names and ours, and the layout of a checkpoint."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from birefnet.errors import CheckpointError
from birefnet.model.architecture import PRESETS, SwinConfig
from birefnet.model.network import build
from birefnet.weights.detect import detect
from birefnet.weights.keys import (
    clean_name,
    clean_names,
    from_published,
    has_heads,
    to_published,
)
from birefnet.weights.layout import table

SMALL = replace(
    PRESETS["swin_v1_t"],
    encoder=SwinConfig(width=16, depths=(1, 1, 1, 1), heads=(1, 1, 1, 1), window=3),
    inner_width=8,
    aspp_width=8,
    patch_width=4,
    classes=5,
)
OWN_CODE = sorted(name for name in PRESETS if name.startswith(("swin", "pvt", "legacy", "starter")))


def network_shapes(architecture, heads=True):
    with torch.device("meta"):
        network = build(architecture, training_heads=heads)
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def test_the_layout_is_that_of_the_official_program(recipe):
    """Names, shapes and types of all golden manifests, integer tables included."""
    for variant in recipe["variants"]():
        manifest = recipe["read_manifest"](variant)
        stored = {k: tuple(v["shape"]) for k, v in manifest.items() if k != "__meta__"}
        integers = {k for k, v in manifest.items() if v.get("dtype") == "int64"}
        rows = table(detect(stored)[0])
        assert {row.published: row.shape for row in rows} == stored, variant
        assert {row.published for row in rows if row.bookkeeping} == integers, variant


@pytest.mark.parametrize("name", OWN_CODE)
def test_the_layout_is_that_of_our_network(name):
    rows = table(PRESETS[name])
    ours = {row.ours: row.shape for row in rows if row.ours}
    assert ours == network_shapes(PRESETS[name])
    without = {row.ours: row.shape for row in rows if row.ours and not row.head}
    assert without == network_shapes(PRESETS[name], heads=False)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"attention": "aspp"},
        {"attention": "none", "batch_norm": False},
        {"inner_width": None, "decoder_block": "residual"},
        {"context": 0, "squeeze_block": "aspp", "squeeze_depth": 2},
        {"context": 0, "squeeze_block": "aspp_deformable"},
        {"context": 1, "squeeze_block": "residual"},
        {"context": 0, "squeeze_block": "none"},
        {"multi_scale": "add", "patch_split": False},
        {"deepest_patch": False},
        {"gradient_attention": False},
        {"gradient_attention": False, "multi_scale_supervision": False},
    ],
)
def test_the_layout_follows_every_switch(changes):
    architecture = replace(SMALL, **changes)
    rows = table(architecture)
    assert {row.ours: row.shape for row in rows if row.ours} == network_shapes(architecture)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "resnet50", "vgg13", "vgg19bn", "dino_v3_s"])
def test_the_layout_is_that_of_timm_s_encoders(name):
    pytest.importorskip("timm")
    network = build(PRESETS[name], training_heads=True)
    ours = {row.ours: row.shape for row in table(PRESETS[name]) if row.ours}
    assert ours == {key: tuple(value.shape) for key, value in network.state_dict().items()}


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_names_are_one_to_one(name):
    rows = table(PRESETS[name])
    assert len({row.published for row in rows}) == len(rows)
    named = [row.ours for row in rows if row.ours]
    assert len(set(named)) == len(named)


def random_state(architecture, heads=True):
    generator = torch.Generator().manual_seed(0)
    with torch.device("meta"):
        network = build(architecture, training_heads=heads)
    return {
        name: torch.full((), 7)
        if tensor.dtype == torch.int64
        else torch.rand(tensor.shape, generator=generator)
        for name, tensor in network.state_dict().items()
    }


@pytest.mark.parametrize("heads", [True, False])
def test_there_and_back_changes_nothing(heads):
    state = random_state(SMALL, heads)
    published = to_published(state, SMALL)
    back = from_published(published, SMALL)
    assert back.keys() == state.keys()
    assert all(torch.equal(back[name], state[name]) for name in state)
    assert has_heads(published, SMALL) is has_heads(state, SMALL) is heads
    index = published["bb.layers.0.blocks.0.attn.relative_position_index"]
    assert index.shape == (9, 9)
    assert index[0].tolist() == [12, 11, 10, 7, 6, 5, 2, 1, 0]  # 3 x 3 window, by hand


def test_counters_that_a_file_lacks_are_zero():
    published = to_published(random_state(SMALL), SMALL)
    thinned = {k: v for k, v in published.items() if v.is_floating_point()}
    state = from_published(thinned, SMALL)
    counters = [value for name, value in state.items() if name.endswith("num_batches_tracked")]
    assert counters
    assert all(value.item() == 0 and value.dtype == torch.int64 for value in counters)
    assert state.keys() == random_state(SMALL).keys()


def test_a_state_that_does_not_fit_is_refused():
    state = random_state(SMALL)
    state.pop("decoder.output.weight")
    state["extra"] = torch.ones(1)
    with pytest.raises(CheckpointError) as caught:
        to_published(state, SMALL)
    assert "1 of " in str(caught.value)
    assert "'decoder.output.weight'" in str(caught.value)
    assert "1 are unknown, the first is 'extra'" in str(caught.value)
    with pytest.raises(CheckpointError, match=r"1 tensors do not belong.*'nonsense'"):
        from_published({"nonsense": torch.ones(1)}, SMALL)


def test_another_numbering_of_window_positions_is_refused():
    published = to_published(random_state(SMALL), SMALL)
    name = "bb.layers.1.blocks.0.attn.relative_position_index"
    with pytest.raises(CheckpointError, match=f"'{name}' numbers the positions"):
        from_published(published | {name: published[name].T.contiguous()}, SMALL)
    # rounded by a converter: of no use, and of no harm
    from_published(published | {name: published[name].half() * 0}, SMALL)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("bb.norm0.weight", "bb.norm0.weight"),
        ("module.bb.norm0.weight", "bb.norm0.weight"),
        ("_orig_mod.bb.norm0.weight", "bb.norm0.weight"),
        ("module._orig_mod.bb.norm0.weight", "bb.norm0.weight"),
        ("_orig_mod.module.bb.norm0.weight", "bb.norm0.weight"),
        ("model.bb.norm0.weight", "bb.norm0.weight"),
        ("bb.model.cls_token", "bb.model.cls_token"),
        ("squeeze_0.conv_in.bias", "squeeze_module.0.conv_in.bias"),
        ("module.squeeze_0.conv_in.bias", "squeeze_module.0.conv_in.bias"),
    ],
)
def test_prefixes_of_training_programs_disappear(name, clean):
    assert clean_name(name) == clean
    assert list(clean_names({name: torch.ones(1)})) == [clean]


def test_two_models_in_one_file_are_refused():
    with pytest.raises(CheckpointError, match=r"holds 'a' twice, once as 'module.a'"):
        clean_names({"a": torch.ones(1), "module.a": torch.ones(1)})
