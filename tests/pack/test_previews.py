"""What nodes show on themselves, on a real server."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from birefnet.compositing import checkerboard

WORKFLOWS = Path(__file__).with_name("workflows")


def graph_of(image):
    graph = json.loads((WORKFLOWS / "remove_background.json").read_text(encoding="utf-8"))
    graph["1"]["inputs"] |= {"model": "tiny.safetensors", "dtype": "fp32"}
    graph["2"]["inputs"]["image"] = image
    return graph


def before(result, node):
    return [result.server.view(entry) for entry in result.outputs[node]["birefnet_before"]]


@pytest.mark.usefixtures("photograph")
def test_a_cutout_lies_on_a_checkerboard_beside_its_original(server):
    result = server.run(graph_of("photograph.png"))
    (shown,) = result.pictures("3")
    (saved,) = result.pictures("4")
    color, alpha = saved[..., :3] / 255, saved[..., 3:] / 255
    board = checkerboard(shown.shape[:2])[0].numpy()[..., None]
    expected = 255 * (alpha * color + (1 - alpha) * board)
    assert np.abs(shown - expected).max() < 2.5  # both pictures were rounded
    (original,) = before(result, "3")
    assert (original == server.view({"filename": "photograph.png", "type": "input"})).all()
    assert original.shape == shown.shape


def test_transparency_of_the_original_is_shown_too(server):
    graph = graph_of("unused")
    graph["2"] = {"class_type": "TestValue", "inputs": {"kind": "transparent"}}
    (original,) = before(server.run(graph), "3")
    board = 255 * checkerboard((64, 64))[0].numpy()
    assert np.abs(original[0] - board[0, :, None]).max() <= 1  # its first row is transparent
    assert (original[-1] != board[-1, :, None]).any()


def test_few_pictures_of_moderate_size_are_shown(server):
    server.picture("large.png", np.zeros((20, 1500, 3), np.uint8))
    graph = graph_of("large.png")
    graph["5"] = {"class_type": "RepeatImageBatch", "inputs": {"image": ["2", 0], "amount": 10}}
    graph["3"]["inputs"]["image"] = ["5", 0]
    result = server.run(graph)
    for shown in (result.pictures("3"), before(result, "3")):
        assert len(shown) == 8
        assert {picture.shape for picture in shown} == {(14, 1024, 3)}
    assert len(result.pictures("4")) == 10
    assert all(entry["type"] == "temp" for entry in result.outputs["3"]["images"])


def test_what_is_shown_small_keeps_no_color_of_what_is_transparent(server):
    """Green under full transparency must not tint the edges of a picture made smaller."""
    pixels = np.zeros((8, 2048, 4), np.uint8)
    pixels[..., 1] = 255
    pixels[:, 1::2] = (255, 255, 255, 255)
    graph = graph_of(server.picture("stripes.png", pixels))
    graph["5"] = {
        "class_type": "JoinImageWithAlpha",
        "inputs": {"image": ["2", 0], "alpha": ["2", 1]},
    }
    graph["3"]["inputs"]["image"] = ["5", 0]
    (shown,) = before(server.run(graph), "3")
    assert shown.shape == (4, 1024, 3)
    assert np.ptp(shown.astype(int), axis=2).max() <= 1


def test_what_is_cached_is_shown_again(server):
    """Without this, a page that is opened anew stays empty: nothing runs, so nothing is sent."""
    nodes = server.json("/object_info")
    ours = [node for name, node in nodes.items() if name.startswith("BiRefNet_")]
    assert len(ours) >= 14
    for node in ours:
        assert node["has_intermediate_output"] or node["output_node"], node["name"]
    graph = graph_of(server.picture("cached.png", np.full((40, 60, 3), 200, np.uint8)))
    first = server.run(graph)
    again = server.run(graph)
    assert again.ran == []
    assert again.outputs["3"] == first.outputs["3"]
