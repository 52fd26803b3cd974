"""Soft intersection over union."""

from __future__ import annotations

import pytest
import torch

from birefnet.errors import ShapeError
from birefnet.losses import soft_iou_loss

SURE = 30.0  # a logit whose sigmoid is 1 in float32


def test_values_by_hand() -> None:
    logits = torch.tensor([SURE, SURE, -SURE, -SURE]).view(1, 1, 2, 2)
    alpha = torch.tensor([1.0, 0.0, 1.0, 0.0]).view(1, 1, 2, 2)
    # one pixel in both, three in either
    torch.testing.assert_close(soft_iou_loss(logits, alpha), torch.tensor([1 - 1 / 3]))
    torch.testing.assert_close(
        soft_iou_loss(torch.zeros(1, 1, 2, 2), alpha), torch.tensor([1 - 1 / 3])
    )


def test_the_truth_itself_costs_nothing() -> None:
    alpha = (torch.rand(2, 1, 9, 7, generator=torch.Generator().manual_seed(2)) > 0.5).float()
    loss = soft_iou_loss((alpha * 2 - 1) * SURE, alpha)
    torch.testing.assert_close(loss, torch.zeros(2), atol=1e-6, rtol=0)


def test_a_small_subject_counts_as_much_as_a_large_one() -> None:
    alpha = torch.zeros(2, 1, 10, 10)
    alpha[0, 0, :10, :10] = 1
    alpha[1, 0, :1, :2] = 1
    half = alpha.clone()
    half[0, 0, 5:] = 0
    half[1, 0, 0, 1] = 0
    loss = soft_iou_loss((half * 2 - 1) * SURE, alpha)
    torch.testing.assert_close(loss, torch.tensor([0.5, 0.5]), atol=1e-5, rtol=0)


def test_its_gradient_pulls_towards_the_truth() -> None:
    logits = torch.zeros(1, 1, 2, 2, requires_grad=True)
    alpha = torch.tensor([1.0, 1.0, 0.0, 0.0]).view(1, 1, 2, 2)
    soft_iou_loss(logits, alpha).sum().backward()
    assert logits.grad is not None
    assert (logits.grad.flatten().sign() == torch.tensor([-1.0, -1.0, 1.0, 1.0])).all()


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(B, 1, H, W\)"):
        soft_iou_loss(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4))
