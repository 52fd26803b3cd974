"""How fast is one forward, and how much memory does it take, beside the official program?

    python benchmarks/speed.py --model swin_v1_l --side 1024

Every program runs in a process of its own and all take turns, so that a noisy machine is noisy
for all of them; times are medians after a warm-up, and what counts is their ratio. Memory is the
peak of the resident set during a forward minus the resident set before it, weights loaded.

The official program is found through BIREFNET_OFFICIAL, a checkout of the ZhengPeng7/BiRefNet
repository (it needs einops, kornia and torchvision); without it its rows are left out. All
programs get the same weights: those of the recipe in tests/golden.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import platform
import runpy
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

ROOT = Path(__file__).parents[1]
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def resident() -> int:
    """Bytes of this process that are in memory (Linux)."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE


class Peak:
    """Largest resident set while a block runs, in bytes above its start."""

    def __enter__(self) -> Peak:
        if platform.system() == "Linux":
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        self.start = self.top = resident()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._done.wait(0.002):
            self.top = max(self.top, resident())

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self.top = max(self.top, resident())


def recipe_weights(model: str) -> dict[str, Tensor]:
    """The same weights for every program, by published names."""
    recipe: dict[str, Any] = runpy.run_path(str(ROOT / "tests" / "golden" / "recipe.py"))
    weights: dict[str, Tensor] = recipe["weights"](recipe["manifest"](model))
    return weights


def ours(model: str, dtype: torch.dtype) -> nn.Module:
    """Our network."""
    from birefnet.weights.load import build_network, checkpoint_from_tensors

    checkpoint = checkpoint_from_tensors(recipe_weights(model), name=model)
    return build_network(checkpoint, dtype=dtype)


def official(model: str, dtype: torch.dtype) -> nn.Module:
    """The official network; its deformable operator has no bfloat16 kernel and runs in float32."""
    sys.path.insert(0, os.environ["BIREFNET_OFFICIAL"])
    import config
    from models.birefnet import BiRefNet
    from models.modules import deform_conv

    if model != config.Config().bb:
        raise SystemExit(f"the official checkout is set to {config.Config().bb}, not {model}.")
    operator = deform_conv.deform_conv2d

    def widened(input: Tensor, offset: Tensor, weight: Tensor, **options: Any) -> Tensor:
        options["mask"] = options["mask"].float()
        return operator(input.float(), offset.float(), weight.float(), **options).to(input.dtype)

    if dtype != torch.float32:
        deform_conv.deform_conv2d = widened
    network: nn.Module = BiRefNet(bb_pretrained=False)
    network.load_state_dict(recipe_weights(model), strict=False)
    return network.to(dtype).eval()


PROGRAMS = {"ours": ours, "official": official}
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def worker(program: str, dtype: str, model: str) -> None:
    """Answer each size on standard input with the figures of one forward."""
    network = PROGRAMS[program](model, DTYPES[dtype])
    generator = torch.Generator().manual_seed(0)
    print("ready", flush=True)
    for line in sys.stdin:
        side = int(line)
        images = torch.randn(1, 3, side, side, generator=generator).to(DTYPES[dtype])
        with torch.inference_mode(), Peak() as peak:
            started = time.perf_counter()
            result = network(images)
            seconds = time.perf_counter() - started
        logits = result[-1] if isinstance(result, list) else result
        figures = {
            "seconds": seconds,
            "bytes": peak.top - peak.start,
            "mean": logits.float().mean().item(),
        }
        print(json.dumps(figures), flush=True)


class Remote:
    """A program in a process of its own."""

    def __init__(self, program: str, dtype: str, model: str) -> None:
        self.name = f"{program} {dtype}"
        command = [sys.executable, __file__, "--worker", program, dtype, "--model", model]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self.seconds: list[float] = []
        self.bytes: list[int] = []
        while self._read() != "ready":
            pass

    def _read(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} stopped; its message is above.")
        return line.strip()

    def run(self, side: int, *, counted: bool) -> None:
        """One forward."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{side}\n")
        self.process.stdin.flush()
        line = self._read()
        while not line.startswith("{"):
            line = self._read()
        figures = json.loads(line)
        if counted:
            self.seconds.append(figures["seconds"])
            self.bytes.append(figures["bytes"])


def matrix_speed(dtype: torch.dtype) -> float:
    """GFLOP/s of a large matrix product."""
    size = 2048
    a, b = torch.randn(2, size, size).to(dtype)
    a @ b
    started = time.perf_counter()
    for _ in range(5):
        a @ b
    return 5 * 2 * size**3 / (time.perf_counter() - started) / 1e9


def processor() -> str:
    """Name of the processor, as the system gives it."""
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    return f"{capabilities.get('cpu_name') or platform.processor()}, {os.cpu_count()} cores"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="swin_v1_l")
    parser.add_argument("--side", type=int, nargs="+", default=[1024], metavar="PIXELS")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dtype", nargs="+", choices=DTYPES, default=list(DTYPES))
    parser.add_argument("--worker", nargs=2, metavar=("PROGRAM", "DTYPE"), help="internal")
    arguments = parser.parse_args()
    if arguments.worker:
        worker(*arguments.worker, arguments.model)
        return
    programs = [name for name in PROGRAMS if name == "ours" or os.environ.get("BIREFNET_OFFICIAL")]
    remotes = [
        Remote(name, dtype, arguments.model) for dtype in arguments.dtype for name in programs
    ]
    print(f"{processor()}; torch {torch.__version__}, {torch.get_num_threads()} threads")
    speeds = ", ".join(f"{name} {matrix_speed(kind):.0f}" for name, kind in DTYPES.items())
    print(f"matrix product, GFLOP/s: {speeds}")
    for side in arguments.side:
        for number in range(arguments.rounds + 1):
            for remote in remotes:
                remote.run(side, counted=number > 0)
        print(f"\n{arguments.model}, one image at {side} x {side}, median of {arguments.rounds}")
        print(f"{'':16s}{'seconds':>9s}{'speed-up':>14s}{'GB above weights':>18s}")
        # Against the official program in fp32, or without it against ourselves in fp32.
        reference = statistics.median(remotes[len(programs) - 1].seconds)
        for remote in remotes:
            seconds = statistics.median(remote.seconds)
            gigabytes = max(remote.bytes) / 1e9
            print(f"{remote.name:16s}{seconds:9.2f}{reference / seconds:13.2f}x{gigabytes:18.2f}")
            remote.seconds.clear()
            remote.bytes.clear()


if __name__ == "__main__":
    main()
