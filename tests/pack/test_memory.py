"""How the network lives under ComfyUI's memory manager, as far as a CPU can show it."""

from __future__ import annotations

import json

import pytest

TINY = "tiny.safetensors"


def probe(server, name, **inputs):
    """Run one of the helper's probes on a freshly loaded model."""
    graph = {
        "1": {"class_type": "BiRefNet_Load", "inputs": {"model": TINY, "dtype": "fp32", **inputs}},
        "2": {"class_type": "TestProbe", "inputs": {"model": ["1", 0], "probe": name}},
    }
    result = server.run(graph)
    assert result.status == "success", result.error
    return json.loads(result.outputs["2"]["text"][0])


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_all_weights_can_be_cast_when_used_and_activations_have_the_chosen_type(server, dtype):
    found = probe(server, "casting", dtype=dtype)
    assert found["raw"] == []
    floating = [kind for kind in found["kinds"] if kind != "torch.int64"]
    assert floating == [{"fp32": "torch.float32", "bf16": "torch.bfloat16"}[dtype]]


def test_weights_are_stored_in_the_chosen_type(server):
    whole = probe(server, "attributes", dtype="fp32")["size"]
    half = probe(server, "attributes", dtype="bf16")["size"]
    assert half < 0.6 * whole


def test_half_of_the_weights_on_the_device_give_the_same_mask(server):
    found = probe(server, "half loaded")
    assert found["cast"] > 20
    assert found["difference"] < 1e-6
    assert found["requests"]
    assert set(found["requests"]) == {found["estimate"]}
    assert found["estimate"] > 3 * 128 * 128 * 4


def test_layers_made_without_weights_get_them_all(server):
    found = probe(server, "lazy weights")
    assert found == {"without weights": [], "difference": 0}


def test_memory_that_runs_out_once_is_tried_again_and_always_is_an_error(server):
    found = probe(server, "out of memory")
    assert found["once"] == [1, 96, 80]
    assert found["always"].startswith("OutOfMemoryError: one image at 128 x 128 needs about")
    assert found["loaded after once"] == 1
    assert found["loaded after always"] == 0


def test_overflow_in_half_precision_is_computed_again_in_float32(server):
    found = probe(server, "overflow", dtype="bf16")
    assert found["kinds"] == ["torch.bfloat16", "torch.float32"]
    assert found["finite"]


def test_free_gives_the_network_back(server):
    assert probe(server, "remember", patch_order="legacy") >= 1

    def alive(again):
        graph = {"1": {"class_type": "TestAlive", "inputs": {"again": again}}}
        return json.loads(server.run(graph).outputs["1"]["text"][0])

    server.post("/free", {"unload_models": True, "free_memory": True})
    for again in range(40):
        found = alive(again)
        if found == {"networks": 0, "loaded": 0}:
            return
    pytest.fail(f"still there: {found}")
