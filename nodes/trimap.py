"""Trimap: mask -> subject, background and the band between; edge band and stroke."""

from __future__ import annotations

from comfy_api.v0_0_2 import io
from torch import Tensor

from ..birefnet.filters import UNITS, pixels
from ..birefnet.masks.trimap import BAND, POSITIONS, STROKE, WHERE, edge_band, stroke, trimap
from . import host, previews
from .convert import core_to_mask, mask_to_core


class Trimap(io.ComfyNode):
    """Find the bands along the outline of each mask."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BiRefNet_Trimap",
            display_name="Trimap (BiRefNet)",
            category="image/mask",
            description=(
                "Splits a mask into subject, background and an uncertain band along its outline. "
                "Also gives that outline as a soft band, and as a stroke of even width."
            ),
            search_aliases=[
                "unknown region",
                "edge mask",
                "outline",
                "stroke",
                "sticker",
                "border",
            ],
            has_intermediate_output=True,
            inputs=[
                io.Mask.Input("mask", tooltip="1 on the subject, 0 on the background."),
                io.Float.Input(
                    "inside",
                    default=BAND,
                    min=0.0,
                    max=1000.0,
                    step=0.5,
                    optional=True,
                    tooltip="How far the band reaches into the subject, in `unit`.",
                ),
                io.Float.Input(
                    "outside",
                    default=BAND,
                    min=0.0,
                    max=1000.0,
                    step=0.5,
                    optional=True,
                    tooltip="How far the band reaches into the background, in `unit`.",
                ),
                io.Combo.Input(
                    "unit",
                    options=list(UNITS),
                    default=UNITS[0],
                    optional=True,
                    tooltip="Of inside, outside and stroke_width: pixels, or percent of the mask's "
                    "shorter side.",
                ),
                io.Combo.Input(
                    "where",
                    options=list(WHERE),
                    default=WHERE[0],
                    optional=True,
                    tooltip="edge: the band runs along the whole outline. soft: only around soft "
                    "parts such as hair, so that hard edges stay certain.",
                ),
                io.Float.Input(
                    "stroke_width",
                    default=STROKE,
                    min=0.0,
                    max=1000.0,
                    step=0.5,
                    optional=True,
                    tooltip="Width of the stroke in `unit`; fractions of a pixel count.",
                ),
                io.Combo.Input(
                    "stroke_position",
                    options=list(POSITIONS),
                    default=POSITIONS[0],
                    optional=True,
                    tooltip="Where the stroke runs: outside the subject as on a sticker (mask + "
                    "stroke is then the grown mask, without a gap), inside it, or on its edge.",
                ),
            ],
            outputs=[
                io.Mask.Output(
                    "trimap", tooltip="0 on the background, 1 on the subject, 0.5 between."
                ),
                io.Mask.Output("foreground", tooltip="1 on what is certainly subject."),
                io.Mask.Output("background", tooltip="1 on what is certainly background."),
                io.Mask.Output("unknown", tooltip="1 on the band between, which has hard edges."),
                io.Mask.Output(
                    "edge_band",
                    tooltip="1 within inside and outside of the contour at one half, with smooth "
                    "edges: for inpainting seams or blurring edges.",
                ),
                io.Mask.Output("stroke", tooltip="1 on the stroke, with smooth edges."),
            ],
        )

    @classmethod
    def execute(
        cls,
        mask: Tensor,
        inside: float = BAND,
        outside: float = BAND,
        unit: str = UNITS[0],
        where: str = WHERE[0],
        stroke_width: float = STROKE,
        stroke_position: str = POSITIONS[0],
    ) -> io.NodeOutput:
        alpha = mask_to_core(mask)
        size = (alpha.shape[2], alpha.shape[3])
        inside, outside, width = (pixels(v, unit, size) for v in (inside, outside, stroke_width))
        bands, edges, strokes = (host.empty(alpha.shape) for _ in range(3))
        progress = host.progress()
        for number in range(len(alpha)):
            one = slice(number, number + 1)
            item = alpha[one].float()
            bands[one] = trimap(item, inside=inside, outside=outside, where=where).to(bands)
            edges[one] = edge_band(item, inside=inside, outside=outside).to(edges)
            strokes[one] = stroke(item, width=width, position=stroke_position).to(strokes)
            progress((number + 1) / len(alpha))
        result = core_to_mask(bands)
        subject, background = (result == 1).to(result), (result == 0).to(result)
        return io.NodeOutput(
            result,
            subject,
            background,
            1 - subject - background,
            core_to_mask(edges),
            core_to_mask(strokes),
            ui=previews.show_mask(result, before=core_to_mask(alpha), cls=cls),
        )
