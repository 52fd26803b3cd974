"""Fetching checkpoints, against a hub on this machine."""

from __future__ import annotations

import os
import shutil
from hashlib import sha256

import pytest

from birefnet.errors import DownloadError, GatedModelError, ModelNotFoundError
from birefnet.weights.download import download
from birefnet.weights.hashes import file_sha256

CONTENT = os.urandom(300_000)
GENERAL = "ZhengPeng7/BiRefNet/model.safetensors"


def leftovers(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_file_arrives_whole_under_our_name(hub, tmp_path):
    hub.files[GENERAL] = CONTENT
    path = download("general", folder=tmp_path / "models")
    assert path == tmp_path / "models" / "BiRefNet-general.safetensors"
    assert path.read_bytes() == CONTENT
    assert leftovers(path.parent) == [path.name]


def test_the_first_default_folder_is_used(hub, home, monkeypatch, tmp_path):
    hub.files[GENERAL] = CONTENT
    assert download("general").parent == home / "models"
    monkeypatch.setenv("BIREFNET_MODELS", str(tmp_path / "mine"))
    assert download("general").parent == tmp_path / "mine"


def test_a_present_file_is_kept_unless_forced(hub, tmp_path):
    hub.files[GENERAL] = CONTENT
    (tmp_path / "BiRefNet-general.safetensors").write_bytes(b"mine")
    assert download("general", folder=tmp_path).read_bytes() == b"mine"
    assert hub.requests == []
    assert download("general", folder=tmp_path, force=True).read_bytes() == CONTENT


def test_progress_rises_to_one(hub, tmp_path):
    hub.files[GENERAL] = CONTENT
    seen = []
    download("general", folder=tmp_path, progress=lambda done, count: seen.append((done, count)))
    assert seen[0] == (0.0, 0)
    assert seen[-1] == (1.0, len(CONTENT))
    assert seen == sorted(seen)


def half_file(folder, content=CONTENT):
    return folder / f".BiRefNet-general.safetensors.{sha256(content).hexdigest()[:12]}.part"


def ranges(hub):
    return [headers.get("range") for method, _, headers in hub.requests if method == "GET"]


def test_what_a_killed_program_left_is_not_fetched_again(hub, tmp_path):
    hub.files[GENERAL] = CONTENT
    half_file(tmp_path).write_bytes(CONTENT[:100_000])
    seen = []
    path = download("general", folder=tmp_path, progress=lambda done, count: seen.append(count))
    assert ranges(hub) == ["bytes=100000-"]
    assert seen[0] == 100_000
    assert path.read_bytes() == CONTENT
    assert leftovers(tmp_path) == [path.name]


def test_a_complete_half_file_needs_no_request(hub, tmp_path):
    hub.files[GENERAL] = CONTENT
    half_file(tmp_path).write_bytes(CONTENT)
    assert download("general", folder=tmp_path).read_bytes() == CONTENT
    assert ranges(hub) == []


def test_half_of_an_earlier_version_is_not_continued(hub, tmp_path):
    hub.files[GENERAL] = CONTENT
    half_file(tmp_path, b"earlier").write_bytes(b"x" * 1000)
    assert download("general", folder=tmp_path).read_bytes() == CONTENT
    assert ranges(hub) == [None]


def test_a_cut_connection_is_taken_up_again(hub, tmp_path):
    hub.files[GENERAL] = CONTENT
    hub.break_after = 100_000
    assert download("general", folder=tmp_path).read_bytes() == CONTENT
    assert len(ranges(hub)) == 2


@pytest.mark.parametrize("error", [RuntimeError("stop"), OSError("stop"), KeyboardInterrupt()])
def test_an_exception_of_the_callback_cancels_and_leaves_nothing(hub, tmp_path, error):
    hub.files[GENERAL] = CONTENT

    def stop(done, count):
        if count:
            raise error

    with pytest.raises(type(error)) as caught:
        download("general", folder=tmp_path, progress=stop)
    assert caught.value is error
    assert leftovers(tmp_path) == []


def test_a_wrong_checksum_is_refused(hub, tmp_path):
    hub.files[GENERAL] = CONTENT
    hub.corrupt = True
    with pytest.raises(DownloadError, match=r"300,000 bytes.*does not match.*deleted. Try again"):
        download("general", folder=tmp_path)
    assert leftovers(tmp_path) == []


def test_the_hash_is_remembered(hub, home, tmp_path):
    hub.files[GENERAL] = CONTENT
    path = download("general", folder=tmp_path)
    stamp = path.stat()
    path.write_bytes(b"y" * len(CONTENT))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert file_sha256(path) == sha256(CONTENT).hexdigest()  # from memory: the file was swapped


def test_a_replaced_upstream_file_is_announced(hub, tmp_path, caplog):
    hub.files[GENERAL] = CONTENT
    download("general", folder=tmp_path)
    assert "general has been replaced by its author" in caplog.text


def test_a_gated_file_names_page_and_token(hub, tmp_path):
    hub.files["briaai/RMBG-2.0/model.safetensors"] = CONTENT
    hub.gated = True
    with pytest.raises(GatedModelError, match="HF_TOKEN") as caught:
        download("rmbg-2.0", folder=tmp_path)
    assert "https://huggingface.co/briaai/RMBG-2.0" in str(caught.value)
    assert "CC BY-NC 4.0" in str(caught.value)
    assert leftovers(tmp_path) == []


def test_the_token_opens_a_gate_and_stays_with_the_hub(hub, tmp_path, monkeypatch):
    hub.files["briaai/RMBG-2.0/model.safetensors"] = CONTENT
    hub.gated = True
    hub.redirect = True
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert download("rmbg-2.0", folder=tmp_path).name == "rmbg-2.0.safetensors"
    sent = [(path, headers.get("authorization")) for _, path, headers in hub.requests]
    assert [path.startswith("/storage/") for path, _ in sent] == [False, True]
    assert [token for _, token in sent] == ["Bearer hf_secret", None]


def test_a_missing_repository_is_a_download_error(hub, tmp_path):
    with pytest.raises(DownloadError, match=r"general could not be downloaded|has no ZhengPeng7"):
        download("general", folder=tmp_path)


def test_no_connection_says_what_to_do_by_hand(home, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nothing listens there
    with pytest.raises(DownloadError) as caught:
        download("general", folder=tmp_path)
    for word in (
        "http://127.0.0.1:9/ZhengPeng7/BiRefNet/resolve/main/model.safetensors",
        "BiRefNet-general.safetensors",
        str(tmp_path),
        "continues where it stopped",
    ):
        assert word in str(caught.value)


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_asks_nobody(hub, tmp_path, monkeypatch, variable):
    hub.files[GENERAL] = CONTENT
    monkeypatch.setenv(variable, "1")
    with pytest.raises(DownloadError, match=r"HF_HUB_OFFLINE is set.*By hand: download http"):
        download("general", folder=tmp_path)
    assert hub.requests == []


def test_a_full_disk_is_noticed_before(hub, tmp_path, monkeypatch):
    hub.files[GENERAL] = CONTENT
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 10**6, 10**6))
    with pytest.raises(DownloadError, match=r"has 1 MB free, 67 MB are needed"):
        download("general", folder=tmp_path)
    assert ranges(hub) == []


def test_two_downloads_of_one_file_do_not_mix(hub, tmp_path):
    hub.files[GENERAL] = CONTENT
    errors = []

    def again(done, count):
        if not errors:
            with pytest.raises(DownloadError, match="another program is downloading") as caught:
                download("general", folder=tmp_path)
            errors.append(caught.value)

    path = download("general", folder=tmp_path, progress=again)
    assert len(errors) == 1
    assert path.read_bytes() == CONTENT


def test_unknown_and_built_in_names_are_refused(home):
    with pytest.raises(ModelNotFoundError, match=r"no published checkpoint is called 'nope'.*hr"):
        download("nope")
    with pytest.raises(DownloadError, match="starter is built in"):
        download("starter")
