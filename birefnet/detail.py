"""Detail mode: locate the subject in a small view, then look at it again from close by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from .errors import ConfigError
from .predict import Predicts, Progress

Detail = Literal["off", "crop", "tiles"]
DETAILS: tuple[Detail, ...] = ("off", "crop", "tiles")


@dataclass(frozen=True, kw_only=True, slots=True)
class InDetail:
    """A predictor that looks again from close by, as a predictor."""

    predictor: Predicts
    """What finds the subject."""

    detail: Detail = "off"
    """As in `predict_in_detail`."""

    def network_size(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """As in `Predicts`."""
        return self.predictor.network_size(image_size)

    def __call__(
        self,
        image: Tensor,
        *,
        size: tuple[int, int] | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """As in `Predicts`."""
        return predict_in_detail(
            image, self.predictor, detail=self.detail, size=size, progress=progress
        )


def predict_in_detail(
    image: Tensor,
    predictor: Predicts,
    *,
    detail: Detail,
    size: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> Tensor:
    """Predict how opaque the subject is, as finely as asked for."""
    if detail not in DETAILS:
        raise ConfigError(f"detail must be one of {', '.join(DETAILS)}, got {detail!r}.")
    return predictor(image, size=size, progress=progress)
