"""The nodes ComfyUI shows, and the extension that hands them over."""

from __future__ import annotations

from comfy_api.v0_0_2 import ComfyExtension, io

from .crop import CropToMask, PasteBack
from .foreground import RefineForeground
from .frame import FrameSubject
from .guided import GuidedRemove
from .load import LoadBiRefNet
from .mask import MaskOps
from .mask_combine import MaskCombine
from .mask_parts import MaskParts
from .refine_mask import RefineMask
from .remove import RemoveBackground
from .replace_background import ReplaceBackground
from .replacements import register_replacements
from .report import MatteReport
from .trimap import Trimap

NODES: list[type[io.ComfyNode]] = [
    LoadBiRefNet,
    RemoveBackground,
    RefineForeground,
    GuidedRemove,
    ReplaceBackground,
    FrameSubject,
    MaskOps,
    MaskCombine,
    MaskParts,
    RefineMask,
    Trimap,
    CropToMask,
    PasteBack,
    MatteReport,
]


class BiRefNetStudio(ComfyExtension):
    """The pack, as ComfyUI asks for it."""

    async def on_load(self) -> None:
        """Tell ComfyUI which nodes of older packs ours can take the place of."""
        await register_replacements()

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """All nodes, in the order of the search list."""
        return NODES


async def comfy_entrypoint() -> BiRefNetStudio:
    """Called once by ComfyUI after it imported the pack."""
    return BiRefNetStudio()
