"""From prompts to the alpha of each object."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..errors import ConfigError
from ..predict import Predicts, Progress, box_to_look_at, part_of
from ..regions import THRESHOLD, Box, bounding_box, crop
from ..tensors import check_image
from .prompts import Point, Prompt
from .select import inside_box, near_mask, own_parts, parts_at

CONTEXT = 1.25
"""Sides of what the network sees of an object, as a multiple of the prompt's sides."""

REACH = 10.0
"""How far beyond its prompt an object may go, in percent of the prompt's sides."""

WIDER = 2.0
"""By how much the view grows if nothing is found in it."""

FOUND = 0.02
"""Share of a prompt that must be covered to count as found."""

AROUND_POINTS = (1.0, 0.5, 0.25)
"""Sides of views around points that are on no subject, as a share of the image's shorter side."""


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Objects:
    """What prompts selected."""

    union: Tensor
    """Alpha of all objects of each image together, (B, 1, H, W), in [0, 1]."""

    alphas: Tensor
    """Alpha of each object, (N, 1, H, W), image by image in the order of the prompts."""

    boxes: list[list[Box | None]]
    """Where each object of each image lies; None for one that was not found."""


def predict_objects(
    image: Tensor,
    predictor: Predicts,
    prompts: Sequence[Sequence[Prompt]],
    *,
    context: float = CONTEXT,
    reach: float = REACH,
    progress: Progress | None = None,
) -> Objects:
    """Find the objects that prompts mark, each in a view of its own.

    The network sees the prompt with its surroundings. Of what it finds there, the parts that
    belong to the prompt are kept, and they fade out towards the end of their reach. If it finds
    nothing, it gets a wider view. Points are first looked for on the subjects of the whole image
    and then in ever closer views around them.

    Args:
        image: (B, C, H, W), in [0, 1], with 1 to 4 channels as `Predictor` takes them. A second or
            fourth channel is opacity, which the result cannot exceed.
        predictor: Such as `Predictor`, `Sight` or `InDetail`.
        prompts: The objects of each image, as `read_prompts` gives them.
        context: Sides of a view as a multiple of the prompt's, at least 1; more if `reach` needs
            it.
        reach: How far an object may go beyond its box or mask, in percent of its sides, at
            least 0.
        progress: Called with the finished fraction; what it raises stops the work.

    Returns:
        The objects, in the image's dtype and on its device. An image without prompts has none.

    Raises:
        ShapeError: If the image is not such a tensor.
        ConfigError: If an option is out of its range, or there are prompts for another number of
            images.

    Source: our own; BiRefNet's authors advise to crop so that the object is the only subject.
    """
    check_image(image, (1, 2, 3, 4))
    if len(prompts) != len(image):
        raise ConfigError(
            f"each image needs its list of prompts, got {len(prompts)} for {len(image)} images."
        )
    if not (math.isfinite(context) and context >= 1):
        raise ConfigError(f"context must be at least 1, got {context}; 1 adds nothing.")
    if not (math.isfinite(reach) and reach >= 0):
        raise ConfigError(f"reach must be at least 0 percent, got {reach}.")
    batch, channels, height, width = image.shape
    color = image if channels in (1, 3) else image[:, :-1]
    union = image.new_zeros((batch, 1, height, width))
    alphas = image.new_zeros((sum(map(len, prompts)), 1, height, width))
    boxes: list[list[Box | None]] = []
    done = 0
    for number, own in enumerate(prompts):
        one = slice(number, number + 1)
        search = _Search(color[one], predictor, context, reach / 100)
        places: list[Box | None] = []
        for prompt in own:
            alpha = alphas[done : done + 1]
            search.report = part_of(progress, done / len(alphas), 1 / len(alphas))
            search.find(prompt, alpha)
            if channels in (2, 4):
                alpha *= image[one, -1:]
            torch.maximum(union[one], alpha, out=union[one])
            places += bounding_box(alpha)
            done += 1
        boxes.append(places)
    if progress is not None:
        progress(1.0)
    return Objects(union=union, alphas=alphas, boxes=boxes)


