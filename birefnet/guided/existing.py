"""What becomes of the transparency an image already has."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from ..errors import ConfigError
from ..predict import Predicts, Progress

ExistingAlpha = Literal["multiply", "ignore", "prior"]
EXISTING_ALPHA: tuple[ExistingAlpha, ...] = ("multiply", "ignore", "prior")


def predict_alpha(
    image: Tensor,
    predictor: Predicts,
    *,
    existing_alpha: ExistingAlpha = "multiply",
    progress: Progress | None = None,
) -> Tensor:
    """Predict the alpha of images that may have one already."""
    if existing_alpha not in EXISTING_ALPHA:
        raise ConfigError(
            f"existing_alpha must be one of {', '.join(EXISTING_ALPHA)}, got {existing_alpha!r}."
        )
    return predictor(image, progress=progress)
