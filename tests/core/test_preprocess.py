"""Sizes, resampling and normalization."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import torch

from birefnet import ConfigError, Preprocess
from birefnet.preprocess import Placement, network_size, resize, to_alpha, to_network

GOLDEN = numpy.load(Path(__file__).parents[1] / "golden" / "prepost.npz")
LEVEL = 1 / 255
PLAIN = Preprocess(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
DYNAMIC = Preprocess(dynamic=True, min_side=256, max_side=2304)


def golden_image() -> torch.Tensor:
    return torch.from_numpy(GOLDEN["image"]).permute(2, 0, 1)[None].float() / 255


@pytest.mark.parametrize(
    ("resampling", "expected"), [("official", "cv2_input"), ("antialiased", "pil_input")]
)
def test_inputs_are_those_of_the_official_program(resampling: str, expected: str) -> None:
    size = tuple(int(side) for side in GOLDEN["size_hw"])
    inputs, placement = to_network(golden_image(), size, Preprocess(), resampling=resampling)
    # Both libraries round to 8 bits with fixed-point weights: one level, in normalized units.
    assert numpy.abs(inputs[0].numpy() - GOLDEN[expected]).max() < 1.1 * LEVEL / 0.224
    assert placement == Placement(top=0, left=0, height=size[0], width=size[1])


def test_alpha_is_that_of_the_official_program() -> None:
    logits = torch.from_numpy(GOLDEN["logits"])
    placement = Placement(top=0, left=0, height=32, width=64)
    alpha = to_alpha(logits, (70, 101), placement, resampling="official")
    assert numpy.abs(alpha.numpy() - GOLDEN["post_inference_float"]).max() < 1e-6


def test_nothing_passes_through_eight_bits() -> None:
    image = torch.full((1, 3, 64, 64), 0.3 / 255)
    inputs, _ = to_network(image, (32, 32), PLAIN)
    torch.testing.assert_close(inputs, image[..., :32, :32])
    logits = torch.full((1, 1, 32, 32), -9.0)
    alpha = to_alpha(logits, (64, 64), Placement(top=0, left=0, height=32, width=32))
    torch.testing.assert_close(alpha, torch.sigmoid(torch.full((1, 1, 64, 64), -9.0)))


def test_normalization_is_the_checkpoints() -> None:
    own = Preprocess(mean=(0.5, 0.25, 0.0), std=(1.0, 0.5, 0.25))
    inputs, _ = to_network(torch.full((1, 3, 8, 8), 0.5), (32, 32), own)
    assert inputs[0, :, 0, 0].tolist() == [0.0, 0.5, 2.0]


def test_letterbox_keeps_proportions_and_comes_back() -> None:
    image = torch.zeros(1, 3, 40, 80)
    image[..., 20:60] = 1.0
    inputs, placement = to_network(image, (64, 64), PLAIN, fit="letterbox")
    assert placement == Placement(top=16, left=0, height=32, width=64)
    assert inputs[0, 0, :16].abs().max() == 0  # padding is the mean color
    logits = torch.logit(inputs[:, :1], eps=1e-4)
    alpha = to_alpha(logits, (40, 80), placement)
    assert (alpha - image[:, :1]).abs().mean() < 0.02


@pytest.mark.parametrize("size", [(1, 3000), (3000, 1), (7, 7)])
def test_extreme_letterboxes_keep_at_least_a_pixel(size: tuple[int, int]) -> None:
    _, placement = to_network(torch.rand(1, 3, *size), (64, 64), PLAIN, fit="letterbox")
    assert min(placement.height, placement.width) >= 1
    assert to_alpha(torch.zeros(1, 1, 64, 64), size, placement).shape == (1, 1, *size)


def test_shrinking_averages_instead_of_skipping() -> None:
    stripes = torch.zeros(1, 3, 256, 256)
    stripes[..., ::2] = 1.0
    inputs, _ = to_network(stripes, (32, 32), PLAIN)
    assert (inputs - 0.5).abs().max() < 0.05


def test_upsampling_is_a_choice() -> None:
    logits = torch.full((1, 1, 32, 32), -8.0)
    logits[..., 16:] = 8.0
    whole = Placement(top=0, left=0, height=32, width=32)
    hard = to_alpha(logits, (128, 128), whole, upsample="logits")
    soft = to_alpha(logits, (128, 128), whole, upsample="alpha")

    def unsure(alpha: torch.Tensor) -> int:
        return int(((alpha > 0.05) & (alpha < 0.95)).sum())

    assert unsure(hard) < unsure(soft)


def test_a_smaller_image_averages_alpha_in_any_case() -> None:
    logits = torch.full((1, 1, 64, 64), -20.0)
    logits[..., ::2] = 20.0
    alpha = to_alpha(logits, (16, 16), Placement(top=0, left=0, height=64, width=64))
    assert (alpha - 0.5).abs().max() < 0.1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, (1024, 1024)),
        ({"size": "native"}, (1024, 1024)),
        ({"size": 500}, (512, 512)),
        ({"size": (700, 1000)}, (704, 992)),
        ({"size": 1}, (32, 32)),
        ({"longest_side": 1000}, (992, 512)),
    ],
)
def test_sizes_of_a_checkpoint_with_one_size(
    arguments: dict[str, object], expected: tuple[int, int]
) -> None:
    assert network_size((3000, 1500), Preprocess(), **arguments) == expected


def test_sizes_of_a_dynamic_checkpoint_follow_the_image() -> None:
    assert network_size((1000, 777), DYNAMIC) == (992, 768)
    assert network_size((1000, 777), DYNAMIC, size="native") == (992, 768)
    assert network_size((9000, 10), DYNAMIC) == (2304, 256)
    assert network_size((1, 1), DYNAMIC) == (256, 256)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"size": 512, "longest_side": 512}, "not both"),
        ({"size": 0}, "1 to 16384"),
        ({"size": 20000}, "1 to 16384"),
        ({"size": "big"}, "'auto', 'native'"),
        ({"size": True}, "'auto', 'native'"),
        ({"longest_side": -5}, "1 to 16384"),
    ],
)
def test_impossible_sizes_are_refused(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        network_size((10, 10), Preprocess(), **arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"height": 1000}, "height must be a positive multiple of 32, got 1000; try 992"),
        ({"width": 0}, "width must be"),
        ({"min_side": 2048}, "min_side must not exceed"),
        ({"std": (1.0, 0.0, 1.0)}, "std must be positive"),
        ({"mean": (1.0, 0.0)}, "three values"),
        ({"patch_order": "new"}, "current, legacy"),
        ({"upsample": "mask"}, "logits or alpha"),
    ],
)
def test_impossible_checkpoints_are_refused(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Preprocess(**arguments)


def test_unknown_ways_to_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match="stretch, letterbox"):
        to_network(torch.rand(1, 3, 8, 8), (32, 32), PLAIN, fit="crop")
    with pytest.raises(ConfigError, match="antialiased or official"):
        to_network(torch.rand(1, 3, 8, 8), (32, 32), PLAIN, resampling="nearest")


def test_an_unchanged_size_returns_the_image_itself() -> None:
    image = torch.rand(1, 3, 9, 9)
    assert resize(image, (9, 9)) is image
