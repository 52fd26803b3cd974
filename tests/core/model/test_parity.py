"""The network against the official program's own numbers."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
import torch

from birefnet.model.architecture import PRESETS, Architecture
from birefnet.model.network import BiRefNet
from birefnet.weights.load import build_network, checkpoint_from_tensors

GOLDEN = Path(__file__).parents[2] / "golden"
recipe = runpy.run_path(str(GOLDEN / "recipe.py"))

FILES = sorted(path.name for path in (GOLDEN / "forward").glob("*.npz"))
TOLERANCE = {"resnet50": 5e-4, "vgg16": 5e-4, "dino_v3_s": 5e-4}  # else 2e-4; tests/golden/README
LARGE = ("swin_v1_l", "swin_v1_b", "pvt_v2_b5", "legacy")
T = PRESETS["swin_v1_t"]
SWITCHES = {
    "mul_scl_ipt-none": replace(T, multi_scale="none"),
    "mul_scl_ipt-add": replace(T, multi_scale="add"),
}


def cases() -> list[object]:
    return [
        pytest.param(file, marks=pytest.mark.slow) if file.startswith(LARGE) else file
        for file in FILES
    ]


def network_of(variant: str, dtype: torch.dtype = torch.float32) -> BiRefNet:
    plain = variant.removesuffix(".patch_order-legacy")
    switch = plain.partition(".")[2]
    architecture: Architecture | None = SWITCHES.get(switch)
    checkpoint = checkpoint_from_tensors(
        recipe["weights"](recipe["manifest"](plain)),
        name=variant,
        architecture=architecture,
        patch_order="legacy" if "legacy" in variant else "current",
    )
    return build_network(checkpoint, dtype=dtype)


def network_input(golden: numpy.lib.npyio.NpzFile) -> torch.Tensor:
    return recipe["network_input"](
        int(golden["seed"]), int(golden["batch"]), int(golden["height"]), int(golden["width"])
    )


def test_every_golden_forward_is_here() -> None:
    assert len(FILES) == 40


@pytest.mark.filterwarnings("ignore::DeprecationWarning:timm")
@pytest.mark.parametrize("file", cases())
def test_logits_are_those_of_the_official_program(file: str) -> None:
    golden = numpy.load(GOLDEN / "forward" / file)
    variant = str(golden["variant"])
    logits = network_of(variant)(network_input(golden)).numpy()
    difference = numpy.abs(logits - golden["logits"]).max()
    assert difference < TOLERANCE.get(variant, 2e-4)


def test_the_two_patch_orders_differ() -> None:
    golden = numpy.load(GOLDEN / "forward" / "swin_v1_t_128x128_seed0.npz")
    logits = network_of("swin_v1_t.patch_order-legacy")(network_input(golden)).numpy()
    assert numpy.abs(logits - golden["logits"]).max() > 0.5


def test_an_item_of_a_batch_equals_the_item_alone() -> None:
    golden = numpy.load(GOLDEN / "forward" / "swin_v1_t_b2_128x128_seed4.npz")
    network, images = network_of("swin_v1_t"), network_input(golden)
    together = network(images)
    for item in range(2):
        torch.testing.assert_close(
            network(images[item : item + 1])[0], together[item], atol=5e-5, rtol=0
        )


def test_bfloat16_on_a_cpu_stays_near_float32() -> None:
    golden = numpy.load(GOLDEN / "forward" / "swin_v1_t_128x128_seed0.npz")
    logits = network_of("swin_v1_t", torch.bfloat16)(network_input(golden).bfloat16())
    assert logits.dtype == torch.bfloat16
    error = logits.float().numpy() - golden["logits"]
    assert numpy.abs(error).mean() < 0.04 * golden["logits"].std()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float16, 0.01), (torch.bfloat16, 0.04)])
def test_half_precision_on_a_gpu_stays_near_float32(dtype: torch.dtype, bound: float) -> None:
    golden = numpy.load(GOLDEN / "forward" / "swin_v1_t_128x128_seed0.npz")
    network = network_of("swin_v1_t", dtype).cuda()
    error = network(network_input(golden).cuda().to(dtype)).float().cpu().numpy()
    error -= golden["logits"]
    assert numpy.abs(error).mean() < bound * golden["logits"].std()
