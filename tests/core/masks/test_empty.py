"""Masks without a subject."""

from __future__ import annotations

import pytest
import torch

from birefnet import ConfigError, ShapeError
from birefnet.masks import is_empty, settle_empty


def batch() -> torch.Tensor:
    """A subject, nothing, and haze."""
    alpha = torch.zeros(3, 1, 4, 5)
    alpha[0, 0, 1, 1] = 0.8
    alpha[2] = 0.03
    return alpha


def test_haze_is_no_subject():
    assert is_empty(batch()) == [False, True, True]
    assert is_empty(batch(), threshold=0.02) == [False, True, False]
    assert is_empty(batch(), threshold=0.9) == [True, True, True]


def test_passing_changes_nothing():
    alpha, empty = settle_empty(batch())
    assert torch.equal(alpha, batch())
    assert empty == [False, True, True]


def test_an_error_names_the_masks():
    with pytest.raises(ConfigError, match=r"mask 1, 2 .*pass or fallback"):
        settle_empty(batch(), on_empty="error")
    settle_empty(batch()[:1], on_empty="error")


@pytest.mark.parametrize("count", [1, 3])
def test_a_fallback_stands_for_empty_masks_only(count):
    alpha, empty = settle_empty(
        batch(), on_empty="fallback", fallback=torch.full((count, 1, 4, 5), 0.5)
    )
    assert torch.equal(alpha[0], batch()[0])
    assert (alpha[1:] == 0.5).all()
    assert empty == [False, True, True]


def test_a_fallback_is_needed_only_when_a_mask_is_empty():
    with pytest.raises(ConfigError, match="needs a fallback mask"):
        settle_empty(batch(), on_empty="fallback")
    settle_empty(batch()[:1], on_empty="fallback")


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match="fallback mask must have"):
        settle_empty(batch(), on_empty="fallback", fallback=torch.zeros(2, 1, 4, 5))
    with pytest.raises(ConfigError, match=r"pass, error, fallback, got 'skip'"):
        settle_empty(batch(), on_empty="skip")
