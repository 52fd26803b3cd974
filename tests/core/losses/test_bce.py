"""Binary cross-entropy on logits."""

from __future__ import annotations

import math

import pytest
import torch

from birefnet.errors import ShapeError
from birefnet.losses import binary_cross_entropy


def test_values_by_hand() -> None:
    logits = torch.tensor([0.0, 0.0, math.log(3), math.log(3)]).view(1, 1, 2, 2)
    alpha = torch.tensor([0.0, 1.0, 1.0, 0.0]).view(1, 1, 2, 2)
    # probabilities 1/2, 1/2, 3/4, 3/4 price the truth at 2, 2, 4/3 and 4
    expected = (2 * math.log(2) + math.log(4 / 3) + math.log(4)) / 4
    torch.testing.assert_close(binary_cross_entropy(logits, alpha), torch.tensor([expected]))


def test_a_soft_truth_is_cheapest_at_its_own_value() -> None:
    alpha = torch.full((1, 1, 4, 4), 0.25)
    odds = math.log(0.25 / 0.75)
    best = binary_cross_entropy(torch.full_like(alpha, odds), alpha)
    assert best > 0
    for other in (odds - 0.5, odds + 0.5):
        assert binary_cross_entropy(torch.full_like(alpha, other), alpha) > best


def test_every_image_of_a_batch_is_priced_alone() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(3, 1, 8, 6, generator=generator)
    alpha = torch.rand(3, 1, 8, 6, generator=generator)
    together = binary_cross_entropy(logits, alpha)
    for item in range(3):
        alone = binary_cross_entropy(logits[item : item + 1], alpha[item : item + 1])
        torch.testing.assert_close(together[item : item + 1], alone)


def test_half_precision_does_not_overflow() -> None:
    logits = torch.full((1, 1, 2, 2), 300.0, dtype=torch.float16)
    loss = binary_cross_entropy(logits, torch.zeros(1, 1, 2, 2))
    torch.testing.assert_close(loss, torch.tensor([300.0]))


def test_sizes_that_differ_are_refused() -> None:
    with pytest.raises(ShapeError, match="resize one"):
        binary_cross_entropy(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 8, 8))
