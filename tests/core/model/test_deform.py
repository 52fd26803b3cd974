"""Deformable convolution against torchvision's operator and by hand."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import Tensor

from birefnet.model import deform
from birefnet.model.deform import DeformableConv, deformable_convolution


def as_matrix(weight: Tensor) -> Tensor:
    return weight.permute(2, 3, 1, 0).flatten(0, 2)


def random_case(
    size: int, height: int = 11, width: int = 14
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(size)
    features = torch.randn(2, 5, height, width, generator=generator)
    offsets = 3 * torch.randn(2, 2 * size * size, height, width, generator=generator)
    modulation = 2 * torch.rand(2, size * size, height, width, generator=generator)
    weight = torch.randn(7, 5, size, size, generator=generator)
    return features, offsets, modulation, weight


@pytest.mark.parametrize("size", [1, 3, 7])
def test_it_equals_the_operator_of_torchvision(size: int) -> None:
    ops = pytest.importorskip("torchvision.ops")
    features, offsets, modulation, weight = random_case(size)
    expected = ops.deform_conv2d(features, offsets, weight, padding=size // 2, mask=modulation)
    result = deformable_convolution(features, offsets, modulation, as_matrix(weight), size)
    torch.testing.assert_close(result, expected, atol=1e-4, rtol=0)


def test_strips_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    features, offsets, modulation, weight = random_case(3)
    arguments = (features, offsets, modulation, as_matrix(weight), 3)
    whole = deformable_convolution(*arguments)
    monkeypatch.setattr(deform, "CHUNK_ELEMENTS", 2 * 9 * 5 * 14)
    torch.testing.assert_close(deformable_convolution(*arguments), whole)


def test_without_offsets_it_is_a_convolution() -> None:
    features, offsets, modulation, weight = random_case(3)
    result = deformable_convolution(
        features, torch.zeros_like(offsets), torch.ones_like(modulation), as_matrix(weight), 3
    )
    expected = torch.nn.functional.conv2d(features, weight, padding=1)
    torch.testing.assert_close(result, expected, atol=1e-4, rtol=0)


def test_half_a_pixel_to_the_right_is_a_mean_and_zero_lies_outside() -> None:
    features = torch.tensor([[[[1.0, 3.0]]]])
    offsets = torch.tensor([0.0, 0.5]).view(1, 2, 1, 1).expand(1, 2, 1, 2)
    result = deformable_convolution(features, offsets, torch.ones(1, 1, 1, 2), torch.ones(1, 1), 1)
    assert result.flatten().tolist() == [2.0, 1.5]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e30, -1e30])
def test_broken_offsets_count_as_outside(value: float) -> None:
    features, offsets, modulation, weight = random_case(3)
    result = deformable_convolution(
        features, torch.full_like(offsets, value), modulation, as_matrix(weight), 3
    )
    assert torch.equal(result, torch.zeros_like(result))


def test_broken_weights_do_not_crash_the_process() -> None:
    program = (
        "import torch\n"
        "from birefnet.model.deform import DeformableConv\n"
        "layer = DeformableConv(4, 4, 7, operations=torch.nn)\n"
        "torch.nn.init.constant_(layer.offsets.bias, float('nan'))\n"
        "print(layer(torch.randn(1, 4, 64, 64)).isfinite().all().item())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "True"), done.stderr


def test_gradients_reach_offsets_modulation_features_and_weight() -> None:
    features, offsets, modulation, weight = (t.double() for t in random_case(3, 4, 5))
    inputs = [t.requires_grad_() for t in (features[:1], offsets[:1], modulation[:1])]
    kernel = as_matrix(weight).requires_grad_()
    deformable_convolution(*inputs, kernel, 3).square().sum().backward()
    for tensor in (*inputs[1:], kernel):
        assert tensor.grad is not None
        assert tensor.grad.abs().sum() > 0
    # One offset against a finite difference.
    step = 1e-4
    moved = inputs[1].detach().clone()
    values = []
    for sign in (1, -1):
        shifted = moved.clone()
        shifted[0, 4, 2, 2] += sign * step
        out = deformable_convolution(inputs[0], shifted, inputs[2], kernel, 3)
        values.append(out.square().sum().item())
    slope = (values[0] - values[1]) / (2 * step)
    assert inputs[1].grad is not None
    assert inputs[1].grad[0, 4, 2, 2].item() == pytest.approx(slope, rel=2e-2, abs=1e-2)


def test_bfloat16_keeps_positions_in_float32() -> None:
    layer = DeformableConv(8, 8, 3, operations=torch.nn)
    features = torch.randn(1, 8, 40, 300)
    expected = layer(features)
    result = layer.bfloat16()(features.bfloat16()).float()
    # In bfloat16 a column beyond 256 would be off by a whole pixel.
    assert (result - expected).abs().mean() < 0.03 * expected.std()
