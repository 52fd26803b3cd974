"""Which checkpoints are on this machine; reads folder listings only, and never goes online."""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import ModelNotFoundError
from .files import SUFFIXES
from .folders import data_folder
from .registry import REGISTRY, STARTER_PATH, Entry, by_name, by_path

AUTO = "auto"
"""Stands for the best checkpoint on this machine."""

COMFYUI_FOLDERS = ("background_removal", "BiRefNet", "birefnet", "RMBG")
"""Folders below ComfyUI's `models` that this and other packs use."""

_DEPTH = 5  # of the deepest file that other packs create: RMBG/<family>/<model>/<file>, and spare

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A checkpoint file on this machine."""

    name: str
    """Path below its folder, with forward slashes; or owner/name/file from the hub's cache."""

    path: Path
    """The file."""

    entry: Entry | None
    """Published checkpoint that its name suggests; None for files of one's own."""


def default_folders() -> list[Path]:
    """Folders that are searched beside those a caller names, first come first.

    `BIREFNET_MODELS` (several separated as in PATH), then the user's data folder, then those of
    a ComfyUI at `COMFYUI_PATH`. They need not exist.
    """
    named = os.environ.get("BIREFNET_MODELS", "").split(os.pathsep)
    folders = [Path(folder).expanduser() for folder in named if folder]
    folders.append(data_folder() / "models")
    comfyui = os.environ.get("COMFYUI_PATH")
    if comfyui:
        models = Path(comfyui).expanduser() / "models"
        folders += [models / name for name in COMFYUI_FOLDERS]
    return folders


def list_models(folders: Iterable[Path | str] | None = None) -> list[Found]:
    """Every checkpoint file below the given folders and in the Hugging Face cache.

    Unreadable folders, loops of links and broken links are passed over. A file that can be
    reached in two ways is listed once, and of two with one name the first folder's.

    Args:
        folders: What to search; None for `default_folders()`.

    Returns:
        Sorted by folder, then by name. The built-in starter is not among them.
    """
    found: list[Found] = []
    names: set[str] = set()
    targets: set[str] = set()
    searched = default_folders() if folders is None else [Path(folder) for folder in folders]
    for folder in searched:
        for path in sorted(_walk(folder, _DEPTH, set()), key=lambda path: _text(path).lower()):
            name = _text(path.relative_to(folder))
            _add(found, names, targets, name, path, by_path(path))
    for name, path, entry in _hub_cache():
        _add(found, names, targets, name, path, entry)
    return found


def resolve(
    name_or_path: str | Path,
    folders: Iterable[Path | str] | None = None,
    *,
    paths: bool = True,
) -> Path:
    """The file that a name stands for.

    Args:
        name_or_path: "auto"; a registry id or another name of a published checkpoint; a name
            from `list_models`, with either slash; a file name with or without its ending; or
            the path of a file, or of a folder with one checkpoint.
        folders: Where to search; None for `default_folders()`.
        paths: Whether paths outside the folders are allowed. A server that takes names from
            strangers says no.

    Returns:
        An existing file.

    Raises:
        ModelNotFoundError: If there is none; it says what was searched and how to get it.
    """
    text = str(name_or_path).strip()
    searched = default_folders() if folders is None else [Path(folder) for folder in folders]
    if text.lower() in (AUTO, ""):
        return find_auto(searched)[0]
    if text.lower() == "starter":
        return STARTER_PATH
    if paths and text not in REGISTRY:  # a folder called "general" does not hide the model
        direct = _direct(Path(text).expanduser())
        if direct is not None:
            return direct
    models = list_models(searched)
    entry = by_name(text)
    match = _listed(text, models)
    if match is None and entry is not None:
        match = next((model for model in models if model.entry is entry), None)
    if match is not None:
        return match.path
    raise ModelNotFoundError(_missing(text, entry, models, searched))


def find_auto(folders: Iterable[Path | str] | None = None) -> tuple[Path, str]:
    """The best checkpoint on this machine.

    `general` if it is here, else the first other published one in the registry's order (those
    with a license for non-commercial use only come last), else the built-in starter.

    Returns:
        (file, a sentence that says what was chosen and why).
    """
    models = {model.entry.id: model for model in reversed(list_models(folders)) if model.entry}
    order = sorted(REGISTRY.values(), key=lambda entry: entry.commercial_use is False)
    for entry in order:
        model = models.get(entry.id)
        if model is not None:
            restriction = "" if entry.commercial_use is not False else f" ({entry.license})"
            return model.path, f"auto chose {entry.id}{restriction}: {model.name}"
    return STARTER_PATH, (
        "auto chose the built-in starter, because no published checkpoint was found; for real "
        "work get one, for example with `birefnet download general`"
    )


