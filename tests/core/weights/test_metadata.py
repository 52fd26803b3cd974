"""What files say about themselves."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from birefnet.model.architecture import PRESETS
from birefnet.preprocess import Preprocess
from birefnet.weights.metadata import KEY, VERSION, Stored, decode, encode


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_architecture_survives(name):
    stored = Stored(architecture=PRESETS[name])
    assert decode(encode(stored), name="x") == stored


def test_everything_survives():
    stored = Stored(
        architecture=replace(PRESETS["starter"], inner_width=None, classes=2),
        preprocess=Preprocess(
            height=512, width=768, dynamic=True, min_side=256, max_side=1024,
            mean=(0.5, 0.25, 0.125), std=(1.0, 2.0, 4.0), patch_order="legacy", upsample="alpha",
        ),
        id="starter",
        purpose="Zwecke, 目的",
        license="MIT",
        source="here",
        extra={"a": "b"},
    )  # fmt: skip
    metadata = encode(stored)
    assert all(isinstance(value, str) for value in metadata.values())
    assert metadata["format"] == "pt"  # what transformers asks for
    assert decode(metadata, name="x") == stored


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}, {"modelspec.title": "x"}])
def test_files_of_others_carry_nothing(metadata):
    assert decode(metadata, name="x") is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"version": "a"}',
        '{"version": 1, "preprocess": {"height": 100}}',
        '{"version": 1, "preprocess": 5}',
        '{"version": 1, "architecture": {"encoder": {"kind": "other"}}}',
        '{"version": 1, "architecture": {}}',
        '{"version": 1, "extra": [1]}',
    ],
)
def test_what_cannot_be_understood_is_ignored_with_a_warning(text, caplog):
    assert decode({KEY: text}, name="x.safetensors") is None
    assert "the metadata of x.safetensors cannot be understood" in caplog.text
    assert "are guessed instead" in caplog.text


def test_newer_files_are_read_as_far_as_possible(caplog):
    content = json.loads(encode(Stored(preprocess=Preprocess(height=512)))[KEY])
    content["version"] = VERSION + 1
    content["preprocess"]["new"] = 1
    content["other"] = 2
    stored = decode({KEY: json.dumps(content)}, name="x")
    assert stored == Stored(preprocess=Preprocess(height=512))
    assert "written by a newer version" in caplog.text
