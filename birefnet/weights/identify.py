"""What a file is: its tensors decide, then its metadata, then its hash, then its name."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import CheckpointError
from ..model.architecture import PRESETS, Architecture
from ..preprocess import PatchOrder, Preprocess
from .detect import Shapes, choose, describe_architecture, detect
from .hashes import file_sha256
from .layout import table
from .metadata import Stored
from .registry import BY_HASH, HASHED_SIZES, REGISTRY, STARTER_PATH, Entry, by_path

Triple = tuple[float, float, float]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """What a file is."""

    architecture: Architecture
    """What its tensors belong to."""

    preprocess: Preprocess
    """What the network expects of its input."""

    entry: Entry | None
    """The published checkpoint it is, as far as that is known."""

    notes: tuple[str, ...]
    """How that was found out, where it was not certain; each a sentence for the user."""

    def override(
        self,
        *,
        patch_order: PatchOrder | None = None,
        mean: Triple | None = None,
        std: Triple | None = None,
    ) -> Identity:
        """The same with what a user knows better; None leaves a value alone."""
        wanted = {"patch_order": patch_order, "mean": mean, "std": std}
        before = self.preprocess
        changes = {
            name: value
            for name, value in wanted.items()
            if value is not None and value != getattr(before, name)
        }
        notes = [
            f"{name} is overridden: {value} instead of {getattr(before, name)}."
            for name, value in changes.items()
        ]
        return replace(
            self,
            preprocess=replace(before, **changes),  # type: ignore[arg-type]
            notes=(*self.notes, *notes),
        )


def identify(
    shapes: Shapes,
    *,
    name: str,
    path: Path | None = None,
    stored: Stored | None = None,
    architecture: Architecture | None = None,
) -> Identity:
    """Find out what tensors of these shapes are.

    Args:
        shapes: Shape by published name, without prefixes.
        name: What to call the file in messages.
        path: The file, if there is one; it is hashed if its size is that of a published one.
        stored: What the file says about itself.
        architecture: What the caller says; must fit the tensors.

    Raises:
        CheckpointError: If the tensors are not exactly those of a BiRefNet.
        AmbiguousCheckpointError: If several architectures fit and nothing decides.
    """
    entry, certain, notes = _recognize(path, stored)
    chosen = architecture
    if chosen is None:
        known = stored.architecture if stored else None
        if known is None and entry is not None and certain:
            known = PRESETS[entry.architecture]
        chosen = _choose(shapes, known, name)
        if stored is not None and stored.architecture not in (None, chosen):
            notes.append("its metadata describe another architecture; its tensors count.")
    _compare(shapes, chosen, name)
    if entry is not None and not certain:
        entry = _take_hint(entry, chosen, notes)
    return Identity(
        architecture=chosen,
        preprocess=_preprocess(chosen, stored, entry, notes),
        entry=entry,
        notes=tuple(notes),
    )


def _recognize(path: Path | None, stored: Stored | None) -> tuple[Entry | None, bool, list[str]]:
    """(published checkpoint, whether that is certain, notes)."""
    if stored is not None:
        return REGISTRY.get(stored.id), True, []
    if path is None:
        return None, False, []
    if path == STARTER_PATH:
        return REGISTRY["starter"], True, []
    hint = by_path(path.absolute())
    size_unknown = hint is not None and hint.sha256 is not None and hint.bytes is None
    try:
        if path.stat().st_size in HASHED_SIZES or size_unknown:
            entry = BY_HASH.get(file_sha256(path))
            if entry is not None:
                return entry, True, [f"recognized as {entry.id} by its SHA-256."]
    except OSError as error:
        logger.debug("%s is not hashed: %s", path, error)
    return hint, False, []


def _take_hint(entry: Entry, architecture: Architecture, notes: list[str]) -> Entry | None:
    """A name's hint, unless the tensors contradict it."""
    if PRESETS[entry.architecture] != architecture:
        notes.append(
            f"its name suggests {entry.id}, which has another architecture "
            f"({entry.architecture}); the name is ignored."
        )
        return None
    notes.append(
        f"taken for {entry.id} because of its name; its content is not a known file. Size, "
        "normalization and patch order follow from that and can be overridden."
    )
    return entry


def _choose(shapes: Shapes, known: Architecture | None, name: str) -> Architecture:
    try:
        candidates = detect(shapes)
    except CheckpointError as error:
        raise type(error)(f"{name} cannot be used: {error}") from error
    return choose(candidates, known, name=name)


def _compare(shapes: Shapes, architecture: Architecture, name: str) -> None:
    """Raise unless the tensors are exactly those of the architecture, training heads aside."""
    rows = table(architecture)
    expected = {row.published: row.shape for row in rows}
    needed = [row.published for row in rows if not row.head and not row.bookkeeping]
    missing = [key for key in needed if key not in shapes]
    unexpected = [key for key in shapes if key not in expected]
    misshapen = [key for key in expected if key in shapes and shapes[key] != expected[key]]
    if not (missing or unexpected or misshapen):
        return
    problems = []
    if missing:
        problems.append(f"{len(missing)} of {len(needed)} are missing, the first is {missing[0]!r}")
    if unexpected:
        problems.append(f"{len(unexpected)} are unknown, the first is {unexpected[0]!r}")
    if misshapen:
        first = misshapen[0]
        problems.append(
            f"{len(misshapen)} have another shape, the first is {first!r} with "
            f"{tuple(shapes[first])} instead of {expected[first]}"
        )
    raise CheckpointError(
        f"{name} is not a BiRefNet checkpoint that can be explained. Of the tensors of "
        f"{describe_architecture(architecture)}, {'; '.join(problems)}. {_nearest(shapes)} If the "
        "file is from a changed model, only the program that wrote it can load it; otherwise "
        "download it again."
    )


def _nearest(shapes: Shapes) -> str:
    """The known architecture that has most in common with a file."""
    shared = {
        name: sum(shapes.get(row.published) == row.shape for row in table(architecture))
        for name, architecture in PRESETS.items()
    }
    sizes = {name: len(table(architecture)) for name, architecture in PRESETS.items()}
    name = max(PRESETS, key=lambda name: shared[name] / (sizes[name] + len(shapes) - shared[name]))
    return (
        f"The nearest known architecture is {name}, with {shared[name]} of {sizes[name]} tensors "
        "alike."
    )


def _preprocess(
    architecture: Architecture,
    stored: Stored | None,
    entry: Entry | None,
    notes: list[str],
) -> Preprocess:
    if stored is not None and stored.preprocess is not None:
        return stored.preprocess
    if entry is not None:
        return entry.preprocess
    standard = Preprocess(patch_order="current" if architecture.deepest_patch else "legacy")
    notes.append(
        f"nothing tells its size, normalization and patch order; {standard.height} x "
        f"{standard.width}, ImageNet and {standard.patch_order} are assumed and can be overridden."
    )
    return standard
