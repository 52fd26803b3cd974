"""Socket types used by more than one node."""

from __future__ import annotations

from collections.abc import Sequence

from comfy_api.v0_0_2 import io

from ..birefnet.regions import Box

BackgroundRemoval = io.Custom("BACKGROUND_REMOVAL")
"""A background removal model, ComfyUI's own type: its loader and its node use it too.

What travels on it has `encode_image(image) -> mask`.
"""

CropRegion = io.Custom("BIREFNET_REGION")
"""Where crops came from: a `birefnet.cropping.Region`, plain data."""


def box_to_dict(box: Box) -> dict[str, int]:
    """A box as ComfyUI's BOUNDING_BOX has it, in pixels."""
    return {"x": box.left, "y": box.top, "width": box.width, "height": box.height}


def bounding_boxes(boxes: Sequence[Box]) -> dict[str, int] | list[list[dict[str, int]]]:
    """Boxes as ComfyUI's BOUNDING_BOX: one alone, or a list for each of several pictures."""
    found = [box_to_dict(box) for box in boxes]
    return found[0] if len(found) == 1 else [[one] for one in found]
