"""What the network promises beside its numbers."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from birefnet import ConfigError, ShapeError, build
from birefnet.model.architecture import PRESETS, TIMM_WIDTHS, Architecture, PvtConfig, SwinConfig
from birefnet.model.decoder import split_patches
from birefnet.model.network import image_laplacian
from birefnet.model.swin import relative_positions, shift_mask

TINY = Architecture(
    encoder=SwinConfig(width=16, depths=(1, 2, 1, 1), heads=(1, 2, 2, 4), window=4),
    inner_width=8,
    aspp_width=8,
    patch_width=4,
)
TINY_PVT = replace(TINY, encoder=PvtConfig(widths=(8, 16, 20, 32), depths=(1, 1, 1, 1)))


def images(batch: int = 1, height: int = 64, width: int = 96) -> torch.Tensor:
    return torch.randn(batch, 3, height, width, generator=torch.Generator().manual_seed(batch))


def lively(architecture: Architecture, **options: object) -> nn.Module:
    """A network whose every layer matters, unlike freshly initialized ones."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build(architecture, **options)
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        fan_in = parameter[0].numel() if parameter.ndim > 1 else 10
        noise = torch.randn(parameter.shape, generator=generator) / fan_in**0.5
        parameter.data.add_(noise)
    return network


@pytest.mark.parametrize("architecture", [TINY, TINY_PVT], ids=["swin", "pvt"])
@pytest.mark.parametrize("size", [(64, 64), (96, 160), (224, 64)])
def test_logits_have_the_size_of_the_images(
    architecture: Architecture, size: tuple[int, int]
) -> None:
    logits = build(architecture)(images(2, *size))
    assert logits.shape == (2, 1, *size)
    assert not logits.requires_grad


