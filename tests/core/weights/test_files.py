"""Reading files, whole and broken ones."""

from __future__ import annotations

import json
import pickle
import struct

import pytest
import torch
from safetensors.torch import save_file

from birefnet.errors import CheckpointError, UnsafeCheckpointError
from birefnet.weights.files import read_header, read_tensors

TENSORS = {
    "a.weight": torch.arange(6.0).view(2, 3),
    "b": torch.tensor([1, 2]),
    "c": torch.ones(2, dtype=torch.float16),
}


class Attack:
    """Unpickling it would run code."""

    def __reduce__(self):
        return (print, ("code ran",))


def same(tensors):
    return tensors.keys() == TENSORS.keys() and all(
        torch.equal(tensors[name], TENSORS[name]) and tensors[name].dtype == TENSORS[name].dtype
        for name in TENSORS
    )


def test_safetensors_come_back_with_their_metadata(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file(TENSORS, path, metadata={"who": "me"})
    tensors, metadata = read_tensors(path)
    assert same(tensors)
    assert metadata == {"who": "me"}
    header = read_header(path)
    assert header.shapes == {"a.weight": (2, 3), "b": (2,), "c": (2,)}
    assert header.dtypes["c"] == torch.float16
    assert header.metadata == {"who": "me"}


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".ckpt", ".PTH"])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": state, "optimizer": {"lr": 0.1}},
        lambda state: {"model": {"state_dict": state}},
        lambda state: {
            name: torch.nn.Parameter(t, requires_grad=False) for name, t in state.items()
        },
    ],
)
def test_files_of_torch_come_back_out_of_their_wrappers(tmp_path, suffix, wrap):
    path = tmp_path / f"x{suffix}"
    torch.save(wrap(TENSORS), path)
    tensors, metadata = read_tensors(path)
    assert same(tensors)
    assert metadata == {}
    assert read_header(path).shapes == {"a.weight": (2, 3), "b": (2,), "c": (2,)}


def test_the_old_format_of_torch_is_read(tmp_path):
    path = tmp_path / "old.pth"
    torch.save(TENSORS, path, _use_new_zipfile_serialization=False)
    assert same(read_tensors(path)[0])


def test_gradients_are_not_carried_over(tmp_path):
    path = tmp_path / "x.pth"
    torch.save({"a": torch.nn.Parameter(torch.ones(2))}, path)
    assert not read_tensors(path)[0]["a"].requires_grad


@pytest.mark.parametrize("content", [Attack(), {"state_dict": {"a": torch.ones(1)}, "x": Attack()}])
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("read", [read_tensors, read_header])
def test_a_file_that_would_run_code_is_refused(tmp_path, capsys, content, zipped, read):
    path = tmp_path / "evil.pth"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnsafeCheckpointError, match="would run code") as caught:
        read(path)
    assert "print" in str(caught.value)
    assert "safetensors" in str(caught.value)
    assert "code ran" not in capsys.readouterr().out


def test_a_plain_pickle_is_not_run(tmp_path, capsys):
    path = tmp_path / "plain.ckpt"
    path.write_bytes(pickle.dumps(Attack()))
    with pytest.raises(CheckpointError):
        read_tensors(path)
    assert "code ran" not in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:.*jit.*")
def test_a_torchscript_program_is_refused(tmp_path):
    path = tmp_path / "program.pt"
    torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)).save(path)
    with pytest.raises(UnsafeCheckpointError, match="TorchScript program"):
        read_tensors(path)


@pytest.mark.parametrize("size", [4, 100, 300, -10, -1])
def test_a_truncated_safetensors_file_says_so(tmp_path, size):
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.ones(100), "b": torch.ones(100)}, path)
    whole = path.read_bytes()
    path.write_bytes(whole[:size])
    got = len(whole[:size])
    with pytest.raises(
        CheckpointError, match=rf"truncated: .* bytes, the file has {got}\b"
    ) as caught:
        read_tensors(path)
    assert "download it again" in str(caught.value)
    with pytest.raises(CheckpointError, match="truncated"):
        read_header(path)


@pytest.mark.parametrize("size", [100, 600, -30, -1])
def test_a_truncated_file_of_torch_says_so(tmp_path, size):
    path = tmp_path / "x.pth"
    torch.save({"a": torch.ones(1000)}, path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(CheckpointError, match=r"damaged.*download it again") as caught:
        read_tensors(path)
    assert not isinstance(caught.value, UnsafeCheckpointError)


def header_file(path, header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


@pytest.mark.parametrize(
    "header",
    [
        b"{not json",
        [],
        {"a": {"dtype": "F32", "shape": [1]}},
        {"a": {"dtype": "Q7", "shape": [1], "data_offsets": [0, 4]}},
        {"a": 3},
    ],
)
def test_a_damaged_header_is_reported(tmp_path, header):
    path = tmp_path / "x.safetensors"
    header_file(path, header, b"\0" * 4)
    with pytest.raises(CheckpointError, match=r"damaged header.*download it again"):
        read_tensors(path)


def test_a_header_that_lies_about_a_shape_is_reported(tmp_path):
    path = tmp_path / "x.safetensors"
    header_file(path, {"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 4]}}, b"\0" * 4)
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_tensors(path)


def test_trailing_bytes_are_reported(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file(TENSORS, path)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(CheckpointError, match="longer than it says"):
        read_tensors(path)


def test_a_file_of_torch_under_a_wrong_name_is_recognized(tmp_path):
    path = tmp_path / "x.safetensors"
    torch.save(TENSORS, path)
    with pytest.raises(CheckpointError, match=r"not a safetensors file.*must end in .pth"):
        read_tensors(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 5\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>Sign in</html>", "is a web page of 35 bytes"),
        (b"\n<html>", "is a web page"),
    ],
)
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_what_people_get_instead_of_weights_is_named(tmp_path, content, words, suffix):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=words):
        read_tensors(path)


def test_other_formats_and_missing_files_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"must end in .safetensors.*got 'x.onnx'"):
        read_tensors(tmp_path / "x.onnx")
    with pytest.raises(CheckpointError, match=r"x.pth cannot be read: No such file"):
        read_tensors(tmp_path / "x.pth")
    (tmp_path / "folder.pth").mkdir()
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_header(tmp_path / "folder.pth")


@pytest.mark.parametrize("content", [{"epoch": 3}, [1, 2], 5, {"state_dict": {"lr": 0.1}}])
def test_a_file_without_tensors_is_refused(tmp_path, content):
    path = tmp_path / "x.pth"
    torch.save(content, path)
    with pytest.raises(CheckpointError, match="holds no tensors: expected a state dict"):
        read_tensors(path)
