"""Reading tensors out of a file: whole, or only names and shapes; never running what it holds."""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import NoReturn

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..errors import CheckpointError, UnsafeCheckpointError

SAFETENSORS_SUFFIXES = (".safetensors", ".sft")
PICKLE_SUFFIXES = (".pth", ".pt", ".ckpt")
SUFFIXES = SAFETENSORS_SUFFIXES + PICKLE_SUFFIXES
"""File name endings of checkpoints, lower case."""

_WRAPPERS = ("state_dict", "model_state_dict", "model", "module", "ema", "params")
_LFS_POINTER = b"version https://git-lfs"
_HEADER_LIMIT = 100 * 1024 * 1024
_AGAIN = "Delete the file and download it again"
_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What a file says about its tensors before any of them is read."""

    shapes: dict[str, tuple[int, ...]]
    """Shape by name, as stored in the file."""

    dtypes: dict[str, torch.dtype]
    """Type by name, as stored in the file."""

    metadata: dict[str, str] = field(default_factory=dict)
    """Free text stored beside the tensors; empty for files made by torch.save."""


def read_header(path: Path) -> Header:
    """Names, shapes, types and metadata of a checkpoint, without reading its tensors.

    Args:
        path: A file with one of SUFFIXES.

    Returns:
        The header; the cost does not grow with the size of the tensors.

    Raises:
        CheckpointError: If the file is missing, truncated or of another kind.
        UnsafeCheckpointError: If reading it would run code.
    """
    if _is_safetensors(path):
        return _safetensors_header(path)
    tensors = _load_pickle(path, "meta")
    return Header(
        shapes={name: tuple(tensor.shape) for name, tensor in tensors.items()},
        dtypes={name: tensor.dtype for name, tensor in tensors.items()},
    )


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All tensors of a checkpoint and its metadata.

    The tensors are views of the mapped file where the format allows, so that they take memory
    only once they are used.

    Args:
        path: A file with one of SUFFIXES.

    Returns:
        (tensors by name as stored, on the CPU; metadata, empty for files made by torch.save).

    Raises:
        CheckpointError: If the file is missing, truncated or of another kind.
        UnsafeCheckpointError: If reading it would run code.
    """
    if not _is_safetensors(path):
        return _load_pickle(path, "cpu"), {}
    header = _safetensors_header(path)
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            tensors = {name: file.get_tensor(name) for name in header.shapes}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}. {_AGAIN}.") from error
    return tensors, header.metadata


def _is_safetensors(path: Path) -> bool:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise CheckpointError(
            f"a checkpoint must end in {', '.join(SUFFIXES)}; got {path.name!r}. "
            "Files of other formats (ONNX, GGUF, engines) cannot be loaded here."
        )
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}.") from error
    _refuse_placeholders(path, size, start)
    return suffix in SAFETENSORS_SUFFIXES


def _refuse_placeholders(path: Path, size: int, start: bytes) -> None:
    """Name the two kinds of file that people get instead of the weights."""
    if size == 0:
        raise CheckpointError(f"{path} is empty (0 bytes). {_AGAIN}.")
    if start.startswith(_LFS_POINTER):
        raise CheckpointError(
            f"{path} is a Git LFS pointer of {size} bytes, not the weights themselves. Run "
            "`git lfs pull` in that repository, or download the file from its page."
        )
    if start.lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise CheckpointError(
            f"{path} is a web page of {size} bytes, not weights: the download link led to a "
            "page. Download the file itself."
        )


def _safetensors_header(path: Path) -> Header:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _HEADER_LIMIT:
            raise CheckpointError(
                f"{path} is not a safetensors file: its first bytes announce a header of "
                f"{length:,} bytes. Check where it comes from; a file made by torch.save must "
                "end in .pth."
            )
        if size < 8 + length:
            raise CheckpointError(
                f"{path} is truncated: its header alone needs {8 + length:,} bytes, the file "
                f"has {size:,}. {_AGAIN}."
            )
        text = file.read(length)
    try:
        content = json.loads(text)
        metadata = {str(key): str(value) for key, value in content.pop("__metadata__", {}).items()}
        shapes = {name: tuple(map(int, entry["shape"])) for name, entry in content.items()}
        dtypes = {name: _DTYPES[entry["dtype"]] for name, entry in content.items()}
        end = max((int(entry["data_offsets"][1]) for entry in content.values()), default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise CheckpointError(
            f"{path} has a damaged header of {length:,} bytes ({error}). {_AGAIN}."
        ) from error
    needed = 8 + length + end
    if size != needed:
        state = "truncated" if size < needed else "longer than it says"
        raise CheckpointError(
            f"{path} is {state}: its header describes {needed:,} bytes, the file has {size:,}. "
            f"{_AGAIN}."
        )
    return Header(shapes=shapes, dtypes=dtypes, metadata=metadata)


def _load_pickle(path: Path, device: str) -> dict[str, Tensor]:
    size = path.stat().st_size
    mapped = device == "cpu" and zipfile.is_zipfile(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch asks for bug reports about odd files
            content = torch.load(path, map_location=device, weights_only=True, mmap=mapped or None)
    except (UnpicklingError, RuntimeError) as error:
        _explain(path, size, error)
    except (EOFError, OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(
            f"{path} is damaged or truncated ({size:,} bytes): {error}. {_AGAIN}."
        ) from error
    return _unwrap(path, content)


def _explain(path: Path, size: int, error: Exception) -> NoReturn:
    """Tell a file that would run code from one that is merely damaged."""
    text = str(error)
    if "TorchScript" in text:
        raise UnsafeCheckpointError(
            f"{path} is a TorchScript program, not weights, and loading it would run code. "
            "Use the checkpoint it was exported from (.safetensors or .pth)."
        ) from error
    if "Unsupported " in text and "weights_only" in text:
        reason = next((line for line in text.splitlines() if "Unsupported " in line), text)
        raise UnsafeCheckpointError(
            f"{path} was not loaded, because reading it would run code: {reason.strip()} "
            "Ask its author for a .safetensors file. Only if you trust the source, convert it "
            "on a machine you can lose: load it with torch.load(..., weights_only=False) and "
            "store the state dict with safetensors.torch.save_file."
        ) from error
    first = text.splitlines()[0] if text else type(error).__name__
    raise CheckpointError(
        f"{path} is damaged, truncated or not a PyTorch file ({size:,} bytes): {first} {_AGAIN}."
    ) from error


def _unwrap(path: Path, content: object) -> dict[str, Tensor]:
    """The tensors of a loaded object, out of the dictionaries that training programs use."""
    for _ in range(4):
        if not isinstance(content, Mapping):
            break
        tensors = {
            str(name): value.detach() for name, value in content.items() if torch.is_tensor(value)
        }
        if tensors:
            return tensors
        inner = next((key for key in _WRAPPERS if isinstance(content.get(key), Mapping)), None)
        if inner is None:
            break
        content = content[inner]
    raise CheckpointError(
        f"{path} holds no tensors: expected a state dict, or one under "
        f"{', '.join(map(repr, _WRAPPERS))}; got {type(content).__name__}"
        f"{_first_keys(content)}."
    )


def _first_keys(content: object) -> str:
    if not isinstance(content, Mapping):
        return ""
    return f" with the keys {', '.join(repr(key) for key in list(content)[:5])}"
