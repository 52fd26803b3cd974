"""Finding checkpoints on disk."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from birefnet.errors import ModelNotFoundError
from birefnet.weights.find import (
    default_folders,
    find_auto,
    hub_cache_folder,
    list_models,
    resolve,
)
from birefnet.weights.registry import STARTER_PATH

pytestmark = pytest.mark.usefixtures("home")


def put(*parts):
    path = Path(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def cached(home, repository, file="model.safetensors", revision="r1", main=True):
    folder = home / "hf" / "hub" / ("models--" + repository.replace("/", "--"))
    if main:
        put(folder / "refs" / "main").write_text(revision)
    return put(folder / "snapshots" / revision / file)


def names(folders=None):
    return [model.name for model in list_models(folders)]


def test_files_are_listed_by_folder_and_name_with_forward_slashes(tmp_path):
    for name in ("b/mine.pth", "b/sub/x.safetensors", "b/A.CKPT", "a/z.pt", "a/notes.txt"):
        put(tmp_path, name)
    assert names([tmp_path / "b", tmp_path / "a"]) == [
        "A.CKPT",
        "mine.pth",
        "sub/x.safetensors",
        "z.pt",
    ]


def test_listing_opens_no_file(tmp_path, monkeypatch):
    put(tmp_path, "general.safetensors")
    monkeypatch.setattr("builtins.open", lambda *_: pytest.fail("a file was opened"))
    monkeypatch.setattr("io.open", lambda *_: pytest.fail("a file was opened"))
    assert names([tmp_path]) == ["general.safetensors"]


def test_published_files_are_known_by_name(tmp_path):
    put(tmp_path, "RMBG-2.0/model.safetensors")
    put(tmp_path, "own.safetensors")
    entries = [model.entry and model.entry.id for model in list_models([tmp_path])]
    assert entries == [None, "rmbg-2.0"]


def test_the_first_folder_wins_and_a_file_is_listed_once(tmp_path):
    first = put(tmp_path, "a/x.pth")
    put(tmp_path, "b/x.pth")
    put(tmp_path, "b/y.pth")
    found = list_models([tmp_path / "a", tmp_path / "b", tmp_path / "a"])
    assert [model.path for model in found] == [first, tmp_path / "b" / "y.pth"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights")
def test_links_loops_and_unreadable_folders_do_no_harm(tmp_path):
    put(tmp_path, "real/x.pth")
    (tmp_path / "real" / "loop").symlink_to(tmp_path)
    (tmp_path / "self.pth").symlink_to(tmp_path / "self.pth")
    (tmp_path / "gone.pth").symlink_to(tmp_path / "nowhere")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)
    try:
        assert names([tmp_path, tmp_path / "absent", tmp_path / "real" / "x.pth"]) == ["link/x.pth"]
    finally:
        locked.chmod(0o700)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf8_are_listed_and_resolved(tmp_path):
    raw = os.fsencode(tmp_path) + b"/caf\xe9.pth"
    Path(os.fsdecode(raw)).touch()
    assert names([tmp_path]) == ["caf\ufffd.pth"]
    assert os.fsencode(resolve("caf\ufffd.pth", [tmp_path])) == raw
    with pytest.raises(ModelNotFoundError) as caught:
        resolve("other", [tmp_path])
    str(caught.value).encode("utf-8")


def test_hidden_folders_and_half_downloads_are_not_listed(tmp_path):
    put(tmp_path, ".cache/x.safetensors")
    put(tmp_path, ".x.safetensors")
    put(tmp_path, ".general.safetensors.abc.part")
    assert names([tmp_path]) == []


def test_the_hub_cache_is_searched(home):
    path = cached(home, "ZhengPeng7/BiRefNet_HR")
    cached(home, "zhengpeng7/BiRefNet-COD", revision="r2", main=False)  # as typed by a user
    cached(home, "someone/else")
    cached(home, "Comfy-Org/BiRefNet", "background_removal/birefnet.safetensors")
    found = {model.name: model.entry.id for model in list_models([])}
    assert found == {
        "Comfy-Org/BiRefNet/background_removal/birefnet.safetensors": "general",
        "ZhengPeng7/BiRefNet_HR/model.safetensors": "hr",
        "ZhengPeng7/BiRefNet-COD/model.safetensors": "cod",
    }
    assert resolve("hr", []) == path


def test_the_hub_cache_serves_the_main_revision(home):
    newer = cached(home, "ZhengPeng7/BiRefNet", revision="new", main=False)
    assert resolve("general", []) == newer
    main = cached(home, "ZhengPeng7/BiRefNet", revision="main1")
    os.utime(newer.parent, (2e9, 2e9))
    assert resolve("general", []) == main


def test_the_hub_cache_s_place_follows_its_variables(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    assert hub_cache_folder() == tmp_path / "home" / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    assert hub_cache_folder() == tmp_path / "cache"


def test_default_folders(home, monkeypatch, tmp_path):
    assert default_folders() == [home / "models"]
    monkeypatch.setenv("BIREFNET_MODELS", os.pathsep.join(["one", "two"]))
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    assert default_folders()[:3] == [Path("one"), Path("two"), home / "models"]
    assert default_folders()[3] == tmp_path / "models" / "background_removal"
    assert tmp_path / "models" / "RMBG" in default_folders()


@pytest.mark.parametrize(
    "name",
    [
        "sub/Mine.safetensors",
        "sub\\Mine.safetensors",
        "./sub/Mine.safetensors",
        "SUB/mine.safetensors",
        "Mine.safetensors",
        "mine",
        "MINE.SAFETENSORS",
    ],
)
def test_a_listed_file_has_many_names(tmp_path, name):
    path = put(tmp_path, "sub/Mine.safetensors")
    assert resolve(name, [tmp_path], paths=False) == path


def test_a_base_name_that_several_files_share_is_not_guessed(tmp_path):
    put(tmp_path, "a/same.pth")
    put(tmp_path, "b/same.pth")
    with pytest.raises(ModelNotFoundError, match=r"Did you mean .*a/same.pth"):
        resolve("same.pth", [tmp_path])
    assert resolve("b/same.pth", [tmp_path]) == tmp_path / "b" / "same.pth"


@pytest.mark.parametrize(
    "name", ["hr", "HR", "BiRefNet_HR", "ZhengPeng7/BiRefNet_HR", "General-HR"]
)
def test_a_published_checkpoint_is_found_by_any_of_its_names(tmp_path, name):
    path = put(tmp_path, "BiRefNet/BiRefNet-HR.safetensors")
    assert resolve(name, [tmp_path], paths=False) == path


def test_paths_are_taken_as_they_are(tmp_path, monkeypatch):
    path = put(tmp_path, "place", "my.safetensors")
    monkeypatch.chdir(tmp_path)
    assert resolve(path, []) == path
    assert resolve("place/my.safetensors", []) == Path("place/my.safetensors")
    assert resolve(path.parent, []) == path
    put(tmp_path, "place", "model.safetensors")
    assert resolve(path.parent, []).name == "model.safetensors"


def test_a_folder_called_general_does_not_hide_the_checkpoint(tmp_path, monkeypatch):
    put(tmp_path, "general", "other.pth")
    path = put(tmp_path, "models", "BiRefNet-general.safetensors")
    monkeypatch.chdir(tmp_path)
    assert resolve("general", [tmp_path / "models"]) == path


def test_a_server_can_refuse_paths(tmp_path):
    outside = put(tmp_path, "secret.pth")
    inside = put(tmp_path, "models", "x.pth")
    for name in (str(outside), "../secret.pth", "..\\secret.pth"):
        with pytest.raises(ModelNotFoundError):
            resolve(name, [tmp_path / "models"], paths=False)
    assert resolve("x.pth", [tmp_path / "models"], paths=False) == inside


def test_a_missing_published_checkpoint_says_how_to_get_it(tmp_path):
    with pytest.raises(ModelNotFoundError) as caught:
        resolve("hr", [tmp_path])
    for words in (
        "hr (General background removal at 2048 x 2048, for fine detail) is not on this machine",
        f"Searched {tmp_path}",
        "`birefnet download hr` (MIT, 444 MB)",
        "https://huggingface.co/ZhengPeng7/BiRefNet_HR/resolve/main/model.safetensors",
        f"save it as BiRefNet-hr.safetensors in {tmp_path}",
    ):
        assert words in str(caught.value)
    with pytest.raises(
        ModelNotFoundError, match=r"accepted first, on https://huggingface.co/briaai"
    ):
        resolve("rmbg-2.0", [tmp_path])


def test_an_unknown_name_gets_suggestions(tmp_path):
    put(tmp_path, "anime.safetensors")
    with pytest.raises(ModelNotFoundError, match=r"'generel'. Did you mean general") as caught:
        resolve("generel", [tmp_path])
    assert "Files found: anime.safetensors" in str(caught.value)
    with pytest.raises(ModelNotFoundError, match=r"Did you mean anime.safetensors"):
        resolve("anine.safetensors", [tmp_path])


def test_auto_takes_general_then_any_published_then_the_starter(tmp_path):
    put(tmp_path, "mine.safetensors")
    assert find_auto([tmp_path])[0] == STARTER_PATH
    assert "birefnet download general" in find_auto([tmp_path])[1]
    bria = put(tmp_path, "RMBG-2.0/model.safetensors")
    assert find_auto([tmp_path]) == (
        bria,
        "auto chose rmbg-2.0 (CC BY-NC 4.0): RMBG-2.0/model.safetensors",
    )
    cod = put(tmp_path, "COD.safetensors")
    assert resolve("auto", [tmp_path]) == cod
    general = put(tmp_path, "birefnet.safetensors")
    assert resolve("auto", [tmp_path]) == general
    assert resolve("", [tmp_path]) == general


def test_the_starter_needs_no_folder():
    assert resolve("starter", []) == STARTER_PATH
    assert resolve("Starter", [], paths=False) == STARTER_PATH
