"""Removes backgrounds: images in, soft mattes out, with BiRefNet.

predictor = birefnet.load("general")
alpha = predictor(image)
color = birefnet.estimate_foreground(image, alpha)
"""

from .compositing import cutout, over, premultiply, unpremultiply
from .errors import (
    AmbiguousCheckpointError,
    BiRefNetError,
    CheckpointError,
    ConfigError,
    DownloadError,
    GatedModelError,
    ImageFileError,
    ModelNotFoundError,
    NonFiniteError,
    OutOfMemoryError,
    ShapeError,
    UnsafeCheckpointError,
)
from .foreground import estimate_foreground
from .masks import levels
from .model.architecture import PRESETS, Architecture
from .model.network import BiRefNet, build
from .predict import Predictor, load
from .preprocess import Preprocess

__version__ = "0.1.0"

__all__ = [
    "PRESETS",
    "AmbiguousCheckpointError",
    "Architecture",
    "BiRefNet",
    "BiRefNetError",
    "CheckpointError",
    "ConfigError",
    "DownloadError",
    "GatedModelError",
    "ImageFileError",
    "ModelNotFoundError",
    "NonFiniteError",
    "OutOfMemoryError",
    "Predictor",
    "Preprocess",
    "ShapeError",
    "UnsafeCheckpointError",
    "build",
    "cutout",
    "estimate_foreground",
    "levels",
    "load",
    "over",
    "premultiply",
    "unpremultiply",
]
