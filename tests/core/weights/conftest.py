"""Fixtures of the weights tests: golden data, a private home, no network."""

from __future__ import annotations

import importlib.util
import runpy
from pathlib import Path

import pytest

HERE = Path(__file__).parent
GOLDEN = HERE.parents[1] / "golden"


@pytest.fixture(scope="session")
def recipe():
    """Functions of tests/golden/recipe.py by name."""
    return runpy.run_path(str(GOLDEN / "recipe.py"))


@pytest.fixture
def home(tmp_path_factory, monkeypatch):
    """A machine without models: an empty home and hub cache, and no variable that points out."""
    folder = tmp_path_factory.mktemp("home")
    for name in (
        "BIREFNET_MODELS",
        "COMFYUI_PATH",
        "HF_ENDPOINT",
        "HF_HUB_CACHE",
        "HF_HUB_OFFLINE",
        "HF_TOKEN",
        "HUGGINGFACE_HUB_CACHE",
        "TRANSFORMERS_OFFLINE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BIREFNET_HOME", str(folder))
    monkeypatch.setenv("HF_HOME", str(folder / "hf"))
    return folder


@pytest.fixture
def hub(home, monkeypatch):
    """A hub on this machine, which huggingface_hub is pointed at."""
    spec = importlib.util.spec_from_file_location("hub_server", HERE / "hub_server.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.Hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server
