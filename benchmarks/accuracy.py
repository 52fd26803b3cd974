"""How far are our logits and masks from the official program's, in each precision?

    python benchmarks/accuracy.py [--device cuda] [--variant swin_v1_l]

The reference is tests/golden: the official program in float32 on a CPU, with recipe weights whose
logits vary far more than those of trained models.
"""

from __future__ import annotations

import argparse
import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from birefnet.model.architecture import PRESETS
from birefnet.weights.load import build_network, checkpoint_from_tensors

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
SWITCHED = {  # tensors do not tell these two apart
    "swin_v1_t.mul_scl_ipt-none": replace(PRESETS["swin_v1_t"], multi_scale="none"),
    "swin_v1_t.mul_scl_ipt-add": replace(PRESETS["swin_v1_t"], multi_scale="add"),
}
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--variant", default="", help="only variants that begin like this")
    parser.add_argument("--dtype", nargs="+", choices=DTYPES, default=["fp32", "bf16"])
    arguments = parser.parse_args()
    recipe: dict[str, Any] = runpy.run_path(str(GOLDEN / "recipe.py"))
    print(f"torch {torch.__version__}, {arguments.device}")
    print(f"{'golden forward':64s}{'type':>5s}{'largest':>10s}{'mean/std':>10s}{'mask':>9s}")
    for file in sorted((GOLDEN / "forward").glob(f"{arguments.variant}*.npz")):
        golden = np.load(file)
        variant = str(golden["variant"])
        plain = variant.removesuffix(".patch_order-legacy")
        checkpoint = checkpoint_from_tensors(
            recipe["weights"](recipe["manifest"](plain)),
            name=variant,
            architecture=SWITCHED.get(plain),
            patch_order="legacy" if "legacy" in variant else "current",
        )
        fields = ("seed", "batch", "height", "width")
        images = recipe["network_input"](*(int(golden[field]) for field in fields))
        expected = torch.from_numpy(golden["logits"])
        for name in arguments.dtype:
            dtype = DTYPES[name]
            network = build_network(checkpoint, device=arguments.device, dtype=dtype)
            logits = network(images.to(arguments.device, dtype)).float().cpu()
            error = (logits - expected).abs()
            mask = (torch.sigmoid(logits) - torch.sigmoid(expected)).abs().mean()
            print(
                f"{file.stem:64s}{name:>5s}{error.max():10.1e}"
                f"{error.mean() / expected.std():10.1e}{mask:9.1e}",
                flush=True,
            )


if __name__ == "__main__":
    main()
