"""All operations on one mask, in one fixed order."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from ..errors import ConfigError
from ..filters import UNITS, Unit, pixels
from ..tensors import check_image
from .edges import FEATHER_SIDES, FeatherSide, feather, grow
from .holes import HOLE_CHOICES, HoleChoice, fill_holes
from .levels import check_levels, levels
from .parts import PART_CHOICES, PartChoice, area, keep_parts
from .smooth import smooth_outline
from .threshold import THRESHOLD_KINDS, ThresholdKind, check_threshold, threshold


@dataclass(frozen=True, kw_only=True, slots=True)
class MaskOptions:
    """What `apply_mask_ops` does; the defaults change nothing."""

    black_point: float = 0.0
    """Levels: opacity that becomes 0, in [0, 1)."""

    white_point: float = 1.0
    """Levels: opacity that becomes 1, in (0, 1]."""

    threshold_kind: ThresholdKind = "off"
    """"soft" keeps a slope around the threshold, "hard" leaves 0 and 1 only."""

    threshold: float = 0.5
    """Opacity that divides subject and background, in [0, 1]."""

    softness: float = 0.2
    """Range of opacity that the slope of a soft threshold spans, in [0, 1]."""

    fill_holes: HoleChoice = "off"
    """Which holes are filled."""

    hole_area: float = 100.0
    """Largest hole that is filled "by area", in `area_unit`."""

    keep_parts: PartChoice = "all"
    """Which separate parts are kept."""

    keep_count: int = 1
    """How many of the "largest" parts are kept, at least 1."""

    min_area: float = 100.0
    """Smallest part that is kept "by area", in `area_unit`."""

    grow: float = 0.0
    """How far the edge moves outward, in `unit`; negative shrinks."""

    smooth: float = 0.0
    """Size of the bumps of the outline that are rounded off, in `unit`."""

    feather: float = 0.0
    """Width of the fade at the edge, in `unit`."""

    feather_side: FeatherSide = "centered"
    """Where the fade lies."""

    unit: Unit = "pixels"
    """Of lengths: "pixels", or "percent" of the shorter side."""

    area_unit: Unit = "pixels"
    """Of areas: "pixels", or "percent" of the whole picture."""

    invert: bool = False
    """Whether subject and background are swapped at the end."""

    def __post_init__(self) -> None:
        check_levels(self.black_point, self.white_point)
        check_threshold(self.threshold, self.softness)
        for name, value, allowed in (
            ("threshold_kind", self.threshold_kind, THRESHOLD_KINDS),
            ("fill_holes", self.fill_holes, HOLE_CHOICES),
            ("keep_parts", self.keep_parts, PART_CHOICES),
            ("feather_side", self.feather_side, FEATHER_SIDES),
            ("unit", self.unit, UNITS),
            ("area_unit", self.area_unit, UNITS),
        ):
            if value not in allowed:
                raise ConfigError(f"{name} must be one of {', '.join(allowed)}, got {value!r}.")
        if not math.isfinite(self.grow):
            raise ConfigError(f"grow must be a finite number, got {self.grow}.")
        for name in ("hole_area", "min_area", "smooth", "feather"):
            number = getattr(self, name)
            if not (math.isfinite(number) and number >= 0):
                raise ConfigError(f"{name} must be at least 0 and finite, got {number}.")
        if self.keep_count < 1:
            raise ConfigError(f"keep_count must be at least 1, got {self.keep_count}.")


def apply_mask_ops(
    alpha: Tensor, *, options: MaskOptions, progress: Callable[[float], None] | None = None
) -> Tensor:
    """Clean and shape masks.

    The order is always the same: levels, threshold, fill holes, keep parts, grow or shrink,
    smooth, feather, invert.

    Args:
        alpha: (B, 1, H, W), in [0, 1].
        options: What to do; what is at its default is left out.
        progress: Called with the finished fraction after each operation; raise from it to stop.

    Returns:
        (B, 1, H, W), in [0, 1] and the input's dtype.

    Raises:
        ShapeError: If `alpha` is not floating (B, 1, H, W).

    Source: our own.
    """
    check_image(alpha, (1,))
    steps = (_levels_and_threshold, _fill_holes, _keep_parts, _grow, _smooth, _feather, _invert)
    for number, step in enumerate(steps, 1):
        alpha = step(alpha, options)
        if progress is not None:
            progress(number / len(steps))
    return alpha


def _levels_and_threshold(alpha: Tensor, options: MaskOptions) -> Tensor:
    result = levels(alpha, black_point=options.black_point, white_point=options.white_point)
    if options.threshold_kind == "off":
        return result
    softness = options.softness if options.threshold_kind == "soft" else 0.0
    return threshold(result, value=options.threshold, softness=softness)


def _fill_holes(alpha: Tensor, options: MaskOptions) -> Tensor:
    if options.fill_holes == "off":
        return alpha
    if options.fill_holes == "all":
        return fill_holes(alpha)
    return fill_holes(alpha, max_area=area(options.hole_area, options.area_unit, _size(alpha)))


def _keep_parts(alpha: Tensor, options: MaskOptions) -> Tensor:
    if options.keep_parts == "all":
        return alpha
    if options.keep_parts == "largest":
        return keep_parts(alpha, largest=options.keep_count)
    return keep_parts(alpha, min_area=area(options.min_area, options.area_unit, _size(alpha)))


def _grow(alpha: Tensor, options: MaskOptions) -> Tensor:
    return grow(alpha, radius=pixels(options.grow, options.unit, _size(alpha)))


def _smooth(alpha: Tensor, options: MaskOptions) -> Tensor:
    return smooth_outline(alpha, size=pixels(options.smooth, options.unit, _size(alpha)))


def _feather(alpha: Tensor, options: MaskOptions) -> Tensor:
    width = pixels(options.feather, options.unit, _size(alpha))
    return feather(alpha, width=width, side=options.feather_side)


def _invert(alpha: Tensor, options: MaskOptions) -> Tensor:
    return 1 - alpha if options.invert else alpha


def _size(alpha: Tensor) -> tuple[int, int]:
    return (alpha.shape[2], alpha.shape[3])
