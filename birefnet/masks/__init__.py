"""Mattes to mattes: adjustments that need no image."""

from __future__ import annotations

from .empty import EMPTY_POLICIES, EmptyPolicy, is_empty, settle_empty
from .levels import check_levels, levels

__all__ = [
    "EMPTY_POLICIES",
    "EmptyPolicy",
    "check_levels",
    "is_empty",
    "levels",
    "settle_empty",
]
