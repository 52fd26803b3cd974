"""Where this program keeps things for one user: models, and what it need not compute twice."""

from __future__ import annotations

import os
import sys
from pathlib import Path

APPLICATION = "birefnet-studio"


def data_folder() -> Path:
    """Folder for downloaded models; not created by asking.

    The environment variable `BIREFNET_HOME` replaces it; otherwise the system's usual place.
    """
    home = os.environ.get("BIREFNET_HOME")
    if home:
        return Path(home).expanduser()
    return _place("XDG_DATA_HOME", ".local/share", "Library/Application Support")


def cache_folder() -> Path:
    """Folder for files that may be deleted at any time; not created by asking."""
    home = os.environ.get("BIREFNET_HOME")
    if home:
        return Path(home).expanduser() / "cache"
    return _place("XDG_CACHE_HOME", ".cache", "Library/Caches")


def _place(variable: str, linux: str, mac: str) -> Path:
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    elif sys.platform == "darwin":
        base = Path.home() / mac
    else:
        base = Path(os.environ.get(variable) or Path.home() / linux)
    return base / APPLICATION
