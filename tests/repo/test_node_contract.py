"""What saved graphs and API users rely on, compared with a file that is only edited by hand."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTRACT = Path(__file__).with_name("node_contract.json")
NOT_PROMISED = {"tooltip", "display_name", "advanced", "options"}
"""May be reworded; and lists of files differ."""
REQUIRED = {"model", "image", "mask", "crop", "region", "second_mask"}
"""What nothing can stand for."""


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
