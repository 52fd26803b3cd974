"""Help pages: one for each node, true to its schema, with a picture."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "web" / "docs"
LARGEST_PICTURE = 120_000  # bytes; ComfyUI loads it when the page is opened


@pytest.fixture(scope="module")
def schemas_by_id(nodes) -> dict[str, dict]:
    schemas = [node.define_schema() for node in nodes]
    return {schema["node_id"]: schema for schema in schemas}


def page(node: str) -> str:
    return (DOCS / f"{node}.md").read_text(encoding="utf-8")


def row(text: str, socket: str) -> str:
    """The line of a table that describes a socket."""
    found = re.search(rf"^\| `{socket}`.*$", text, re.MULTILINE)
    assert found, f"no row for {socket}"
    return found[0]


def number(value: float) -> str:
    """As it is written in a text."""
    return f"{value:.10f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def test_there_is_a_page_for_each_node_and_no_other(schemas_by_id):
    assert {path.stem for path in DOCS.glob("*.md")} == set(schemas_by_id)


def test_pages_are_titled_as_the_nodes(schemas_by_id):
    for node, schema in schemas_by_id.items():
        assert page(node).startswith(f"# {schema['display_name']}\n"), node


def test_every_input_and_output_has_a_row(schemas_by_id):
    for node, schema in schemas_by_id.items():
        inputs, _, outputs = page(node).partition("\n## Output")
        for socket in schema["inputs"]:
            assert row(inputs, socket["id"]), node
        for socket in schema["outputs"]:
            assert row(outputs, socket["id"]), node


def test_rows_name_options_defaults_and_ranges(schemas_by_id):
    wrong = []
    for node, schema in schemas_by_id.items():
        inputs = page(node).partition("\n## Output")[0]
        for socket in schema["inputs"]:
            line = row(inputs, socket["id"])
            kind, default = socket["type"], socket.get("default")
            if kind == "COMBO" and socket["id"] != "model":
                wanted = [f"`{option}`" for option in socket["options"]]
                wanted.append(f"`{default}` (default)")
            elif kind == "BOOLEAN":
                wanted = ["on (default)" if default else "off (default)"]
            elif kind in ("INT", "FLOAT"):
                wanted = [number(socket["min"]), number(socket["max"])]
                wanted.append(f"default {number(default)}")
            elif kind == "COLOR":
                wanted = [f"default `{default}`"]
            else:
                wanted = []
            if socket.get("advanced"):
                wanted.append("(advanced)")
            wrong += [f"{node}.{socket['id']}: {text}" for text in wanted if text not in line]
    assert wrong == []


def test_every_page_shows_a_picture(schemas_by_id):
    for node in schemas_by_id:
        pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page(node))
        assert f"images/{node}.png" in pictures, node
        for name in pictures:
            path = DOCS / name
            assert path.stat().st_size <= LARGEST_PICTURE, name
            with Image.open(path) as picture:
                picture.verify()


def test_there_is_no_picture_that_no_page_shows():
    text = "".join(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md"))
    assert [p.name for p in (DOCS / "images").glob("*") if f"images/{p.name}" not in text] == []


def test_the_overviews_list_every_node(schemas_by_id):
    overview = (ROOT / "docs" / "nodes.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Python")[0]
    for node, schema in schemas_by_id.items():
        title = schema["display_name"].replace(" (BiRefNet)", "")
        assert f"| [{title}](../web/docs/{node}.md) | `{node}` |" in overview
        assert title in readme.partition("| node |")[2], title
