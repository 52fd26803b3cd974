"""Holes: filled by what encloses them, and by nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from birefnet import ConfigError
from birefnet.masks import fill_holes


def mask(text: str) -> torch.Tensor:
    """(1, 1, H, W) of digits: tenths of opacity, # for 1."""
    rows = [[1.0 if sign == "#" else int(sign) / 10 for sign in line] for line in text.split()]
    return torch.tensor(rows)[None, None]


def reconstructed(alpha: np.ndarray) -> np.ndarray:
    """What it is by definition: water that rises from the frame, pixel by pixel."""
    water = np.ones_like(alpha)
    frame = np.ones(alpha.shape, bool)
    frame[1:-1, 1:-1] = False
    water[frame] = alpha[frame]
    cross = ndimage.generate_binary_structure(2, 1)
    while True:
        flowed = np.maximum(ndimage.minimum_filter(water, footprint=cross), alpha)
        if np.array_equal(flowed, water):
            return water
        water = flowed


def closed(alpha: np.ndarray, area: int) -> np.ndarray:
    """Area closing by definition: at every level, small enough components are filled."""
    result = alpha.copy()
    for level in np.unique(alpha):
        below, count = ndimage.label(alpha < level)
        frame = np.concatenate([below[0], below[-1], below[:, 0], below[:, -1]])
        for number in range(1, count + 1):
            if number not in frame and (below == number).sum() <= area:
                result[below == number] = np.maximum(result[below == number], level)
    return result


def test_a_hole_gets_the_opacity_that_encloses_it():
    before = mask("0000000 0##6660 0#06060 0##6660 0000000")
    after = mask("0000000 0##6660 0#66660 0##6660 0000000")
    torch.testing.assert_close(fill_holes(before), after)


def test_the_way_out_may_be_faint():
    # The hole is open to the outside over a pixel of 0.3: that is how full it gets.
    torch.testing.assert_close(
        fill_holes(mask("00000 0###0 0#030 0###0 00000")),
        mask("00000 0###0 0#330 0###0 00000"),
    )


def test_corners_do_not_leak():
    torch.testing.assert_close(
        fill_holes(mask("00000 00#00 0#0#0 00#00 00000")),
        mask("00000 00#00 0###0 00#00 00000"),
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("grays", [3, 20, 100_000])
def test_it_is_reconstruction_from_the_frame(seed, grays):
    generator = np.random.default_rng(seed)
    alpha = generator.integers(0, grays + 1, (21, 26)) / grays
    alpha = ndimage.uniform_filter(alpha, 2).astype(np.float32)
    result = fill_holes(torch.from_numpy(alpha)[None, None])[0, 0].numpy()
    np.testing.assert_allclose(result, reconstructed(alpha), atol=1.1e-3)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("area", [1, 3, 12, 1000])
def test_up_to_an_area_it_is_an_area_closing(seed, area):
    generator = np.random.default_rng(seed)
    alpha = (generator.integers(0, 5, (18, 23)) / 4).astype(np.float32)
    result = fill_holes(torch.from_numpy(alpha)[None, None], max_area=area)[0, 0].numpy()
    np.testing.assert_allclose(result, closed(alpha, area), atol=1e-6)


def test_a_corner_cut_off_by_the_frame_is_no_hole():
    alpha = mask("00##0 0##00 ##000 #0000")
    assert torch.equal(fill_holes(alpha), alpha)
    assert torch.equal(fill_holes(alpha, max_area=2), alpha)


def test_small_holes_only():
    before = mask("######### #0##000## ####000## #########")
    after = mask("######### ####000## ####000## #########")
    assert torch.equal(fill_holes(before, max_area=1), after)
    assert torch.equal(fill_holes(before, max_area=5), after)
    assert fill_holes(before, max_area=6).min() == 1
    assert torch.equal(fill_holes(before, max_area=0), before)


def test_finer_than_eight_bits():
    alpha = torch.full((1, 1, 7, 7), 0.500_02)
    alpha[..., 3, 3] = 0.500_01
    alpha[..., 0, :] = 0
    assert fill_holes(alpha)[0, 0, 3, 3] == alpha[0, 0, 3, 2]


def test_haze_around_and_in_a_hole_is_not_hardened():
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(50.0), indexing="ij")
    ring = (1 - (torch.hypot(y - 20, x - 22) - 10).abs() / 5).clamp(0, 1)
    alpha = ring.clamp_min(1 / 255)[None, None]
    result = fill_holes(alpha)
    outside = torch.hypot(y - 20, x - 22) > 12
    assert torch.equal(result[0, 0][outside], alpha[0, 0][outside])
    assert result[0, 0, 20, 22] > 0.9


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_plain_mask_stays(value):
    alpha = torch.full((1, 1, 5, 6), value)
    assert torch.equal(fill_holes(alpha), alpha)
    assert torch.equal(fill_holes(alpha[..., :1, :1]), alpha[..., :1, :1])


def test_items_are_independent_and_types_kept():
    batch = torch.cat([mask("000 0#0 000"), mask("### #0# ###"), torch.zeros(1, 1, 3, 3)]).half()
    result = fill_holes(batch)
    assert result.dtype == torch.float16
    assert result[1].min() == 1
    for number in range(3):
        assert torch.equal(result[number], fill_holes(batch[number : number + 1])[0])


def test_a_negative_area_is_refused():
    with pytest.raises(ConfigError, match="max_area must be at least 0"):
        fill_holes(torch.zeros(1, 1, 3, 3), max_area=-1)
