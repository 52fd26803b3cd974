"""Connected parts."""

from __future__ import annotations

import pytest
import torch

from birefnet import ConfigError, ShapeError
from birefnet.filters import label

PICTURE = torch.tensor(
    [
        [1, 0, 0, 1],
        [0, 1, 0, 1],
        [0, 0, 0, 0],
        [1, 1, 0, 0],
    ],
    dtype=torch.bool,
)[None, None]


def test_corners_connect_or_not():
    numbers, counts = label(PICTURE)
    assert counts == [3]
    assert numbers.dtype == torch.int32
    assert numbers[0, 0].tolist() == [[1, 0, 0, 2], [0, 1, 0, 2], [0, 0, 0, 0], [3, 3, 0, 0]]
    assert label(PICTURE, connectivity=4)[1] == [4]


def test_each_item_is_counted_alone():
    batch = torch.cat([PICTURE, ~PICTURE, torch.zeros_like(PICTURE)])
    numbers, counts = label(batch)
    assert counts == [3, 1, 0]
    assert torch.equal(numbers[1:2], label(~PICTURE)[0])


def test_what_is_refused():
    with pytest.raises(ShapeError, match="bool"):
        label(PICTURE.float())
    with pytest.raises(ConfigError, match="4 or 8, got 6"):
        label(PICTURE, connectivity=6)
