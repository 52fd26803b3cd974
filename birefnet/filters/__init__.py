"""Image filters that no library offers in this form."""

from __future__ import annotations

from .box import Anchor, Border, box_mean
from .distance import distance_to, signed_distance
from .fill import fill
from .gaussian import gaussian_blur
from .labels import label
from .units import UNITS, Unit, pixels

__all__ = [
    "UNITS",
    "Anchor",
    "Border",
    "Unit",
    "box_mean",
    "distance_to",
    "fill",
    "gaussian_blur",
    "label",
    "pixels",
    "signed_distance",
]
