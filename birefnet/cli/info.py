"""`birefnet info`: what a checkpoint file is."""

from __future__ import annotations

import argparse

import torch

from ..model.cost import activation_bytes
from ..preprocess import Preprocess, network_size
from ..weights.find import resolve
from ..weights.load import Info, describe
from ..weights.metadata import KEY, decode

SIDES = (512, 1024, 2048)
"""Sizes of the memory table, beside the checkpoint's own, in pixels."""

LONGEST_TEXT = 300
"""Characters of one metadata text that are shown."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommand to argparse."""
    parser = commands.add_parser(
        "info",
        help="show what a checkpoint file is",
        description="Show a checkpoint's architecture, parameters, metadata, and the memory a "
        "prediction needs by size and precision. Reads the file's header only.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "file", metavar="FILE", help="a checkpoint, or a name that `birefnet models` lists"
    )


def run(options: argparse.Namespace) -> int:
    """Print the facts."""
    info = describe(resolve(options.file))
    for name, value in facts(info):
        print(f"{name:<15} {value}")
    print("\nMemory for one picture, weights included, in MiB:")
    print(f"{'size':>13}{'fp32':>9}{'fp16, bf16':>13}")
    for height, width in sizes(info.preprocess):
        full, half = (
            memory(info, height, width, dtype) for dtype in (torch.float32, torch.float16)
        )
        print(f"{f'{height} x {width}':>13}{full / 2**20:9.0f}{half / 2**20:13.0f}")
    return 0


def facts(info: Info) -> list[tuple[str, str]]:
    """What the header says, line by line: (name, value)."""
    preprocess, entry = info.preprocess, info.entry
    dtypes = ", ".join(f"{kind} ({count} tensors)" for kind, count in info.dtypes.items())
    lines = [
        ("File", f"{info.path} ({info.file_bytes / 1e6:.1f} MB)"),
        ("Architecture", info.architecture_name),
        ("Parameters", f"{info.parameters:,}"),
        ("Stored as", dtypes),
        ("Training heads", "yes" if info.has_training_heads else "no"),
        ("Native size", native_size(preprocess)),
        ("Normalization", f"mean {preprocess.mean}, std {preprocess.std}"),
        ("Patch order", preprocess.patch_order),
        ("Enlarges", preprocess.upsample),
        ("Published as", f"{entry.id} {entry.page}".strip() if entry else "not a published file"),
        ("Purpose", info.purpose or "not stated"),
        ("License", info.license or "not stated"),
        ("Source", info.source or "not stated"),
    ]
    lines += [("Note", note) for note in info.notes]
    stored = decode(info.metadata, name=str(info.path))
    texts = {**info.metadata, **(stored.extra if stored else {})}
    for name, text in texts.items():
        if name != KEY:  # our own part is what the lines above and `extra` say
            more = f" ... ({len(text)} characters)" if len(text) > LONGEST_TEXT else ""
            lines.append((name, text[:LONGEST_TEXT] + more))
    return lines


def native_size(preprocess: Preprocess) -> str:
    """The size a checkpoint was made for, in words."""
    if preprocess.dynamic:
        return f"the picture's own, {preprocess.smallest} to {preprocess.largest} pixels a side"
    return f"{preprocess.height} x {preprocess.width}"


def sizes(preprocess: Preprocess) -> list[tuple[int, int]]:
    """Sizes of the memory table, smallest first."""
    own = network_size((preprocess.height, preprocess.width), preprocess)
    return sorted({own, *((side, side) for side in SIDES)}, key=lambda size: size[0] * size[1])


def memory(info: Info, height: int, width: int, dtype: torch.dtype) -> int:
    """Bytes of weights and activations for one picture."""
    weights = info.parameters * dtype.itemsize
    return weights + activation_bytes(
        info.architecture, batch=1, height=height, width=width, dtype=dtype
    )
