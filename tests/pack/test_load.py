"""Load BiRefNet on a real server: where files are found, and what is said when they are not."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

TINY = "tiny.safetensors"
PLACES = (TINY, "own/other.safetensors", "from yaml.safetensors")


def loading(model, probe="attributes", **inputs):
    """A graph that loads a model and looks inside; the report is that of node "2"."""
    return {
        "1": {"class_type": "BiRefNet_Load", "inputs": {"model": model, "dtype": "fp32", **inputs}},
        "2": {"class_type": "TestProbe", "inputs": {"model": ["1", 0], "probe": probe}},
    }


def report(result):
    assert result.status == "success", result.error
    return json.loads(result.outputs["2"]["text"][0])


def options(server):
    info = server.json("/object_info/BiRefNet_Load")["BiRefNet_Load"]
    return info["input"]["required"]["model"][1]["options"]


def test_files_of_all_folders_are_offered_with_forward_slashes(server):
    offered = options(server)
    assert offered[0] == "auto"
    assert {"general", "lite", "matting", "starter"} <= set(offered)
    assert set(PLACES) <= set(offered)
    assert not any("\\" in name for name in offered)


def test_a_new_file_is_offered_without_a_restart(server):
    assert "arrived later.safetensors" not in options(server)
    path = server.model("arrived later.safetensors", seed=3)
    assert "arrived later.safetensors" in options(server)
    path.unlink()
    assert "arrived later.safetensors" not in options(server)


@pytest.mark.parametrize("name", [*PLACES, "own\\other.safetensors", "other.safetensors", "tiny"])
def test_files_load_by_any_of_their_names(server, name):
    assert report(server.run(loading(name)))["weights"] > 100


def test_the_model_has_what_other_packs_look_at(server):
    found = report(server.run(loading(TINY)))
    assert found["image_size"] == 128
    assert found["image_mean"] == pytest.approx([0.485, 0.456, 0.406])
    assert found["image_std"] == pytest.approx([0.229, 0.224, 0.225])
    assert found["model_type"] == found["config"]["model_type"] == "birefnet"
    assert found["dtype"] == "torch.float32"
    assert found["load_device"] == "cpu"
    assert found["published_names"]
    assert found["patcher"]


def test_the_usual_size_means_the_checkpoints_own_and_is_said_once(server):
    before = server.text().count("works at its own size")
    graph = loading(TINY, "sizes", patch_order="current")
    assert report(server.run(graph)) == [[128, 128], [128, 128], [128, 128], [256, 256]]
    assert server.text().count("works at its own size") == before + 1


def test_overrides_reach_the_network(server):
    found = report(server.run(loading(TINY, normalization="none")))
    assert found["image_mean"] == [0, 0, 0]
    assert found["image_std"] == [1, 1, 1]
    found = report(server.run(loading(TINY, normalization="centered")))
    assert found["image_mean"] == [0.5, 0.5, 0.5]
    server.run(loading(TINY, patch_order="legacy"))
    assert "patch_order is overridden: legacy" in server.text()


def test_auto_takes_a_published_file_and_the_node_says_so(server):
    result = server.run(loading("auto"))
    assert report(result)["image_size"] < 1024
    (text,) = result.outputs["1"]["text"]
    assert "the built-in starter, for trying things out" in text
    path = server.base / "models" / "BiRefNet" / "BiRefNet-general.safetensors"
    shutil.copy(server.base / "models" / "background_removal" / TINY, path)
    try:
        result = server.run(loading("auto"))
        assert report(result)["image_size"] == 128
        assert "auto chose general: BiRefNet-general.safetensors" in result.outputs["1"]["text"][0]
    finally:
        path.unlink()


def test_weights_of_torch_save_load_too(server):
    from safetensors.torch import load_file

    folder = server.base / "models" / "background_removal"
    state = load_file(folder / TINY)
    wrapped = {"state_dict": {f"module.{key}": value for key, value in state.items()}, "epoch": 3}
    torch.save(wrapped, folder / "tiny wrapped.pth")
    assert report(server.run(loading("tiny wrapped.pth")))["weights"] == len(state)


def test_a_published_model_that_is_missing_is_explained_before_anything_runs(server):
    message = server.refusal(loading("matting"))
    assert "matting" in message
    assert "is not on this machine" in message
    assert "MIT" in message
    assert "885 MB" in message
    assert "switch on download_if_missing" in message
    assert str(server.base / "models" / "background_removal") in message


def test_a_download_that_fails_says_where_to_put_the_file_by_hand(server):
    message = server.refusal(loading("matting", download_if_missing=True))
    assert "HF_HUB_OFFLINE" in message
    assert "BiRefNet-matting.safetensors" in message
    assert str(server.base / "models" / "background_removal") in message
    assert not list((server.base / "models").glob("**/*.part"))


def test_an_unknown_name_is_refused_with_the_nearest_ones(server):
    message = server.refusal(loading("tinny.safetensors"))
    assert "no checkpoint is called 'tinny.safetensors'" in message
    assert "tiny.safetensors" in message


def test_paths_outside_the_folders_are_refused(server):
    outside = server.base / "outside.safetensors"
    shutil.copy(server.base / "models" / "background_removal" / TINY, outside)
    for name in (str(outside), "../../outside.safetensors"):
        assert "no checkpoint is called" in server.refusal(loading(name))


def test_a_damaged_file_is_explained_in_the_node(server):
    folder = server.base / "models" / "background_removal"
    data = (folder / TINY).read_bytes()
    for name, content in (
        ("cut off.safetensors", data[: len(data) // 2]),
        ("a page.safetensors", b"<!DOCTYPE html><html>Access denied</html>" * 20),
        ("empty.safetensors", b""),
    ):
        (folder / name).write_bytes(content)
        assert name in options(server)  # listing looks at names only
        message = server.refusal(loading(name))
        assert "CheckpointError" in message
        assert name in message
        assert len(message) > 60


def test_a_file_of_another_model_is_explained_in_the_node(server):
    from safetensors.torch import save_file

    path = server.base / "models" / "background_removal" / "stranger.safetensors"
    save_file({"unet.conv_in.weight": torch.zeros(4, 4)}, path)
    message = server.refusal(loading("stranger.safetensors"))
    assert "CheckpointError" in message
    assert "not a BiRefNet" in message


def test_a_file_that_would_run_code_is_refused(server):
    path = server.base / "models" / "background_removal" / "evil.pth"
    trace = server.base / "it ran"
    # A pickle that calls open(trace, "w") when it is read without care.
    path.write_bytes(b"c__builtin__\nopen\n(V" + str(trace).encode() + b"\nVw\ntR.")
    message = server.refusal(loading("evil.pth"))
    assert "Error" in message
    assert not trace.exists()
