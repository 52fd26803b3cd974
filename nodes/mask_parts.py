"""Mask Parts: mask -> one mask and one box for each separate part."""

from __future__ import annotations

from comfy_api.v0_0_2 import io
from torch import Tensor

from ..birefnet.filters import UNITS
from ..birefnet.guided.prompts import read_points
from ..birefnet.masks import EMPTY_POLICIES, PART_ORDERS, area, find_parts
from . import host, inputs, previews
from .convert import mask_for, mask_to_core
from .sockets import box_to_dict


class MaskParts(io.ComfyNode):
    """Take masks apart into connected parts."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BiRefNet_MaskParts",
            display_name="Mask Parts (BiRefNet)",
            category="image/mask",
            description=(
                "Gives each separate part of a mask as a mask of its own, with its box. Soft "
                "pixels are divided among the parts without loss: all parts add up to the mask."
            ),
            search_aliases=[
                *("separate masks", "split mask", "connected components", "islands"),
                *("mask to boxes", "bounding boxes"),
            ],
            has_intermediate_output=True,
            inputs=[
                io.Mask.Input("mask", tooltip="Masks: 1 on the subjects, 0 elsewhere."),
                io.Float.Input(
                    "min_area",
                    default=0.0,
                    min=0.0,
                    max=1e9,
                    step=1.0,
                    optional=True,
                    tooltip="Smallest part given, in pixels or percent of the picture "
                    "(`area_unit`). Soft pixels count in proportion; 0 gives all parts.",
                ),
                io.Combo.Input(
                    "order",
                    options=list(PART_ORDERS),
                    default=PART_ORDERS[0],
                    optional=True,
                    tooltip="largest: by area. left to right or top to bottom: by the middle of "
                    "the part's box. points: as the points that chose them (largest without "
                    "points).",
                ),
                io.Int.Input(
                    "limit",
                    default=0,
                    min=0,
                    max=10000,
                    optional=True,
                    tooltip="Most parts given for one mask, the first in order; 0 gives all.",
                ),
                io.String.Input(
                    "points",
                    default="",
                    multiline=False,
                    optional=True,
                    tooltip="Only the parts at or nearest to these points, in pixels, as SAM nodes "
                    'take them: a JSON list of objects with "x" and "y". Empty: all parts.',
                ),
                io.Float.Input(
                    "threshold",
                    default=0.5,
                    min=0.01,
                    max=1.0,
                    step=0.01,
                    optional=True,
                    advanced=True,
                    tooltip="Mask value from which on pixels that touch are one part, 0.01 to 1. "
                    "Lower it if soft bridges should join parts.",
                ),
                io.Combo.Input(
                    "area_unit",
                    options=list(UNITS),
                    default=UNITS[0],
                    optional=True,
                    advanced=True,
                    tooltip="Of min_area: pixels, or percent of the picture's area.",
                ),
                *inputs.empty_policy(
                    "If a mask has no part that is asked for. pass: it gives none, with a "
                    "warning (one empty mask if there is no part at all). error: stop. fallback: "
                    "use fallback_mask for that mask."
                ),
            ],
            outputs=[
                io.Mask.Output(
                    "masks", tooltip="One mask for each part, those of the first mask first."
                ),
                io.BoundingBox.Output(
                    "boxes",
                    tooltip="The box of each part as x, y, width and height in pixels, in the "
                    "masks' order: a list, or a list for each mask if several came in.",
                ),
                io.Int.Output("count", tooltip="Number of parts found, over all masks."),
                io.Boolean.Output(
                    "is_empty", tooltip="Whether at least one of the given masks has no part."
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        mask: Tensor,
        min_area: float = 0.0,
        order: str = PART_ORDERS[0],
        limit: int = 0,
        points: str = "",
        threshold: float = 0.5,
        area_unit: str = UNITS[0],
        on_empty: str = EMPTY_POLICIES[0],
        fallback_mask: Tensor | None = None,
    ) -> io.NodeOutput:
        alpha = mask_to_core(mask)
        size = (alpha.shape[2], alpha.shape[3])
        progress = host.progress()
        found, empty = find_parts(
            alpha.cpu(),
            threshold=threshold,
            min_area=area(min_area, area_unit, size),
            points=read_points(points),
            order=order,
            limit=limit or None,
            on_empty=on_empty,
            fallback=None if fallback_mask is None else mask_for(fallback_mask, alpha).cpu(),
        )
        if any(empty):
            which = ", ".join(str(number) for number, one in enumerate(empty) if one)
            action = "fallback_mask is used" if on_empty == "fallback" else "it gives none"
            host.say(f"No part in mask {which} (counted from 0): {action}.", cls.hidden.unique_id)
        parts = [part for some in found for part in some]
        masks = host.empty((max(1, len(parts)), *size)).zero_()
        for number, part in enumerate(parts):
            masks[number] = part.full()[0, 0]
            progress((number + 1) / len(parts))
        boxes = [[box_to_dict(part.box) for part in some] for some in found]
        return io.NodeOutput(
            masks,
            boxes[0] if len(boxes) == 1 else boxes,
            len(parts),
            any(empty),
            ui=previews.show_mask(masks, cls=cls),
        )
