"""`birefnet remove`: cut the subjects out of pictures."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from time import monotonic

from ..compositing import parse_color
from ..detail import DETAILS
from ..errors import ConfigError
from ..foreground import METHODS
from ..guided import EXISTING_ALPHA, parse_boxes
from ..predict import DTYPES, load
from ..preprocess import FITS, Size
from .cutting import KINDS, Recipe, cut_out
from .files import Source, find_sources, keep_inputs
from .progress import say

DEFAULT = Recipe()

ANY_SIZE = (1 << 20, 1 << 20)
"""Height and width of a picture in which every sensible box lies."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommand to argparse."""
    parser = commands.add_parser(
        "remove",
        help="cut the subjects out of pictures",
        description="Cut the subjects out of pictures and save them as PNG files in another "
        "folder, sub-folders kept. Pictures that cannot be read are reported at the end.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help='files, folders (with all below), or "patterns"'
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the results"
    )
    parser.add_argument(
        "--save",
        type=kinds,
        default=DEFAULT.kinds,
        metavar="KINDS",
        help=f"what to save, a comma-separated choice of {', '.join(KINDS)}; each becomes "
        f"NAME_KIND.png (default: {','.join(DEFAULT.kinds)})",
    )
    parser.add_argument(
        "--background",
        type=background,
        default=DEFAULT.background,
        metavar="COLOR",
        help='"transparent" (default), a name like white, or "#rrggbb"; with a color the cutout '
        "is an opaque RGB picture",
    )
    parser.add_argument(
        "--foreground",
        choices=("off", *METHODS),
        default=DEFAULT.foreground,
        help="how the subject's own color is found in soft edges, where the old background "
        "shines through; never changes the mask (default: %(default)s)",
    )
    parser.add_argument(
        "--threshold",
        type=threshold,
        metavar="T",
        help="make a hard mask: opaque where alpha is at least T (0 < T <= 1), else transparent",
    )
    parser.add_argument(
        "--box",
        type=box,
        action="append",
        default=[],
        metavar="X,Y,W,H",
        help="cut out only the object in this box: left, top, width, height in pixels or percent "
        'of the picture, such as 120,40,300,500 or "10%%,0,50%%,100%%"; once for each object',
    )
    parser.add_argument(
        "--detail",
        choices=DETAILS,
        default=DEFAULT.detail,
        help="look at the subject again from closer by: crop (alone) or tiles (along its edges, "
        "for large pictures) (default: %(default)s)",
    )
    parser.add_argument(
        "--existing-alpha",
        choices=EXISTING_ALPHA,
        default=DEFAULT.existing_alpha,
        help="what the transparency of a picture means: the result keeps it, it is ignored, or "
        "it shows roughly where the subject is (default: %(default)s)",
    )
    parser.add_argument(
        "--skip-existing",
        action="store_true",
        help="leave out pictures whose results are all there, to go on after an interruption",
    )
    add_model_options(parser, default="auto")
    parser.add_argument(
        "--size",
        type=size,
        default=DEFAULT.size,
        metavar="SIZE",
        help="what the network sees: auto (the checkpoint's own size, default), native (the "
        "picture's, within the trained range), a side like 1024, or HEIGHTxWIDTH",
    )
    parser.add_argument(
        "--longest-side", type=int, metavar="N", help="scale so that the longer side has N pixels"
    )
    parser.add_argument(
        "--fit",
        choices=FITS,
        default=DEFAULT.fit,
        help="how pictures of another shape are brought to the size (default: %(default)s)",
    )


def add_model_options(parser: argparse.ArgumentParser, *, default: str) -> None:
    """Add what all commands that run a model share: which one, where and how precisely."""
    parser.add_argument(
        "--model",
        default=default,
        metavar="NAME",
        help="a name that `birefnet models` lists, or the path of a checkpoint "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--device", default="auto", help="auto (default), cpu, cuda, cuda:1, mps, xpu ..."
    )
    parser.add_argument(
        "--dtype", choices=DTYPES, default="auto", help="precision (default: %(default)s)"
    )


def kinds(text: str) -> tuple[str, ...]:
    """Read the value of --save."""
    chosen = tuple(dict.fromkeys(word.strip() for word in text.split(",")))
    unknown = [word for word in chosen if word not in KINDS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"must be a comma-separated choice of {', '.join(KINDS)}, got {text!r}"
        )
    return chosen


def background(text: str) -> tuple[float, float, float] | None:
    """Read the value of --background."""
    if text.strip().lower() == "transparent":
        return None
    try:
        return parse_color(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(f"{error} Or transparent.") from error


def box(text: str) -> str:
    """Read a value of --box, whose place is checked once a picture's size is known."""
    try:
        found = parse_boxes(text, ANY_SIZE)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if len(found) != 1:
        raise argparse.ArgumentTypeError(f"must be one box, got {text!r}; repeat --box for more")
    return text


def threshold(text: str) -> float:
    """Read the value of --threshold."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"must lie above 0 and up to 1, got {text!r}")
    return value


def size(text: str) -> Size:
    """Read the value of --size."""
    if text in ("auto", "native"):
        return "auto" if text == "auto" else "native"
    numbers = re.fullmatch(r"(\d+)(?:[xX](\d+))?", text)
    if numbers is None:
        raise argparse.ArgumentTypeError(
            f"must be auto, native, a side like 1024 or HEIGHTxWIDTH like 768x1024, got {text!r}"
        )
    height, width = numbers.groups()
    return int(height) if width is None else (int(height), int(width))


def run(options: argparse.Namespace) -> int:
    """Work through the pictures; 1 if any of them failed, else 0."""
    if options.foreground == "off" and "foreground" in options.save:
        raise ConfigError(
            "--save foreground needs a way to find the subject's color, got --foreground off; "
            f"choose one of {', '.join(METHODS)}."
        )
    if options.box and options.existing_alpha != DEFAULT.existing_alpha:
        raise ConfigError(
            f"--box goes with --existing-alpha {DEFAULT.existing_alpha} only, got "
            f"{options.existing_alpha}; leave one of them out."
        )
    start = monotonic()
    sources, failures = find_sources(options.inputs, output=options.output)
    sources, unsafe = keep_inputs(sources, options.output, options.save)
    failures += unsafe
    waiting = [s for s in sources if not (options.skip_existing and is_done(s, options))]
    if waiting:
        predictor = load(options.model, device=options.device, dtype=options.dtype)
        say(f"Model: {predictor.name} on {predictor.device}")
        recipe = Recipe(
            kinds=options.save,
            foreground=None if options.foreground == "off" else options.foreground,
            background=options.background,
            threshold=options.threshold,
            size=options.size,
            longest_side=options.longest_side,
            fit=options.fit,
            boxes="; ".join(options.box),
            detail=options.detail,
            existing_alpha=options.existing_alpha,
        )
        broken = cut_out(waiting, predictor, recipe, folder=options.output)
        print(f"{len(waiting) - len(broken)} of {len(waiting)} pictures done", end=" ")
        print(f"in {monotonic() - start:.1f} s, saved in {options.output}")
        failures += broken
    if len(waiting) < len(sources):
        print(f"{len(sources) - len(waiting)} pictures left out, their results are all there")
    for failure in failures:
        say(f"failed: {failure}")
    return 1 if failures else 0


def is_done(source: Source, options: argparse.Namespace) -> bool:
    """Whether an earlier run saved everything that is asked for; it never leaves half a file."""
    return all(source.output(options.output, kind).exists() for kind in options.save)
