"""The passes of detail mode."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ..errors import ConfigError
from ..filters import label
from ..predict import Predicts, Progress, box_to_look_at
from ..preprocess import STRIDE
from ..regions import Box, fade
from ..tensors import check_image
from .grid import starts, weights
from .trust import agreement, drop_unknown, from_logits, open_band, to_logits
from .views import STRIP, View, look, sample, whole

Detail = Literal["off", "crop", "tiles"]
DETAILS: tuple[Detail, ...] = ("off", "crop", "tiles")

STEP = 4
"""How much closer the next look is, at most."""

AT_ONCE = 4
"""Tiles given to the predictor at once."""

CONTEXT = 1.25
"""Sides of a crop as a multiple of the subject's and its margin's."""

MARGIN = 3
"""Around a subject in a crop in any case, in pixels that the network saw before."""

MOST_CROPS = 8
"""Subjects looked at alone; smaller ones keep what the first look saw of them."""

SUBJECT = 0.25
"""Opacity above which something is a subject to be looked at alone."""

SMALLEST = 0.01
"""Area of the smallest subject looked at alone, as a share of the largest one's."""

WORTHWHILE = 0.8
"""Share of an image's sides above which a crop shows nothing new."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InDetail:
    """A predictor that looks again from close by, as a predictor."""

    predictor: Predicts
    """What finds the subject."""

    detail: Detail = "off"
    """As in `predict_in_detail`."""

    def network_size(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """As in `Predicts`."""
        return self.predictor.network_size(image_size)

    def __call__(
        self,
        image: Tensor,
        *,
        size: tuple[int, int] | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """As in `Predicts`."""
        return predict_in_detail(
            image, self.predictor, detail=self.detail, size=size, progress=progress
        )


def predict_in_detail(
    image: Tensor,
    predictor: Predicts,
    *,
    detail: Detail = "tiles",
    size: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> Tensor:
    """Predict how opaque the subject is, as finely as the image shows it.

    A network sees an image of thousands of pixels in a view of about a thousand, in which hair is
    lost. Here it finds the subject in such a view first and then looks at parts of the image from
    closer by. What it says then counts only near edges and where the first view was in doubt, only
    where both agree on the surroundings, and only for what the first view knew at all: nothing is
    invented. Looks are blended as logits with weights that add up to one, so there are no seams.

    Args:
        image: (B, C, H, W), in [0, 1], with 1 to 4 channels as `Predictor` takes them, up to
            16384 pixels a side.
        predictor: Such as `Predictor` or `Sight`.
        detail: "off" for one view of the whole image; "crop" for one more of each subject with
            its surroundings; "tiles" for overlapping tiles along its edges, at most four times
            closer each time, down to the image's own pixels.
        size: What the network sees at once, in all views; None for what the predictor chooses.
        progress: Called with the finished fraction; what it raises stops the work.

    Returns:
        Alpha (B, 1, H, W), in [0, 1], in the image's dtype and on its device. An image that is
        not larger than what the network sees is not looked at again by "tiles".

    Raises:
        ShapeError: If the image is not such a tensor.
        ConfigError: If `detail` is not known.

    Beside image and result it needs at most 512 MiB more than the predictor needs for its own
    input, for images up to 16384 x 16384 and network inputs up to 1024 x 1024.

    Source: our own; BiRefNet's authors advise to locate, crop and predict again.
    """
    if detail not in DETAILS:
        raise ConfigError(f"detail must be one of {', '.join(DETAILS)}, got {detail!r}.")
    if detail == "off":
        return predictor(image, size=size, progress=progress)
    check_image(image, (1, 2, 3, 4))
    batch, channels, height, width = image.shape
    alpha = torch.empty((batch, 1, height, width), dtype=image.dtype, device=image.device)
    color = image if channels in (1, 3) else image[:, :-1]
    run = _tiles if detail == "tiles" else _crop
    for number in range(batch):
        one = slice(number, number + 1)
        steps = _Steps(progress, number / batch, 1 / batch)
        seen = size or predictor.network_size((height, width))
        run(color[one], predictor, seen, alpha[one], steps)
        if channels in (2, 4):
            alpha[one] *= image[one, -1:]
        steps.finish()
    return alpha


class _Steps:
    """Progress of one image through its passes."""

    def __init__(self, progress: Progress | None, start: float, share: float) -> None:
        self._progress, self._start, self._share = progress, start, share
        self.done, self.total = 0, 1

    def within(self, count: int) -> Progress | None:
        """For a call of the predictor that is worth `count` steps."""
        if self._progress is None:
            return None
        return lambda fraction: self._report((self.done + fraction * count) / self.total)

    def finish(self) -> None:
        self._report(1.0)

    def _report(self, fraction: float) -> None:
        if self._progress is not None:
            self._progress(min(1.0, self._start + self._share * fraction))


@dataclass(frozen=True, slots=True)
class _Prior:
    """What an earlier look found."""

    logits: Tensor
    """(1, 1, h, w) float32."""

    at: View
    """What they show."""

    network: float
    """Side of a pixel that the network saw, in pixels of the image."""

    earlier: _Prior | None = None
    """What the look before it found; what that one was sure of stays."""

    def seen(self, factor: int) -> float:
        """The same in pixels of a view."""
        return self.network / factor

    def alpha(self, view: View) -> Tensor:
        """Opacity at the pixels of a view."""
        return from_logits(sample(self.logits, self.at, view))

    def band(self, view: View) -> Tensor:
        """How much may change at the pixels of a view."""
        own = sample(*open_band(self.logits, self.at, self.seen(self.at.factor), view), view)
        return own if self.earlier is None else torch.minimum(own, self.earlier.band(view))

    def is_open(self, view: View) -> bool:
        """Whether something may change in a view; when in doubt, yes."""
        band, _ = open_band(self.logits, self.at, self.seen(self.at.factor), view)
        return bool(band.any()) and (self.earlier is None or self.earlier.is_open(view))


def _first_look(image: Tensor, predictor: Predicts, seen: tuple[int, int], steps: _Steps) -> _Prior:
    """One view of the whole image, averaged down first so that little memory is needed."""
    height, width = image.shape[2:]
    factor = max(1, min(height // seen[0], width // seen[1]))
    view = whole((height, width), factor)
    alpha = predictor(look(image, view), size=seen, progress=steps.within(1))
    steps.done += 1
    pixel = max(1.0, height / seen[0], width / seen[1])
    return _Prior(to_logits(alpha).to(image.device), view, pixel)


def _correction(alpha: Tensor, prior: _Prior, view: View) -> Tensor:
    """What a closer look adds to the prior's logits, (1, 1, view.height, view.width)."""
    wider = sample(prior.logits, prior.at, view)
    band = prior.band(view)
    before = from_logits(wider)
    closer = drop_unknown(alpha.to(before), before)
    trust = band * agreement(closer, before, band, max(1.0, prior.seen(view.factor)))
    return (to_logits(closer) - wider) * trust


