"""The nodes' schemas without ComfyUI, whose API is replaced by a recorder.

Run as a program, it writes the English texts of all schemas into locales/en:

    python tests/repo/schemas.py
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

ROOT = Path(__file__).parents[2]
ENGLISH = ROOT / "locales" / "en" / "nodeDefs.json"
NAME = "pack_under_test"
HOST_MODULES = (
    *("comfy", "comfy.model_management", "comfy.model_patcher", "comfy.ops", "comfy.utils"),
    *("folder_paths", "server"),
)


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


@contextlib.contextmanager
def loaded_nodes() -> Iterator[list[type]]:
    """The pack's node classes, imported the way ComfyUI does: by path, under another name."""
    api = ModuleType("comfy_api.v0_0_2")
    api.io, api.ui, api.ComfyExtension = Recorder(), SimpleNamespace(), object
    replaced = {"comfy_api": ModuleType("comfy_api"), "comfy_api.v0_0_2": api}
    replaced |= {name: ModuleType(name) for name in HOST_MODULES}
    for name, module in replaced.items():
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(replaced[parent], child, module)
    spec = importlib.util.spec_from_file_location(
        NAME, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    pack = importlib.util.module_from_spec(spec)
    replaced["folder_paths"].get_folder_paths = lambda key: []
    replaced["folder_paths"].folder_names_and_paths = {}
    replaced["server"].PromptServer = SimpleNamespace(instance=None)
    hidden = {name: sys.modules[name] for name in replaced if name in sys.modules}
    try:
        with tempfile.TemporaryDirectory() as models:
            replaced["folder_paths"].models_dir = models
            sys.modules.update({**replaced, NAME: pack})
            spec.loader.exec_module(pack)
            yield sys.modules[f"{NAME}.nodes"].NODES
    finally:
        for name in [*sys.modules]:
            if name in replaced or name.partition(".")[0] == NAME:
                del sys.modules[name]
        sys.modules.update(hidden)


def option_values(socket: dict) -> list[str]:
    """The options that are words of ours; of a list of models only `auto`."""
    values = [str(getattr(option, "value", option)) for option in socket.get("options", ())]
    return values[:1] if socket["id"] == "model" else values


def english_texts(nodes: list[type]) -> dict:
    """What the schemas say, in the shape of ComfyUI's nodeDefs.json."""
    texts = {}
    for node in nodes:
        schema = node.define_schema()
        inputs = {}
        for socket in schema["inputs"]:
            inputs[socket["id"]] = _texts(socket)
            if values := option_values(socket):
                inputs[socket["id"]]["options"] = {value: value for value in values}
        texts[schema["node_id"]] = {
            "display_name": schema["display_name"],
            "description": schema["description"],
            "inputs": inputs,
            "outputs": {str(n): _texts(socket) for n, socket in enumerate(schema["outputs"])},
        }
    return texts


def _texts(socket: dict) -> dict:
    return {"name": socket.get("display_name", socket["id"]), "tooltip": socket["tooltip"]}


def main() -> None:
    """Bring locales/en up to date."""
    with loaded_nodes() as nodes:
        text = json.dumps(english_texts(nodes), ensure_ascii=False, indent=2)
    ENGLISH.parent.mkdir(parents=True, exist_ok=True)
    ENGLISH.write_text(f"{text}\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
