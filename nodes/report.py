"""Matte Report: mask -> numbers about it, and whether a person should look at it."""

from __future__ import annotations

from comfy_api.v0_0_2 import io
from torch import Tensor

from ..birefnet.masks import EMPTY_POLICIES, settle_empty
from ..birefnet.masks.report import (
    REASONS,
    SMALLEST_PART,
    THRESHOLD,
    matte_report,
    summarize,
    to_json,
    to_line,
)
from ..birefnet.regions import Box
from . import host, inputs
from .convert import mask_for, mask_to_core
from .sockets import bounding_boxes

SHOWN = 8  # masks that are described on the node itself


class MatteReport(io.ComfyNode):
    """Measure each mask."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BiRefNet_MatteReport",
            display_name="Matte Report (BiRefNet)",
            category="image/background removal",
            description=(
                "Measures masks: how much they cover, where, how soft and how certain they are, "
                "and whether somebody should look at them. For switches and quality checks."
            ),
            search_aliases=["mask info", "statistics", "is empty", "coverage", "quality", "area"],
            has_intermediate_output=True,
            inputs=[
                io.Mask.Input("mask", tooltip="1 on the subject, 0 on the background."),
                io.Float.Input(
                    "threshold",
                    default=THRESHOLD,
                    min=0.0,
                    max=0.99,
                    step=0.01,
                    optional=True,
                    advanced=True,
                    tooltip="Mask values above it count when parts are counted and when the "
                    "subject touches the border, 0 to 0.99.",
                ),
                io.Float.Input(
                    "smallest_part",
                    default=100 * SMALLEST_PART,
                    min=0.0,
                    max=100.0,
                    step=0.1,
                    optional=True,
                    advanced=True,
                    tooltip="Parts smaller than this many percent of the subject are specks and "
                    "are not counted, 0 to 100.",
                ),
                *inputs.empty_policy(
                    "If a mask has no subject. pass: report that, with a warning. error: "
                    "stop. fallback: measure fallback_mask instead of it."
                ),
            ],
            outputs=[
                io.Float.Output(
                    "coverage",
                    tooltip="Share of the picture that the subject covers, 0 to 1. Of several "
                    "masks the mean, here and for the next two.",
                ),
                io.Float.Output(
                    "uncertainty",
                    tooltip="How undecided the subject's pixels are, from 0 (all opaque) to 1 (all "
                    "half transparent).",
                ),
                io.Float.Output(
                    "edge_width", tooltip="Width of the soft edge in pixels; 0 if it is hard."
                ),
                io.Float.Output(
                    "border_contact",
                    tooltip="The largest share of a side of the picture that the subject touches, "
                    "0 to 1; the report has all four sides. Of several masks the largest.",
                ),
                io.Int.Output(
                    "parts",
                    tooltip="Number of separate parts, without specks. Of several masks the "
                    "largest.",
                ),
                io.BoundingBox.Output(
                    "bounding_box",
                    tooltip="Smallest box around the subject: x, y, width and height in pixels; "
                    "the whole picture if there is none. A list per picture if there are several.",
                ),
                io.Boolean.Output(
                    "is_empty", tooltip="Whether at least one of the given masks has no subject."
                ),
                io.Boolean.Output(
                    "needs_review",
                    tooltip="Whether there is a reason to look at one of the masks: "
                    + ", ".join(REASONS)
                    + ".",
                ),
                io.String.Output(
                    "report", tooltip="All numbers of each mask, and the reasons, as JSON."
                ),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        mask: Tensor,
        threshold: float = THRESHOLD,
        smallest_part: float = 100 * SMALLEST_PART,
        on_empty: str = EMPTY_POLICIES[0],
        fallback_mask: Tensor | None = None,
    ) -> io.NodeOutput:
        alpha = mask_to_core(mask)
        fallback = None if fallback_mask is None else mask_for(fallback_mask, alpha)
        alpha, empty = settle_empty(alpha, on_empty=on_empty, fallback=fallback)
        progress = host.progress()
        reports = []
        for number, one in enumerate(alpha.split(1)):
            reports += matte_report(one, threshold=threshold, smallest_part=smallest_part / 100)
            progress((number + 1) / len(alpha))
        host.say(" | ".join(map(to_line, reports[:SHOWN])), cls.hidden.unique_id)
        whole = Box(0, 0, alpha.shape[3], alpha.shape[2])
        total = summarize(reports)
        text = to_json(reports)
        return io.NodeOutput(
            total.coverage,
            total.uncertainty,
            total.edge_width,
            total.border_contact,
            total.parts,
            bounding_boxes([one.bounding_box or whole for one in reports]),
            any(empty),
            total.needs_review,
            text,
            ui={"text": [text]},
        )
