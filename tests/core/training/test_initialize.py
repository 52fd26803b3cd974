"""Weights to start from."""

from __future__ import annotations

from dataclasses import replace

import torch

from birefnet.model.architecture import PRESETS, SwinConfig
from birefnet.model.network import BiRefNet, build
from birefnet.training.initialize import initialize

TINY = replace(
    PRESETS["starter"],
    encoder=SwinConfig(width=8, depths=(1, 1, 1, 1), heads=(1, 1, 2, 2), window=4),
    inner_width=8,
    aspp_width=8,
    patch_width=8,
)


def initialized(seed: int) -> BiRefNet:
    network = build(TINY, training_heads=True)
    initialize(network, torch.Generator().manual_seed(seed), coverage=0.25)
    return network


def test_the_generator_decides_every_weight() -> None:
    one, same, other = (initialized(seed).state_dict() for seed in (1, 1, 2))
    for name, tensor in one.items():
        assert torch.equal(tensor, same[name]), name
    assert not torch.equal(one["decoder.output.weight"], other["decoder.output.weight"])


def test_features_keep_their_scale_through_the_encoder() -> None:
    network = initialized(3)
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        maps = network.encoder(images, lambda: None)
    for features in maps:
        assert 0.5 < features.std() < 2


def test_it_starts_near_the_average_subject() -> None:
    network = initialized(5).train()
    images = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(6))
    with torch.no_grad():
        outputs = network.training_outputs(images)
    for logits in (outputs.logits, *outputs.side_logits):
        assert 0.1 < logits.sigmoid().mean() < 0.45
