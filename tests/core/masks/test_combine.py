"""Two masks into one."""

from __future__ import annotations

import pytest
import torch

from birefnet import ConfigError, ShapeError
from birefnet.masks import OPERATIONS, combine


def mask(*values: float) -> torch.Tensor:
    return torch.tensor(values).view(1, 1, 1, -1)


A = mask(0.0, 0.25, 0.5, 1.0, 0.75)
B = mask(0.5, 0.5, 0.5, 0.5, 1.0)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("union", mask(0.5, 0.5, 0.5, 1.0, 1.0)),
        ("intersection", mask(0.0, 0.25, 0.5, 0.5, 0.75)),
        ("difference", mask(0.0, 0.0, 0.0, 0.5, 0.0)),
        ("exclusive or", mask(0.5, 0.25, 0.0, 0.5, 0.25)),
        ("multiply", mask(0.0, 0.125, 0.25, 0.5, 0.75)),
    ],
)
def test_soft_values_by_hand(operation, expected):
    torch.testing.assert_close(combine(A, B, operation=operation), expected)


def test_hard_masks_obey_logic():
    a, b = mask(0.0, 0.0, 1.0, 1.0), mask(0.0, 1.0, 0.0, 1.0)
    truth = {
        "union": [0, 1, 1, 1],
        "intersection": [0, 0, 0, 1],
        "difference": [0, 0, 1, 0],
        "exclusive or": [0, 1, 1, 0],
        "multiply": [0, 0, 0, 1],
    }
    for operation in OPERATIONS:
        assert combine(a, b, operation=operation).flatten().tolist() == truth[operation]


def test_a_soft_mask_and_itself():
    assert torch.equal(combine(A, A, operation="union"), A)
    assert torch.equal(combine(A, A, operation="intersection"), A)
    assert combine(A, A, operation="difference").max() == 0
    assert combine(A, A, operation="exclusive or").max() == 0


def test_no_opacity_is_lost_between_difference_and_intersection():
    parts = combine(A, B, operation="difference") + combine(A, B, operation="intersection")
    torch.testing.assert_close(parts, A)


@pytest.mark.parametrize(("first", "second"), [(1, 3), (3, 1), (3, 3)])
def test_one_mask_goes_with_each_of_several(first, second):
    a, b = torch.rand(first, 1, 4, 5), torch.rand(second, 1, 4, 5)
    whole = combine(a, b, operation="multiply")
    assert whole.shape == (3, 1, 4, 5)
    for number in range(3):
        one, other = a[min(number, first - 1)], b[min(number, second - 1)]
        torch.testing.assert_close(whole[number], one * other)


def test_other_numbers_are_refused():
    with pytest.raises(ShapeError, match="got 2 and 3"):
        combine(torch.zeros(2, 1, 4, 4), torch.zeros(3, 1, 4, 4))


def test_the_second_mask_is_resized_in_proportion():
    second = torch.zeros(1, 1, 4, 6)
    second[..., 3:] = 1
    result = combine(torch.zeros(1, 1, 8, 12), second)
    assert result.shape == (1, 1, 8, 12)
    assert result[..., :5].max() == 0
    assert result[..., 7:].min() == 1


def test_other_proportions_are_refused_unless_stretched():
    first, second = torch.zeros(1, 1, 8, 12), torch.ones(1, 1, 6, 6)
    with pytest.raises(ShapeError, match=r"same proportions, got 12 x 8 and 6 x 6"):
        combine(first, second)
    assert combine(first, second, sizes="stretch").min() == 1


def test_an_empty_mask_of_any_size_is_taken():
    # Load Image gives a mask of 64 x 64 zeros for pictures without transparency.
    first = torch.rand(1, 1, 30, 50)
    assert torch.equal(combine(first, torch.zeros(1, 1, 64, 64)), first)


def test_padding_keeps_pixels_and_centers_them():
    second = torch.ones(1, 1, 2, 9)
    result = combine(torch.zeros(1, 1, 4, 5), second, sizes="pad")
    assert result[0, 0].tolist() == [[0] * 5, [1] * 5, [1] * 5, [0] * 5]


def test_refusing_says_what_else_there_is():
    with pytest.raises(ShapeError, match=r"choose sizes = resize, stretch or pad"):
        combine(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 8, 8), sizes="refuse")


def test_unknown_options_are_refused():
    with pytest.raises(ConfigError, match=r"union, intersection.*got 'add'"):
        combine(A, B, operation="add")
    with pytest.raises(ConfigError, match=r"sizes must be one of"):
        combine(A, B, sizes="crop")


def test_types_are_the_first_masks():
    result = combine(A.half(), B)
    assert result.dtype == torch.float16
