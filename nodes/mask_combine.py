"""Mask Combine: two masks -> one."""

from __future__ import annotations

from comfy_api.v0_0_2 import io
from torch import Tensor

from ..birefnet.masks import OPERATIONS, SIZE_CHOICES, combine
from . import host, previews
from .convert import core_to_mask, mask_to_core


class MaskCombine(io.ComfyNode):
    """Set operations on soft masks."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BiRefNet_MaskCombine",
            display_name="Mask Combine (BiRefNet)",
            category="image/mask",
            description=(
                "Combines two masks pixel by pixel, soft values included. Masks of different "
                "sizes and batches of different lengths are brought together or refused, never "
                "passed through."
            ),
            search_aliases=[
                *("add masks", "subtract mask", "merge masks", "mask composite", "union"),
                *("intersect", "difference", "exclude"),
            ],
            has_intermediate_output=True,
            inputs=[
                io.Mask.Input("mask", tooltip="The first mask; the result has its size."),
                io.Mask.Input(
                    "second_mask",
                    tooltip="The other mask. One mask is combined with each of several.",
                ),
                io.Combo.Input(
                    "operation",
                    options=list(OPERATIONS),
                    default=OPERATIONS[0],
                    optional=True,
                    tooltip="union: the larger value. intersection: the smaller one. difference: "
                    "the first without the intersection. exclusive or: the union without the "
                    "intersection. multiply: the product of both.",
                ),
                io.Combo.Input(
                    "sizes",
                    options=list(SIZE_CHOICES),
                    default=SIZE_CHOICES[0],
                    optional=True,
                    tooltip="If the second mask has another size. resize: it is resized if its "
                    "proportions are the first one's, else refused. stretch: resized whatever its "
                    "proportions. pad: its pixels stay, centered; what is missing is 0, what "
                    "protrudes is cut off. refuse: an error.",
                ),
            ],
            outputs=[
                io.Mask.Output("mask", tooltip="The combined masks, of the first mask's size."),
                io.Mask.Output("mask_inverted", tooltip="1 - mask, for nodes that expect that."),
            ],
        )

    @classmethod
    def execute(
        cls,
        mask: Tensor,
        second_mask: Tensor,
        operation: str = OPERATIONS[0],
        sizes: str = SIZE_CHOICES[0],
    ) -> io.NodeOutput:
        first, second = mask_to_core(mask), mask_to_core(second_mask)
        result = host.deliver(
            core_to_mask(host.on_device(combine, first, second, operation=operation, sizes=sizes))
        )
        shown = previews.show_mask(result, before=host.deliver(core_to_mask(first)), cls=cls)
        return io.NodeOutput(result, 1 - result, ui=shown)
