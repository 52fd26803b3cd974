"""`birefnet foreground`: the subject's own colors, for pictures that have masks already."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from ..compositing import cutout, parse_color, premultiply
from ..errors import BiRefNetError, ConfigError, ImageFileError, ShapeError
from ..filters import UNITS, pixels
from ..foreground import (
    ALPHA_TYPES,
    DESPILLS,
    METHODS,
    SIZES,
    UNDER_ALPHA,
    refine_foreground,
)
from ..masks import EMPTY_POLICIES, settle_empty
from .files import Source, find_sources, keep_inputs
from .pictures import read_picture, write_picture
from .progress import say, track

KINDS = ("cutout", "foreground")
SAME_PROPORTIONS = 0.01  # relative difference up to which a mask is resized to its picture
MASK_SUFFIX = "_mask"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommand to argparse."""
    parser = commands.add_parser(
        "foreground",
        help="find the subject's own colors for pictures that have masks already",
        description="Find the subject's own color where a mask is soft, so that cutouts have no "
        "halo of the old background, and save NAME_cutout.png (RGBA) and on request "
        "NAME_foreground.png (opaque RGB). Masks are not changed.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("image", metavar="IMAGE", help="a picture, or a folder of pictures")
    parser.add_argument(
        "mask",
        metavar="MASK",
        help="its mask, white on the subject (or a picture with transparency); for a folder, the "
        "folder of masks with the pictures' names, with or without _mask at the end",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the results"
    )
    parser.add_argument(
        "--save",
        type=kinds,
        default=KINDS[:1],
        metavar="KINDS",
        help=f"what to save, a comma-separated choice of {', '.join(KINDS)} (default: {KINDS[0]})",
    )
    parser.add_argument(
        "--method",
        choices=(*METHODS, "off"),
        default=METHODS[0],
        help="how the color is found; off takes the picture's (default: %(default)s)",
    )
    parser.add_argument(
        "--blur-size",
        type=float,
        default=SIZES[0],
        metavar="N",
        help="for blur-fusion: side of the square that colors are averaged over "
        "(default: %(default)g)",
    )
    parser.add_argument(
        "--fine-blur-size",
        type=float,
        default=SIZES[1],
        metavar="N",
        help="for its second pass (default: %(default)g)",
    )
    parser.add_argument(
        "--unit",
        choices=UNITS,
        default=UNITS[0],
        help="of both sizes; percent of the picture's shorter side (default: %(default)s)",
    )
    parser.add_argument(
        "--despill",
        choices=[name.replace(" ", "-") for name in DESPILLS],
        default=DESPILLS[0],
        help="take the light of a screen off the subject: green, blue, or the key color "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--key-color", type=color, default="#00b140", metavar="COLOR", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--despill-strength",
        type=float,
        default=1.0,
        metavar="S",
        help="how much of it, 0 to 1 (default: %(default)g)",
    )
    parser.add_argument(
        "--under-alpha",
        choices=UNDER_ALPHA,
        default=UNDER_ALPHA[0],
        help="colors under full transparency: those of the edge spread outward (bleed), the "
        "picture's (keep), black (zero), or the fill color (fill) (default: %(default)s)",
    )
    parser.add_argument(
        "--fill-color",
        type=color,
        default="#000000",
        metavar="COLOR",
        help="(default: %(default)s)",
    )
    parser.add_argument(
        "--alpha-type",
        choices=ALPHA_TYPES,
        default=ALPHA_TYPES[0],
        help="colors of the cutout: straight, or times opacity (default: %(default)s)",
    )
    parser.add_argument(
        "--on-empty",
        choices=EMPTY_POLICIES,
        default=EMPTY_POLICIES[0],
        help="if a mask has no subject: go on with a warning, report the picture as failed, or "
        "take the fallback mask (default: %(default)s)",
    )
    parser.add_argument(
        "--fallback-mask", type=Path, metavar="FILE", help="for --on-empty fallback"
    )


def kinds(text: str) -> tuple[str, ...]:
    """Read the value of --save."""
    chosen = tuple(dict.fromkeys(word.strip() for word in text.split(",")))
    if any(word not in KINDS for word in chosen):
        raise argparse.ArgumentTypeError(
            f"must be a comma-separated choice of {', '.join(KINDS)}, got {text!r}"
        )
    return chosen


def color(text: str) -> tuple[float, float, float]:
    """Read a color."""
    try:
        return parse_color(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def run(options: argparse.Namespace) -> int:
    """Work through the pictures; 1 if any of them failed, else 0."""
    pairs, failures = find_pairs(options.image, options.mask, options.output, options.save)
    masks = {source.path: mask for source, mask in pairs}
    sources = [source for source, _ in pairs]
    done = 0
    for source, _ in track(sources, unit="picture", name=lambda source: source.name):
        try:
            refine(source, masks[source.path], options)
            done += 1
        except ConfigError as error:
            if len(pairs) == 1:
                raise
            failures.append(f"{source.path}: {error}")
        except ImageFileError as error:
            failures.append(str(error))
        except (BiRefNetError, MemoryError) as error:
            failures.append(f"{source.path}: {error}")
    print(f"{done} of {len(sources)} pictures done, saved in {options.output}")
    for failure in failures:
        say(f"failed: {failure}")
    return 1 if failures else 0


def find_pairs(
    image: str, mask: str, output: Path, save: Sequence[str]
) -> tuple[list[tuple[Source, Path]], list[str]]:
    """Pictures with their masks.

    Args:
        image: A picture, a folder, or a pattern.
        mask: A picture; or a folder or pattern of masks that are named as the pictures, with or
            without `_mask` at the end.
        output: Where results go.
        save: Kinds of results.

    Returns:
        The pairs, and a message for each picture without a mask, or whose result would replace a
        picture or a mask.
    """
    sources, failures = find_sources([image], output=output)
    found, unreadable = find_sources([mask], output=output)
    failures += unreadable
    if Path(mask).is_file() and len(sources) == 1:
        by_name = {str(sources[0].name): found[0].path}
    else:
        by_name = {str(source.name).removesuffix(MASK_SUFFIX): source.path for source in found}
    safe, unsafe = keep_inputs([*sources, *found], output, save)
    failures += unsafe
    pairs = []
    for source in sources:
        if str(source.name) not in by_name:
            if not unreadable:
                failures.append(
                    f"{source.path}: there is no mask for it; expected {source.name} or "
                    f"{source.name}{MASK_SUFFIX} in {mask}."
                )
        elif source in safe:
            pairs.append((source, by_name[str(source.name)]))
    return pairs, failures


def read_mask(path: Path, size: tuple[int, int]) -> Tensor:
    """Read a mask, resized if it has another size in the same proportions.

    Args:
        path: A gray picture, white on the subject; or a picture with transparency, whose opacity
            counts.
        size: (height, width) of its picture.

    Returns:
        (1, 1, height, width), in [0, 1].

    Raises:
        ShapeError: If its proportions are others.
        ImageFileError: If it cannot be read.
    """
    content = read_picture(path).pixels
    alpha = content[:, 3:] if content.shape[1] == 4 else content.mean(1, keepdim=True)
    if tuple(alpha.shape[2:]) == size:
        return alpha
    rows, columns = alpha.shape[2:]
    if abs(rows * size[1] / (columns * size[0]) - 1) > SAME_PROPORTIONS:
        raise ShapeError(
            f"the mask must have the picture's proportions, got {path} with {columns} x {rows} "
            f"for a picture of {size[1]} x {size[0]} (width x height); give the mask that belongs "
            "to this picture."
        )
    return F.interpolate(alpha, size=size, mode="bilinear", antialias=True).clamp(0, 1)


def refine(source: Source, mask: Path, options: argparse.Namespace) -> None:
    """Read a picture and its mask, and save what is asked for."""
    picture = read_picture(source.path)
    if picture.note:
        say(f"{source.path} {picture.note}")
    image = picture.pixels[:, :3]
    size = (image.shape[2], image.shape[3])
    fallback = None if options.fallback_mask is None else read_mask(options.fallback_mask, size)
    alpha, empty = settle_empty(read_mask(mask, size), on_empty=options.on_empty, fallback=fallback)
    if any(empty):
        say(f"{mask} shows no subject")
    if picture.pixels.shape[1] == 4:
        alpha = torch.minimum(alpha, picture.pixels[:, 3:])
    sizes = (options.blur_size, options.fine_blur_size)
    color = refine_foreground(
        image,
        alpha,
        method=options.method,
        sizes=tuple(pixels(value, options.unit, size) for value in sizes),
        despill_key="key color" if options.despill == "key-color" else options.despill,
        key_color=options.key_color,
        despill_strength=options.despill_strength,
        under_alpha=options.under_alpha,
        fill_color=options.fill_color,
    )
    shown = premultiply(color, alpha) if options.alpha_type == "premultiplied" else color
    results = {"cutout": cutout(shown, alpha), "foreground": color}
    for kind in options.save:
        path = source.output(options.output, kind)
        write_picture(path, results[kind][0], icc_profile=picture.icc_profile)