@dataclass(eq=False, slots=True)
class _Search:
    """Looks for the objects of one image."""

    color: Tensor
    """(1, 1 or 3, H, W), in [0, 1]."""

    predictor: Predicts
    context: float
    reach: float
    report: Progress | None = None
    looks: int = 0
    subjects: Tensor | None = field(default=None)
    """Alpha of the whole image, once it was needed."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image."""
        return (self.color.shape[2], self.color.shape[3])

    def find(self, prompt: Prompt, alpha: Tensor) -> None:
        """Write the alpha of one object into (1, 1, H, W) zeros."""
        self.looks = 0
        given = prompt
        if prompt.box is None and prompt.mask is None:
            located = self._locate(prompt)
            if located is None:
                return
            given = located
        box = given.box or (bounding_box(given.mask)[0] if given.mask is not None else None)
        if box is None:
            return
        enough = max(self.context, 1 + 2 * self.reach)
        for context in (enough, enough * WIDER):
            view = self._view(box, context)
            found = self._look_for(given, box, view)
            covered = (found > THRESHOLD).sum()
            if int(covered) >= FOUND * box.width * box.height or view.size == self.size:
                break
        alpha[:, :, view.top : view.bottom, view.left : view.right] = found

    def _view(self, box: Box, context: float) -> Box:
        """What the network sees of a box."""
        seen = self.predictor.network_size(box.size)
        return box_to_look_at(box, self.size, seen, context=context)

    def _look(self, view: Box) -> Tensor:
        """The prediction of a part of the image, float32."""
        # How many looks it takes is not known before; each gets half of what is left.
        left = 0.5**self.looks
        self.looks += 1
        return self.predictor(
            crop(self.color, view), progress=part_of(self.report, 1 - left, left / 2)
        ).float()

    def _look_for(self, prompt: Prompt, box: Box, view: Box) -> Tensor:
        """What belongs to a prompt in a view of it."""
        alpha = self._look(view)
        inner = Box(box.left - view.left, box.top - view.top, box.width, box.height)
        region = inside_box(inner, 0, view.size).to(alpha) > THRESHOLD
        limit = inside_box(inner, self.reach, view.size)
        if prompt.mask is not None:
            region = crop(prompt.mask, view).to(alpha) > THRESHOLD
            if prompt.box is None:
                limit = near_mask(region, self.reach * math.sqrt(box.width * box.height))
        found = own_parts(
            alpha,
            region,
            points=_seen_from(prompt.points, view),
            negative_points=_seen_from(prompt.negative_points, view),
        )
        return found * limit.to(found)

    def _locate(self, prompt: Prompt) -> Prompt | None:
        """Find what points lie on; as a box and a rough mask, or None."""
        whole = Box(0, 0, self.size[1], self.size[0])
        if self.subjects is None:
            self.subjects = self._look(whole)
        parts = parts_at(self.subjects, prompt.points)
        if _covers(parts, prompt.points):
            return replace(prompt, box=bounding_box(parts)[0], mask=parts.to(self.color))
        for share in AROUND_POINTS:
            view = self._around(prompt.points, share)
            points = _seen_from(prompt.points, view)
            parts = parts_at(self._look(view), points)
            if _covers(parts, points):
                mask = self.color.new_zeros((1, 1, *self.size))
                mask[:, :, view.top : view.bottom, view.left : view.right] = parts.to(mask)
                return replace(prompt, box=bounding_box(mask)[0], mask=mask)
        return None

    def _around(self, points: Sequence[Point], share: float) -> Box:
        """A view around points."""
        columns, rows = ([int(point[axis]) for point in points] for axis in (0, 1))
        margin = math.ceil(share * min(self.size) / 2)
        left, top = min(columns) - margin, min(rows) - margin
        right, bottom = max(columns) + margin, max(rows) + margin
        box = Box(left, top, right - left, bottom - top)
        return self._view(box, 1.0)


def _covers(parts: Tensor, points: Sequence[Point]) -> bool:
    """Whether all points lie on parts, (1, 1, H, W) bool."""
    return all(bool(parts[0, 0, int(y), int(x)]) for x, y in points)


def _seen_from(points: Sequence[Point], view: Box) -> list[Point]:
    """Points relative to a view."""
    return [(x - view.left, y - view.top) for x, y in points]
