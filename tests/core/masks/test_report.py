"""Numbers about masks."""

from __future__ import annotations

import json

import pytest
import torch

from birefnet.errors import ConfigError, ShapeError
from birefnet.masks.report import REASONS, matte_report, summarize, to_json, to_line
from birefnet.regions import Box


def square(*, size=(100, 120), rows=(20, 60), columns=(30, 90), value=1.0):
    mask = torch.zeros(1, 1, *size)
    mask[..., rows[0] : rows[1], columns[0] : columns[1]] = value
    return mask


def edge(width, length=200):
    """An opacity that rises from 0 to 1 over `width` pixels, along x."""
    place = torch.arange(length) + 0.5 - length / 2
    return (place / width + 0.5).clamp(0, 1).expand(1, 1, 50, -1)


def only(mask, **options):
    (found,) = matte_report(mask, **options)
    return found


def test_a_plain_square_is_described_exactly():
    found = only(square())
    assert not found.is_empty
    assert found.coverage == pytest.approx(0.2)
    assert found.bounding_box == Box(30, 20, 60, 40)
    assert found.uncertainty == 0
    assert found.edge_width == 0
    assert found.border_contact == {"left": 0, "top": 0, "right": 0, "bottom": 0}
    assert found.parts == 1
    assert not found.needs_review
    assert found.reasons == ()


def test_an_empty_mask_is_reported_and_does_not_raise():
    for mask in (torch.zeros(1, 1, 8, 9), torch.full((1, 1, 8, 9), 0.05)):
        found = only(mask)
        assert found.is_empty
        assert found.bounding_box is None
        assert found.uncertainty == 0
        assert found.edge_width == 0
        assert found.parts == 0
        assert found.reasons == ("empty",)


def test_uncertainty_is_the_mean_over_the_subject_alone():
    assert only(square(value=0.5)).uncertainty == pytest.approx(1)
    mask = square(value=0.5)
    mask[..., 20:60, 30:60] = 1
    assert only(mask).uncertainty == pytest.approx(0.5)
    wider = torch.nn.functional.pad(mask, (0, 300, 0, 300))
    assert only(wider).uncertainty == pytest.approx(0.5), "the background does not count"


@pytest.mark.parametrize("width", [4, 10, 25])
def test_the_edge_width_is_that_of_a_ramp(width):
    assert only(edge(width)).edge_width == pytest.approx(width, rel=0.05)


def test_the_edge_width_does_not_depend_on_direction_or_length():
    size = torch.arange(160) - 79.5
    distance = torch.hypot(size[:, None], size[None, :])
    mask = ((50 - distance) / 8 + 0.5).clamp(0, 1)[None, None]
    assert only(mask).edge_width == pytest.approx(8, rel=0.05)


def test_each_side_has_its_own_contact():
    found = only(square(rows=(50, 100), columns=(0, 60)))
    assert found.border_contact == {"left": 0.5, "top": 0, "right": 0, "bottom": 0.5}
    assert "cut off" not in found.reasons
    assert "cut off" in only(square(rows=(50, 100), columns=(0, 120))).reasons


def test_parts_are_counted_without_specks():
    mask = square()
    mask[..., 80:90, 5:15] = 1
    mask[..., 2, 2] = 1
    assert only(mask).parts == 2
    assert only(mask, smallest_part=0.0).parts == 3
    assert only(mask, smallest_part=0.1).parts == 1


def test_the_threshold_decides_what_is_solid():
    mask = square(value=0.4)
    assert only(mask).parts == 0
    assert only(mask, threshold=0.3).parts == 1
    left = square(columns=(0, 50), value=0.4)
    assert only(left, threshold=0.3).border_contact["left"] == pytest.approx(0.4)
    assert only(left).border_contact["left"] == 0


@pytest.mark.parametrize(
    ("reason", "mask"),
    [
        ("empty", torch.zeros(1, 1, 100, 100)),
        ("tiny", square(rows=(20, 22), columns=(20, 22))),
        ("everything", torch.ones(1, 1, 50, 60)),
        ("uncertain", square(value=0.5)),
        ("blurred", edge(10)),
        ("scattered", (torch.arange(100) % 10 < 4).float().expand(1, 1, 3, 100)),
        ("cut off", torch.ones(1, 1, 50, 60)),
    ],
)
def test_every_reason_for_review_can_occur(reason, mask):
    found = only(mask)
    assert reason in found.reasons
    assert found.needs_review


def test_every_reason_is_explained():
    assert set(REASONS) == {
        *("empty", "tiny", "everything", "uncertain", "blurred", "scattered", "cut off")
    }


def test_items_are_independent():
    batch = torch.cat([square(), square(value=0.3), torch.zeros(1, 1, 100, 120)])
    reports = matte_report(batch)
    assert reports == [only(batch[item : item + 1]) for item in range(3)]


def test_half_precision_is_measured_in_full():
    found = only(torch.ones(1, 1, 400, 400).half())
    assert found.coverage == 1


def test_json_has_every_number():
    (entry,) = json.loads(to_json(matte_report(square())))
    assert entry["bounding_box"] == {"left": 30, "top": 20, "width": 60, "height": 40}
    assert entry["coverage"] == pytest.approx(0.2)
    assert entry["parts"] == 1
    assert entry["border_contact"]["left"] == 0
    assert json.loads(to_json(matte_report(torch.zeros(1, 1, 4, 4))))[0]["bounding_box"] is None


def test_a_line_says_it_in_a_few_words():
    assert to_line(only(square())) == "20% covered, 1 part, edge 0.0 px: fine"
    cut = only(square(rows=(50, 100), columns=(0, 120)))
    assert "touches left, right, bottom: needs review (cut off)" in to_line(cut)
    assert to_line(only(torch.zeros(1, 1, 4, 4))) == "no subject"


def test_a_summary_has_one_number_for_all():
    total = summarize(
        matte_report(torch.cat([square(), square(columns=(0, 60)), torch.zeros(1, 1, 100, 120)]))
    )
    assert total.coverage == pytest.approx(0.4 / 3)
    assert total.border_contact == pytest.approx(0.4)
    assert total.parts == 1
    assert total.needs_review
    with pytest.raises(ConfigError, match="at least one report"):
        summarize([])


def test_impossible_options_are_refused():
    with pytest.raises(ConfigError, match="threshold must lie"):
        only(square(), threshold=1)
    with pytest.raises(ConfigError, match="smallest_part"):
        only(square(), smallest_part=-0.1)
    with pytest.raises(ShapeError):
        matte_report(torch.zeros(4, 4))
