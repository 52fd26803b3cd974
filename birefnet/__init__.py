"""Removes backgrounds: images in, soft mattes out, with BiRefNet.

predictor = birefnet.load("general")
alpha = predictor(image)
color = birefnet.estimate_foreground(image, alpha)
"""

from .backdrops import (
    blurred_original,
    cast_shadow,
    extract_shadow,
    fit_background,
    light_wrap,
    replace_background,
)
from .compositing import cutout, over, premultiply, unpremultiply
from .detail import InDetail, predict_in_detail
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
from .foreground import despill, estimate_foreground, refine_foreground
from .framing import frame_subject
from .guided import Objects, Prompt, predict_objects, read_prompts
from .masks import MaskOptions, apply_mask_ops, find_parts, levels
from .masks.report import matte_report
from .masks.trimap import trimap
from .matting import refine_mask
from .model.architecture import PRESETS, Architecture
from .model.network import BiRefNet, build
from .predict import Predictor, Sight, load
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
    "InDetail",
    "MaskOptions",
    "ModelNotFoundError",
    "NonFiniteError",
    "Objects",
    "OutOfMemoryError",
    "Predictor",
    "Preprocess",
    "Prompt",
    "ShapeError",
    "Sight",
    "UnsafeCheckpointError",
    "apply_mask_ops",
    "blurred_original",
    "build",
    "cast_shadow",
    "cutout",
    "despill",
    "estimate_foreground",
    "extract_shadow",
    "find_parts",
    "fit_background",
    "frame_subject",
    "levels",
    "light_wrap",
    "load",
    "matte_report",
    "over",
    "predict_in_detail",
    "predict_objects",
    "premultiply",
    "read_prompts",
    "refine_foreground",
    "refine_mask",
    "replace_background",
    "trimap",
    "unpremultiply",
]
