"""Weights and inputs of the golden forwards, made from a recipe instead of a file.

Load it by path, because the test tree has no packages:

    recipe = runpy.run_path(str(GOLDEN / "recipe.py"))
    state = recipe["weights"](recipe["manifest"]("swin_v1_t"))
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from pathlib import Path

import numpy
import torch

GOLDEN = Path(__file__).parent
MEAN = numpy.float32((0.485, 0.456, 0.406)).reshape(1, 3, 1, 1)
STD = numpy.float32((0.229, 0.224, 0.225)).reshape(1, 3, 1, 1)


def variants() -> list[str]:
    """Every variant that has a manifest, sorted."""
    return sorted(path.name[: -len(".json.gz")] for path in (GOLDEN / "manifests").glob("*.gz"))


def read_manifest(variant: str) -> dict[str, dict]:
    """One manifest as stored: `__meta__`, then {published name: {"shape", "dtype"}}."""
    with gzip.open(GOLDEN / "manifests" / f"{variant}.json.gz", "rt", encoding="utf-8") as file:
        return json.load(file)


def manifest(variant: str) -> dict[str, tuple[int, ...]]:
    """The floating tensors of a variant: {published name: shape}, in state-dict order."""
    return {
        key: tuple(entry["shape"])
        for key, entry in read_manifest(variant).items()
        if key != "__meta__" and entry["dtype"] == "float32"
    }


def weight(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """The recipe's tensor for one published name, float32."""
    generator = numpy.random.RandomState(zlib.crc32(key.encode()))
    value = generator.standard_normal(shape).astype(numpy.float32)
    if key.endswith("running_var"):
        value = 1 + numpy.float32(0.1) * abs(value)
    elif key.endswith("running_mean"):
        value = numpy.float32(0.1) * value
    elif len(shape) <= 1:
        value = numpy.float32(key.endswith("weight")) + numpy.float32(0.1) * value
    elif key.endswith("relative_position_bias_table"):
        value = numpy.float32(0.5) * value
    else:
        value = value / numpy.float32(math.sqrt(math.prod(shape[1:])))
    if len(shape) == 4 and "ipt_blk" not in key and "lateral_block" not in key:
        value = value * numpy.float32(math.sqrt(2))
    if key.startswith("bb.") and key.endswith("bn3.weight"):
        value = value * numpy.float32(0.25)
    return torch.from_numpy(numpy.asarray(value, dtype=numpy.float32))


def weights(shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """The recipe's tensors for a manifest, under their published names."""
    return {key: weight(key, shape) for key, shape in shapes.items()}


def network_input(seed: int, batch: int, height: int, width: int) -> torch.Tensor:
    """The normalized input (B, 3, H, W) of a golden forward."""
    image = numpy.random.RandomState(seed).random_sample((batch, 3, height, width))
    return torch.from_numpy((image.astype(numpy.float32) - MEAN) / STD)
