"""Mask Ops: mask -> mask, in one fixed order."""

from __future__ import annotations

from comfy_api.v0_0_2 import io
from torch import Tensor

from ..birefnet.filters import UNITS
from ..birefnet.masks import (
    FEATHER_SIDES,
    HOLE_CHOICES,
    PART_CHOICES,
    THRESHOLD_KINDS,
    MaskOptions,
    apply_mask_ops,
)
from . import host, previews
from .convert import core_to_mask, mask_to_core

LONGEST = 16384.0
"""Largest length a node takes, in pixels."""

LARGEST = 1e9
"""Largest area a node takes, in pixels."""


class MaskOps(io.ComfyNode):
    """Shape masks without losing what is soft about them."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BiRefNet_MaskOps",
            display_name="Mask Ops (BiRefNet)",
            category="image/mask",
            description=(
                "Cleans and shapes masks, always in this order: levels, threshold, fill holes, "
                "keep parts, grow or shrink, smooth, feather, invert. Soft hair stays soft. "
                "A fresh node changes nothing."
            ),
            search_aliases=[
                *("grow mask", "shrink mask", "expand", "erode", "dilate", "feather", "blur mask"),
                *("fill holes", "threshold", "remove islands", "smooth mask", "invert mask"),
            ],
            has_intermediate_output=True,
            inputs=[
                io.Mask.Input("mask", tooltip="Masks of any size: 1 on the subject, 0 elsewhere."),
                io.Float.Input(
                    "black_point",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    optional=True,
                    tooltip="1. Levels: mask values up to here become 0, which removes faint "
                    "haze. 0 to 1, below white_point; 0 changes nothing.",
                ),
                io.Float.Input(
                    "white_point",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    optional=True,
                    tooltip="1. Levels: mask values from here on become 1, which closes faintly "
                    "transparent insides. 0 to 1, above black_point; 1 changes nothing.",
                ),
                io.Combo.Input(
                    "threshold_kind",
                    options=list(THRESHOLD_KINDS),
                    default=THRESHOLD_KINDS[0],
                    optional=True,
                    tooltip="2. Threshold. off: none. soft: values within `softness` around "
                    "`threshold` keep a slope. hard: only 0 and 1 are left, soft edges are lost.",
                ),
                io.Float.Input(
                    "threshold",
                    default=0.5,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    optional=True,
                    tooltip="2. Threshold: mask values from here on become 1 (hard), or are the "
                    "middle of the slope (soft). 0 to 1.",
                ),
                io.Float.Input(
                    "softness",
                    default=0.2,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    optional=True,
                    advanced=True,
                    tooltip="2. Threshold, soft only: range of mask values that the slope from 0 "
                    "to 1 spans, 0 to 1. 0 is as good as hard.",
                ),
                io.Combo.Input(
                    "fill_holes",
                    options=list(HOLE_CHOICES),
                    default=HOLE_CHOICES[0],
                    optional=True,
                    tooltip="3. Holes. off: kept. all: every hole is filled up to the opacity "
                    "that encloses it. by area: only holes up to `hole_area`. Haze around or "
                    "inside the subject is not hardened.",
                ),
                io.Float.Input(
                    "hole_area",
                    default=100.0,
                    min=0.0,
                    max=LARGEST,
                    step=1.0,
                    optional=True,
                    tooltip="3. Holes, by area only: largest hole that is filled, in pixels or "
                    "percent of the picture (`area_unit`).",
                ),
                io.Combo.Input(
                    "keep_parts",
                    options=list(PART_CHOICES),
                    default=PART_CHOICES[0],
                    optional=True,
                    tooltip="4. Parts. all: kept. largest: the `keep_count` largest separate "
                    "parts. by area: parts of at least `min_area`. A part keeps its soft edge.",
                ),
                io.Int.Input(
                    "keep_count",
                    default=1,
                    min=1,
                    max=10000,
                    optional=True,
                    tooltip="4. Parts, largest only: how many of them are kept.",
                ),
                io.Float.Input(
                    "min_area",
                    default=100.0,
                    min=0.0,
                    max=LARGEST,
                    step=1.0,
                    optional=True,
                    tooltip="4. Parts, by area only: smallest part that is kept, in pixels or "
                    "percent of the picture (`area_unit`). Soft pixels count in proportion.",
                ),
                io.Float.Input(
                    "grow",
                    default=0.0,
                    min=-LONGEST,
                    max=LONGEST,
                    step=0.1,
                    optional=True,
                    tooltip="5. Move the edge outward (above 0) or inward (below 0) by this "
                    "distance, in `unit`; fractions count. A soft edge stays as soft as it was.",
                ),
                io.Float.Input(
                    "smooth",
                    default=0.0,
                    min=0.0,
                    max=LONGEST,
                    step=0.1,
                    optional=True,
                    tooltip="6. Round off steps and bumps of the outline up to about this size, "
                    "in `unit`. Hair outside the outline is kept. 0 changes nothing.",
                ),
                io.Float.Input(
                    "feather",
                    default=0.0,
                    min=0.0,
                    max=LONGEST,
                    step=0.1,
                    optional=True,
                    tooltip="7. Fade the edge over this distance, in `unit`. Where the picture's "
                    "frame cuts the mask it is not faded. 0 changes nothing.",
                ),
                io.Combo.Input(
                    "feather_side",
                    options=list(FEATHER_SIDES),
                    default=FEATHER_SIDES[0],
                    optional=True,
                    tooltip="7. Where the fade lies. centered: half on each side of the edge. "
                    "inside: the mask only loses. outside: the mask only gains.",
                ),
                io.Combo.Input(
                    "unit",
                    options=list(UNITS),
                    default=UNITS[0],
                    optional=True,
                    tooltip="Of grow, smooth and feather: pixels, or percent of the picture's "
                    "shorter side.",
                ),
                io.Combo.Input(
                    "area_unit",
                    options=list(UNITS),
                    default=UNITS[0],
                    optional=True,
                    advanced=True,
                    tooltip="Of hole_area and min_area: pixels, or percent of the picture's area.",
                ),
                io.Boolean.Input(
                    "invert",
                    default=False,
                    optional=True,
                    tooltip="8. Swap subject and background at the end.",
                ),
            ],
            outputs=[
                io.Mask.Output("mask", tooltip="The result: 1 on the subject unless inverted."),
                io.Mask.Output(
                    "mask_inverted",
                    tooltip="1 - mask: what Join Image with Alpha and most inpainting nodes "
                    "expect.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        mask: Tensor,
        black_point: float = 0.0,
        white_point: float = 1.0,
        threshold_kind: str = THRESHOLD_KINDS[0],
        threshold: float = 0.5,
        softness: float = 0.2,
        fill_holes: str = HOLE_CHOICES[0],
        hole_area: float = 100.0,
        keep_parts: str = PART_CHOICES[0],
        keep_count: int = 1,
        min_area: float = 100.0,
        grow: float = 0.0,
        smooth: float = 0.0,
        feather: float = 0.0,
        feather_side: str = FEATHER_SIDES[0],
        unit: str = UNITS[0],
        area_unit: str = UNITS[0],
        invert: bool = False,
    ) -> io.NodeOutput:
        options = MaskOptions(
            black_point=black_point,
            white_point=white_point,
            threshold_kind=threshold_kind,
            threshold=threshold,
            softness=softness,
            fill_holes=fill_holes,
            hole_area=hole_area,
            keep_parts=keep_parts,
            keep_count=keep_count,
            min_area=min_area,
            grow=grow,
            smooth=smooth,
            feather=feather,
            feather_side=feather_side,
            unit=unit,
            area_unit=area_unit,
            invert=invert,
        )
        alpha = mask_to_core(mask)
        count = len(alpha)
        progress = host.progress()
        result = host.empty((count, *alpha.shape[2:]))
        for number in range(count):
            one = slice(number, number + 1)
            shaped = host.on_device(
                apply_mask_ops,
                alpha[one],
                options=options,
                progress=lambda fraction, done=number: progress((done + fraction) / count),
            )
            result[one] = core_to_mask(shaped)
        shown = previews.show_mask(result, before=host.deliver(core_to_mask(alpha)), cls=cls)
        return io.NodeOutput(result, 1 - result, ui=shown)
