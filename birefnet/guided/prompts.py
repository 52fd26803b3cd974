"""What a user or another node says about where a subject is."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from ..errors import ConfigError
from ..regions import THRESHOLD, Box, bounding_box

T = TypeVar("T")

Point = tuple[float, float]
"""Horizontal and vertical position, in pixels from the left upper corner of the image."""

NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(%?)\s*")
BOX_HELP = "a box is left, top, width, height in pixels or percent, such as 40, 10%, 200, 50%"


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Prompt:
    """What is known about one object of one image."""

    box: Box | None = None
    """A rectangle around it."""

    points: tuple[Point, ...] = ()
    """Places on it."""

    negative_points: tuple[Point, ...] = ()
    """Places that do not belong to it."""

    mask: Tensor | None = None
    """A rough mask of it, (1, 1, H, W), in [0, 1]."""

    def __post_init__(self) -> None:
        if self.box is None and self.mask is None and not self.points:
            raise ConfigError(
                "a prompt needs a box, a point on the object or a mask, got none of them; "
                "negative points only say what does not belong to it."
            )


def read_prompts(
    *,
    size: tuple[int, int],
    count: int = 1,
    boxes: object = None,
    drawn: str = "",
    points: object = None,
    negative_points: object = None,
    mask: Tensor | None = None,
) -> list[list[Prompt]]:
    """Bring prompts of all kinds into one form.

    Every box is an object, and so is every mask. Points belong to the boxes and masks they lie
    in; those that lie in none of them together mark one more object. What is given once holds for
    all images; for a single image everything that is given belongs to it.

    Args:
        size: Height and width of the images.
        count: How many images there are.
        boxes: As in `read_boxes`.
        drawn: More boxes for all images, as in `parse_boxes`.
        points: As in `read_points`.
        negative_points: Likewise, places that do not belong to any object.
        mask: Rough masks, (N, 1, H, W), in [0, 1]; an empty one marks nothing.

    Returns:
        The objects of each image; none where, for example, a detector found nothing.

    Raises:
        ConfigError: If nothing is given at all, if something lies outside the images, cannot be
            read, or fits neither one nor all of them.
    """
    positive = read_points(points)
    negative = read_points(negative_points)
    frames, more = read_boxes(boxes, size), parse_boxes(drawn, size)
    masks = [] if mask is None else list(torch.split(mask, 1))
    if boxes is None and not (more or any(positive) or masks):
        raise ConfigError(
            "it must be said which object is meant, got no box, no point and no mask; draw or "
            "connect boxes, type points, or connect a mask."
        )
    per_image = (
        [[*more, *frame] for frame in _per_image("boxes", frames, count)],
        _per_image("masks", [[one] for one in masks], count),
        _per_image("lists of points", positive, count),
        _per_image("lists of negative points", negative, count),
    )
    return [_objects(*given, size) for given in zip(*per_image, strict=True)]


def _per_image(what: str, given: list[list[T]], count: int) -> list[list[T]]:
    """One list per image out of none, one for all, or one for each."""
    if not given:
        return [[] for _ in range(count)]
    if count == 1:
        return [[item for part in given for item in part]]
    if len(given) not in (1, count):
        raise ConfigError(
            f"{what} must be given once for all images or once for each, got {len(given)} for "
            f"{count} images."
        )
    return given * count if len(given) == 1 else given


def _objects(
    boxes: list[Box],
    masks: list[Tensor],
    points: list[Point],
    negative: list[Point],
    size: tuple[int, int],
) -> list[Prompt]:
    """The objects of one image."""
    _check_inside([*points, *negative], size)
    negative_points = tuple(negative)
    shown = [mask for mask in masks if bounding_box(mask)[0] is not None]
    hints = [{"box": box} for box in boxes] + [{"mask": mask} for mask in shown]
    objects, free = [], set(points)
    for hint in hints:
        own = tuple(point for point in points if _belongs(point, **hint))
        free -= set(own)
        objects.append(Prompt(**hint, points=own, negative_points=negative_points))
    if free:
        objects.append(Prompt(points=tuple(sorted(free)), negative_points=negative_points))
    return objects


def _belongs(point: Point, *, box: Box | None = None, mask: Tensor | None = None) -> bool:
    """Whether a point lies in a box or on a mask."""
    if box is not None:
        return box.left <= point[0] < box.right and box.top <= point[1] < box.bottom
    return mask is not None and float(mask[0, 0, int(point[1]), int(point[0])]) > THRESHOLD


def _check_inside(points: Sequence[Point], size: tuple[int, int]) -> None:
    for x, y in points:
        if not (0 <= x < size[1] and 0 <= y < size[0]):
            raise ConfigError(
                f"points must lie in the image, 0 <= x < {size[1]} and 0 <= y < {size[0]}, got "
                f"x={x:g}, y={y:g}; were they made for another size?"
            )


def parse_boxes(text: str, size: tuple[int, int]) -> list[Box]:
    """Read boxes such as "10, 20, 300, 400; 50%, 0, 50%, 100%".

    Args:
        text: Left, top, width and height of each box, in pixels or with a percent sign of the
            image; boxes are separated by semicolons or line ends.
        size: Height and width of the image.

    Returns:
        The boxes in whole pixels, cut at the image's borders.

    Raises:
        ConfigError: If the text is no such list, or a box lies outside the image.
    """
    boxes = []
    for part in re.split(r"[;\n]", text):
        if not part.strip():
            continue
        numbers = [number for word in part.split(",") if (number := NUMBER.fullmatch(word))]
        if len(numbers) != 4 or part.count(",") != 3:
            raise ConfigError(f"{BOX_HELP}; got {part.strip()!r}.")
        values = [
            float(number[1]) * (side / 100 if number[2] else 1)
            for number, side in zip(numbers, (size[1], size[0]) * 2, strict=True)
        ]
        boxes.append(_box(values, size))
    return boxes


def read_boxes(boxes: object, size: tuple[int, int]) -> list[list[Box]]:
    """Read boxes as other programs hand them over.

    Args:
        boxes: A mapping with x, y, width and height in pixels (further keys such as label, score
            or metadata are not looked at), a list of them for all images, a list of such lists,
            one per image; or a text as in `parse_boxes`. None, an empty list and an empty text
            are no boxes.
        size: Height and width of the images.

    Returns:
        Boxes of each image in whole pixels, cut at the image's borders; a single list holds for
        all images.

    Raises:
        ConfigError: If they cannot be read, or a box lies outside the image.
    """
    if boxes is None:
        return []
    if isinstance(boxes, str):
        found = parse_boxes(boxes, size)
        return [found] if found else []
    if isinstance(boxes, dict):
        return [[_from_mapping(boxes, size)]]
    if not isinstance(boxes, (list, tuple)):
        raise ConfigError(
            "boxes must be a mapping with x, y, width and height, a list of them, or a list of "
            f"lists, got a {type(boxes).__name__}."
        )
    if boxes and all(isinstance(frame, (list, tuple)) or frame is None for frame in boxes):
        return [[_from_mapping(box, size) for box in frame or ()] for frame in boxes]
    return [[_from_mapping(box, size) for box in boxes]] if boxes else []


def _from_mapping(box: object, size: tuple[int, int]) -> Box:
    try:
        values = _numbers(box, ("x", "y", "width", "height"))
    except (TypeError, KeyError, ValueError) as error:
        raise ConfigError(
            f"a box must have the numbers x, y, width and height, got {box!r}."
        ) from error
    return _box(values, size)


def _numbers(given: object, keys: tuple[str, ...]) -> list[float]:
    """Some entries of a mapping."""
    if not isinstance(given, Mapping):
        raise TypeError("not a mapping")
    return [float(given[key]) for key in keys]


def _box(values: Sequence[float], size: tuple[int, int]) -> Box:
    """Whole pixels that a box of left, top, width and height covers, cut at the borders."""
    left, top, width, height = values
    if not all(map(math.isfinite, values)) or width <= 0 or height <= 0:
        raise ConfigError(
            f"a box needs a positive width and height, got left {left:g}, top {top:g}, width "
            f"{width:g}, height {height:g}."
        )
    x, y = round(left), round(top)
    whole = Box(x, y, max(1, round(left + width) - x), max(1, round(top + height) - y))
    inside = whole.clip(size)
    if inside is None:
        raise ConfigError(
            f"a box must overlap the image of {size[1]} x {size[0]} pixels, got left {left:g}, top "
            f"{top:g}, width {width:g}, height {height:g}; was it made for another size?"
        )
    return inside


def read_points(points: object) -> list[list[Point]]:
    """Read points as other programs hand them over.

    Args:
        points: A list of mappings with x and y in pixels for all images, a list of such lists, one
            per image, or either of them as JSON text, such as '[{"x": 120, "y": 80}]'. None, an
            empty list and an empty text are no points.

    Returns:
        Points of each image; a single list holds for all images.

    Raises:
        ConfigError: If they cannot be read.
    """
    if points is None:
        return []
    given = points
    if isinstance(points, str):
        if not points.strip():
            return []
        try:
            given = json.loads(points)
        except json.JSONDecodeError as error:
            raise ConfigError(
                f'points must be JSON such as [{{"x": 120, "y": 80}}], got {points!r}: {error}.'
            ) from error
    if isinstance(given, dict):
        given = [given]
    if not isinstance(given, (list, tuple)):
        raise ConfigError(f'points must be a list such as [{{"x": 120, "y": 80}}], got {points!r}.')
    if given and all(isinstance(frame, (list, tuple)) for frame in given):
        return [[_point(point) for point in frame] for frame in given]
    return [[_point(point) for point in given]] if given else []


def _point(point: object) -> Point:
    try:
        x, y = _numbers(point, ("x", "y"))
    except (TypeError, KeyError, ValueError) as error:
        raise ConfigError(f"a point must have the numbers x and y, got {point!r}.") from error
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ConfigError(f"a point must be finite, got {point!r}.")
    return (x, y)