@pytest.mark.parametrize("architecture", [TINY, TINY_PVT], ids=["swin", "pvt"])
def test_items_of_a_batch_are_independent(architecture: Architecture) -> None:
    network = lively(architecture)
    batch = images(3)
    together = network(batch)
    assert together.std() > 0.1
    for item in range(3):
        alone = network(batch[item : item + 1])[0]
        torch.testing.assert_close(alone, together[item], atol=2e-4, rtol=0)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 3, 64, 100), "width must be a multiple of 32 .* got 100; resize the images to 96"),
        ((1, 3, 48, 64), "height must be a multiple of 32"),
        ((1, 3, 0, 64), "at least 32"),
        ((1, 4, 64, 64), r"\(B, 3, H, W\)"),
        ((3, 64, 64), r"\(B, 3, H, W\)"),
        ((0, 3, 64, 64), "at least 1"),
    ],
)
def test_illegal_shapes_are_refused(shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        build(TINY)(torch.zeros(shape))


def test_pvt_needs_64_pixels() -> None:
    with pytest.raises(ShapeError, match="at least 64"):
        build(TINY_PVT)(torch.zeros(1, 3, 32, 64))


def test_training_outputs_end_in_the_logits_of_inference() -> None:
    network = lively(TINY, training_heads=True)
    outputs = network.training_outputs(images())
    torch.testing.assert_close(outputs.logits, network(images()))
    assert outputs.logits.requires_grad
    assert [m.shape[2:] for m in outputs.side_logits] == [(2, 3), (4, 6), (8, 12)]
    assert len(outputs.gradient_logits) == len(outputs.gradient_targets) == 3
    laplacian = image_laplacian(images())
    finest = nn.functional.interpolate(
        outputs.side_logits[2], size=(64, 96), mode="bilinear", align_corners=True
    )
    torch.testing.assert_close(outputs.gradient_targets[2], laplacian * finest)
    outputs.logits.sum().backward()
    assert network.encoder.patch_embed["projection"].weight.grad.abs().sum() > 0


def test_inference_has_no_training_heads() -> None:
    names = set(dict(build(replace(TINY, classes=5)).named_parameters()))
    trained = build(replace(TINY, classes=5), training_heads=True)
    assert names < set(dict(trained.named_parameters()))
    assert not [name for name in names if "side_heads" in name or "predict" in name]
    assert trained.training_outputs(images()).class_logits.shape == (1, 5)
    with pytest.raises(ConfigError, match="training_heads=True"):
        build(TINY).training_outputs(images())


@pytest.mark.parametrize(
    "changes",
    [
        {"multi_scale": "none"},
        {"multi_scale": "add"},
        {"context": 0},
        {"squeeze_block": "none", "context": 0},
        {"squeeze_block": "residual"},
        {"squeeze_block": "aspp"},
        {"squeeze_block": "aspp_deformable", "squeeze_depth": 2, "context": 0},
        {"decoder_block": "residual"},
        {"attention": "none"},
        {"attention": "aspp"},
        {"inner_width": None},
        {"patch_split": False},
        {"deepest_patch": False, "deform_kernels": (3,)},
        {"gradient_attention": False},
        {"gradient_attention": False, "multi_scale_supervision": False},
        {"batch_norm": False},
    ],
    ids=str,
)
def test_every_switch_builds_trains_and_matters(changes: dict[str, object]) -> None:
    switched = replace(TINY, **changes)
    network = lively(switched, training_heads=True)
    torch.testing.assert_close(network.training_outputs(images()).logits, network(images()))
    assert (lively(TINY)(images()) - network(images())).abs().max() > 1e-3


def test_progress_reaches_one_in_many_steps() -> None:
    seen: list[float] = []
    build(TINY)(images(), progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) == 2 * 5 + 5
    assert seen[-1] == 1


def test_weighted_layers_come_from_the_given_namespace() -> None:
    made = []

    def counted(name: str) -> type[nn.Module]:
        base = getattr(nn, name)

        class Layer(base):  # type: ignore[misc,valid-type]
            def __init__(self, *args: object, **kwargs: object) -> None:
                made.append(self)
                super().__init__(*args, **kwargs)

        return Layer

    kinds = ("Linear", "Conv2d", "LayerNorm", "BatchNorm2d", "Embedding")
    operations = SimpleNamespace(**{name: counted(name) for name in kinds})
    for architecture in (TINY, TINY_PVT):
        network = build(architecture, training_heads=True, operations=operations)
        owners = {
            id(module)
            for module in network.modules()
            if list(itertools.chain(module.parameters(False), module.buffers(False)))
        }
        assert owners <= {id(module) for module in made}


def test_layers_may_cast_their_weights_when_called() -> None:
    class CastingConv(nn.Conv2d):
        def forward(self, features: torch.Tensor) -> torch.Tensor:
            return self._conv_forward(
                features,
                self.weight.to(features.dtype),
                None if self.bias is None else self.bias.to(features.dtype),
            )

    operations = SimpleNamespace(
        **{name: getattr(nn, name) for name in ("Linear", "LayerNorm", "BatchNorm2d", "Embedding")},
        Conv2d=CastingConv,
    )
    network = lively(TINY, operations=operations)
    expected = network(images())
    for module in network.modules():
        if isinstance(module, CastingConv):
            module.double()  # kept in another precision, as a host does with quantized weights
    torch.testing.assert_close(network(images()), expected, atol=1e-4, rtol=1e-4)


def test_drop_path_acts_in_training_only() -> None:
    network = build(TINY, training_heads=True, drop_path=0.9)
    quiet = network(images(4))
    torch.testing.assert_close(network(images(4)), quiet)
    assert network.encoder.stages[3].blocks[0].drop_path.probability == pytest.approx(0.9)
    assert network.encoder.stages[0].blocks[0].drop_path.probability == 0
    network.train()
    first, second = (network.encoder(images(4), lambda: None)[3] for _ in range(2))
    assert not torch.equal(first, second)


def test_patch_orders_by_hand() -> None:
    pixels = torch.arange(8.0).view(1, 2, 2, 2)  # two colors, 2 x 2 pixels, patches of one pixel
    current = split_patches(pixels, (1, 1), "current").flatten().tolist()
    legacy = split_patches(pixels, (1, 1), "legacy").flatten().tolist()
    assert current == [0, 1, 2, 3, 4, 5, 6, 7]  # color, row, column
    assert legacy == [0, 4, 2, 6, 1, 5, 3, 7]  # column, row, color


def test_relative_positions_by_hand() -> None:
    assert relative_positions(2).tolist() == [
        [4, 3, 1, 0],
        [5, 4, 2, 1],
        [7, 6, 4, 3],
        [8, 7, 5, 4],
    ]


def test_shifted_windows_hide_what_was_far_away() -> None:
    mask = shift_mask(4, 4, 2, None)
    assert mask.shape == (4, 4, 4)
    assert not mask[0].any()  # nothing wrapped around in the first window
    inf = float("-inf")
    assert mask[3].tolist() == [
        [0, inf, inf, inf],
        [inf, 0, inf, inf],
        [inf, inf, 0, inf],
        [inf, inf, inf, 0],
    ]


def test_presets_of_our_own_code_have_the_published_number_of_parameters() -> None:
    counts = {
        "swin_v1_l": 220_176_498,
        "swin_v1_t": 44_313_720,
    }
    for name, count in counts.items():
        with torch.device("meta"):
            network = build(PRESETS[name], training_heads=True)
        assert sum(p.numel() for p in network.parameters()) == count


CNN = [name for name in TIMM_WIDTHS if not name.startswith("dino")]


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CNN, "dino_v3_s_plus"])
def test_encoders_of_timm_give_the_channels_they_promise(name: str) -> None:
    network = build(PRESETS[name])
    assert network(images()).shape == (1, 1, 64, 96)
    maps = network.encoder(images(), lambda: None)
    assert tuple(m.shape[1] for m in maps) == TIMM_WIDTHS[name]
    strides = (16,) * 4 if name.startswith("dino") else (4, 8, 16, 32)
    assert [m.shape[2] for m in maps] == [64 // stride for stride in strides]
