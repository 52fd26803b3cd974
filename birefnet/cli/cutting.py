"""The work that `remove` and `demo` share: one picture after another, from file to files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..compositing import cutout, over
from ..detail import DETAILS, Detail, InDetail
from ..errors import BiRefNetError, ConfigError, ImageFileError
from ..foreground import METHODS, Method, estimate_foreground
from ..guided import (
    EXISTING_ALPHA,
    ExistingAlpha,
    Prompt,
    predict_alpha,
    predict_objects,
    read_prompts,
)
from ..predict import LONG_RUN, Predictor, Progress, Sight
from ..preprocess import FITS, Fit, Size
from .files import Source
from .pictures import read_picture, write_picture
from .progress import say, track

KINDS = ("cutout", "mask", "foreground")
"""The results a picture can have."""

Show = Callable[[Source, Tensor, dict[str, Tensor]], None]
"""Takes a picture, its RGB (1, 3, H, W) and its results."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """What is made of each picture."""

    kinds: tuple[str, ...] = ("cutout", "mask")
    """Results, a choice of KINDS."""

    foreground: Method | None = METHODS[0]
    """How the subject's own color is estimated; None takes the picture's colors."""

    background: tuple[float, float, float] | None = None
    """RGB in [0, 1] behind the cutout; None keeps it transparent."""

    threshold: float | None = None
    """Alpha from which on a pixel belongs to the subject, in (0, 1]; None keeps soft edges."""

    size: Size = "auto"
    """What the network sees, as in `Predictor`."""

    longest_side: int | None = None
    """Instead of size: length of the longer side, in pixels."""

    fit: Fit = FITS[0]
    """How a picture of another shape is brought to the size."""

    boxes: str = ""
    """What is cut out, as in `parse_boxes`; empty for the subjects of the whole picture."""

    detail: Detail = DETAILS[0]
    """How close it is looked at, as in `predict_in_detail`."""

    existing_alpha: ExistingAlpha = EXISTING_ALPHA[0]
    """What a picture's own transparency means, as in `predict_alpha`."""


def make_results(image: Tensor, alpha: Tensor, recipe: Recipe) -> dict[str, Tensor]:
    """Make what a recipe asks for.

    Args:
        image: (1, 3, H, W), in [0, 1].
        alpha: (1, 1, H, W), in [0, 1].
        recipe: What to make.

    Returns:
        By kind, all in [0, 1]: cutout (4, H, W) as straight RGBA, or (3, H, W) in front of a
        background color; mask (1, H, W); foreground (3, H, W).
    """
    if recipe.threshold is not None:
        alpha = (alpha >= recipe.threshold).to(alpha)
    results = {"mask": alpha}
    if recipe.kinds != ("mask",):
        color = image
        if recipe.foreground is not None:
            color = estimate_foreground(image, alpha, method=recipe.foreground)
        results["foreground"] = color
        if recipe.background is None:
            results["cutout"] = cutout(color, alpha)
        else:
            results["cutout"] = over(color, alpha, torch.tensor(recipe.background).view(3, 1, 1))
    return {kind: results[kind][0] for kind in recipe.kinds}


def find_alpha(
    pixels: Tensor,
    predictor: Predictor,
    recipe: Recipe,
    prompts: Sequence[Prompt],
    progress: Progress | None = None,
) -> Tensor:
    """The alpha of a picture.

    Args:
        pixels: (1, C, H, W), in [0, 1].
        predictor: The model.
        recipe: How to use it.
        prompts: What to cut out; empty for the subjects of the whole picture.
        progress: Called with the finished fraction.

    Returns:
        (1, 1, H, W), in [0, 1].
    """
    sight = Sight(
        predictor=predictor, size=recipe.size, longest_side=recipe.longest_side, fit=recipe.fit
    )
    closer = InDetail(predictor=sight, detail=recipe.detail)
    if prompts:
        return predict_objects(pixels, closer, [prompts], progress=progress).union
    return predict_alpha(pixels, closer, existing_alpha=recipe.existing_alpha, progress=progress)


def cut_out(
    sources: Sequence[Source],
    predictor: Predictor,
    recipe: Recipe,
    *,
    folder: Path,
    show: Show | None = None,
) -> list[str]:
    """Cut out every picture and save the results; a picture that fails does not stop the others.

    Args:
        sources: The pictures.
        predictor: The model.
        recipe: What to make of each.
        folder: Where the results go.
        show: Called with the results of each picture.

    Returns:
        One message per picture that failed.

    Raises:
        ConfigError: If an option makes no sense, so that no picture would succeed.
    """
    failures = []
    announced = len(sources) == 1  # the predictor itself announces a long run for one picture
    for source, within in track(sources, unit="picture", name=lambda source: source.name):
        try:
            picture = read_picture(source.path)
            if picture.note:
                say(f"{source.path} {picture.note}")
            if not announced:
                announce(predictor, recipe, picture.pixels, len(sources))
                announced = True
            try:
                prompts = marked(picture.pixels, recipe)
            except ConfigError as error:  # such as a box outside this picture
                failures.append(f"{source.path}: {error}")
                continue
            alpha = find_alpha(picture.pixels, predictor, recipe, prompts, within)
            image = picture.pixels[:, :3]
            results = make_results(image, alpha, recipe)
            for kind, pixels in results.items():
                profile = None if kind == "mask" else picture.icc_profile
                write_picture(source.output(folder, kind), pixels, icc_profile=profile)
            if show is not None:
                show(source, image, results)
        except ConfigError:
            raise
        except ImageFileError as error:
            failures.append(str(error))
        except (BiRefNetError, MemoryError) as error:
            failures.append(f"{source.path}: {error}")
    return failures


def marked(pixels: Tensor, recipe: Recipe) -> list[Prompt]:
    """What a recipe's boxes mark in a picture (1, C, H, W); empty if it has none.

    Raises:
        ConfigError: If a box lies outside the picture.
    """
    if not recipe.boxes:
        return []
    (prompts,) = read_prompts(size=(pixels.shape[2], pixels.shape[3]), drawn=recipe.boxes)
    return prompts


def announce(predictor: Predictor, recipe: Recipe, first: Tensor, count: int) -> None:
    """Say how long a run will take on a CPU, if it is long enough to go and do something else.

    Args:
        predictor: The model.
        recipe: What to make.
        first: A picture that stands for all, (1, C, H, W).
        count: How many pictures there are.
    """
    height, width = first.shape[2:]
    seconds = predictor.estimate_seconds(
        (height, width), count=count, size=recipe.size, longest_side=recipe.longest_side
    )
    if seconds is not None and seconds > LONG_RUN:
        duration = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
        say(f"{count} pictures will take about {duration} on this CPU.")
