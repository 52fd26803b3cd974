"""`birefnet demo`: cutouts of the example pictures, and one sheet that shows them all."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from torch import Tensor

from ..errors import ImageFileError
from ..predict import load
from .contact_sheet import MOST_ROWS, Row, draw_contact_sheet, make_row
from .cutting import cut_out
from .files import Source, find_sources, keep_inputs
from .pictures import read_picture, write_atomically
from .progress import say
from .remove import DEFAULT, add_model_options

PACKAGE = Path(__file__).parents[1]
EXAMPLES = (PACKAGE / "examples", PACKAGE.parent / "examples")
"""Where the example pictures lie: in an installed wheel, and in a checkout."""

LIST = "pictures.jsonl"
SHEET = "contact_sheet.jpg"
GOOD = 0.85  # intersection over union from which a mask counts as right at a glance


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommand to argparse."""
    parser = commands.add_parser(
        "demo",
        help="cut out the example pictures and draw a contact sheet",
        description="Cut out the example pictures with the built-in starter model, compare them "
        "with masks made by hand, and draw a contact sheet. Nothing is downloaded.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("demo"),
        metavar="DIR",
        help="folder for the results (default: %(default)s)",
    )
    parser.add_argument(
        "--input", metavar="DIR", help="a folder with pictures of your own instead of the examples"
    )
    add_model_options(parser, default="starter")


def run(options: argparse.Namespace) -> int:
    """Make the demo; 1 if any picture failed, else 0."""
    masks: dict[Path, Path] = {}
    if options.input is None:
        folder = examples_folder()
        masks = example_masks(folder)
        sources, failures = find_sources([str(path) for path in masks])
    else:
        sources, failures = find_sources([options.input], output=options.output)
    sources, unsafe = keep_inputs(sources, options.output, DEFAULT.kinds)
    failures += unsafe
    predictor = load(options.model, device=options.device, dtype=options.dtype)
    say(f"Model: {predictor.name} on {predictor.device}")
    rows: list[Row] = []
    scores: list[float] = []

    def show(source: Source, image: Tensor, results: dict[str, Tensor]) -> None:
        caption = source.name.as_posix()
        if source.path in masks:
            truth = read_picture(masks[source.path]).pixels[0, :1]
            scores.append(intersection_over_union(results["mask"], truth))
            caption += f"   IoU {scores[-1]:.3f}"
        print(caption)
        if len(rows) < MOST_ROWS:
            rows.append(make_row(caption, (image[0], results["mask"], results["cutout"])))

    failures += cut_out(sources, predictor, DEFAULT, folder=options.output, show=show)
    if rows:
        sheet = options.output / SHEET
        with write_atomically(sheet) as file:
            draw_contact_sheet(rows).save(file, format="JPEG", quality=92)
        if scores:
            good = sum(score >= GOOD for score in scores)
            mean = sum(scores) / len(scores)
            print(f"Mean IoU {mean:.3f}; {good} of {len(scores)} reach {GOOD}")
        print(f"Cutouts and masks: {options.output.resolve()}")
        print(f"Contact sheet:     {sheet.resolve()}")
    for failure in failures:
        say(f"failed: {failure}")
    return 1 if failures else 0


def examples_folder() -> Path:
    """Find the example pictures.

    Raises:
        ImageFileError: If this installation has none.
    """
    for folder in EXAMPLES:
        if (folder / LIST).is_file():
            return folder
    raise ImageFileError(
        f"the example pictures are required, but {LIST} is in none of "
        f"{', '.join(map(str, EXAMPLES))}; use --input DIR with pictures of your own."
    )


def example_masks(folder: Path) -> dict[Path, Path]:
    """Read the list of examples: the mask made by hand of each picture.

    Raises:
        ImageFileError: If the list cannot be read.
    """
    path = folder / LIST
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        entries = [json.loads(line) for line in lines if line]
        return {folder / entry["image"]: folder / entry["mask"] for entry in entries}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ImageFileError(
            f"{path} must list pictures with their masks, but cannot be read that way ({error}); "
            "install the package again."
        ) from error


def intersection_over_union(mask: Tensor, truth: Tensor) -> float:
    """How well two masks agree where both are cut at one half.

    Args:
        mask: (1, H, W), in [0, 1].
        truth: (1, H, W), in [0, 1].

    Returns:
        Pixels in both over pixels in any, in [0, 1]; 1 if both are empty.

    Source: Jaccard, "The distribution of the flora in the alpine zone", 1912.
    """
    ours, theirs = mask >= 0.5, truth >= 0.5
    union = int((ours | theirs).sum())
    return int((ours & theirs).sum()) / union if union else 1.0