def hub_cache_folder() -> Path:
    """Where huggingface_hub keeps its files, by its own environment variables."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(variable):
            return Path(os.environ[variable]).expanduser()
    if os.environ.get("HF_HOME"):
        return Path(os.environ["HF_HOME"]).expanduser() / "hub"
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "huggingface" / "hub"


def how_to_get(entry: Entry, folders: Iterable[Path | str] | None = None) -> str:
    """How a user gets a checkpoint: by command, and by hand."""
    searched = default_folders() if folders is None else [Path(folder) for folder in folders]
    size = f", {entry.bytes / 1e6:.0f} MB" if entry.bytes else ""
    text = (
        f"Get it with `birefnet download {entry.id}` ({entry.license}{size}), or download "
        f"{entry.url} in a browser and save it as {entry.file_name}"
    )
    if searched:
        text += f" in {searched[0]}"
    if entry.gated:
        text += f". Its license must be accepted first, on {entry.page}"
    return text + "."


def _add(
    found: list[Found],
    names: set[str],
    targets: set[str],
    name: str,
    path: Path,
    entry: Entry | None,
) -> None:
    target = os.path.realpath(path)
    if name not in names and target not in targets:
        names.add(name)
        targets.add(target)
        found.append(Found(name=name, path=path, entry=entry))


def _text(path: Path) -> str:
    """A path with forward slashes that can be printed, whatever bytes its name has."""
    return os.fsencode(path).decode("utf-8", "replace").replace("\\", "/")


def _walk(folder: Path, depth: int, seen: set[str]) -> Iterator[Path]:
    """Checkpoint files below a folder; follows links, but enters each folder once."""
    real = os.path.realpath(folder)
    if depth < 0 or real in seen:
        return
    seen.add(real)
    try:
        with os.scandir(folder) as entries:
            children = sorted(entries, key=lambda child: child.name)
    except OSError as error:
        logger.debug("%s is not searched: %s", folder, error)
        return
    for child in children:
        if child.name.startswith("."):
            continue
        path = Path(child.path)
        try:
            if child.is_dir():
                yield from _walk(path, depth - 1, seen)
            elif path.suffix.lower() in SUFFIXES and child.is_file():
                yield path
        except OSError as error:  # a loop of links, or a drive that went away
            logger.debug("%s is passed over: %s", path, error)


def _hub_cache() -> Iterator[tuple[str, Path, Entry]]:
    """Published checkpoints in the Hugging Face cache: (name, file, entry)."""
    cache = hub_cache_folder()
    try:
        present = {path.name.lower(): path for path in cache.iterdir()}
    except OSError:
        return
    for entry in REGISTRY.values():
        places = [(copy.repository, copy.file) for copy in entry.copies]
        if entry.repository:
            places.insert(0, (entry.repository, entry.file))
        for repository, file in places:
            folder = present.get("models--" + repository.replace("/", "--").lower())
            path = folder and _snapshot(folder, file)
            if path:
                yield f"{repository}/{file}", path, entry


def _snapshot(folder: Path, file: str) -> Path | None:
    """A file of the revision that "main" points to, or of the newest one."""
    snapshots = folder / "snapshots"
    revisions = []
    try:
        revisions.append((folder / "refs" / "main").read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        logger.debug("%s has no main revision", folder)
    try:
        others = sorted(snapshots.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        revisions += [path.name for path in others]
    except OSError:
        return None
    for revision in revisions:
        path = snapshots / revision / file
        if revision and path.is_file():
            return path
    return None


def _direct(path: Path) -> Path | None:
    """A path that exists as it stands; for a folder, its one checkpoint."""
    try:
        if path.is_file():
            return path
        if not path.is_dir():
            return None
        inside = [item for item in path.iterdir() if item.suffix.lower() in SUFFIXES]
    except (OSError, ValueError):
        return None
    models = [item for item in inside if item.stem == "model"] or inside
    return models[0] if len(models) == 1 else None


def _listed(text: str, models: list[Found]) -> Found | None:
    """The listed file with that name: exactly, else the only one by case, base name or stem."""
    wanted = text.replace("\\", "/").removeprefix("./")
    for model in models:
        if model.name == wanted:
            return model
    for key in (str.lower, _base, _stem):
        matches = [model for model in models if key(model.name) == key(wanted)]
        if len(matches) == 1:
            return matches[0]
    return None


def _base(name: str) -> str:
    return name.lower().rsplit("/", 1)[-1]


def _stem(name: str) -> str:
    base = _base(name)
    return PurePosixPath(base).stem if base.endswith(SUFFIXES) else base


def _missing(text: str, entry: Entry | None, models: list[Found], folders: list[Path]) -> str:
    places = ", ".join(str(folder) for folder in [*folders, hub_cache_folder()])
    if entry is not None:
        return (
            f"{entry.id} ({entry.purpose.rstrip('.')}) is not on this machine. Searched {places}. "
            f"{how_to_get(entry, folders)}"
        )
    known = [*REGISTRY, *(model.name for model in models)]
    near = difflib.get_close_matches(text, known, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    here = ", ".join(model.name for model in models) or "none"
    return (
        f"no checkpoint is called {text!r}.{hint} Published ones: {', '.join(REGISTRY)}. Files "
        f"found: {here}. Searched {places}. Give the path of a file, or put it into one of them."
    )
