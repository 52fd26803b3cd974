"""Example workflows, and workflows of older packs, opened in ComfyUI's own page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.stem for path in ROOT.glob("example_workflows/*.json"))
OPEN = "async graph => { await app.loadGraphData(graph); }"
SENT = "async () => (await app.graphToPrompt()).output"


def socket(name, kind, link):
    return {"name": name, "type": kind, "link": link}


def old_node(number, kind, inputs, outputs, values):
    """A node as a saved workflow has it."""
    return {
        "id": number,
        "type": kind,
        "pos": [300 * number, 0],
        "size": [270, 200],
        "flags": {},
        "order": number,
        "mode": 0,
        "inputs": [socket(*entry) for entry in inputs],
        "outputs": [{"name": n, "type": kind, "links": links} for n, kind, links in outputs],
        "properties": {"Node name for S&R": kind},
        "widgets_values": values,
    }


OLD = {
    "last_node_id": 6,
    "last_link_id": 6,
    "nodes": [
        old_node(
            *(1, "LoadRembgByBiRefNetModel", [], [("model", "BIREFNET", [1])]),
            ["tiny.safetensors", "AUTO", False, "float32"],
        ),
        old_node(
            *(2, "LoadImage", [], [("IMAGE", "IMAGE", [2, 3]), ("MASK", "MASK", None)]),
            ["crab.jpg", "image"],
        ),
        old_node(
            *(3, "GetMaskByBiRefNet", [("model", "BIREFNET", 1), ("images", "IMAGE", 2)]),
            *([("mask", "MASK", [4])], [1024, 1024, "bilinear", 0]),
        ),
        old_node(
            *(4, "BlurFusionForegroundEstimation"),
            [("images", "IMAGE", 3), ("masks", "MASK", 4)],
            *([("image", "IMAGE", [5]), ("mask", "MASK", [6])], [31, 6, False, 0]),
        ),
        old_node(5, "PreviewImage", [("images", "IMAGE", 5)], [], []),
        old_node(6, "MaskToImage", [("mask", "MASK", 6)], [("IMAGE", "IMAGE", None)], []),
    ],
    "links": [
        [1, 1, 0, 3, 0, "BIREFNET"],
        [2, 2, 0, 3, 1, "IMAGE"],
        [3, 2, 0, 4, 0, "IMAGE"],
        [4, 3, 0, 4, 1, "MASK"],
        [5, 4, 0, 5, 0, "IMAGE"],
        [6, 4, 1, 6, 0, "MASK"],
    ],
    "groups": [],
    "config": {},
    "extra": {},
    "version": 0.4,
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_opens_and_sends_its_api_form(desk, name):
    graph = json.loads((ROOT / "example_workflows" / f"{name}.json").read_text(encoding="utf-8"))
    form = ROOT / "tests" / "pack" / "workflows" / f"{name.lower().replace(' ', '_')}.json"
    desk.page.evaluate(OPEN, graph)
    assert desk.page.evaluate(SENT) == json.loads(form.read_text(encoding="utf-8"))
    missing = "() => app.graph.nodes.filter((node) => node.has_errors && !node.comfyClass).length"
    assert desk.page.evaluate(missing) == 0


def test_nodes_of_an_older_pack_are_replaced_on_request(desk):
    desk.page.evaluate(OPEN, OLD)
    swap = desk.page.get_by_role("button", name="Replace All")
    details = desk.page.get_by_role("button", name="View details").first
    desk.page.wait_for_timeout(1000)
    if not swap.count() and details.count():
        details.click()
    swap.first.click()
    desk.page.wait_for_function(
        "() => app.graph.nodes.some((node) => node.type === 'BiRefNet_RefineForeground')"
    )
    sent = desk.page.evaluate(SENT)
    kinds = {number: node["class_type"] for number, node in sent.items()}
    assert kinds["1"] == "BiRefNet_Load"
    assert kinds["3"] == "RemoveBackground"
    assert kinds["4"] == "BiRefNet_RefineForeground"
    assert sent["1"]["inputs"]["model"] == "tiny.safetensors"
    assert sent["3"]["inputs"] == {"bg_removal_model": ["1", 0], "image": ["2", 0]}
    values = sent["4"]["inputs"]
    assert (values["image"], values["mask"]) == (["2", 0], ["3", 0])
    assert (values["blur_size"], values["fine_blur_size"]) == (31, 6)
    assert values["method"] == "blur-fusion"
    assert sent["5"]["inputs"]["images"] == ["4", 0]
    assert sent["6"]["inputs"]["mask"] == ["4", 2]
    outputs = desk.run()
    assert len(outputs["5"]["images"]) == 1