def _strips(view: View) -> Iterator[View]:
    """A view cut into strips that are small enough to work on."""
    rows = max(1, STRIP // view.width)
    for top in range(0, view.height, rows):
        yield view.part(top, 0, min(rows, view.height - top), view.width)


# --- crop ---------------------------------------------------------------------------------------


def _crop(
    image: Tensor, predictor: Predicts, seen: tuple[int, int], alpha: Tensor, steps: _Steps
) -> None:
    """Look at each subject alone; the result goes into `alpha`."""
    steps.total = 2
    prior = _first_look(image, predictor, seen, steps)
    boxes = _subject_boxes(prior, (image.shape[2], image.shape[3]), seen)
    steps.total = 1 + len(boxes)
    corrections = []
    for box in boxes:
        factor = max(1, min(box.height // seen[0], box.width // seen[1]))
        inner = whole(box.size, factor)
        view = View(box.top, box.left, inner.height, inner.width, factor)
        closer = predictor(look(image, view), size=seen, progress=steps.within(1))
        steps.done += 1
        correction = _correction(closer.to(image.device), prior, view)
        correction *= _fading(box, view, prior, (image.shape[2], image.shape[3])).to(correction)
        corrections.append((box, view, correction))
    for strip in _strips(whole((image.shape[2], image.shape[3]))):
        logits = sample(prior.logits, prior.at, strip)
        for box, view, correction in corrections:
            top, bottom = max(strip.top, box.top), min(strip.top + strip.height, box.bottom)
            if top < bottom:
                part = View(top, box.left, bottom - top, box.width, 1)
                rows = slice(top - strip.top, bottom - strip.top)
                logits[:, :, rows, box.left : box.right] += sample(correction, view, part)
        alpha[:, :, strip.top : strip.top + strip.height] = from_logits(logits)


def _subject_boxes(prior: _Prior, size: tuple[int, int], seen: tuple[int, int]) -> list[Box]:
    """Boxes of the larger subjects with their surroundings; none of them overlap."""
    from scipy import ndimage

    numbers, _ = label(from_logits(prior.logits) > SUBJECT)
    plane = numbers[0, 0].cpu()
    areas = torch.bincount(plane.flatten())[1:].tolist()
    factor, boxes = prior.at.factor, []
    largest = sorted(range(len(areas)), key=lambda number: -areas[number])[:MOST_CROPS]
    places = ndimage.find_objects(plane.numpy())
    margin = math.ceil(MARGIN * prior.network)
    for number in largest:
        if areas[number] < SMALLEST * areas[largest[0]]:
            break
        rows, columns = places[number]
        top, left = rows.start * factor - margin, columns.start * factor - margin
        height = (rows.stop - rows.start) * factor + 2 * margin
        width = (columns.stop - columns.start) * factor + 2 * margin
        subject = Box(left, top, width, height)
        boxes.append(box_to_look_at(subject, size, seen, context=CONTEXT))
    return [
        box
        for box in _merged(boxes)
        if box.height < WORTHWHILE * size[0] or box.width < WORTHWHILE * size[1]
    ]


def _merged(boxes: list[Box]) -> list[Box]:
    """Boxes that overlap become one that holds both."""
    apart: list[Box] = []
    for box in boxes:
        joined = box
        while touching := [other for other in apart if _overlap(joined, other)]:
            apart = [other for other in apart if other not in touching]
            for other in touching:
                left, top = min(joined.left, other.left), min(joined.top, other.top)
                right, bottom = max(joined.right, other.right), max(joined.bottom, other.bottom)
                joined = Box(left, top, right - left, bottom - top)
        apart.append(joined)
    return apart


def _overlap(one: Box, other: Box) -> bool:
    across = one.left < other.right and other.left < one.right
    return across and one.top < other.bottom and other.top < one.bottom


def _fading(box: Box, view: View, prior: _Prior, size: tuple[int, int]) -> Tensor:
    """Weights of a crop that fall to 0 at its sides, except at those of the image."""
    left, top = int(box.left > 0), int(box.top > 0)
    right, bottom = int(box.right < size[1]), int(box.bottom < size[0])
    frame = (top + view.height + bottom, left + view.width + right)
    return fade(Box(left, top, view.width, view.height), MARGIN * prior.seen(view.factor), frame)


# --- tiles --------------------------------------------------------------------------------------


def _tiles(
    image: Tensor, predictor: Predicts, seen: tuple[int, int], alpha: Tensor, steps: _Steps
) -> None:
    """Go closer step by step along what is open; the result goes into `alpha`."""
    size = (image.shape[2], image.shape[3])
    factors = _factors(size, seen)
    grids = [_Grid(whole(size, factor), seen) for factor in factors]
    steps.total = 1 + sum(grid.count for grid in grids)
    prior = _first_look(image, predictor, seen, steps)
    for grid in grids[:-1]:
        closer = torch.empty((1, 1, grid.view.height, grid.view.width), device=image.device)
        for rows, logits in _refined(image, predictor, prior, grid, steps):
            closer[:, :, rows] = logits
        prior = _Prior(closer, grid.view, grid.view.factor, prior)
    if not grids:
        for strip in _strips(whole(size)):
            rows = slice(strip.top, strip.top + strip.height)
            alpha[:, :, rows] = prior.alpha(strip)
    for grid in grids[-1:]:
        for rows, logits in _refined(image, predictor, prior, grid, steps):
            alpha[:, :, rows] = from_logits(logits)


def _factors(size: tuple[int, int], seen: tuple[int, int]) -> list[int]:
    """Scales of the closer looks, the image's own scale, 1, last; none if there is no closer."""
    ratio = max(size[0] / seen[0], size[1] / seen[1])
    if ratio <= 1:
        return []
    count = max(1, math.ceil(math.log(ratio, STEP) - 0.1))
    factors = [round(ratio ** (1 - number / count)) for number in range(1, count)]
    return [*factors, 1]


class _Grid:
    """The tiles of one scale."""

    def __init__(self, view: View, seen: tuple[int, int]) -> None:
        self.view = view
        self.side = (min(seen[0], view.height), min(seen[1], view.width))
        self.rows = starts(view.height, self.side[0])
        self.columns = starts(view.width, self.side[1])
        self.row_weights = weights(self.rows, self.side[0])
        self.column_weights = weights(self.columns, self.side[1])

    @property
    def count(self) -> int:
        """How many tiles there are."""
        return len(self.rows) * len(self.columns)

    def network_size(self) -> tuple[int, int]:
        """At which size the network sees a tile: its own, so that nothing is scaled."""
        return (-(-self.side[0] // STRIDE) * STRIDE, -(-self.side[1] // STRIDE) * STRIDE)


def _refined(
    image: Tensor, predictor: Predicts, prior: _Prior, grid: _Grid, steps: _Steps
) -> Iterator[tuple[slice, Tensor]]:
    """The logits of a scale, strip by strip from the top.

    Only the rows of one row of tiles are kept, however large the image is.
    """
    height, width = grid.side
    total = torch.zeros((1, 1, height, grid.view.width), device=image.device)
    for number, top in enumerate(grid.rows):
        tiles = [
            (column, grid.view.part(top, left, height, width))
            for column, left in enumerate(grid.columns)
        ]
        wanted = [(column, tile) for column, tile in tiles if prior.is_open(tile)]
        steps.done += len(tiles) - len(wanted)
        for start in range(0, len(wanted), AT_ONCE):
            group = wanted[start : start + AT_ONCE]
            looks = torch.cat([look(image, tile) for _, tile in group])
            closer = predictor(
                looks, size=grid.network_size(), progress=steps.within(len(group))
            ).to(image.device)
            steps.done += len(group)
            for (column, tile), one in zip(group, torch.split(closer, 1), strict=True):
                weight = grid.row_weights[number][:, None] * grid.column_weights[column]
                left = grid.columns[column]
                total[:, :, :, left : left + width] += _correction(one, prior, tile) * weight.to(
                    total
                )
        end = grid.rows[number + 1] if number + 1 < len(grid.rows) else grid.view.height
        done = end - top
        for strip in _strips(View(0, 0, done, grid.view.width, 1)):
            part = grid.view.part(top + strip.top, 0, strip.height, strip.width)
            logits = sample(prior.logits, prior.at, part)
            logits += total[:, :, strip.top : strip.top + strip.height]
            yield slice(top + strip.top, top + strip.top + strip.height), logits
        total[:, :, : height - done] = total[:, :, done:].clone()
        total[:, :, height - done :] = 0
