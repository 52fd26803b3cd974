"""Who may import whom, checked on the source text."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = (  # bottom to top: a unit imports only from the lines above its own
    ("errors",),
    ("tensors", "memory"),
    ("filters", "preprocess", "regions"),
    ("masks", "foreground", "compositing", "model", "losses"),
    ("backdrops", "cropping", "framing", "matting"),
    ("weights",),
    ("predict",),
    ("guided", "detail"),
    ("training",),
    ("cli",),
    ("__init__", "__main__"),
)
RANK = {unit: rank for rank, units in enumerate(LAYERS) for unit in units}
COMFYUI = {"comfy", "comfy_extras", "folder_paths", "node_helpers", "nodes", "server"}
AT_IMPORT = {"numpy", "safetensors", "torch"}  # what importing the core may import
WHEN_CALLED = {"PIL", "filelock", "huggingface_hub", "kornia", "scipy", "timm", "tqdm"}  # and using


def files(folder: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob(f"{folder}/**/*.py"))


def parse(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def imports(file: str) -> tuple[set[tuple[str, ...]], set[str]]:
    """What a file imports: (our own modules as paths from ROOT, foreign top-level names)."""
    here = Path(file).with_suffix("").parts
    ours, foreign = set(), set()
    for node in ast.walk(parse(file)):
        if isinstance(node, ast.ImportFrom) and node.level:
            stem = here[: -node.level] + tuple((node.module or "").split("."))
            ours |= {stem} if node.module else {(*stem[:-1], name.name) for name in node.names}
        else:
            foreign |= foreign_names(node)
    return ours, foreign


def foreign_names(node: ast.AST) -> set[str]:
    if isinstance(node, ast.ImportFrom) and not node.level:
        return {str(node.module).split(".")[0]}
    if isinstance(node, ast.Import):
        return {name.name.split(".")[0] for name in node.names}
    return set()


def executed_at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a module that run when it is imported: no function bodies, no type checking."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from executed_at_import(node)


@pytest.mark.parametrize("file", files("birefnet"))
def test_the_core_imports_downwards(file):
    ours, foreign = imports(file)
    unit = Path(file).with_suffix("").parts[1]
    for _, target, *_ in ours:
        assert target == unit or RANK[target] < RANK[unit], f"{unit} may not import {target}"
    assert not foreign & (COMFYUI | {"birefnet", "comfy_api"})


@pytest.mark.parametrize("file", files("birefnet"))
def test_the_core_is_light_to_import(file):
    at_import = set().union(*map(foreign_names, executed_at_import(parse(file))))
    assert at_import <= AT_IMPORT | sys.stdlib_module_names, "import it where it is used"
    assert imports(file)[1] <= AT_IMPORT | WHEN_CALLED | sys.stdlib_module_names


@pytest.mark.parametrize("file", files("birefnet"))
def test_timm_is_a_matter_of_one_file(file):
    assert file == "birefnet/model/timm_encoders.py" or "timm" not in imports(file)[1]


@pytest.mark.parametrize("file", files("nodes"))
def test_only_the_host_adapter_touches_comfyui(file):
    ours, foreign = imports(file)
    assert "birefnet" not in foreign, "import the core relatively"
    assert file == "nodes/host.py" or not foreign & COMFYUI, "move it into nodes/host.py"
    assert {top for top, *_ in ours} <= {"nodes", "birefnet"}


def test_every_layer_names_what_exists():
    units = {Path(file).with_suffix("").parts[1] for file in files("birefnet")}
    assert units == set(RANK)
