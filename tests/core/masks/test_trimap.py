"""Bands along the outline of a mask."""

from __future__ import annotations

import pytest
import torch

from birefnet.errors import ConfigError, ShapeError
from birefnet.masks.trimap import edge_band, stroke, trimap


def disk(radius, size=64, center=None):
    """A disk with an edge one pixel soft, (1, 1, size, size)."""
    middle = (size - 1) / 2 if center is None else center
    place = torch.arange(size) - middle
    return (radius + 0.5 - torch.hypot(place[:, None], place[None, :])).clamp(0, 1)[None, None]


def column(values):
    return torch.tensor(values).view(1, 1, -1, 1).expand(-1, -1, -1, 3).contiguous()


@pytest.fixture
def step():
    """Rows 0 to 9 are background, 10 to 19 subject."""
    return column([0.0] * 10 + [1.0] * 10)


def test_the_band_has_the_widths_asked_for(step):
    bands = trimap(step, inside=3, outside=2)[0, 0, :, 0].tolist()
    assert bands == [0] * 8 + [0.5] * 5 + [1] * 7


def test_no_width_leaves_a_hard_mask_as_it_is(step):
    assert torch.equal(trimap(step, inside=0, outside=0), step)


def test_soft_pixels_are_always_unknown():
    mask = column([0.0, 0.05, 0.06, 0.5, 0.94, 0.95, 1.0])
    bands = trimap(mask, inside=0, outside=0)[0, 0, :, 0].tolist()
    assert bands == [0, 0, 0.5, 0.5, 0.5, 1, 1]
    narrow = trimap(mask, inside=0, outside=0, transparent=0.5, opaque=0.9)
    assert narrow[0, 0, :, 0].tolist() == [0, 0, 0, 0, 1, 1, 1]


def test_distances_are_euclidean():
    mask = torch.zeros(1, 1, 41, 41)
    mask[0, 0, 20, 20] = 1
    bands = trimap(mask, inside=0, outside=5)[0, 0]
    place = torch.arange(41) - 20
    distance = torch.hypot(place[:, None].float(), place[None, :].float())
    assert torch.equal(bands == 0.5, (distance > 0) & (distance <= 5))


def test_a_band_around_soft_parts_only_spares_hard_edges():
    mask = torch.zeros(1, 1, 20, 60)
    mask[..., 10:] = 1
    mask[..., 40:50] = torch.linspace(0.9, 0.1, 10)
    mask[..., 50:] = 0
    bands = trimap(mask, inside=2, outside=3, where="soft")[0, 0, 0].tolist()
    assert bands == [0] * 10 + [1] * 28 + [0.5] * 15 + [0] * 7
    everywhere = trimap(mask, inside=2, outside=3)[0, 0, 0].tolist()
    assert everywhere[7:12] == [0.5] * 5


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_mask_without_outline_has_no_band(value):
    mask = torch.full((1, 1, 9, 7), value)
    assert torch.equal(trimap(mask), mask)
    assert not edge_band(mask, inside=3, outside=3).any()
    for position in ("outside", "inside", "center"):
        assert not stroke(mask, width=3, position=position).any()


def test_a_mask_that_is_half_transparent_throughout_is_all_unknown():
    mask = torch.full((1, 1, 9, 7), 0.4)
    assert (trimap(mask) == 0.5).all()


def test_the_edge_band_is_as_wide_as_asked_for_to_a_tenth_of_a_pixel(step):
    for inside, outside in ((3.0, 2.0), (2.5, 0.0), (0.25, 1.3)):
        width = edge_band(step, inside=inside, outside=outside)[0, 0, :, 0].sum()
        assert abs(float(width) - inside - outside) < 0.1


def test_mask_and_outer_stroke_are_the_grown_mask_without_a_gap():
    mask, grown = disk(12), disk(17.5)
    together = mask + stroke(mask, width=5.5)
    assert together.max() <= 1
    assert float((together - grown).abs().max()) < 0.12
    assert float(together[grown == 1].min()) > 0.95


def test_the_inner_stroke_is_what_shrinking_takes_away():
    mask, shrunk = disk(20), disk(15.5)
    rest = mask - stroke(mask, width=4.5, position="inside")
    assert rest.min() >= 0
    assert float((rest - shrunk).abs().max()) < 0.12


def test_the_centered_stroke_has_half_its_width_on_either_side():
    mask = disk(16)
    line = stroke(mask, width=4, position="center")
    assert float((line - (disk(18) - disk(14))).abs().max()) < 0.12


@pytest.mark.parametrize("position", ["outside", "inside", "center"])
def test_strokes_of_no_width_are_nothing(position):
    assert float(stroke(disk(9), width=0, position=position).max()) < 0.02


def test_items_are_independent_and_the_dtype_is_kept():
    batch = torch.cat([disk(9), disk(20), torch.zeros(1, 1, 64, 64)])
    for work in (
        trimap,
        lambda mask: edge_band(mask, inside=3, outside=4),
        lambda mask: stroke(mask, width=3.5),
    ):
        whole = work(batch)
        for item in range(3):
            assert torch.equal(whole[item], work(batch[item : item + 1])[0])
        assert work(batch.half()).dtype == torch.float16


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"inside": -1}, "inside must be at least 0"),
        ({"outside": float("nan")}, "outside must be at least 0"),
        ({"where": "hair"}, "where must be one of edge, soft"),
        ({"transparent": 0.6, "opaque": 0.5}, "transparent must be below opaque"),
    ],
)
def test_impossible_bands_are_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        trimap(disk(9), **options)


def test_impossible_strokes_and_shapes_are_refused():
    with pytest.raises(ConfigError, match="position must be one of"):
        stroke(disk(9), width=3, position="above")
    with pytest.raises(ConfigError, match="width must be at least 0"):
        stroke(disk(9), width=-3)
    with pytest.raises(ShapeError):
        trimap(torch.zeros(1, 2, 4, 4))
