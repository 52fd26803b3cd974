"""The pack's nodes, without ComfyUI."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def schemas() -> ModuleType:
    """schemas.py of this folder, which has no name that could be imported."""
    spec = importlib.util.spec_from_file_location("schemas", Path(__file__).with_name("schemas.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def nodes(schemas: ModuleType) -> Iterator[list[type]]:
    """The pack's node classes."""
    with schemas.loaded_nodes() as found:
        yield found
