"""Mattes to mattes: adjustments that need no image."""

from __future__ import annotations

from .combine import OPERATIONS, SIZE_CHOICES, Operation, SizeChoice, combine
from .edges import FEATHER_SIDES, FeatherSide, feather, grow
from .empty import EMPTY_POLICIES, EmptyPolicy, is_empty, settle_empty
from .holes import HOLE_CHOICES, HoleChoice, fill_holes
from .levels import check_levels, levels
from .operations import MaskOptions, apply_mask_ops
from .parts import (
    PART_CHOICES,
    PART_ORDERS,
    Part,
    PartChoice,
    PartOrder,
    area,
    find_parts,
    keep_parts,
)
from .smooth import smooth_outline
from .threshold import THRESHOLD_KINDS, ThresholdKind, threshold

__all__ = [
    "EMPTY_POLICIES",
    "FEATHER_SIDES",
    "HOLE_CHOICES",
    "OPERATIONS",
    "PART_CHOICES",
    "PART_ORDERS",
    "SIZE_CHOICES",
    "THRESHOLD_KINDS",
    "EmptyPolicy",
    "FeatherSide",
    "HoleChoice",
    "MaskOptions",
    "Operation",
    "Part",
    "PartChoice",
    "PartOrder",
    "SizeChoice",
    "ThresholdKind",
    "apply_mask_ops",
    "area",
    "check_levels",
    "combine",
    "feather",
    "fill_holes",
    "find_parts",
    "grow",
    "is_empty",
    "keep_parts",
    "levels",
    "settle_empty",
    "smooth_outline",
    "threshold",
]
