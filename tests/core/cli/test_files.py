"""Which pictures a command line means, and what their results are called."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from birefnet.cli.files import find_sources, keep_inputs
from birefnet.errors import ConfigError

OUT = Path("out")


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def names(sources):
    return [source.name.as_posix() for source in sources]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_keeps_its_sub_folders(here):
    make(here, "in/b.png", "in/sub/a.jpg", "in/sub/deep/a.JPEG", "in/notes.txt", "in/.hidden.png")
    sources, failures = find_sources(["in"], output=OUT)
    assert names(sources) == ["b", "sub/a", "sub/deep/a"]
    assert failures == []
    assert sources[1].output(OUT, "mask") == Path("out/sub/a_mask.png")


def test_pictures_that_share_a_stem_keep_their_whole_name(here):
    make(here, "in/a.jpg", "in/a.png", "in/b.jpg", "in/b.txt")
    sources, _ = find_sources(["in"], output=OUT)
    assert names(sources) == ["a.jpg", "a.png", "b"]


def test_a_name_does_not_depend_on_what_else_is_asked_for(here):
    make(here, "in/a.jpg", "in/a.png")
    alone, _ = find_sources(["in/a.jpg"], output=OUT)
    assert names(alone) == ["a.jpg"]


def test_a_stem_that_is_another_pictures_whole_name_does_not_collide(here):
    make(here, "in/a.jpg", "in/a.png", "in/a.jpg.webp")
    sources, _ = find_sources(["in"], output=OUT)
    assert sorted(names(sources)) == ["a.jpg", "a.jpg.webp", "a.png"]


@pytest.mark.parametrize("pair", [("A.jpg", "a.png"), ("e\u0301.jpg", "\u00e9.png")])
def test_names_differ_where_a_file_system_ignores_case_or_composition(here, pair):
    make(here, *(f"in/{name}" for name in pair))
    sources, _ = find_sources(["in"], output=OUT)
    assert {PurePath(name).suffix for name in names(sources)} == {".jpg", ".png"}


def test_names_that_differ_in_case_only_get_a_number(here):
    make(here, "in/a.jpg", "in/A.jpg")
    if len(list(Path("in").iterdir())) == 1:
        pytest.skip("this file system does not tell upper from lower case")
    sources, _ = find_sources(["in"], output=OUT)
    assert len({name.casefold() for name in names(sources)}) == 2


def test_files_of_several_folders_keep_the_folders_that_differ(here):
    make(here, "trip/day 1/a.jpg", "trip/day 2/a.jpg")
    sources, _ = find_sources(["trip/day 1/a.jpg", "trip/day 2/a.jpg"], output=OUT)
    assert names(sources) == ["day 1/a", "day 2/a"]


def test_every_picture_is_taken_once(here):
    make(here, "in/a.jpg", "in/sub/b.jpg")
    sources, _ = find_sources(["in", "in/a.jpg", "./in/sub/../sub"], output=OUT)
    assert names(sources) == ["a", "sub/b"]


def test_patterns_are_expanded_for_shells_that_do_not(here):
    make(here, "in/a.jpg", "in/sub/b.jpg", "in/sub/c.txt", "in/.cache/d.jpg")
    sources, _ = find_sources(["in/**/*.jpg"], output=OUT)
    assert names(sources) == ["a", "sub/b"]
    absolute, _ = find_sources([str(here / "in" / "*.jpg")], output=OUT)
    assert names(absolute) == ["a"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(here):
    make(here, "photo[1].jpg", "photo1.jpg")
    sources, _ = find_sources(["photo[1].jpg"], output=OUT)
    assert [source.path.name for source in sources] == ["photo[1].jpg"]


@pytest.mark.parametrize("asked", ["in", "in/**/*.png"])
def test_an_output_folder_inside_is_not_read_again(here, asked):
    make(here, "in/a.png", "in/done/a_cutout.png", "in/done/sub/b_cutout.png")
    sources, _ = find_sources([asked], output=Path("in/done"))
    assert names(sources) == ["a"]


def test_an_output_folder_above_changes_nothing(here):
    make(here, "in/a.png")
    for asked in ("in", "in/*.png"):
        assert names(find_sources([asked], output=Path())[0]) == ["a"]


def test_an_output_folder_that_is_read_is_refused(here):
    make(here, "in/a.png")
    with pytest.raises(ConfigError, match="must not be the folder"):
        find_sources(["in"], output=here / "in")


def test_an_output_folder_that_is_a_file_is_refused(here):
    make(here, "a.png")
    with pytest.raises(ConfigError, match="is a file"):
        find_sources(["a.png"], output=Path("a.png"))


def test_inputs_that_name_nothing_are_reported_and_the_rest_goes_on(here):
    make(here, "a.png", "empty/readme.txt")
    sources, failures = find_sources(["a.png", "b.png", "*.webp", "empty"], output=OUT)
    assert names(sources) == ["a"]
    missing, pattern, empty = failures
    assert missing.startswith("b.png: no such file")
    assert pattern.startswith("*.webp: no file matches this pattern")
    assert empty.startswith("empty: no pictures in this folder")


def test_a_linked_folder_is_not_followed_into_a_circle(here):
    make(here, "in/a.png")
    try:
        Path("in/again").symlink_to(here / "in", target_is_directory=True)
    except OSError:
        pytest.skip("links are not allowed here")
    assert names(find_sources(["in"], output=OUT)[0]) == ["a"]


def test_an_input_is_never_a_place_to_save_to(here):
    make(here, "a.jpg", "a_mask.png")
    sources, _ = find_sources(["a.jpg", "a_mask.png"], output=Path())
    safe, failures = keep_inputs(sources, Path(), ["cutout", "mask"])
    assert [source.path.name for source in safe] == ["a_mask.png"]
    assert len(failures) == 1
    assert failures[0].startswith("a.jpg: its result would overwrite the input a_mask.png")
