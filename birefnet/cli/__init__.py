"""The `birefnet` command. One file per subcommand; only this folder prints."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ..errors import BiRefNetError
from . import demo, download, foreground, info, models, remove
from .progress import say, talking

COMMANDS = (remove, foreground, models, download, info, demo)
INTERRUPTED = 130  # what shells report after Ctrl-C


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        arguments: What follows `birefnet`; by default what the process was started with.

    Returns:
        The exit status: 0 done, 1 something could not be done, 130 stopped with Ctrl-C.

    Raises:
        SystemExit: With status 2 and a usage message if the arguments make no sense.
    """
    parser = argparse.ArgumentParser(
        prog="birefnet", description="Background removal and matting with BiRefNet."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    for stream in (sys.stdout, sys.stderr):  # a file name must not fail in an ASCII locale
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    options = parser.parse_args(arguments)
    with talking():
        try:
            return int(options.run(options))
        except KeyboardInterrupt:
            say("Stopped. Finished files are complete; no half file was left.")
            return INTERRUPTED
        except BiRefNetError as error:
            say(f"error: {error}")
            return 1
