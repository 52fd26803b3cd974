"""What can be said about a mask in numbers, and whether a person should look at it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from statistics import fmean

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import ConfigError
from ..filters import label
from ..regions import Box, bounding_box
from ..tensors import check_image
from .empty import FAINT

THRESHOLD = 0.5
"""Opacity above which a pixel belongs to a part."""

SMALLEST_PART = 0.001
"""Parts below this share of the subject's pixels are specks and are not counted."""

MOST_PARTS = 8
MOST_UNCERTAIN = 0.35
MOST_COVERED = 0.98
LEAST_COVERED = 0.0005
WIDEST_EDGE = 0.02  # of the shorter side
CUT_SIDE = 0.05  # of a side

REASONS = {
    "empty": f"nothing is more opaque than {FAINT}",
    "tiny": f"the subject covers less than {LEAST_COVERED:.2%} of the picture",
    "everything": f"the subject covers more than {MOST_COVERED:.0%} of the picture",
    "uncertain": f"uncertainty is above {MOST_UNCERTAIN}",
    "blurred": f"the edge is wider than {WIDEST_EDGE:.0%} of the shorter side",
    "scattered": f"there are more than {MOST_PARTS} parts",
    "cut off": f"the subject covers more than {CUT_SIDE:.0%} of three or four sides",
}
"""Why a mask needs review, and when."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MatteReport:
    """Numbers about one mask."""

    is_empty: bool
    """Whether nothing is more opaque than 0.05."""

    coverage: float
    """Mean opacity: the share of the picture that the subject covers."""

    bounding_box: Box | None
    """Smallest box around everything more opaque than 0.05; None for an empty mask."""

    uncertainty: float
    """Mean of 4 p (1 - p) over the pixels more opaque than 0.05: 0 if they are all opaque, 1 if
    all are half transparent."""

    edge_width: float
    """Mean width of the soft edge in pixels, from opacity 0 to 1; 0 if it is hard."""

    border_contact: dict[str, float]
    """Share of each side of the picture ("left", "top", "right", "bottom") on which the subject
    is more than half opaque."""

    parts: int
    """Number of connected parts that are more than half opaque, without specks."""

    needs_review: bool
    """Whether there is at least one reason."""

    reasons: tuple[str, ...]
    """Keys of `REASONS` that apply."""


def matte_report(
    alpha: Tensor, *, threshold: float = THRESHOLD, smallest_part: float = SMALLEST_PART
) -> list[MatteReport]:
    """Describe masks in numbers.

    Args:
        alpha: (B, 1, H, W), in [0, 1].
        threshold: Opacity above which a pixel belongs to a part or touches a side, in [0, 1).
        smallest_part: Parts below this share of all such pixels are not counted, in [0, 1].

    Returns:
        One report per item.

    Raises:
        ShapeError: If alpha is not floating (B, 1, H, W).
        ConfigError: If an option is out of its range.

    Source: our own. The edge width follows from a straight ramp of width w, along which the
        integral of 4 p (1 - p) is 2 w / 3 and that of the slope is 1.
    """
    check_image(alpha, (1,))
    if not (0 <= threshold < 1 and 0 <= smallest_part <= 1):
        raise ConfigError(
            "threshold must lie in 0 to below 1 and smallest_part in 0 to 1, got "
            f"{threshold} and {smallest_part}."
        )
    boxes = bounding_box(alpha, FAINT)
    return [
        _describe(alpha[item : item + 1].float(), box, threshold, smallest_part)
        for item, box in enumerate(boxes)
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """Numbers about all masks of a batch together."""

    coverage: float
    """Mean."""

    uncertainty: float
    """Mean."""

    edge_width: float
    """Mean, in pixels."""

    border_contact: float
    """Largest of all sides of all masks."""

    parts: int
    """Largest."""

    needs_review: bool
    """Whether one of them does."""


def summarize(reports: list[MatteReport]) -> Summary:
    """What a graph can decide on: one number each for a whole batch.

    Raises:
        ConfigError: If there is no report.
    """
    if not reports:
        raise ConfigError("a summary needs at least one report, got none.")
    return Summary(
        coverage=fmean(one.coverage for one in reports),
        uncertainty=fmean(one.uncertainty for one in reports),
        edge_width=fmean(one.edge_width for one in reports),
        border_contact=max(max(one.border_contact.values()) for one in reports),
        parts=max(one.parts for one in reports),
        needs_review=any(one.needs_review for one in reports),
    )


def to_line(one: MatteReport) -> str:
    """A report in a few words, such as "31% covered, 1 part, edge 2.4 px: fine"."""
    if one.is_empty:
        return "no subject"
    parts = "1 part" if one.parts == 1 else f"{one.parts} parts"
    touched = [side for side, share in one.border_contact.items() if share > 0]
    words = [f"{one.coverage:.0%} covered", parts, f"edge {one.edge_width:.1f} px"]
    words += [f"touches {', '.join(touched)}"] if touched else []
    verdict = f"needs review ({', '.join(one.reasons)})" if one.needs_review else "fine"
    return f"{', '.join(words)}: {verdict}"


def to_json(reports: list[MatteReport]) -> str:
    """Reports as a JSON list of objects with the names of `MatteReport`'s fields."""
    return json.dumps([asdict(one) for one in reports], indent=2)


def _describe(
    alpha: Tensor, box: Box | None, threshold: float, smallest_part: float
) -> MatteReport:
    size = (alpha.shape[2], alpha.shape[3])
    coverage = float(alpha.double().mean())
    softness = 4 * alpha * (1 - alpha)
    seen = alpha > FAINT
    uncertainty = float(softness[seen].double().mean()) if box is not None else 0.0
    edge_width = _edge_width(alpha, softness)
    solid = alpha > threshold
    contact = _border_contact(solid)
    parts = _count_parts(solid, smallest_part)
    applies = {
        "empty": box is None,
        "tiny": box is not None and coverage < LEAST_COVERED,
        "everything": coverage > MOST_COVERED,
        "uncertain": uncertainty > MOST_UNCERTAIN,
        "blurred": edge_width > WIDEST_EDGE * min(size),
        "scattered": parts > MOST_PARTS,
        "cut off": sum(share > CUT_SIDE for share in contact.values()) >= 3,
    }
    reasons = tuple(reason for reason in REASONS if applies[reason])
    return MatteReport(
        is_empty=box is None,
        coverage=coverage,
        bounding_box=box,
        uncertainty=uncertainty,
        edge_width=edge_width,
        border_contact=contact,
        parts=parts,
        needs_review=bool(reasons),
        reasons=reasons,
    )


def _edge_width(alpha: Tensor, softness: Tensor) -> float:
    """Three halves of the softness per length of contour, both summed over the image."""
    padded = F.pad(alpha, (0, 1, 0, 1), mode="replicate")
    down = padded[:, :, 1:, :-1] - alpha
    right = padded[:, :, :-1, 1:] - alpha
    length = float(torch.hypot(down, right).double().sum())
    return 1.5 * float(softness.double().sum()) / length if length > 0 else 0.0


def _border_contact(solid: Tensor) -> dict[str, float]:
    sides = {
        "left": solid[..., 0],
        "top": solid[..., 0, :],
        "right": solid[..., -1],
        "bottom": solid[..., -1, :],
    }
    return {name: float(side.double().mean()) for name, side in sides.items()}


def _count_parts(solid: Tensor, smallest_part: float) -> int:
    numbers, _ = label(solid)
    areas = torch.bincount(numbers.flatten())[1:]
    return int((areas >= smallest_part * areas.sum()).sum())
