"""`birefnet models`: which checkpoints exist, and which of them are on this machine."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Sequence

from ..weights.find import default_folders, hub_cache_folder, list_models
from ..weights.registry import REGISTRY, STARTER_PATH, Entry

HEAD = ("NAME", "ON DISK", "SIZE", "LICENSE", "PURPOSE")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommand to argparse."""
    parser = commands.add_parser(
        "models",
        help="list the published checkpoints and those on this machine",
        description="List the published checkpoints and the files found on this machine. Reads "
        "folder listings only and never goes online.",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the table."""
    found = list_models()
    here = {model.entry.id: model for model in found if model.entry}
    notes = list(dict.fromkeys(e.license_note for e in REGISTRY.values() if e.license_note))
    rows = [HEAD]
    for entry in REGISTRY.values():
        mark = f" ({notes.index(entry.license_note) + 1})" if entry.license_note else ""
        on_disk = "yes" if entry.id in here else "no"
        if entry.repository is None:
            on_disk = "built in" if STARTER_PATH.exists() else "no"
        rows.append((entry.id, on_disk, size_text(entry), entry.license + mark, entry.purpose))
    print(table(rows, shutil.get_terminal_size((100, 24)).columns))
    print()
    for number, note in enumerate(notes, 1):
        print(textwrap.fill(f"({number}) {note}", 100, subsequent_indent="    "))
    print("\nFiles on this machine:")
    for model in found:
        print(f"  {model.entry.id if model.entry else '(own file)'}: {model.path}")
    if not found:
        print("  none. `birefnet download general` fetches the best first choice.")
    print("Searched: " + ", ".join(map(str, [*default_folders(), hub_cache_folder()])))
    return 0


def size_text(entry: Entry) -> str:
    """Size of an entry's file in megabytes, as far as it is known."""
    size = entry.bytes
    if entry.repository is None and STARTER_PATH.exists():
        size = STARTER_PATH.stat().st_size
    return f"{size / 1e6:.0f} MB" if size else "?"


def table(rows: Sequence[Sequence[str]], width: int) -> str:
    """Text in columns; the last column is wrapped to the width.

    Args:
        rows: Cells of equally many columns.
        width: Of the terminal, in characters.
    """
    *columns, _ = zip(*rows, strict=True)
    widths = [max(map(len, column)) for column in columns]
    indent = sum(widths) + 2 * len(widths)
    lines = []
    for *cells, last in rows:
        start = "".join(f"{cell:<{room + 2}}" for cell, room in zip(cells, widths, strict=True))
        wrapped = textwrap.wrap(last, max(30, width - indent)) or [""]
        lines += [start + wrapped[0], *(" " * indent + line for line in wrapped[1:])]
    return "\n".join(line.rstrip() for line in lines)
