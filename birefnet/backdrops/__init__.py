"""What lies behind a subject: other backgrounds, its shadow, and the light they cast on it."""

from __future__ import annotations

from .extract import PLAIN, extract_shadow, lit_share, plain_backdrop
from .light import light_wrap
from .replace import replace_background
from .scene import BACKGROUNDS, SHADOWS, Background, Scene, Shadow
from .shadow import cast_shadow, contact_shadow, multiply_layer
from .sources import (
    FITS,
    Fit,
    blur_background,
    blurred_original,
    fit_background,
    remove_subject,
)

__all__ = [
    "BACKGROUNDS",
    "FITS",
    "PLAIN",
    "SHADOWS",
    "Background",
    "Fit",
    "Scene",
    "Shadow",
    "blur_background",
    "blurred_original",
    "cast_shadow",
    "contact_shadow",
    "extract_shadow",
    "fit_background",
    "light_wrap",
    "lit_share",
    "multiply_layer",
    "plain_backdrop",
    "remove_subject",
    "replace_background",
]
