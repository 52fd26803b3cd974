"""From a file to a checkpoint, from a checkpoint to a network, and back into a file."""

from __future__ import annotations

import contextlib
import logging
import math
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from ..errors import CheckpointError
from ..model.architecture import Architecture, TimmConfig
from ..model.network import BiRefNet, build
from ..model.operations import Operations
from ..preprocess import PatchOrder, Preprocess
from . import blank
from . import metadata as meta
from .detect import describe_architecture
from .files import SAFETENSORS_SUFFIXES, read_header, read_tensors
from .identify import Triple, identify
from .keys import clean_name, clean_names, from_published, has_heads, to_published
from .layout import table
from .registry import Entry

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """The content of a file, understood."""

    name: str
    """What to call it in messages."""

    path: Path | None
    """The file, if it was read from one."""

    architecture: Architecture
    """What its tensors belong to."""

    preprocess: Preprocess
    """What the network expects of its input."""

    state: dict[str, Tensor] = field(repr=False)
    """Tensors by our names, in the file's precision, often views of the mapped file."""

    entry: Entry | None = None
    """The published checkpoint it is, as far as that is known."""

    stored: meta.Stored | None = None
    """What the file says about itself, if we wrote it."""

    notes: tuple[str, ...] = ()
    """What was guessed or overridden, and why; each a sentence for the user."""

    @property
    def has_training_heads(self) -> bool:
        """Whether it can be trained further with all its losses."""
        return has_heads(self.state, self.architecture)


@dataclass(frozen=True, kw_only=True, slots=True)
class Info:
    """What a file's header tells, for people."""

    path: Path
    """The file."""

    file_bytes: int
    """Its size."""

    architecture: Architecture
    """What its tensors belong to."""

    architecture_name: str
    """A preset's name, or the nearest one's with what differs."""

    parameters: int
    """Trained numbers, training heads included."""

    dtypes: dict[str, int]
    """Number of tensors by their type's name."""

    preprocess: Preprocess
    """What the network expects of its input."""

    entry: Entry | None
    """The published checkpoint it is, as far as that is known."""

    purpose: str
    """What it is for; empty if unknown."""

    license: str
    """Of the weights; empty if unknown."""

    source: str
    """Where the weights come from; empty if unknown."""

    metadata: dict[str, str]
    """All text stored beside the tensors."""

    has_training_heads: bool
    """Whether it can be trained further with all its losses."""

    notes: tuple[str, ...]
    """What was guessed, and why; each a sentence for the user."""


def read_checkpoint(
    path: str | Path,
    *,
    architecture: Architecture | None = None,
    patch_order: PatchOrder | None = None,
    mean: Triple | None = None,
    std: Triple | None = None,
) -> Checkpoint:
    """Read a file and find out what it is.

    Shapes of tensors decide what they can; then the file's own metadata; then its SHA-256
    against the registry; then its name, as a hint for size, patch order and normalization only.

    Args:
        path: A .safetensors, .pth, .pt or .ckpt file.
        architecture: Decides between architectures whose tensors look alike.
        patch_order: Overrides how image patches are stacked.
        mean: Overrides the mean of the normalization, per RGB channel in [0, 1].
        std: Overrides its divisor.

    Raises:
        CheckpointError: If the file is damaged, or its tensors are not those of a BiRefNet.
        UnsafeCheckpointError: If reading it would run code.
        AmbiguousCheckpointError: If several architectures fit and nothing decides.
    """
    path = Path(path)
    tensors, metadata = read_tensors(path)
    return checkpoint_from_tensors(
        tensors,
        metadata,
        name=str(path),
        path=path,
        architecture=architecture,
        patch_order=patch_order,
        mean=mean,
        std=std,
    )


def checkpoint_from_tensors(
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, str] | None = None,
    *,
    name: str,
    path: Path | None = None,
    architecture: Architecture | None = None,
    patch_order: PatchOrder | None = None,
    mean: Triple | None = None,
    std: Triple | None = None,
) -> Checkpoint:
    """Find out what tensors are that somebody else has read.

    Args:
        tensors: By published names, perhaps with the prefixes of training programs.
        metadata: Text stored beside them.
        name: What to call them in messages.
        path: The file they come from; its hash and name help to recognize it.
        architecture: As in `read_checkpoint`.
        patch_order: As in `read_checkpoint`.
        mean: As in `read_checkpoint`.
        std: As in `read_checkpoint`.

    Raises:
        CheckpointError: If the tensors are not those of a BiRefNet.
        AmbiguousCheckpointError: If several architectures fit and nothing decides.
    """
    cleaned = clean_names(tensors)
    stored = meta.decode(metadata, name=name)
    identity = identify(
        {key: tuple(tensor.shape) for key, tensor in cleaned.items()},
        name=name,
        path=path,
        stored=stored,
        architecture=architecture,
    ).override(patch_order=patch_order, mean=mean, std=std)
    for note in identity.notes:
        logger.info("%s: %s", name, note)
    return Checkpoint(
        name=name,
        path=path,
        architecture=identity.architecture,
        preprocess=identity.preprocess,
        state=from_published(cleaned, identity.architecture),
        entry=identity.entry,
        stored=stored,
        notes=identity.notes,
    )


