"""From a file to a network and back."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import replace

import numpy
import pytest
import torch
from safetensors.torch import load_file, save_file

from birefnet.errors import AmbiguousCheckpointError, CheckpointError
from birefnet.model.architecture import PRESETS, SwinConfig
from birefnet.model.network import build
from birefnet.preprocess import IMAGENET_MEAN, Preprocess
from birefnet.weights import hashes, identify
from birefnet.weights.keys import to_published
from birefnet.weights.load import (
    build_network,
    checkpoint_from_tensors,
    describe,
    read_checkpoint,
    save_checkpoint,
)
from birefnet.weights.registry import REGISTRY

pytestmark = pytest.mark.usefixtures("home")

SMALL = replace(
    PRESETS["swin_v1_t"],
    encoder=SwinConfig(width=16, depths=(1, 1, 2, 1), heads=(1, 1, 2, 2), window=3),
    inner_width=8,
    aspp_width=8,
    patch_width=4,
)
OWN = Preprocess(height=64, width=96, mean=(0.1, 0.2, 0.3), std=(1.0, 2.0, 3.0), upsample="alpha")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = build(SMALL, training_heads=True)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif tensor.is_floating_point():
                tensor.normal_(0, 0.2)
    return network


@pytest.fixture
def images():
    return torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def predict(network, images):
    with torch.inference_mode():
        return network(images)


def close(ours, expected):
    """Equal up to what the layout of weights in memory changes."""
    return torch.allclose(ours, expected, rtol=1e-5, atol=1e-5)


def published(network):
    return {
        name: tensor.clone() for name, tensor in to_published(network.state_dict(), SMALL).items()
    }


# Saving and reading back


def test_a_saved_network_predicts_the_same(network, images, tmp_path):
    path = save_checkpoint(
        tmp_path / "new" / "x.safetensors",
        network.state_dict(),
        architecture=SMALL,
        preprocess=OWN,
        dtype=torch.float32,
        id="starter",
        purpose="A test.",
        license="MIT",
        source="here",
        extra={"iou": "0.9"},
    )
    checkpoint = read_checkpoint(path)
    assert checkpoint.architecture == SMALL
    assert checkpoint.preprocess == OWN
    assert checkpoint.entry is REGISTRY["starter"]
    assert checkpoint.stored.extra == {"iou": "0.9"}
    assert checkpoint.notes == ()
    assert checkpoint.has_training_heads
    again = build_network(checkpoint)
    assert close(predict(again, images), predict(network, images))
    assert [file.name for file in path.parent.iterdir()] == ["x.safetensors"]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_files_come_in_three_precisions(network, images, tmp_path, dtype):
    path = save_checkpoint(
        tmp_path / "x.safetensors",
        network.state_dict(),
        architecture=SMALL,
        preprocess=OWN,
        dtype=dtype,
    )
    assert {t.dtype for t in load_file(path).values()} == {dtype, torch.int64}
    checkpoint = read_checkpoint(path)
    assert {p.dtype for p in build_network(checkpoint).parameters()} == {torch.float32}
    stored = build_network(checkpoint, dtype=None)
    assert {p.dtype for p in stored.parameters()} == {dtype}
    exact = predict(network, images)
    loss = {torch.float16: 0.005, torch.bfloat16: 0.05, torch.float32: 0.0}[dtype]
    difference = (predict(build_network(checkpoint), images) - exact).abs().max()
    assert difference <= loss * exact.abs().max()


def test_a_tensor_beyond_half_precision_keeps_its_value(network, tmp_path):
    state = dict(network.state_dict())
    name = "decoder.stages.4.norm_out.running_var"
    state[name] = torch.full_like(state[name], 1e6)
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, state, architecture=SMALL, preprocess=OWN)
    again = read_checkpoint(path).state
    assert again[name].dtype == torch.float32
    assert torch.equal(again[name], state[name])
    assert again["decoder.output.weight"].dtype == torch.float16


def test_a_file_without_heads_predicts_but_does_not_train(network, images, tmp_path):
    with torch.no_grad():
        bare = build(SMALL)
        bare.load_state_dict(network.state_dict(), strict=False)
    path = tmp_path / "x.safetensors"
    save_checkpoint(
        path, bare.state_dict(), architecture=SMALL, preprocess=OWN, dtype=torch.float32
    )
    checkpoint = read_checkpoint(path)
    assert not checkpoint.has_training_heads
    assert close(predict(build_network(checkpoint), images), predict(network, images))
    with pytest.raises(CheckpointError, match=r"no training heads \(\d+ tensors, the first is"):
        build_network(checkpoint, training_heads=True)


def test_saving_refuses_what_does_not_fit(network, tmp_path):
    state = dict(network.state_dict())
    options = {"architecture": SMALL, "preprocess": OWN}
    with pytest.raises(CheckpointError, match=r"written as .safetensors; got 'x.pth'"):
        save_checkpoint(tmp_path / "x.pth", state, **options)
    del state["decoder.output.weight"]
    with pytest.raises(CheckpointError, match=r"1 of \d+ tensors are missing"):
        save_checkpoint(tmp_path / "x.safetensors", state, **options)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=r"cannot be written.*Check the folder"):
        save_checkpoint(tmp_path / "file" / "x.safetensors", network.state_dict(), **options)


def test_a_failed_save_leaves_the_old_file(network, tmp_path, monkeypatch):
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, network.state_dict(), architecture=SMALL, preprocess=OWN)
    before = path.read_bytes()

    def fail(tensors, name, metadata):
        name.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("birefnet.weights.load.save_file", fail)
    with pytest.raises(CheckpointError, match="No space left on device"):
        save_checkpoint(path, network.state_dict(), architecture=SMALL, preprocess=OWN)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


# Building


def test_weights_are_used_as_they_are(network, tmp_path):
    """No second copy, no random numbers, and no gradient."""
    path = tmp_path / "x.safetensors"
    save_checkpoint(
        path, network.state_dict(), architecture=SMALL, preprocess=OWN, dtype=torch.float32
    )
    checkpoint = read_checkpoint(path)
    before = torch.get_rng_state()
    again = build_network(checkpoint)
    assert torch.equal(torch.get_rng_state(), before)
    for name, tensor in again.state_dict().items():
        assert tensor.data_ptr() == checkpoint.state[name].data_ptr(), name
    assert not again.training
    assert not any(parameter.requires_grad for parameter in again.parameters())


def test_training_heads_only_on_request(network, tmp_path):
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, network.state_dict(), architecture=SMALL, preprocess=OWN)
    checkpoint = read_checkpoint(path)
    names = {name for name, _ in build_network(checkpoint).named_parameters()}
    assert not any("side_heads" in name or ".predict." in name for name in names)
    trained = build_network(checkpoint, training_heads=True)
    assert trained.state_dict().keys() == network.state_dict().keys()
    assert all(parameter.requires_grad for parameter in trained.parameters())


def test_layers_come_from_the_given_operations(network, images):
    class Linear(torch.nn.Linear):
        pass

    class Operations:
        Conv2d, LayerNorm = torch.nn.Conv2d, torch.nn.LayerNorm
        BatchNorm2d, Embedding = torch.nn.BatchNorm2d, torch.nn.Embedding

    Operations.Linear = Linear
    checkpoint = checkpoint_from_tensors(published(network), name="x")
    again = build_network(checkpoint, operations=Operations)
    linear = [module for module in again.modules() if isinstance(module, torch.nn.Linear)]
    assert {type(module) for module in linear} == {Linear}
    assert close(predict(again, images), predict(network, images))


@pytest.mark.slow
def test_a_golden_forward_through_a_file(recipe, tmp_path):
    golden = numpy.load(recipe["GOLDEN"] / "forward" / "swin_v1_t_64x64_seed6.npz")
    path = tmp_path / "x.safetensors"
    # without integer tables, as converters leave them
    save_file(recipe["weights"](recipe["manifest"]("swin_v1_t")), path)
    inputs = recipe["network_input"](6, 1, 64, 64)
    logits = predict(build_network(read_checkpoint(path)), inputs).numpy()
    assert abs(logits - golden["logits"]).max() < 2e-4


# Understanding files of others


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod."])
@pytest.mark.parametrize("wrap", [None, "state_dict", "model"])
def test_official_files_load_with_prefixes_and_wrappers(network, images, tmp_path, prefix, wrap):
    state = {prefix + name: tensor for name, tensor in published(network).items()}
    path = tmp_path / "x.pth"
    torch.save({wrap: state} if wrap else state, path)
    checkpoint = read_checkpoint(path)
    assert checkpoint.architecture == SMALL
    assert close(predict(build_network(checkpoint), images), predict(network, images))


def test_the_release_file_with_another_squeeze_name_loads(network, images):
    state = {
        name.replace("squeeze_module.0.", "squeeze_0."): tensor
        for name, tensor in published(network).items()
    }
    checkpoint = checkpoint_from_tensors(state, name="x")
    assert close(predict(build_network(checkpoint), images), predict(network, images))


def test_an_unknown_file_is_assumed_to_be_of_today_s_program(network, caplog):
    caplog.set_level(logging.INFO)
    checkpoint = checkpoint_from_tensors(published(network), name="mine.pth")
    assert checkpoint.entry is None
    assert checkpoint.preprocess == Preprocess()
    assert "nothing tells its size, normalization and patch order" in checkpoint.notes[0]
    assert f"mine.pth: {checkpoint.notes[0]}" in caplog.messages


def test_overrides_win_and_are_said(network, tmp_path):
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, network.state_dict(), architecture=SMALL, preprocess=OWN)
    checkpoint = read_checkpoint(
        path, patch_order="legacy", mean=(0.0, 0.0, 0.0), std=(1.0, 2.0, 3.0)
    )
    assert checkpoint.preprocess == replace(OWN, patch_order="legacy", mean=(0.0, 0.0, 0.0))
    assert build_network(checkpoint).patch_order == "legacy"
    assert checkpoint.notes == (
        "patch_order is overridden: legacy instead of current.",
        "mean is overridden: (0.0, 0.0, 0.0) instead of (0.1, 0.2, 0.3).",
    )


def test_patch_order_reaches_the_network(network, images):
    current, legacy = (
        build_network(checkpoint_from_tensors(published(network), name="x", patch_order=order))
        for order in ("current", "legacy")
    )
    assert (predict(current, images) - predict(legacy, images)).abs().max() > 1e-3


def large(recipe, name="swin_v1_t"):
    """Tensors of a published architecture that take no memory."""
    return {key: torch.zeros(()).expand(shape) for key, shape in recipe["manifest"](name).items()}


def test_a_name_hints_at_size_and_patch_order(recipe, tmp_path):
    path = tmp_path / "BiRefNet_lite-2K" / "model.safetensors"
    path.parent.mkdir()
    path.touch()
    checkpoint = checkpoint_from_tensors(large(recipe), name="x", path=path)
    assert checkpoint.entry is REGISTRY["lite-2k"]
    assert (checkpoint.preprocess.height, checkpoint.preprocess.width) == (1440, 2560)
    assert checkpoint.preprocess.patch_order == "legacy"
    assert "taken for lite-2k because of its name" in checkpoint.notes[0]


def test_a_name_that_contradicts_the_tensors_is_ignored(recipe, tmp_path):
    path = tmp_path / "BiRefNet_HR.safetensors"
    path.touch()
    checkpoint = checkpoint_from_tensors(large(recipe), name="x", path=path)
    assert checkpoint.entry is None
    assert checkpoint.preprocess.height == 1024
    assert "its name suggests hr, which has another architecture" in checkpoint.notes[0]


def test_a_hash_beats_the_name(recipe, tmp_path, monkeypatch):
    path = tmp_path / "BiRefNet_lite-2K.safetensors"
    path.write_bytes(b"renamed")
    digest = hashes.compute_sha256(path)
    monkeypatch.setitem(identify.BY_HASH, digest, REGISTRY["lite-matting"])
    monkeypatch.setattr(identify, "HASHED_SIZES", frozenset({7}))
    checkpoint = checkpoint_from_tensors(large(recipe), name="x", path=path)
    assert checkpoint.entry is REGISTRY["lite-matting"]
    assert checkpoint.notes == ("recognized as lite-matting by its SHA-256.",)


def test_a_file_of_an_unpublished_size_is_not_hashed(recipe, tmp_path, monkeypatch):
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"own")
    monkeypatch.setattr(identify, "file_sha256", lambda _: pytest.fail("it was hashed"))
    checkpoint_from_tensors(large(recipe), name="x", path=path)


def test_metadata_beat_hash_and_name(network, tmp_path, monkeypatch):
    path = tmp_path / "BiRefNet_HR.safetensors"
    save_checkpoint(path, network.state_dict(), architecture=SMALL, preprocess=OWN, id="cod")
    monkeypatch.setattr(identify, "file_sha256", lambda _: pytest.fail("it was hashed"))
    checkpoint = read_checkpoint(path)
    assert checkpoint.entry is REGISTRY["cod"]
    assert checkpoint.preprocess == OWN


def test_comfyui_s_file_gets_the_normalization_it_was_trained_with(recipe, tmp_path):
    path = tmp_path / "background_removal" / "birefnet.safetensors"
    path.parent.mkdir()
    path.touch()
    checkpoint = checkpoint_from_tensors(large(recipe, "swin_v1_l"), name="x", path=path)
    assert checkpoint.entry is REGISTRY["general"]
    assert checkpoint.preprocess.mean == IMAGENET_MEAN
    assert checkpoint.preprocess.patch_order == "legacy"


def test_the_march_2024_layout_has_the_legacy_order(recipe):
    checkpoint = checkpoint_from_tensors(large(recipe, "legacy_2024-03_swin_v1_l"), name="x")
    assert checkpoint.architecture == PRESETS["legacy_2024_03"]
    assert checkpoint.preprocess.patch_order == "legacy"


# Ambiguity


def test_an_ambiguous_file_needs_a_word(recipe):
    tensors = large(recipe, "swin_v1_t.mul_scl_ipt-add")
    with pytest.raises(AmbiguousCheckpointError, match="x fits 2 architectures"):
        checkpoint_from_tensors(tensors, name="x")
    add = replace(PRESETS["swin_v1_t"], multi_scale="add")
    assert checkpoint_from_tensors(tensors, name="x", architecture=add).architecture == add


def test_metadata_decide_between_architectures(network, tmp_path):
    add = replace(SMALL, multi_scale="add", context=0)
    torch.manual_seed(0)
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, build(add).state_dict(), architecture=add, preprocess=OWN)
    assert read_checkpoint(path).architecture == add
    assert describe(path).architecture == add


def test_a_wrong_architecture_is_refused(network):
    with pytest.raises(
        CheckpointError, match="x is not a BiRefNet checkpoint that can be explained"
    ):
        checkpoint_from_tensors(published(network), name="x", architecture=PRESETS["swin_v1_b"])


def test_metadata_that_contradict_the_tensors_are_ignored(network, tmp_path):
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, network.state_dict(), architecture=SMALL, preprocess=OWN)
    tensors, metadata = load_file(path), {}
    other = json.loads(describe(path).metadata["birefnet"])
    other["architecture"]["context"] = 0
    metadata["birefnet"] = json.dumps(other)
    checkpoint = checkpoint_from_tensors(tensors, metadata, name="x")
    assert checkpoint.architecture == SMALL
    assert checkpoint.notes == ("its metadata describe another architecture; its tensors count.",)


# Files that cannot be explained


def test_what_does_not_fit_is_named_with_the_nearest_architecture(recipe):
    tensors = large(recipe)
    del tensors["decoder.conv_out1.0.bias"]
    tensors["decoder.extra.weight"] = torch.zeros(1)
    tensors["bb.norm3.weight"] = torch.zeros(5)
    with pytest.raises(CheckpointError) as caught:
        checkpoint_from_tensors(tensors, name="mine.pth")
    text = str(caught.value)
    for words in (
        "mine.pth is not a BiRefNet checkpoint that can be explained",
        "Of the tensors of swin_v1_t, 1 of ",
        "are missing, the first is 'decoder.conv_out1.0.bias'",
        "1 are unknown, the first is 'decoder.extra.weight'",
        "1 have another shape, the first is 'bb.norm3.weight' with (5,) instead of (768,)",
        "The nearest known architecture is swin_v1_t, with ",
        " of 586 tensors alike",
        "download it again",
    ):
        assert words in text


def test_a_missing_encoder_block_is_not_taken_for_a_smaller_encoder(recipe):
    tensors = large(recipe)
    tensors = {k: v for k, v in tensors.items() if not k.startswith("bb.layers.2.blocks.3.")}
    with pytest.raises(CheckpointError, match=r"unknown, the first is 'bb.layers.2.blocks.4"):
        checkpoint_from_tensors(tensors, name="x")


def test_other_models_keep_their_name_in_the_error(tmp_path):
    path = tmp_path / "isnet.safetensors"
    save_file({"stage1.conv.weight": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match=r"isnet.safetensors cannot be used: this is not"):
        read_checkpoint(path)


# Descriptions


def test_a_description_reads_no_tensors(network, tmp_path, monkeypatch):
    path = tmp_path / "x.safetensors"
    save_checkpoint(
        path,
        network.state_dict(),
        architecture=SMALL,
        preprocess=OWN,
        license="CC0",
        purpose="A test.",
        source="here",
    )
    monkeypatch.setattr("birefnet.weights.files.safe_open", lambda *_: pytest.fail("it read"))
    info = describe(path)
    assert info.architecture == SMALL
    assert info.architecture_name.startswith("SwinConfig(width=16")
    assert info.parameters == sum(parameter.numel() for parameter in network.parameters())
    assert info.dtypes == {
        "float16": sum(t.is_floating_point() for t in published(network).values()),
        "int64": sum(not t.is_floating_point() for t in published(network).values()),
    }
    assert info.preprocess == OWN
    assert (info.purpose, info.license, info.source) == ("A test.", "CC0", "here")
    assert info.has_training_heads
    assert info.file_bytes == path.stat().st_size


def test_a_description_of_a_published_file(recipe, tmp_path):
    shapes = {
        k: tuple(v["shape"])
        for k, v in recipe["read_manifest"]("swin_v1_t").items()
        if k != "__meta__"
    }
    path = tmp_path / "BiRefNet_lite.pth"
    torch.save({key: torch.zeros(()).expand(shape) for key, shape in shapes.items()}, path)
    info = describe(path)
    assert info.architecture_name == "swin_v1_t"
    assert info.parameters == 44_313_720  # the official program's own count
    assert info.entry is REGISTRY["lite"]
    assert info.license == "MIT"
    assert info.source == "https://huggingface.co/ZhengPeng7/BiRefNet_lite"
    assert "because of its name" in info.notes[0]


# Hashes


def test_a_hash_is_computed_once_per_content(tmp_path, monkeypatch):
    path = tmp_path / "x"
    path.write_bytes(b"one")
    first = hashes.file_sha256(path)
    assert first == hashes.compute_sha256(path)
    with monkeypatch.context() as patch:
        patch.setattr(hashes, "compute_sha256", lambda _: pytest.fail("computed again"))
        assert hashes.file_sha256(path) == first
    path.write_bytes(b"three")
    assert hashes.file_sha256(path) == hashes.compute_sha256(path) != first


def test_a_broken_or_unwritable_cache_costs_only_time(home, tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"one")
    cache = home / "cache" / "hashes.json"
    for content in ("{", "[1]", f'{{"{path}": 5}}', f'{{"{path}": [1, 2, 3]}}'):
        cache.parent.mkdir(exist_ok=True)
        cache.write_text(content)
        assert hashes.file_sha256(path) == hashes.compute_sha256(path)
    cache.unlink()
    cache.parent.rmdir()
    cache.parent.write_text("a file where the folder should be")
    assert hashes.file_sha256(path) == hashes.compute_sha256(path)


def test_published_checkpoints_need_only_torch_and_not_its_compiler(network, tmp_path):
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, network.state_dict(), architecture=SMALL, preprocess=OWN)
    code = (
        "import sys, torch\n"
        "for name in ('timm', 'kornia', 'huggingface_hub', 'scipy', 'torchvision'):\n"
        "    sys.modules[name] = None\n"
        "from birefnet.weights.load import build_network, read_checkpoint\n"
        "network = build_network(read_checkpoint(sys.argv[1]))\n"
        "print(tuple(network(torch.zeros(1, 3, 64, 64)).shape), 'torch._dynamo' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "(1, 1, 64, 64) False", done.stderr
