"""`birefnet demo`: what it saves, what it measures, what the sheet shows."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from birefnet.cli import demo, main
from birefnet.cli.contact_sheet import (
    CAPTION,
    CELL,
    DARK,
    GAP,
    LIGHT,
    PAPER,
    WIDE,
    draw_contact_sheet,
    make_row,
)


class HalfPredictor:
    """Takes the left half of every picture for the subject."""

    name, device = "half", torch.device("cpu")

    def __call__(self, image, *, size, longest_side=None, fit="stretch", progress=None):
        alpha = torch.zeros_like(image[:, :1])
        alpha[..., : image.shape[3] // 2] = 1
        progress(1.0)
        return alpha

    def network_size(self, image_size, *, size, longest_side):
        return (32, 32)

    def estimate_seconds(self, image_size, *, count, size, longest_side):
        return None


@pytest.fixture(autouse=True)
def examples(tmp_path, monkeypatch):
    """Two pictures: the subject of one is its left half, of the other its left quarter."""
    folder = tmp_path / "pack" / "examples"
    folder.mkdir(parents=True)
    entries = []
    for name, part in (("half", 20), ("quarter", 10)):
        mask = Image.new("L", (40, 30))
        mask.paste(255, (0, 0, part, 30))
        mask.save(folder / f"{name}_mask.png")
        Image.new("RGB", (40, 30), (200, 100, 50)).save(folder / f"{name}.png")
        entries.append({"image": f"{name}.png", "mask": f"{name}_mask.png", "title": name})
    (folder / "pictures.jsonl").write_text("\n".join(map(json.dumps, entries)), encoding="utf-8")
    monkeypatch.setattr(demo, "EXAMPLES", (tmp_path / "missing", folder))
    monkeypatch.setattr(demo, "load", lambda *_, **__: HalfPredictor())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_examples_are_cut_out_and_compared_with_their_masks(examples, capsys):
    assert main(["demo"]) == 0
    said = capsys.readouterr().out
    assert "half   IoU 1.000" in said
    assert "quarter   IoU 0.500" in said
    assert "Mean IoU 0.750; 1 of 2 reach 0.85" in said
    assert str((examples / "demo" / "contact_sheet.jpg").resolve()) in said
    names = sorted(path.name for path in (examples / "demo").iterdir())
    assert names == [
        "contact_sheet.jpg",
        "half_cutout.png",
        "half_mask.png",
        "quarter_cutout.png",
        "quarter_mask.png",
    ]
    with Image.open(examples / "demo" / "half_cutout.png") as cutout:
        assert cutout.getpixel((0, 0)) == (200, 100, 50, 255)
        assert cutout.getpixel((39, 0))[3] == 0


def test_own_pictures_have_no_score(examples, capsys):
    Image.new("RGB", (30, 30), "blue").save(examples / "mine.png")
    (examples / "own").mkdir()
    (examples / "mine.png").rename(examples / "own" / "mine.png")
    assert main(["demo", "--input", "own", "-o", "shown"]) == 0
    said = capsys.readouterr().out
    assert "IoU" not in said
    assert (examples / "shown" / "mine_mask.png").exists()
    assert (examples / "shown" / "contact_sheet.jpg").exists()


def test_an_installation_without_examples_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(demo, "EXAMPLES", (tmp_path / "missing",))
    assert main(["demo"]) == 1
    assert "use --input DIR" in capsys.readouterr().err


def test_a_broken_list_says_so(examples, capsys):
    (examples / "pack" / "examples" / "pictures.jsonl").write_text("{}", encoding="utf-8")
    assert main(["demo"]) == 1
    assert "pictures.jsonl must list" in capsys.readouterr().err


def test_a_broken_example_does_not_stop_the_others(examples, capsys):
    (examples / "pack" / "examples" / "half.png").write_bytes(b"")
    assert main(["demo"]) == 1
    said = capsys.readouterr()
    assert "quarter   IoU 0.500" in said.out
    assert "half.png is empty" in said.err


def test_intersection_over_union_of_a_worked_case():
    mask = torch.tensor([[[1.0, 0.6, 0.4, 0.0]]])
    truth = torch.tensor([[[1.0, 0.0, 1.0, 0.0]]])
    assert demo.intersection_over_union(mask, truth) == pytest.approx(1 / 3)
    assert demo.intersection_over_union(truth * 0, truth * 0) == 1.0


def row(caption="a", height=2 * CELL, width=CELL):
    image = torch.full((3, height, width), 0.5)
    mask = torch.ones(1, height, width)
    cutout = torch.cat((image, torch.zeros_like(mask)))
    return make_row(caption, (image, mask, cutout))


def test_a_sheet_shows_input_mask_and_cutout_on_a_checkerboard():
    sheet = np.asarray(draw_contact_sheet([row()]))
    middle = GAP + CAPTION + CELL // 2
    at = [GAP + place * (CELL + GAP) + CELL // 2 for place in range(WIDE)]
    assert sheet[middle, at[0]].tolist() == [128, 128, 128]
    assert sheet[middle, at[1]].tolist() == [255, 255, 255]
    board = sheet[middle - 40 : middle + 40, at[2] - 40 : at[2] + 40].reshape(-1, 3)
    shades, counts = np.unique(board, axis=0, return_counts=True)
    assert shades.tolist() == [list(DARK), list(LIGHT)]
    assert abs(counts[0] - counts[1]) < 0.2 * counts.sum()


def test_pictures_keep_their_proportions_and_small_ones_their_size():
    tall, small = row(), row(height=10, width=30)
    assert [picture.size for picture in tall.pictures] == [(CELL // 2, CELL)] * 3
    assert [picture.size for picture in small.pictures] == [(30, 10)] * 3


def test_captions_are_written_and_rows_are_set_in_columns():
    sheets = [draw_contact_sheet([row(text)] * 3) for text in ("", "A cat")]
    assert sheets[0].size == sheets[1].size
    assert sheets[0].width == 2 * WIDE * (CELL + GAP) + GAP
    assert sheets[0].height == 2 * (CAPTION + CELL + GAP) + GAP
    plain, named = (np.asarray(sheet).astype(int) for sheet in sheets)
    band = slice(GAP, GAP + CAPTION)
    assert np.all(plain[band] == PAPER)
    assert np.any(named[band] != PAPER)
