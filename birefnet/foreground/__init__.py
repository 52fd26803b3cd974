"""The color an object had before it was blended with its background, and what to make of it."""

from .adaptive import adaptive
from .blur_fusion import SIZES, blur_fusion
from .despill import DESPILLS, KEYS, despill
from .estimate import METHODS, Method, estimate_foreground
from .multi_level import multi_level
from .refine import ALPHA_TYPES, UNDER_ALPHA, refine_foreground

__all__ = [
    "ALPHA_TYPES",
    "DESPILLS",
    "KEYS",
    "METHODS",
    "SIZES",
    "UNDER_ALPHA",
    "Method",
    "adaptive",
    "blur_fusion",
    "despill",
    "estimate_foreground",
    "multi_level",
    "refine_foreground",
]
