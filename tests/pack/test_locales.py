"""ComfyUI serves our texts in every language, and they belong to the nodes it serves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

LOCALES = Path(__file__).parents[2] / "locales"
LANGUAGES = ("en", "zh", "ja", "ko", "fr", "ru")


def read(language):
    return json.loads((LOCALES / language / "nodeDefs.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_server_hands_out_our_texts(server, language):
    served = server.json("/i18n")[language]["nodeDefs"]
    for node, texts in read(language).items():
        assert served[node] == texts


def test_the_texts_belong_to_the_nodes_that_are_served(server):
    english = read("en")
    nodes = server.json("/object_info")
    ours = {id for id, node in nodes.items() if id.startswith("BiRefNet_")}
    assert ours == set(english)
    for node, texts in english.items():
        info = nodes[node]
        assert info["display_name"] == texts["display_name"]
        assert info["description"] == texts["description"]
        names = [text["name"] for text in texts["outputs"].values()]
        assert info["output_name"] == names
        tooltips = [text["tooltip"] for text in texts["outputs"].values()]
        assert info["output_tooltips"] == tooltips
        inputs = {**info["input"].get("required", {}), **info["input"].get("optional", {})}
        assert inputs.keys() == texts["inputs"].keys()
        for socket, (kind, options) in inputs.items():
            text = texts["inputs"][socket]
            assert options["tooltip"] == text["tooltip"], f"{node}.{socket}"
            values = options.get("options", kind if isinstance(kind, list) else [])
            if socket == "model":
                values = values[:1]  # the rest are names of checkpoints and files
            assert list(text.get("options", {})) == values, f"{node}.{socket}"
