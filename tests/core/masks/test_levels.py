"""Adjustments of a matte that need no image."""

from __future__ import annotations

import pytest
import torch

from birefnet.errors import ConfigError
from birefnet.masks import levels


def test_levels_map_the_points_to_zero_and_one_with_a_line_between():
    alpha = torch.tensor([0.0, 0.1, 0.3, 0.5, 0.9, 1.0])
    expected = torch.tensor([0.0, 0.0, 0.5, 1.0, 1.0, 1.0])
    torch.testing.assert_close(levels(alpha, black_point=0.1, white_point=0.5), expected)


def test_the_defaults_change_nothing():
    alpha = torch.tensor([0.0, 0.25, 0.5, 1.0])
    assert torch.equal(levels(alpha), alpha)


def test_the_input_stays_as_it_was():
    alpha = torch.tensor([0.2, 0.8])
    levels(alpha, black_point=0.4)
    assert torch.equal(alpha, torch.tensor([0.2, 0.8]))


def test_float16_keeps_its_type_and_stays_close_to_float32():
    alpha = torch.linspace(0, 1, 65)
    exact = levels(alpha, black_point=0.25, white_point=0.75)
    half = levels(alpha.half(), black_point=0.25, white_point=0.75)
    assert half.dtype == torch.float16
    torch.testing.assert_close(half.float(), exact, atol=2e-3, rtol=0)


@pytest.mark.parametrize(
    ("black", "white"), [(0.5, 0.5), (0.6, 0.4), (-0.1, 1), (0, 1.1), (float("nan"), 1)]
)
def test_points_in_the_wrong_order_or_out_of_range_are_refused(black, white):
    with pytest.raises(ConfigError, match="black_point must be below white_point"):
        levels(torch.zeros(1), black_point=black, white_point=white)
