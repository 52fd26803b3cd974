"""What becomes of the transparency an image already has."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ..errors import ConfigError
from ..predict import Predicts, Progress, part_of
from ..regions import THRESHOLD, bounding_box
from ..tensors import check_image
from .objects import predict_objects
from .prompts import Prompt

ExistingAlpha = Literal["multiply", "ignore", "prior"]
EXISTING_ALPHA: tuple[ExistingAlpha, ...] = ("multiply", "ignore", "prior")


def predict_alpha(
    image: Tensor,
    predictor: Predicts,
    *,
    existing_alpha: ExistingAlpha = "multiply",
    progress: Progress | None = None,
) -> Tensor:
    """Predict the alpha of images that may have one already.

    Args:
        image: (B, C, H, W), in [0, 1], with 1 to 4 channels; a second or fourth channel is
            opacity.
        predictor: Such as `Predictor`, `Sight` or `InDetail`.
        existing_alpha: "multiply": the result cannot exceed the opacity. "ignore": only colors
            count. "prior": the opacity is a rough mask, and the subject is found anew around it;
            an image that is opaque everywhere says nothing in that way, and one that is
            transparent everywhere has no subject.
        progress: Called with the finished fraction; what it raises stops the work.

    Returns:
        Alpha (B, 1, H, W), in [0, 1], in the image's dtype and on its device.

    Raises:
        ShapeError: If the image is not such a tensor.
        ConfigError: If the option is not known.
    """
    if existing_alpha not in EXISTING_ALPHA:
        raise ConfigError(
            f"existing_alpha must be one of {', '.join(EXISTING_ALPHA)}, got {existing_alpha!r}."
        )
    check_image(image, (1, 2, 3, 4))
    if image.shape[1] in (1, 3) or existing_alpha == "multiply":
        return predictor(image, progress=progress)
    color, opacity = image[:, :-1], image[:, -1:]
    if existing_alpha == "ignore":
        return predictor(color, progress=progress)
    results = []
    for number, (one, rough) in enumerate(
        zip(torch.split(color, 1), torch.split(opacity, 1), strict=True)
    ):
        report = part_of(progress, number / len(image), 1 / len(image))
        if bool((rough > THRESHOLD).all()):
            results.append(predictor(one, progress=report))
            continue
        prompts = [Prompt(mask=rough)] if bounding_box(rough)[0] is not None else []
        results.append(predict_objects(one, predictor, [prompts], progress=report).union)
    return torch.cat(results)
