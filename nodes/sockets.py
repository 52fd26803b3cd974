"""Socket types used by more than one node."""

from __future__ import annotations

from comfy_api.v0_0_2 import io

BackgroundRemoval = io.Custom("BACKGROUND_REMOVAL")
"""A background removal model, ComfyUI's own type: its loader and its node use it too.

What travels on it has `encode_image(image) -> mask`.
"""
