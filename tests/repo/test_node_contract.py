"""What saved graphs and API users rely on, compared with a file that is only edited by hand.

ComfyUI is not needed: its API is replaced by a recorder.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
CONTRACT = Path(__file__).with_name("node_contract.json")
NAME = "pack_under_test"
HOST_MODULES = (
    *("comfy", "comfy.model_management", "comfy.model_patcher", "comfy.ops", "comfy.utils"),
    *("folder_paths", "server"),
)
NOT_PROMISED = {"tooltip", "display_name", "advanced", "options"}
"""May be reworded; and lists of files differ."""
REQUIRED = {"model", "image", "mask", "crop", "region"}
"""What nothing can stand for."""


class Socket:
    """Stands for a socket type of `comfy_api`: remembers what it was called with."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def Input(self, id, **options):
        return {"id": id, "type": self.kind, **options}

    def Output(self, id, **options):
        return {"id": id, "type": self.kind, **options}


class Recorder:
    """Stands for `comfy_api`'s `io`."""

    ComfyNode = object
    Hidden = SimpleNamespace(unique_id="UNIQUE_ID")
    NumberDisplay = SimpleNamespace(number="number", slider="slider")

    @staticmethod
    def Schema(**fields):
        return fields

    @staticmethod
    def Custom(kind):
        return Socket(kind)

    def __getattr__(self, name):
        return Socket(name.upper())


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[type]]:
    """The pack's node classes, imported the way ComfyUI does: by path, under another name."""
    api = ModuleType("comfy_api.v0_0_2")
    api.io, api.ui, api.ComfyExtension = Recorder(), SimpleNamespace(), object
    replaced = {"comfy_api": ModuleType("comfy_api"), "comfy_api.v0_0_2": api}
    replaced |= {name: ModuleType(name) for name in HOST_MODULES}
    for name, module in replaced.items():
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(replaced[parent], child, module)
    replaced["folder_paths"].models_dir = str(tmp_path_factory.mktemp("models"))
    replaced["folder_paths"].get_folder_paths = lambda key: []
    replaced["folder_paths"].folder_names_and_paths = {}
    replaced["server"].PromptServer = SimpleNamespace(instance=None)
    spec = importlib.util.spec_from_file_location(
        NAME, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    pack = importlib.util.module_from_spec(spec)
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        for name, module in {**replaced, NAME: pack}.items():
            patch.setitem(sys.modules, name, module)
        spec.loader.exec_module(pack)
        yield sys.modules[f"{NAME}.nodes"].NODES
        for name in set(sys.modules) - before:
            if name.startswith(f"{NAME}."):
                patch.delitem(sys.modules, name)


def promises(schema: dict) -> dict:
    """The parts of a schema that must stay."""

    def kept(socket: dict) -> dict:
        known = {key: value for key, value in socket.items() if key not in NOT_PROMISED}
        if "options" in socket and socket["id"] != "model":
            known["options"] = [str(getattr(o, "value", o)) for o in socket["options"]]
        return known

    return {
        "inputs": [kept(socket) for socket in schema["inputs"]],
        "outputs": [kept(socket) for socket in schema["outputs"]],
    }


def test_ids_inputs_and_outputs_are_what_was_promised(nodes):
    contract = json.loads(CONTRACT.read_text(encoding="utf-8"))
    actual = {}
    for node in nodes:
        schema = node.define_schema()
        actual[schema["node_id"]] = promises(schema)
    assert actual == contract, "if this is meant, edit node_contract.json by hand"


def test_new_versions_never_break_a_graph_that_leaves_an_input_out(nodes):
    for node in nodes:
        parameters = inspect.signature(node.execute).parameters
        schema = node.define_schema()
        assert list(parameters) == [socket["id"] for socket in schema["inputs"]]
        for socket in schema["inputs"]:
            if socket["id"] in REQUIRED and not socket.get("optional"):
                assert parameters[socket["id"]].default is inspect.Parameter.empty
            else:
                assert socket["optional"] is True, socket["id"]
                assert parameters[socket["id"]].default == socket.get("default"), socket["id"]


def test_everything_a_user_sees_is_explained(nodes):
    for node in nodes:
        schema = node.define_schema()
        assert schema["description"]
        for socket in schema["inputs"] + schema["outputs"]:
            assert len(socket.get("tooltip", "")) > 20, f"{schema['node_id']}.{socket['id']}"


def test_each_node_has_a_help_page_that_names_every_input_and_output(nodes):
    for node in nodes:
        schema = node.define_schema()
        page = (ROOT / "web" / "docs" / f"{schema['node_id']}.md").read_text(encoding="utf-8")
        for socket in schema["inputs"] + schema["outputs"]:
            assert f"`{socket['id']}`" in page, f"{schema['node_id']}: {socket['id']}"
