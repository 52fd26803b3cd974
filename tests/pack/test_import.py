"""What ComfyUI says and shows right after it imported the pack."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
NODES = ("BiRefNet_Load", "BiRefNet_RemoveBackground")


def described(server, node):
    return server.json(f"/object_info/{node}")[node]


def inputs_of(info):
    return {**info["input"]["required"], **info["input"].get("optional", {})}


def assert_silent(server):
    text = server.text()
    lines = [line for line in text.splitlines() if server.pack in line]
    assert any(re.search(r"[\d.]+ seconds: ", line) for line in lines), "not among the import times"
    assert not any("IMPORT FAILED" in line or "Cannot import" in line for line in lines)
    start = text.index("Import times for custom nodes")
    troubles = ("birefnet", "custom_nodes", "comfy_entrypoint", "Warning:")
    for line in text[:start].splitlines():
        assert not any(word in line for word in troubles), line


def test_the_pack_is_imported_without_a_warning(plain_server):
    assert_silent(plain_server)


def test_an_awkward_folder_name_makes_no_difference(server):
    assert_silent(server)


def test_every_input_and_output_is_explained(server):
    for node in NODES:
        info = described(server, node)
        assert info["description"]
        assert info["python_module"] == f"custom_nodes.{server.pack}"
        for name, (_, options) in inputs_of(info).items():
            assert len(options["tooltip"]) > 20, f"{node}.{name}"
        assert len(info["output_tooltips"]) == len(info["output_name"])
        assert all(len(tooltip) > 20 for tooltip in info["output_tooltips"]), node


def test_the_server_shows_what_the_contract_promises(server):
    contract = json.loads((ROOT / "tests" / "repo" / "node_contract.json").read_text("utf-8"))
    assert set(contract) == set(NODES)
    for node, promised in contract.items():
        info = described(server, node)
        shown = inputs_of(info)
        assert [s["id"] for s in promised["inputs"]] == [
            *info["input_order"]["required"],
            *info["input_order"].get("optional", []),
        ]
        for socket in promised["inputs"]:
            kind, options = shown[socket["id"]]
            assert kind == socket["type"], socket["id"]
            assert options.get("default") == socket.get("default"), socket["id"]
            optional = socket["id"] in info["input"].get("optional", {})
            assert optional is socket.get("optional", False), socket["id"]
        assert info["output"] == [socket["type"] for socket in promised["outputs"]]
        assert info["output_name"] == [socket["id"] for socket in promised["outputs"]]


def test_help_pages_are_served(plain_server):
    for node in NODES:
        page = plain_server.get(f"/extensions/{plain_server.pack}/docs/{node}.md").decode()
        for name in inputs_of(described(plain_server, node)):
            assert f"`{name}`" in page


def test_example_workflows_are_offered_with_their_pictures(plain_server):
    server = plain_server
    templates = server.json("/api/workflow_templates")[server.pack]
    assert sorted(templates) == ["Remove Background", "Replace Background"]
    for name in templates:
        place = f"/api/workflow_templates/{server.pack}/{quote(name)}"
        graph = server.json(f"{place}.json")
        loader = next(node for node in graph["nodes"] if node["type"] == "BiRefNet_Load")
        (model,) = loader["properties"]["models"]
        assert model["directory"] in server.json("/models")
        assert model["url"].startswith("https://huggingface.co/")
        with Image.open(io.BytesIO(server.get(f"{place}.jpg"))) as thumbnail:
            assert thumbnail.format == "JPEG"
            assert min(thumbnail.size) >= 200


def test_example_workflows_fit_the_nodes(server):
    """Widget values are stored by position, so each must be legal for the widget it lands in."""
    graphs = [json.loads(path.read_text("utf-8")) for path in ROOT.glob("example_workflows/*.json")]
    graphs += [
        inner
        for path in ROOT.glob("subgraphs/*.json")
        for inner in json.loads(path.read_text("utf-8"))["definitions"]["subgraphs"]
    ]
    ours = [node for graph in graphs for node in graph["nodes"] if node["type"] in NODES]
    assert len(ours) == 6
    for node in ours:
        info = described(server, node["type"])
        widgets = {
            name: (kind, options)
            for name, (kind, options) in inputs_of(info).items()
            if kind in ("COMBO", "INT", "FLOAT", "BOOLEAN", "COLOR")
        }
        assert len(node["widgets_values"]) == len(widgets)
        for value, (kind, options) in zip(node["widgets_values"], widgets.values(), strict=True):
            if kind == "COMBO":
                assert value in options["options"]
            elif kind in ("INT", "FLOAT"):
                assert options["min"] <= value <= options["max"]
            else:
                assert isinstance(value, type(options["default"]))
        assert [socket["name"] for socket in node["outputs"]] == info["output_name"]


@pytest.mark.parametrize("name", ["Remove Background", "Replace Background"])
def test_the_stored_api_forms_are_those_of_the_example_workflows(server, name):
    """What the frontend would send, worked out from links and widgets."""
    graph = json.loads((ROOT / "example_workflows" / f"{name}.json").read_text("utf-8"))
    links = {number: [str(node), slot] for number, node, slot, *_ in graph["links"]}
    expected = {}
    for node in graph["nodes"]:
        if node["type"] == "MarkdownNote":
            continue
        inputs, values = {}, list(node["widgets_values"])
        for socket in node["inputs"]:
            if "widget" in socket:
                inputs[socket["name"]] = values.pop(0)
            else:
                inputs[socket["name"]] = links[socket["link"]]
        expected[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    place = ROOT / "tests" / "pack" / "workflows" / f"{name.lower().replace(' ', '_')}.json"
    stored = json.loads(place.read_text("utf-8"))
    for node in stored.values():
        del node["_meta"]
    assert stored == expected


def test_the_blueprint_is_offered(server):
    blueprints = server.json("/api/global_subgraphs")
    name = "Remove Background (BiRefNet Studio)"
    (key,) = [key for key, value in blueprints.items() if value["name"] == name]
    found = server.json(f"/api/global_subgraphs/{key}")
    definition = json.loads(found["data"])["definitions"]["subgraphs"][0]
    assert definition["name"] == name
    assert {node["type"] for node in definition["nodes"]} == set(NODES)
    assert [socket["name"] for socket in definition["outputs"]] == [
        *("cutout", "mask", "mask_inverted")
    ]


def test_javascript_of_the_pack_is_loaded_once_or_not_at_all(plain_server):
    server = plain_server
    extensions = [path for path in server.json("/extensions") if "birefnet" in path.lower()]
    assert len(extensions) == len(set(extensions)) == len(list(ROOT.glob("web/**/*.js")))
