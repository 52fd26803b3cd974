"""Which object: boxes, points or a coarse mask say what is cut out."""

from __future__ import annotations

from .existing import EXISTING_ALPHA, ExistingAlpha, predict_alpha
from .objects import CONTEXT, REACH, Objects, predict_objects
from .prompts import Prompt, parse_boxes, read_boxes, read_points, read_prompts

__all__ = [
    "CONTEXT",
    "EXISTING_ALPHA",
    "REACH",
    "ExistingAlpha",
    "Objects",
    "Prompt",
    "parse_boxes",
    "predict_alpha",
    "predict_objects",
    "read_boxes",
    "read_points",
    "read_prompts",
]
