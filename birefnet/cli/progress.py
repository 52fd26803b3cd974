"""What a person sees while a command works: progress bars, log lines and warnings, on stderr."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO, TypeVar

Item = TypeVar("Item")
PACKAGE = __name__.partition(".cli.")[0]  # the logger above all modules of this package


def say(text: str) -> None:
    """Write one line to stderr, above a progress bar if there is one."""
    from tqdm import tqdm  # comes with huggingface-hub

    tqdm.write(text, file=sys.stderr)


def track(
    items: Sequence[Item], *, unit: str, name: Callable[[Item], object]
) -> Iterator[tuple[Item, Callable[[float], None]]]:
    """Go through items under a progress bar, which also moves within one item.

    The bar is shown on terminals only, so that logs stay readable.

    Args:
        items: What to go through.
        unit: What one item is called ("picture").
        name: Gives the text that stands beside the bar while an item is worked on.

    Yields:
        Each item, and a function that takes the part of it that is done, in [0, 1].
    """
    from tqdm import tqdm

    layout = "{percentage:3.0f}%|{bar}| {n:.1f}/{total_fmt} {unit} [{elapsed}<{remaining}] {desc}"
    with tqdm(total=len(items), unit=unit, disable=None, bar_format=layout, leave=False) as bar:
        for index, item in enumerate(items):
            bar.set_description_str(str(name(item)))

            def within(fraction: float, index: int = index) -> None:
                bar.update(index + fraction - bar.n)

            yield item, within
            within(1.0)


class _SayHandler(logging.Handler):
    """Sends log records through `say`, warnings and errors with their rank in front."""

    def emit(self, record: logging.LogRecord) -> None:
        rank = f"{record.levelname.lower()}: " if record.levelno > logging.INFO else ""
        say(rank + record.getMessage())


@contextmanager
def talking() -> Iterator[None]:
    """Show the package's log and Python's warnings as plain lines while a command runs."""
    logger = logging.getLogger(PACKAGE)
    handler, level = _SayHandler(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """One line instead of Python's two with a source line."""
    say(f"warning: {message}")
