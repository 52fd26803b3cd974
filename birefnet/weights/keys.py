"""Published tensor names and ours, both directions.

Files always hold the published names, those of the official program; the network uses its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from ..errors import CheckpointError
from ..model.architecture import Architecture
from ..model.swin import relative_positions
from .layout import COUNTER, Row, table

_WRAPPERS = ("module.", "_orig_mod.", "model.")
_SQUEEZE_ALIAS = ("squeeze_0.", "squeeze_module.0.")


def to_published(state: Mapping[str, Tensor], architecture: Architecture) -> dict[str, Tensor]:
    """Rename a network's state for a file, and add what official loading insists on.

    Args:
        state: Tensors by our names; training heads may be absent.
        architecture: Of the network.

    Returns:
        The same tensors by published names, with the integer tables that official files have.

    Raises:
        CheckpointError: If a name is unknown or a needed tensor is missing.
    """
    rows = table(architecture)
    by_name = {row.ours: row for row in rows if row.ours is not None}
    unknown = [name for name in state if name not in by_name]
    needed = [row for row in rows if not row.head and not row.bookkeeping]
    missing = [row.ours for row in needed if row.ours not in state]
    if unknown or missing:
        raise CheckpointError(
            f"the state does not belong to this architecture: {len(missing)} of {len(needed)} "
            f"tensors are missing{_first(missing)}, {len(unknown)} are unknown{_first(unknown)}."
        )
    published: dict[str, Tensor] = {}
    with_heads = has_heads(state, architecture)
    for row in rows:
        if row.head and not with_heads:
            continue
        if row.ours is None:
            published[row.published] = relative_positions(round(row.shape[0] ** 0.5), "cpu")
        elif row.ours in state:
            published[row.published] = state[row.ours]
        elif row.bookkeeping:
            published[row.published] = torch.zeros((), dtype=torch.int64)
    return published


def from_published(tensors: Mapping[str, Tensor], architecture: Architecture) -> dict[str, Tensor]:
    """Rename a file's tensors for our network, leaving out what it computes itself.

    Args:
        tensors: By published names, without prefixes.
        architecture: What they belong to.

    Returns:
        The tensors by our names; BatchNorm counters that are absent are 0.

    Raises:
        CheckpointError: If a name is unknown, or a stored table contradicts the architecture.
    """
    rows = table(architecture)
    by_name = {row.published: row for row in rows}
    unknown = [name for name in tensors if name not in by_name]
    if unknown:
        raise CheckpointError(
            f"{len(unknown)} tensors do not belong to this architecture{_first(unknown)}."
        )
    state: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        row = by_name[name]
        if row.ours is None:
            _check_index(name, tensor, row)
        else:
            state[row.ours] = tensor
    for row in rows:
        if row.ours is not None and row.bookkeeping and row.ours not in state:
            owner = row.ours.removesuffix(COUNTER) + "weight"
            if owner in state:
                state[row.ours] = torch.zeros((), dtype=torch.int64)
    return state


def has_heads(names: Iterable[str], architecture: Architecture) -> bool:
    """Whether a state (our names or published ones) has every layer that only training uses."""
    present = set(names)
    heads = [row for row in table(architecture) if row.head and not row.bookkeeping]
    return all(row.ours in present or row.published in present for row in heads)


def clean_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take off what training programs put in front of the names.

    Any combination of "module.", "_orig_mod." and "model." disappears, and "squeeze_0." of one
    release file becomes "squeeze_module.0.".

    Raises:
        CheckpointError: If two names become one.
    """
    cleaned: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        short = clean_name(name)
        if short in cleaned:
            raise CheckpointError(
                f"the file holds {short!r} twice, once as {name!r}: it stores several models. "
                "Store the one you want on its own."
            )
        cleaned[short] = tensor
    return cleaned


def clean_name(name: str) -> str:
    """One tensor's published name, without the prefixes of training programs."""
    while name.startswith(_WRAPPERS):
        name = name.split(".", 1)[1]
    if name.startswith(_SQUEEZE_ALIAS[0]):
        name = _SQUEEZE_ALIAS[1] + name.removeprefix(_SQUEEZE_ALIAS[0])
    return name


def _first(names: list[str] | list[str | None]) -> str:
    return f", the first is {names[0]!r}" if names else ""


def _check_index(name: str, tensor: Tensor, row: Row) -> None:
    """Refuse a file whose tokens are numbered otherwise; it would load and predict nonsense."""
    if tensor.is_floating_point() or tensor.is_meta:
        return  # some converters round the table to half precision; we compute it anyway
    expected = relative_positions(round(row.shape[0] ** 0.5), tensor.device)
    if not torch.equal(tensor.to(expected.dtype), expected):
        raise CheckpointError(
            f"{name!r} numbers the positions in a window in an unknown way; expected the order "
            "of the Swin transformer's official code. The file comes from another model."
        )
