"""What ComfyUI says and shows right after it imported the pack."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTRACT = json.loads((ROOT / "tests" / "repo" / "node_contract.json").read_text("utf-8"))
NODES = tuple(CONTRACT)


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
    assert {node for node in server.json("/object_info") if "BiRefNet_" in node} == set(NODES)
    for node, promised in CONTRACT.items():
        info = described(server, node)
        shown = inputs_of(info)
        assert [s["id"] for s in promised["inputs"]] == [
            *info["input_order"]["required"],
            *info["input_order"].get("optional", []),
        ]
        for socket in promised["inputs"]:
            kind, options = shown[socket["id"]]
            assert kind.replace("_", "") == socket["type"].replace("_", ""), socket["id"]
            if not options.get("forceInput"):  # ComfyUI 0.21 gives some of these a default
                assert options.get("default") == socket.get("default"), socket["id"]
            optional = socket["id"] in info["input"].get("optional", {})
            assert optional is socket.get("optional", False), socket["id"]
        kinds = [kind.replace("_", "") for kind in info["output"]]  # BOUNDING_BOX is BoundingBox
        assert kinds == [socket["type"].replace("_", "") for socket in promised["outputs"]]
        assert info["output_name"] == [socket["id"] for socket in promised["outputs"]]


def test_help_pages_are_served(plain_server):
    for node in NODES:
        page = plain_server.get(f"/extensions/{plain_server.pack}/docs/{node}.md").decode()
        for name in inputs_of(described(plain_server, node)):
            assert f"`{name}`" in page


def test_javascript_of_the_pack_is_loaded_once_or_not_at_all(plain_server):
    server = plain_server
    extensions = [path for path in server.json("/extensions") if "birefnet" in path.lower()]
    assert len(extensions) == len(set(extensions)) == len(list(ROOT.glob("web/**/*.js")))
