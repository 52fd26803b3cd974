"""Which pictures a command line means, and the name under which each result is saved."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError

PICTURE_SUFFIXES = (
    *(".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pgm", ".png", ".ppm"),
    *(".qoi", ".tga", ".tif", ".tiff", ".webp"),
)
"""What is taken from a folder; a file that is named itself is tried whatever it is called."""

WILDCARDS = frozenset("*?[")
"""What makes a pattern of an input that is not the name of a file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One picture to work on."""

    path: Path
    """Where it is."""

    name: Path
    """Its name below the output folder, sub-folders included, without kind and suffix."""

    def output(self, folder: Path, kind: str) -> Path:
        """Where a result of one kind ("cutout", "mask" ...) belongs."""
        return folder / self.name.with_name(f"{self.name.name}_{kind}.png")


def find_sources(
    inputs: Sequence[str], *, output: Path | None = None
) -> tuple[list[Source], list[str]]:
    """Resolve files, folders and patterns into pictures with names that cannot collide.

    Folders are searched with everything below them, hidden files left out, links to folders not
    followed. Results keep the sub-folders below the deepest folder that holds all inputs. A
    picture keeps its stem (`a.jpg` becomes `a`), or its whole name when the folder it lies in
    holds another picture with that stem (`a.jpg` and `a.png`), so that a name depends on the
    folder and not on what else is asked for. Source: our own.

    Args:
        inputs: What was typed: files, folders, or patterns with `*`, `?`, `[...]` and `**`.
        output: Where results go. Inside a searched folder it is not searched itself.

    Returns:
        The pictures in the order of the inputs, each once; and a message for each input that
        names nothing.

    Raises:
        ConfigError: If the output folder is a searched folder or a file.
    """
    if output is not None and output.exists() and not output.is_dir():
        raise ConfigError(f"-o must be a folder, but {output} is a file; name another.")
    files: dict[str, tuple[Path, Path]] = {}
    failures: list[str] = []
    for text in inputs:
        found = list(_resolve(text, output))
        if not found:
            failures.append(f"{text}: {_explain(text)}")
        for path, root in found:
            files.setdefault(os.path.normcase(path.parent.resolve() / path.name), (path, root))
    folders = _relative_folders([root for _, root in files.values()])
    beside = _siblings(path for path, _ in files.values())
    taken: set[str] = set()
    sources = []
    for path, root in files.values():
        folder = folders[root] / path.parent.resolve().relative_to(root)
        name = _free_name(folder, _short_or_full(path, beside), taken)
        sources.append(Source(path=path, name=name))
    return sources, failures


def keep_inputs(
    sources: Iterable[Source], folder: Path, kinds: Sequence[str]
) -> tuple[list[Source], list[str]]:
    """Set aside the pictures whose result would replace one of the pictures to read.

    Args:
        sources: Pictures of one run.
        folder: Where their results go.
        kinds: The results each picture gets.

    Returns:
        The pictures that are safe, and a message for each of the others.
    """
    sources = list(sources)
    inputs = {_identity(source.path) for source in sources}
    safe, failures = [], []
    for source in sources:
        clash = [out for kind in kinds if _identity(out := source.output(folder, kind)) in inputs]
        if clash:
            failures.append(
                f"{source.path}: its result would overwrite the input {clash[0]}; choose another "
                "folder (-o)."
            )
        else:
            safe.append(source)
    return safe, failures


def _resolve(text: str, output: Path | None) -> Iterable[tuple[Path, Path]]:
    """(picture, root folder) of everything that one input names."""
    path = Path(text)
    if path.is_dir():
        yield from _walk(path, output)
    elif path.exists():
        yield path, path.parent.resolve()
    elif set(text) & WILDCARDS:
        for match in _expand(path, output):
            yield match, match.parent.resolve()


def _walk(folder: Path, output: Path | None) -> Iterable[tuple[Path, Path]]:
    """The pictures of a folder and everything below, except an output folder inside it."""
    if output is not None and _identity(output) == _identity(folder):
        raise ConfigError(
            f"-o must not be the folder whose pictures are read, got {output} for both: the next "
            f"run would take the results for pictures. Try -o {output / 'cutouts'}."
        )
    skip = None if output is None else _identity(output)
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and _identity(Path(parent, name)) != skip
        )
        for name in sorted(names):
            if Path(name).suffix.lower() in PICTURE_SUFFIXES and not name.startswith("."):
                yield Path(parent, name), folder.resolve()


def _expand(pattern: Path, output: Path | None) -> list[Path]:
    """The files a pattern means, without hidden ones and those of an output folder inside it."""
    wild = next(i for i, part in enumerate(pattern.parts) if set(part) & WILDCARDS)
    start = Path(*pattern.parts[:wild])
    skip = None if output is None else _identity(output)

    def wanted(match: Path) -> bool:
        below = match.relative_to(start)
        hidden = any(part.startswith(".") for part in below.parts)
        folders = (_identity(start / folder) for folder in below.parents if folder != Path())
        return match.is_file() and not hidden and (skip is None or skip not in folders)

    return sorted(filter(wanted, start.glob(str(Path(*pattern.parts[wild:])))))


def _explain(text: str) -> str:
    """Why an input names nothing."""
    if Path(text).is_dir():
        return f"no pictures in this folder; looked for {', '.join(PICTURE_SUFFIXES)}."
    if set(text) & WILDCARDS:
        return "no file matches this pattern; check it and the folder you are in."
    return "no such file or folder; check the spelling and the folder you are in."


def _identity(path: Path) -> str:
    """One text for all spellings of a path, links followed."""
    return os.path.normcase(path.resolve())


def _relative_folders(roots: Sequence[Path]) -> dict[Path, Path]:
    """Each root below the deepest folder that holds all of them; per drive when there are more."""
    drives: dict[str, list[Path]] = {}
    for root in roots:
        drives.setdefault(root.drive, []).append(root)
    relative = {}
    for drive, members in drives.items():
        common = os.path.commonpath(members)
        top = Path(re.sub(r"\W+", "", drive)) if len(drives) > 1 else Path()
        relative.update({root: top / root.relative_to(common) for root in members})
    return relative


def _key(name: str | Path) -> str:
    """Equal for names that some file system takes for the same."""
    return unicodedata.normalize("NFC", str(name)).casefold()


def _siblings(paths: Iterable[Path]) -> dict[Path, list[Path]]:
    """The pictures in each picture's folder: those on disk and those named on the command line."""
    named: dict[Path, set[Path]] = {}
    for path in paths:
        named.setdefault(path.parent, set()).add(path)
    return {
        folder: sorted(
            members.union(p for p in folder.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
        )
        for folder, members in named.items()
    }


def _short_or_full(path: Path, siblings: dict[Path, list[Path]]) -> str:
    """The stem, or the whole name where the stem could also mean another picture."""
    others = [other for other in siblings[path.parent] if other != path]
    meanings = {_key(name) for other in others for name in (other.stem, other.name)}
    return path.name if _key(path.stem) in meanings else path.stem


def _free_name(folder: Path, name: str, taken: set[str]) -> Path:
    """A name no other picture of this run has; numbered when only upper and lower case differ."""
    candidate, number = folder / name, 1
    while _key(candidate) in taken:
        number += 1
        candidate = folder / f"{name}-{number}"
    taken.add(_key(candidate))
    return candidate
