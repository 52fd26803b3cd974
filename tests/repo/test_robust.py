"""The core on an awkward desk: odd folder names, embedded Python, ASCII locale, no network.

Every test copies the package and runs it in a process of its own, the way ComfyUI imports it: by
path, as part of a package whose name is that path.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
FOLDER = "Gr\u00fc\u00dfe \u4e16\u754c (1)/BiRefNet-Studio nightly v0.1"  # spaces, dots, a hyphen
ASCII = Path(torch.__file__).as_posix().isascii()
"""Whether an ASCII locale can be tried: PyTorch itself must lie in a folder it can spell there."""

PREAMBLE = """
import importlib, importlib.abc, importlib.util, os, socket, sys, types

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ImportError(name + " is blocked in this test")

def no_network(*arguments, **options):
    raise AssertionError("the network was used")

BLOCKED = set()
sys.meta_path.insert(0, Blocked())
socket.socket.connect = socket.socket.connect_ex = no_network
socket.getaddrinfo = socket.create_connection = no_network

pack = os.path.dirname(os.path.abspath(__file__))
name = pack.replace(".", "_x_")  # as ComfyUI names a pack
sys.modules[name] = types.ModuleType(name)
sys.modules[name].__path__ = [pack]

def load(module):
    return importlib.import_module(name + "." + module)
"""


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    """A copy of what an installation holds, in a folder with an awkward name."""
    folder = tmp_path_factory.mktemp("desk") / FOLDER
    ignore = shutil.ignore_patterns("__pycache__")
    for part in ("birefnet", "examples"):
        shutil.copytree(ROOT / part, folder / part, ignore=ignore)
    return folder


def run(pack: Path, code: str, cwd: Path) -> str:
    """Run code by file path in an isolated Python with an ASCII locale; what it prints."""
    script = pack / "script.py"
    script.write_text(PREAMBLE + code, encoding="utf-8")
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTHON", "LC_", "LANG", "HF_", "BIREFNET_"))
    }
    environment |= {"LC_ALL": "C", "HOME": str(cwd), "USERPROFILE": str(cwd)}
    done = subprocess.run(  # -I ignores PYTHONUTF8, so that -X says it
        [sys.executable, "-I", "-X", "utf8=0" if ASCII else "utf8=1", str(script)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        check=False,
    )
    errors = done.stderr.decode("utf-8", "replace")
    assert done.returncode == 0, errors
    return done.stdout.decode("ascii" if ASCII else "utf-8") + errors


@pytest.mark.skipif(not ASCII, reason="PyTorch lies in a folder that ASCII cannot spell")
def test_the_locale_of_these_tests_is_ascii_where_the_system_lets_it(pack, tmp_path):
    said = run(pack, "print(sys.getfilesystemencoding(), sys.flags.utf8_mode)", tmp_path)
    assert said.split()[1] == "0"
    assert said.split()[0] == ("utf-8" if sys.platform in ("win32", "darwin") else "ascii")


def test_importing_every_module_only_defines_things(pack, tmp_path):
    code = """
import io, logging, pkgutil, random, warnings
import numpy, safetensors.torch, torch

def state():
    return (
        dict(os.environ), os.getcwd(), list(sys.path), torch.get_num_threads(),
        torch.get_default_dtype(), torch.is_grad_enabled(), torch.random.get_rng_state().tolist(),
        torch.get_float32_matmul_precision(), torch.backends.cudnn.benchmark,
        random.getstate(), numpy.random.get_state()[1].tolist(), str(numpy.get_printoptions()),
        list(logging.root.handlers), logging.root.level, list(warnings.filters),
        torch.cuda.is_initialized(), sys.stdout, sys.excepthook,
    )

before, modules = state(), set(sys.modules)
package = load("birefnet")
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
after = state()
assert before == after, [pair for pair in zip(before, after) if pair[0] != pair[1]]
added = {module.split(".")[0] for module in set(sys.modules) - modules}
heavy = added & {"PIL", "av", "huggingface_hub", "kornia", "scipy", "timm", "torchvision", "tqdm"}
assert not heavy, heavy
print(len(set(sys.modules) - modules))
"""
    said = run(pack, code, tmp_path)
    assert int(said) > 20, "the modules were not imported, or something was printed"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_demo_runs_without_network_timm_and_kornia(pack, tmp_path):
    code = """
BLOCKED |= {"kornia", "timm", "torchvision"}
sys.exit(load("birefnet.cli").main(["demo", "--device", "cpu"]))
"""
    said = run(pack, code, tmp_path)
    assert "Mean IoU" in said
    assert (tmp_path / "demo" / "contact_sheet.jpg").stat().st_size > 10_000
    assert len(list(tmp_path.glob("demo/*_cutout.png"))) >= 8


@pytest.mark.slow
def test_every_published_checkpoint_loads_and_runs_without_timm_and_kornia(pack, tmp_path):
    code = """
BLOCKED |= {"kornia", "timm", "torchvision"}
import torch
package, weights = load("birefnet"), load("birefnet.weights.load")
small = package.Preprocess(height=64, width=64)
ran = set()
for entry in load("birefnet.weights.registry").REGISTRY.values():
    if entry.architecture not in ran:
        architecture = package.PRESETS[entry.architecture]
        state = package.build(architecture, training_heads=True).state_dict()
        own = weights.save_checkpoint(
            "own.safetensors", state, architecture=architecture, preprocess=small
        )
        alpha = package.load(own, device="cpu", dtype="fp32")(torch.rand(1, 3, 50, 70))
        assert alpha.shape == (1, 1, 50, 70) and alpha.isfinite().all()
        ran.add(entry.architecture)
print(len(ran))
"""
    assert int(run(pack, code, tmp_path).split()[0]) >= 4


def test_a_picture_with_any_name_in_any_folder_is_cut_out(pack, tmp_path):
    code = r"""
photos = os.fsencode(os.getcwd()) + "/Fotos \u00e4 \u732b".encode()
os.mkdir(photos)
from PIL import Image
Image.new("RGB", (40, 30), "red").save(os.fsdecode(photos + "/K\u00e4tzchen \u732b.png".encode()))
main = load("birefnet.cli").main
status = main(["remove", os.fsdecode(photos), "-o", "out", "--model", "starter", "--device", "cpu"])
sys.exit(status)
"""
    run(pack, code, tmp_path)
    names = sorted(os.fsencode(path.name) for path in (tmp_path / "out").iterdir())
    assert names == [f"K\u00e4tzchen \u732b_{kind}.png".encode() for kind in ("cutout", "mask")]
