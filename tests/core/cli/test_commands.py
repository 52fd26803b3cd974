"""`birefnet` itself, and the subcommands that describe and fetch checkpoints."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

from birefnet import cli
from birefnet.cli import download, info, main
from birefnet.cli.models import table
from birefnet.errors import DownloadError
from birefnet.model.architecture import Architecture, SwinConfig
from birefnet.model.cost import activation_bytes
from birefnet.model.network import build
from birefnet.preprocess import Preprocess
from birefnet.weights.files import read_tensors
from birefnet.weights.load import describe, save_checkpoint
from birefnet.weights.registry import REGISTRY

TINY = Architecture(
    encoder=SwinConfig(width=8, depths=(1, 1, 1, 1), heads=(1, 1, 2, 2), window=4),
    attention="aspp",
    inner_width=8,
    aspp_width=8,
    patch_width=8,
)


@pytest.fixture(autouse=True)
def empty_machine(tmp_path, monkeypatch):
    """No models but those a test puts there."""
    monkeypatch.setenv("BIREFNET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("BIREFNET_MODELS", "COMFYUI_PATH"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("command", ["remove", "models", "download", "info", "demo"])
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert f"usage: birefnet {command}" in said


def test_help_tells_the_defaults(capsys):
    with pytest.raises(SystemExit):
        main(["remove", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "NAME_KIND.png (default: cutout,mask)" in said
    assert "(default: adaptive)" in said


def test_an_unknown_command_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["erase"])
    assert ended.value.code == 2
    assert "invalid choice: 'erase'" in capsys.readouterr().err


@pytest.mark.slow
def test_the_module_is_the_command(tmp_path):
    command = [sys.executable, "-m", "birefnet", "info", "missing.safetensors"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: no checkpoint is called 'missing.safetensors'")


def test_ctrl_c_gives_the_shells_status(monkeypatch, capsys):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.models, "run", interrupted)
    assert main(["models"]) == 130


def test_models_lists_every_published_checkpoint_and_what_is_here(empty_machine, capsys):
    folder = empty_machine / "home" / "models"
    folder.mkdir(parents=True)
    (folder / "BiRefNet-lite.safetensors").write_bytes(b"")
    (folder / "mine.safetensors").write_bytes(b"")
    assert main(["models"]) == 0
    said = capsys.readouterr().out
    rows = {line.split()[0]: line for line in said.splitlines() if line and line[0].isalnum()}
    assert set(REGISTRY) <= set(rows)
    assert rows["lite"].split()[1] == "yes"
    assert rows["general"].split()[1] == "no"
    assert "444 MB" in rows["general"]
    assert "CC BY-NC 4.0" in rows["rmbg-2.0"]
    assert "(own file): " + str(folder / "mine.safetensors") in said


def test_the_tables_last_column_is_wrapped():
    rows = [("NAME", "PURPOSE"), ("a", "one two three four five six seven eight nine"), ("bb", "")]
    assert table(rows, 36) == (
        "NAME  PURPOSE\na     one two three four five six\n      seven eight nine\nbb"
    )


@pytest.fixture
def checkpoint(tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = build(TINY, training_heads=True).state_dict()
    preprocess = Preprocess(height=64, width=96, mean=(0.25, 0.5, 0.5), upsample="alpha")
    return save_checkpoint(
        tmp_path / "tiny.safetensors",
        state,
        architecture=TINY,
        preprocess=preprocess,
        purpose="Tests.",
        license="MIT",
        extra={"steps": "17"},
    )


def test_info_shows_what_the_header_says(checkpoint, capsys):
    assert main(["info", str(checkpoint)]) == 0
    said = capsys.readouterr().out
    facts = {line[:16].strip(): line[16:] for line in said.split("\n\n")[0].splitlines()}
    assert facts["Parameters"] == f"{describe(checkpoint).parameters:,}"
    assert facts["Native size"] == "64 x 96"
    assert facts["Normalization"].startswith("mean (0.25, 0.5, 0.5)")
    assert facts["Enlarges"] == "alpha"
    assert facts["Purpose"] == "Tests."
    assert facts["License"] == "MIT"
    assert facts["Training heads"] == "yes"
    assert "float16" in facts["Stored as"]
    assert facts["steps"] == "17"


def test_infos_memory_is_weights_and_activations(checkpoint, capsys):
    main(["info", str(checkpoint)])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    shown = {row[0]: [int(row[3]), int(row[4])] for row in rows if len(row) == 5 and row[1] == "x"}
    assert list(shown) == ["64", "512", "1024", "2048"]
    for index, dtype in enumerate((torch.float32, torch.float16)):
        size = {"batch": 1, "height": 1024, "width": 1024, "dtype": dtype}
        weights = describe(checkpoint).parameters * (4, 2)[index]
        expected = (weights + activation_bytes(TINY, **size)) / 2**20
        assert abs(shown["1024"][index] - expected) <= 0.5


def test_a_long_text_in_the_metadata_is_cut(checkpoint):
    tensors, _ = read_tensors(checkpoint)
    save_file(dict(tensors), checkpoint, metadata={"recipe": "x" * 5000})
    recipe = dict(info.facts(describe(checkpoint)))["recipe"]
    assert recipe == "x" * info.LONGEST_TEXT + " ... (5000 characters)"


def test_info_refuses_other_files(tmp_path, capsys):
    (tmp_path / "other.safetensors").write_bytes(b"nothing of the kind")
    assert main(["info", str(tmp_path / "other.safetensors")]) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_download_says_size_and_license_and_prints_the_path(monkeypatch, capsys):
    asked = []

    def fetch(name, *, folder, force):
        asked.append((name, folder, force))
        return "the path"

    monkeypatch.setattr(download, "download", fetch)
    assert main(["download", "rmbg-2.0", "--force"]) == 0
    said = capsys.readouterr()
    assert said.out == "the path\n"
    assert "CC BY-NC 4.0" in said.err
    assert "885 MB" in said.err
    assert asked == [("rmbg-2.0", None, True)]


def test_a_failed_download_is_an_error_message(monkeypatch, capsys):
    def fetch(name, **options):
        raise DownloadError("no network; put it there by hand")

    monkeypatch.setattr(download, "download", fetch)
    assert main(["download", "general"]) == 1
    assert "error: no network; put it there by hand" in capsys.readouterr().err
