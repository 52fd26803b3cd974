"""Mattes that follow the picture: given masks made better along their edges."""

from __future__ import annotations

from ..masks.trimap import BAND
from .guided_filter import EPSILON, RADIUS
from .refine import CONTRAST, MAX_MEGAPIXELS, METHODS, TRUST, Method, find_band, refine_mask

__all__ = [
    "BAND",
    "CONTRAST",
    "EPSILON",
    "MAX_MEGAPIXELS",
    "METHODS",
    "RADIUS",
    "TRUST",
    "Method",
    "find_band",
    "refine_mask",
]
