"""`birefnet download`: fetch a published checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..weights.download import download
from ..weights.registry import by_name
from .models import size_text
from .progress import say


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommand to argparse."""
    parser = commands.add_parser(
        "download",
        help="fetch a published checkpoint",
        description="Fetch a published checkpoint into the models folder. The only command that "
        "goes online. HF_TOKEN, HF_ENDPOINT and HF_HUB_OFFLINE are respected.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("name", metavar="NAME", help="a name that `birefnet models` lists")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="DIR",
        help="another folder; `birefnet models` finds files in the folders it prints",
    )
    parser.add_argument(
        "--force", action="store_true", help="fetch it again if it is already there"
    )


def run(options: argparse.Namespace) -> int:
    """Fetch it and print where it is."""
    entry = by_name(options.name)
    if entry is not None:
        say(f"{entry.id}: {size_text(entry)}, license {entry.license}. {entry.license_note}")
    print(download(options.name, folder=options.output, force=options.force))
    return 0
