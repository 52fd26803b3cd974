"""What an installation contains, and that the facts written in several places agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

tomllib = pytest.importorskip("tomllib", reason="reading pyproject.toml needs Python 3.11")

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def requirement_names(file):
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return [re.match(r"[\w-]+", line)[0] for line in lines if line and not line.startswith("#")]


def test_every_package_folder_is_installed():
    folders = {path.parent for path in (ROOT / "birefnet").rglob("*.py")}
    packages = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == packages | {"birefnet.examples"}


def test_package_data_exists():
    folders = PYPROJECT["tool"]["setuptools"]["package-dir"]
    for package, patterns in PYPROJECT["tool"]["setuptools"]["package-data"].items():
        folder = ROOT / folders.get(package, package.replace(".", "/"))
        for pattern in patterns:
            assert list(folder.glob(pattern)), f"{pattern} matches nothing in {folder}"


def test_no_requirement_can_replace_a_users_pytorch():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    assert {"torch", "numpy", "pillow"} <= set(lines)
    assert "torchvision" not in requirement_names("requirements.txt")


def test_the_tests_pin_what_they_install():
    pinned = set(requirement_names("tests/constraints.txt"))
    extra = PYPROJECT["project"]["optional-dependencies"]["test"]
    assert set(requirement_names("requirements.txt")) | set(extra) == pinned


def test_the_changelogs_top_version_is_the_packages():
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert versions[0] == PYPROJECT["project"]["version"]


def test_the_web_folder_is_declared_once():
    # ComfyUI serves WEB_DIRECTORY under the folder's name and this key under the project's:
    # with both, every script is loaded twice.
    assert "web" not in PYPROJECT["tool"]["comfy"]
    assert PYPROJECT["tool"]["comfy"]["DisplayName"] == "BiRefNet Studio"
    assert PYPROJECT["tool"]["comfy"]["requires-comfyui"] == ">=0.21.0"


def test_there_are_no_symlinks():
    assert [path for path in tracked_folders() if path.is_symlink()] == []


def tracked_folders():
    for folder in ROOT.iterdir():
        if not folder.name.startswith(".") and folder.is_dir():
            yield from folder.rglob("*")
