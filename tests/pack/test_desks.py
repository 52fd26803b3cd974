"""Other ways to start ComfyUI, and its own loader with a full-size network; all slow."""

from __future__ import annotations

import json
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from birefnet.model.architecture import PRESETS, TimmConfig

TINY = "tiny.safetensors"
TINY_DECODER = replace(PRESETS["swin_v1_t"], inner_width=8, aspp_width=8, patch_width=8)

pytestmark = pytest.mark.slow


@pytest.fixture
def start(serve, tmp_path):
    """Start a server in a fresh base folder, with a small model and a picture."""

    def started(pack, *options, hub=None):
        server = serve(tmp_path / "base folder", pack, *options, hub=hub)
        server.model(TINY)
        pixels = np.random.default_rng(3).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        server.picture("photograph.png", pixels)
        return server

    return started


def graph_of(*, model=TINY, output=1, **inputs):
    return {
        "1": {"class_type": "BiRefNet_Load", "inputs": {"model": model}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "photograph.png"}},
        "3": {
            "class_type": "BiRefNet_RemoveBackground",
            "inputs": {"model": ["1", 0], "image": ["2", 0], **inputs},
        },
        "9": {"class_type": "TestInspect", "inputs": {"value": ["3", output]}},
    }


def test_results_are_in_half_precision_where_comfyui_wants_that(start):
    server = start("plain", "--fp16-intermediates")
    for output in (0, 1, 2):
        result = server.run(graph_of(output=output))
        assert result.status == "success", result.error
        found = json.loads(result.outputs["9"]["text"][0])
        assert found["dtype"] == "torch.float16"
        assert 0 <= found["least"] < found["largest"] <= 1


def test_an_empty_installation_works_with_the_starter(start):
    server = start("birefnet-studio")
    (server.base / "models" / "background_removal" / TINY).unlink()
    result = server.run(graph_of(model="auto"))
    assert result.status == "success", result.error
    assert "built-in starter" in result.outputs["1"]["text"][0]


def test_a_missing_model_is_fetched_when_the_user_asks_for_it(start):
    place = Path(__file__).parents[1] / "core" / "weights" / "hub_server.py"
    with runpy.run_path(str(place))["Hub"]() as hub:
        server = start("fetching", hub=hub.url)
        folder = server.base / "models" / "background_removal"
        hub.files["ZhengPeng7/BiRefNet_lite/model.safetensors"] = (folder / TINY).read_bytes()
        graph = graph_of(model="lite")
        assert "switch on download_if_missing" in server.refusal(graph)
        assert hub.requests == []
        graph["1"]["inputs"]["download_if_missing"] = True
        result = server.run(graph)
        assert result.status == "success", result.error
        assert result.outputs["1"]["text"][0].startswith("BiRefNet-lite.safetensors: ")
        names = sorted(path.name for path in folder.iterdir())
        assert names == ["BiRefNet-lite.safetensors", TINY]
        assert server.run(graph_of(model="lite", output=2)).status == "success"
        assert [method for method, _, _ in hub.requests].count("GET") == 1


def test_an_encoder_of_timm_runs_or_says_what_to_install(server, photograph):
    path = server.model(
        "resnet.safetensors",
        architecture=replace(TINY_DECODER, encoder=TimmConfig(name="resnet18")),
        height=256,
        width=256,
    )
    try:
        result = server.run(graph_of(model=path.name))
        if result.status == "success":
            assert json.loads(result.outputs["9"]["text"][0])["shape"] == [1, 96, 144]
        else:
            assert "ConfigError" in result.error
            assert "timm" in result.error
    finally:
        path.unlink()


def test_comfyuis_own_loader_feeds_our_node(server, photograph):
    """Swin-L is the one architecture ComfyUI's own loader knows."""
    path = server.model(
        "birefnet.safetensors",
        architecture=PRESETS["swin_v1_l"],
        dtype=torch.float16,
        height=1024,
        width=1024,
    )
    try:
        result = server.run(
            {
                "1": {
                    "class_type": "LoadBackgroundRemovalModel",
                    "inputs": {"bg_removal_name": path.name},
                },
                "2": {"class_type": "LoadImage", "inputs": {"image": "photograph.png"}},
                "3": {
                    "class_type": "BiRefNet_RemoveBackground",
                    "inputs": {"model": ["1", 0], "image": ["2", 0]},
                },
                "4": {
                    "class_type": "RemoveBackground",
                    "inputs": {"bg_removal_model": ["1", 0], "image": ["2", 0]},
                },
                "5": {"class_type": "MaskToImage", "inputs": {"mask": ["3", 1]}},
                "6": {"class_type": "PreviewImage", "inputs": {"images": ["5", 0]}},
                "7": {"class_type": "MaskToImage", "inputs": {"mask": ["4", 0]}},
                "8": {"class_type": "PreviewImage", "inputs": {"images": ["7", 0]}},
            }
        )
        if server.version < (0, 22):
            # Release 0.21 returns its mask with a fourth axis, which its other nodes cannot show.
            assert "6" in result.outputs
            return
        assert result.status == "success", result.error
        (ours,), (theirs,) = result.pictures("6"), result.pictures("8")
        assert ours.shape == theirs.shape
        assert (ours == theirs).all()
    finally:
        path.unlink()
