"""The example pictures: list, files, masks and README agree, and all of them are free."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"
LINES = (EXAMPLES / "pictures.jsonl").read_text(encoding="utf-8").splitlines()
ENTRIES = [json.loads(line) for line in LINES]
FIELDS = {"image", "mask", "title", "author", "source", "license", "subject"}
each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: Path(entry["image"]).stem)


@cache
def read(name):
    """Open one file, read it and close it again."""
    with Image.open(EXAMPLES / name) as image:
        image.load()
    return image


def read_mask(entry):
    return np.asarray(read(entry["mask"]), np.float32) / 255


def test_the_list_and_the_folder_agree():
    listed = [entry[kind] for entry in ENTRIES for kind in ("image", "mask")]
    present = {path.name for path in EXAMPLES.iterdir() if path.suffix in {".jpg", ".png"}}
    assert len(ENTRIES) >= 8
    assert sorted(listed) == sorted(present)


def test_the_folder_stays_small():
    assert sum(path.stat().st_size for path in EXAMPLES.iterdir()) < 2.5e6


@each_entry
def test_an_entry_says_where_it_comes_from(entry):
    assert set(entry) == FIELDS
    assert all(value == value.strip() and value for value in entry.values())
    assert entry["license"] in {"public domain", "CC0"}
    assert entry["source"].startswith("https://")


@each_entry
def test_the_readme_tells_the_same(entry):
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    row = next(line for line in readme.splitlines() if line.startswith(f"| `{entry['image']}` |"))
    width, height = read(entry["image"]).size
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[3:] == [f"{width}x{height}", entry["author"], entry["license"]]
    assert f"- `{entry['image']}`: " in readme
    assert f"<{entry['source']}>" in readme


@each_entry
def test_picture_and_mask_fit_together(entry):
    picture = read(entry["image"])
    mask = read(entry["mask"])
    assert picture.mode in {"RGB", "L"}
    assert max(picture.size) <= 1024
    assert picture.getexif().get(274, 1) == 1  # the orientation tag would turn it, not its mask
    assert mask.mode == "L"
    assert mask.size == picture.size


@each_entry
def test_the_mask_has_a_subject_a_background_and_soft_edges(entry):
    mask = read_mask(entry)
    assert 0.02 < mask.mean() < 0.90
    assert mask.min() == 0
    assert mask.max() == 1
    soft = np.count_nonzero((mask > 0.05) & (mask < 0.95))
    assert 200 < soft < 0.05 * mask.size


@each_entry
def test_the_mask_follows_color_edges(entry):
    """The picture changes more across the outline than four pixels beside it, on either side."""
    picture = np.asarray(read(entry["image"]).convert("RGB"), np.float32) / 255
    mask = read_mask(entry) > 0.5

    step = np.abs(picture[:, 4:] - picture[:, :-4]).mean(axis=-1)
    outline = mask[:, 4:] != mask[:, :-4]

    def contrast(dx):
        """Mean color step across the outline, where the outline is shifted by dx pixels."""
        return step[:, 12:-12][np.roll(outline, dx, axis=1)[:, 12:-12]].mean()

    assert contrast(0) > 1.2 * max(contrast(-4), contrast(4))


def test_the_pictures_cover_both_formats_gray_and_the_frame():
    sizes = [read(entry["image"]).size for entry in ENTRIES]
    modes = {read(entry["image"]).mode for entry in ENTRIES}
    masks = [read_mask(entry) for entry in ENTRIES]
    borders = [np.concatenate([m[0], m[-1], m[:, 0], m[:, -1]]) for m in masks]
    cut = [border.max() > 0.5 for border in borders]
    assert any(width > height for width, height in sizes)
    assert any(width < height for width, height in sizes)
    assert modes == {"RGB", "L"}
    assert any(cut)
    assert not all(cut)
