"""SHA-256 of files, computed once per file and remembered."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from pathlib import Path

from .folders import cache_folder

CACHE_NAME = "hashes.json"
_BLOCK = 1 << 22
_REMEMBERED = 500

logger = logging.getLogger(__name__)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal.

    Remembered in the user's cache folder by path, size and modification time; a cache that
    cannot be read or written only costs the time to compute again.

    Args:
        path: An existing file.

    Raises:
        OSError: If it cannot be read.
    """
    path = path.resolve()
    status = path.stat()
    stamp = [status.st_size, status.st_mtime_ns]
    key = os.fsencode(path).decode("utf-8", "replace")
    cache = _read()
    known = cache.get(key)
    if isinstance(known, list) and known[:2] == stamp and isinstance(known[-1], str):
        return known[-1]
    sha256 = compute_sha256(path)
    remember(path, sha256)
    return sha256


def compute_sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal, without looking it up or remembering it."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def remember(path: Path, sha256: str) -> None:
    """Note a hash that is already known, for example from a verified download."""
    path = path.resolve()
    status = path.stat()
    cache = _read()
    key = os.fsencode(path).decode("utf-8", "replace")
    cache.pop(key, None)
    cache[key] = [status.st_size, status.st_mtime_ns, sha256]
    newest = dict(list(cache.items())[-_REMEMBERED:])
    folder = cache_folder()
    part = folder / f"{CACHE_NAME}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(newest, indent=0), encoding="utf-8")
        part.replace(folder / CACHE_NAME)
    except OSError as error:
        logger.debug("the hash of %s is not remembered: %s", path, error)
        with contextlib.suppress(OSError):
            part.unlink()


def _read() -> dict[str, object]:
    try:
        content = json.loads((cache_folder() / CACHE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
