"""From prompts to the alpha of each object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from ..errors import ConfigError
from ..predict import Predicts, Progress
from ..regions import Box
from .prompts import Prompt

CONTEXT = 1.25
"""Sides of what the network sees of an object, as a multiple of the prompt's sides."""

REACH = 10.0
"""How far beyond its prompt an object may go, in percent of the prompt's sides."""


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Objects:
    """What prompts selected."""

    union: Tensor
    """Alpha of all objects of each image together, (B, 1, H, W), in [0, 1]."""

    alphas: Tensor
    """Alpha of each object, (N, 1, H, W), image by image in the order of the prompts."""

    boxes: list[list[Box | None]]
    """Where each object of each image lies; None for one that was not found."""


def predict_objects(
    image: Tensor,
    predictor: Predicts,
    prompts: Sequence[Sequence[Prompt]],
    *,
    context: float = CONTEXT,
    reach: float = REACH,
    progress: Progress | None = None,
) -> Objects:
    """Find the objects that prompts mark."""
    if len(prompts) != len(image):
        raise ConfigError(f"each image needs its prompts, got {len(prompts)} for {len(image)}.")
    raise NotImplementedError