def build_network(
    checkpoint: Checkpoint,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = torch.float32,
    operations: Operations | None = None,
    training_heads: bool = False,
) -> BiRefNet:
    """Make the network of a checkpoint, with its weights.

    Nothing is initialized at random first and no second copy of the weights is made: a tensor
    that already has the wanted type and place is used as it is.

    Args:
        checkpoint: What to build.
        device: Where its weights shall be.
        dtype: Their type; None keeps that of the file.
        operations: Namespace of the weighted layers; None for those of `torch.nn`, uninitialized.
        training_heads: Whether to add the layers that only training uses.

    Returns:
        The network in evaluation mode; its parameters require gradients only with
        `training_heads`.

    Raises:
        CheckpointError: If training heads are asked for and the file has none.
        ConfigError: If its encoder needs a library that is not installed.
    """
    rows = table(checkpoint.architecture)
    if training_heads and not checkpoint.has_training_heads:
        missing = [row.published for row in rows if row.head and row.ours not in checkpoint.state]
        raise CheckpointError(
            f"{checkpoint.name} has no training heads ({len(missing)} tensors, the first is "
            f"{missing[0]!r}); it was saved for prediction only. Train from a checkpoint with "
            "them, or build(architecture, training_heads=True) and load what there is."
        )
    # Encoders of timm compute tables in their constructors, which a meta device would lose.
    lazy = not isinstance(checkpoint.architecture.encoder, TimmConfig)
    with torch.device("meta") if lazy else contextlib.nullcontext():
        network = build(
            checkpoint.architecture,
            patch_order=checkpoint.preprocess.patch_order,
            training_heads=training_heads,
            operations=blank if operations is None else operations,
        )
    heads = {row.ours for row in rows if row.head}
    state = {
        name: tensor.to(device, dtype if tensor.is_floating_point() else None)
        for name, tensor in checkpoint.state.items()
        if training_heads or name not in heads
    }
    network.load_state_dict(state, strict=True, assign=True)
    if not lazy:
        network.to(device, dtype)
    return network.requires_grad_(training_heads).eval()


def save_checkpoint(
    path: str | Path,
    state: Mapping[str, Tensor],
    *,
    architecture: Architecture,
    preprocess: Preprocess,
    dtype: torch.dtype = torch.float16,
    id: str = "",
    purpose: str = "",
    license: str = "",
    source: str = "",
    extra: Mapping[str, str] | None = None,
) -> Path:
    """Write weights under the published names, with all that their shapes do not tell.

    The official program loads the file strictly if the state has its training heads. The file
    appears at once and whole, or not at all.

    Args:
        path: Where to; must end in .safetensors. Its folder is made.
        state: Tensors by our names, for example `network.state_dict()`.
        architecture: Of the network.
        preprocess: What it expects of its input.
        dtype: Of the stored weights. A tensor that it cannot hold (beyond 65504 in float16)
            is stored in float32.
        id: Registry entry that the weights are, or come from.
        purpose: What they are for.
        license: Of the weights.
        source: Where they come from.
        extra: Anything else worth keeping.

    Returns:
        The file.

    Raises:
        CheckpointError: If the state does not belong to the architecture, or the file cannot be
            written.
    """
    path = Path(path)
    if path.suffix.lower() not in SAFETENSORS_SUFFIXES:
        raise CheckpointError(
            f"checkpoints are written as .safetensors; got {path.name!r}. For a program that "
            "reads only .pth, torch.save(safetensors.torch.load_file(file), 'name.pth')."
        )
    published = {
        name: _stored(name, tensor, dtype)
        for name, tensor in to_published(state, architecture).items()
    }
    stored = meta.Stored(
        architecture=architecture,
        preprocess=preprocess,
        id=id,
        purpose=purpose,
        license=license,
        source=source,
        extra=dict(extra or {}),
    )
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(published, part, metadata=meta.encode(stored))
        part.replace(path)
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be written: {error.strerror or error}. Check the folder, the free "
            "space, and whether another program has the file open."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return path


def describe(path: str | Path) -> Info:
    """What a file is, from its header; its tensors are not read.

    Args:
        path: A .safetensors, .pth, .pt or .ckpt file.

    Raises:
        CheckpointError: If the file is damaged, or its tensors are not those of a BiRefNet.
        UnsafeCheckpointError: If reading it would run code.
        AmbiguousCheckpointError: If several architectures fit and nothing decides.
    """
    path = Path(path)
    header = read_header(path)
    shapes = {clean_name(name): shape for name, shape in header.shapes.items()}
    stored = meta.decode(header.metadata, name=str(path))
    identity = identify(shapes, name=str(path), path=path, stored=stored)
    entry, told = identity.entry, stored or meta.Stored()
    count = sum(
        math.prod(row.shape)
        for row in table(identity.architecture)
        if not row.bookkeeping and ".running_" not in row.published and row.published in shapes
    )
    return Info(
        path=path,
        file_bytes=path.stat().st_size,
        architecture=identity.architecture,
        architecture_name=describe_architecture(identity.architecture),
        parameters=count,
        dtypes=dict(Counter(str(kind).removeprefix("torch.") for kind in header.dtypes.values())),
        preprocess=identity.preprocess,
        entry=entry,
        purpose=told.purpose or (entry.purpose if entry else ""),
        license=told.license or (entry.license if entry else ""),
        source=told.source or (entry.page if entry else ""),
        metadata=header.metadata,
        has_training_heads=has_heads(shapes, identity.architecture),
        notes=identity.notes,
    )


def _stored(name: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
    tensor = tensor.detach().to("cpu")
    if not tensor.is_floating_point():
        return tensor.contiguous()
    narrow = tensor.to(dtype)
    if not narrow.isfinite().all() and tensor.isfinite().all():
        logger.info("%s is stored in float32: it exceeds the range of %s.", name, dtype)
        narrow = tensor.float()
    return narrow.contiguous().clone()
