"""The registry is consistent data."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import PurePosixPath, PureWindowsPath

import pytest

from birefnet.model.architecture import PRESETS
from birefnet.preprocess import IMAGENET_MEAN
from birefnet.weights.registry import (
    BY_HASH,
    REGISTRY,
    STARTER_PATH,
    by_name,
    by_path,
    simplify,
)

ENTRIES = list(REGISTRY.values())


def test_general_comes_first_and_the_starter_last():
    assert ENTRIES[0].id == "general"
    assert ENTRIES[-1].id == "starter"


def test_no_name_means_two_checkpoints():
    owners = defaultdict(set)
    for entry in ENTRIES:
        for name in entry.names:
            owners[simplify(name)].add(entry.id)
    assert {name: ids for name, ids in owners.items() if len(ids) > 1} == {}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_an_entry_is_complete(entry):
    assert entry.architecture in PRESETS
    assert entry.purpose.endswith(".")
    assert entry.license
    assert entry.commercial_use is not None or entry.license_note
    for name in (entry.sha256, *(copy.sha256 for copy in entry.copies)):
        assert name is None or re.fullmatch("[0-9a-f]{64}", name)


def test_downloads_have_addresses_and_names_of_their_own():
    published = [entry for entry in ENTRIES if entry.repository]
    assert all(entry.url.startswith("https://huggingface.co/") for entry in published)
    assert len({entry.url for entry in published}) == len(published)
    assert len({entry.file_name.lower() for entry in published}) == len(published)
    assert all(by_path(PurePosixPath(entry.file_name)) is entry for entry in published)


def test_patch_order_changed_in_november_2024():
    """Table a of the survey: which weights were trained with which order."""
    legacy = {entry.id for entry in ENTRIES if entry.preprocess.patch_order == "legacy"}
    assert legacy == {
        *("general", "lite", "lite-2k", "matting", "portrait", "dis5k", "dis5k-tr-tes"),
        *("hrsod", "cod", "general-legacy", "rmbg-2.0", "march-2024", "march-2024-dis"),
    }


def test_native_sizes():
    sizes = {
        entry.id: (entry.preprocess.height, entry.preprocess.width)
        for entry in ENTRIES
        if (entry.preprocess.height, entry.preprocess.width) != (1024, 1024)
    }
    del sizes["starter"]  # belongs to the file, which is trained here
    assert sizes == {
        "lite-2k": (1440, 2560),
        "hr": (2048, 2048),
        "hr-matting": (2048, 2048),
        "512": (512, 512),
    }
    dynamic = {entry.id for entry in ENTRIES if entry.preprocess.dynamic}
    assert dynamic == {"dynamic", "dynamic-matting"}
    assert all(REGISTRY[name].preprocess.smallest == 256 for name in dynamic)
    assert all(REGISTRY[name].preprocess.largest == 2304 for name in dynamic)


def test_every_model_enlarges_what_was_measured_to_be_best():
    assert {entry.preprocess.upsample for entry in ENTRIES} == {"logits"}


def test_only_bria_is_gated_and_not_for_commercial_use():
    assert [entry.id for entry in ENTRIES if entry.gated] == ["rmbg-2.0"]
    assert [entry.id for entry in ENTRIES if entry.commercial_use is False] == ["rmbg-2.0"]
    assert REGISTRY["rmbg-2.0"].license == "CC BY-NC 4.0"
    assert REGISTRY["starter"].commercial_use is True
    assert "DIS5K" in REGISTRY["general"].license_note


def test_comfyui_s_file_is_the_general_model_with_its_normalization():
    copy = REGISTRY["general"].copies[0]
    assert copy.repository == "Comfy-Org/BiRefNet"
    assert copy.sha256 == REGISTRY["general"].sha256
    assert BY_HASH[copy.sha256].preprocess.mean == IMAGENET_MEAN


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("general", "general"),
        ("General", "general"),
        ("ZhengPeng7/BiRefNet", "general"),
        ("zhengpeng7/birefnet_hr", "hr"),
        ("BiRefNet_HR-matting", "hr-matting"),
        ("birefnet_hr_matting", "hr-matting"),
        ("BiRefNet-general-epoch_244.pth", "general"),
        ("BiRefNet-general-fp16.safetensors", "general"),
        ("BiRefNet_T", "lite"),
        ("joelseytre/toonout", "toonout"),
        ("RMBG-2.0", "rmbg-2.0"),
        ("nope", None),
        ("", None),
    ],
)
def test_names(name, expected):
    entry = by_name(name)
    assert (entry.id if entry else None) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("background_removal/birefnet.safetensors", "general"),
        ("RMBG/BiRefNet/BiRefNet-HR.safetensors", "hr"),
        ("RMBG/RMBG-2.0/model.safetensors", "rmbg-2.0"),
        ("BiRefNet/General-reso_512.safetensors", "512"),
        ("BiRefNet/Matting-Lite.safetensors", "lite-matting"),
        ("BiRefNet/DIS-TR_TEs.safetensors", "dis5k-tr-tes"),
        ("BiRefNet/BiRefNet-DIS_ep580.pth", "march-2024-dis"),
        ("BiRefNet/pth/BiRefNet-ep480.pth", "march-2024"),
        ("BiRefNet/BiRefNet_lite-2K/model.safetensors", "lite-2k"),
        ("models--ZhengPeng7--BiRefNet-COD/snapshots/abc/model.safetensors", "cod"),
        ("model.safetensors", None),
        ("my-birefnet.safetensors", None),
        ("BiRefNet-portrait-of-mine.safetensors", None),
    ],
)
def test_file_names_of_other_packs(path, expected):
    for kind in (PurePosixPath, PureWindowsPath):
        entry = by_path(kind(path))
        assert (entry.id if entry else None) == expected


def test_the_starter_is_part_of_the_package():
    assert STARTER_PATH.parent.name == "weights"
    assert REGISTRY["starter"].repository is None
    assert REGISTRY["starter"].url == ""
