"""What the documentation promises: links lead somewhere, examples run, no option is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from PIL import Image

import birefnet
from birefnet.cli import main

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("web/docs/*.md")])
COMMANDS = ("remove", "foreground", "models", "download", "info", "demo")


def text_of(page):
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_exist(page):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text_of(page))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", ["README.md", "docs/python-api.md"])
def test_python_examples_run(page, monkeypatch, tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = birefnet.build(birefnet.PRESETS["starter"]).eval()
    predictor = birefnet.Predictor(network, birefnet.Preprocess(height=64, width=64))
    monkeypatch.setattr(birefnet, "load", lambda *_, **__: predictor)
    Image.new("RGB", (70, 90), "orange").save(tmp_path / "a.png")
    image = torch.rand(1, 3, 64, 64)
    names = {"torch": torch, "image": image, "normalized": image, "path": tmp_path / "a.png"}
    blocks = re.findall(r"```python\n(.*?)```", text_of(ROOT / page), re.DOTALL)
    for block in blocks:
        exec(compile(block, page, "exec"), names)  # noqa: S102 - our own documentation
    assert names["alpha"].shape == (1, 1, 64, 64)
    assert names["color"].shape == (1, 3, 64, 64)
    if "rgba" in names:
        assert names["rgba"].shape == (1, 4, 64, 64)
        assert names["on_white"].shape == (1, 3, 64, 64)
        assert names["outputs"].side_logits


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_described(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    options = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}
    section = text_of(ROOT / "docs/command-line.md").split(f"## birefnet {command}")[1]
    elsewhere = {"--output"}  # described as -o
    if command != "remove":
        elsewhere |= {"--device", "--dtype", "--model"}
    described = set(re.findall(r"--[a-z][a-z-]+", section.split("\n## ")[0]))
    assert options - described <= elsewhere
    assert described <= options
