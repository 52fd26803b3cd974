"""Thresholds, hard and soft."""

from __future__ import annotations

import pytest
import torch

from birefnet import ConfigError
from birefnet.masks import threshold

ALPHA = torch.tensor([0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 1.0])


def test_a_hard_threshold_leaves_zero_and_one():
    assert threshold(ALPHA, value=0.5).tolist() == [0, 0, 0, 1, 1, 1, 1]


def test_a_soft_threshold_keeps_a_slope_around_the_value():
    expected = torch.tensor([0, 0, 0.25, 0.5, 0.75, 1.0, 1.0])
    torch.testing.assert_close(threshold(ALPHA, value=0.5, softness=0.4), expected)


@pytest.mark.parametrize("value", [0.0, 0.05, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("softness", [0.0, 0.2, 1.0])
def test_complete_transparency_and_opacity_stay(value, softness):
    result = threshold(torch.tensor([0.0, 1.0]), value=value, softness=softness)
    assert result.tolist() == [0, 1]


def test_the_whole_range_as_slope_changes_nothing():
    torch.testing.assert_close(threshold(ALPHA, value=0.5, softness=1.0), ALPHA)


def test_types_are_kept():
    assert threshold(ALPHA.half(), softness=0.2).dtype == torch.float16
    assert threshold(ALPHA.half()).dtype == torch.float16


def test_what_is_out_of_range_is_refused():
    with pytest.raises(ConfigError, match=r"threshold must lie in 0 to 1, got 1\.1"):
        threshold(ALPHA, value=1.1)
    with pytest.raises(ConfigError, match="softness must lie"):
        threshold(ALPHA, softness=float("nan"))
