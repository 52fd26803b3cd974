"""MASK sockets of any rank, and masks that belong to pictures."""

from __future__ import annotations

import sys

import pytest
import torch


@pytest.fixture(scope="module")
def convert(nodes):
    """nodes/convert.py, imported as a part of the pack."""
    return sys.modules[f"{nodes[0].__module__.rpartition('.')[0]}.convert"]


@pytest.fixture(scope="module")
def shape_error(convert):
    return convert.ShapeError


MASK = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(0))


def test_masks_of_every_usual_rank_are_taken(convert):
    assert torch.equal(convert.mask_to_core(MASK), MASK[:, None])
    assert torch.equal(convert.mask_to_core(MASK[0]), MASK[:1, None])
    assert torch.equal(convert.mask_to_core(MASK[:, None]), MASK[:, None])
    assert torch.equal(convert.mask_to_core(MASK[..., None]), MASK[:, None])


def test_types_and_ranges(convert):
    assert convert.mask_to_core(MASK.half()).dtype == torch.float16
    assert torch.equal(convert.mask_to_core(MASK > 0.5), (MASK > 0.5).float()[:, None])
    assert torch.equal(convert.mask_to_core(3 * MASK - 1), (3 * MASK - 1).clamp(0, 1)[:, None])


@pytest.mark.parametrize(
    "wrong",
    [
        torch.zeros(5),
        torch.zeros(0, 4, 5),
        torch.zeros(2, 3, 4, 5),
        torch.zeros(1, 4, 5, dtype=torch.int64),
        "mask",
        None,
    ],
)
def test_what_is_no_mask_is_refused(convert, shape_error, wrong):
    with pytest.raises(shape_error, match="mask must"):
        convert.mask_to_core(wrong)


def test_one_mask_serves_all_pictures(convert):
    pictures = torch.zeros(2, 3, 4, 5)
    alpha = convert.mask_for(MASK[:1], pictures)
    assert torch.equal(alpha, MASK[:1, None].expand(2, 1, 4, 5))


def test_a_mask_of_another_size_is_resized_in_proportion(convert, shape_error):
    mask = torch.zeros(1, 40, 60)
    mask[..., 30:] = 1
    alpha = convert.mask_for(mask, torch.zeros(1, 3, 20, 30))
    assert alpha[0, 0, :, :14].max() == 0
    assert alpha[0, 0, :, 16:].min() == 1
    assert convert.mask_for(mask, torch.zeros(1, 3, 401, 600)).shape == (1, 1, 401, 600)
    assert convert.mask_for(mask.half(), torch.zeros(1, 3, 20, 30)).dtype == torch.float16
    with pytest.raises(shape_error, match=r"got a mask of 60 x 40 for a picture of 50 x 40"):
        convert.mask_for(mask, torch.zeros(1, 3, 40, 50))


def test_other_numbers_of_masks_are_refused(convert, shape_error):
    with pytest.raises(shape_error, match="got 3 masks for 2 pictures"):
        convert.mask_for(MASK, torch.zeros(2, 3, 4, 5))


def test_pairs_repeat_the_single_one(convert, shape_error):
    one, several = torch.rand(1, 4, 5, 3), torch.rand(3, 4, 5, 4)
    pictures, alpha = convert.pair(one, MASK)
    assert torch.equal(pictures, one.permute(0, 3, 1, 2).expand(3, -1, -1, -1))
    assert torch.equal(alpha, MASK[:, None])
    pictures, alpha = convert.pair(several, MASK[0])
    assert pictures.shape == (3, 4, 4, 5)
    assert torch.equal(alpha[2, 0], MASK[0])
    with pytest.raises(shape_error, match="got 3 masks for 2 pictures"):
        convert.pair(several[:2], MASK)
