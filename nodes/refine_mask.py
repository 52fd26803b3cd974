"""Refine Mask: image + mask -> a mask that follows the picture."""

from __future__ import annotations

from comfy_api.v0_0_2 import io
from torch import Tensor

from ..birefnet.filters import UNITS, pixels
from ..birefnet.matting import (
    BAND,
    CONTRAST,
    EPSILON,
    MAX_MEGAPIXELS,
    METHODS,
    RADIUS,
    TRUST,
    find_band,
    refine_mask,
)
from . import host, previews
from .convert import core_to_mask, mask_for, pair, rgb


class RefineMask(io.ComfyNode):
    """Draw the edge of each mask where the picture has it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BiRefNet_RefineMask",
            display_name="Refine Mask (BiRefNet)",
            category="image/mask",
            description=(
                "Finds the edge of a mask anew from the colors of the picture: rough outlines "
                "snap to the subject, and hair becomes soft. Away from the edge nothing changes."
            ),
            search_aliases=["matting", "guided filter", "closed form", "trimap", "hair", "edges"],
            has_intermediate_output=True,
            inputs=[
                io.Image.Input("image", tooltip="The pictures the masks belong to, 0 to 1."),
                io.Mask.Input(
                    "mask",
                    tooltip="1 on the subject, 0 on the background. One for all pictures, or one "
                    "for each; in the picture's proportions.",
                ),
                io.Combo.Input(
                    "method",
                    options=list(METHODS),
                    default=METHODS[0],
                    optional=True,
                    tooltip="guided filter: learns from what is certain nearby; clean. "
                    "closed-form: colors near an edge mix in a straight line; keeps "
                    "finer tips and hair. knn: compares each pixel with those most like it, also "
                    "across gaps; for fur, and for masks that are far too large or small.",
                ),
                io.Float.Input(
                    "inside",
                    default=BAND,
                    min=0.0,
                    max=1000.0,
                    step=0.5,
                    optional=True,
                    tooltip="How far the band that is found anew reaches into the subject, in "
                    "`unit`. As wide as the mask may be wrong; soft parts always belong to it.",
                ),
                io.Float.Input(
                    "outside",
                    default=BAND,
                    min=0.0,
                    max=1000.0,
                    step=0.5,
                    optional=True,
                    tooltip="How far the band reaches into the background, in `unit`. Wide enough "
                    "for the hair that is missing.",
                ),
                io.Combo.Input(
                    "unit",
                    options=list(UNITS),
                    default=UNITS[0],
                    optional=True,
                    tooltip="Of inside, outside and radius: pixels, or percent of the picture's "
                    "shorter side.",
                ),
                io.Float.Input(
                    "trust",
                    default=TRUST,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    optional=True,
                    advanced=True,
                    tooltip="How much the given mask counts within the band, for closed-form and "
                    "knn, 0 to 1. 0: only the picture decides. 1: the mask stays as it is.",
                ),
                io.Float.Input(
                    "contrast",
                    default=CONTRAST,
                    min=1.0,
                    max=10.0,
                    step=0.05,
                    optional=True,
                    advanced=True,
                    tooltip="How much the new edge is sharpened, 1 to 10: more makes it crisper, 1 "
                    "keeps the faintest hair, and haze.",
                ),
                io.Float.Input(
                    "radius",
                    default=RADIUS,
                    min=1.0,
                    max=1000.0,
                    step=0.5,
                    optional=True,
                    advanced=True,
                    tooltip="Half the window in which colors are compared with the mask, in "
                    "`unit`; 1 pixel at least. Larger windows find edges that are farther away.",
                ),
                io.Float.Input(
                    "epsilon",
                    default=EPSILON,
                    min=0.000001,
                    max=1.0,
                    step=0.0001,
                    round=False,
                    optional=True,
                    advanced=True,
                    tooltip="Differences of color whose square is below this count "
                    "as none, 0.000001 to 1. Smaller follows fainter edges, and noise.",
                ),
                io.Float.Input(
                    "max_megapixels",
                    default=MAX_MEGAPIXELS,
                    min=0.1,
                    max=100.0,
                    step=0.1,
                    optional=True,
                    advanced=True,
                    tooltip="For closed-form and knn: bands with more pixels than this, in "
                    "millions, are solved at a lower size and brought back by the guided filter. "
                    "Bounds time and memory.",
                ),
                io.Mask.Input(
                    "trimap",
                    optional=True,
                    tooltip="Instead of inside and outside: 0 on the background, 1 on the subject, "
                    "anything between where the mask is found anew. From Trimap, or painted.",
                ),
            ],
            outputs=[
                io.Mask.Output("mask", tooltip="1 on the subject, 0 on the background."),
                io.Mask.Output("unknown", tooltip="1 where the mask was found anew, 0 elsewhere."),
            ],
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        mask: Tensor,
        method: str = METHODS[0],
        inside: float = BAND,
        outside: float = BAND,
        unit: str = UNITS[0],
        trust: float = TRUST,
        contrast: float = CONTRAST,
        radius: float = RADIUS,
        epsilon: float = EPSILON,
        max_megapixels: float = MAX_MEGAPIXELS,
        trimap: Tensor | None = None,
    ) -> io.NodeOutput:
        pictures, alpha = pair(image, mask)
        given = None if trimap is None else mask_for(trimap, pictures)
        size = (pictures.shape[2], pictures.shape[3])
        inside, outside, radius = (pixels(value, unit, size) for value in (inside, outside, radius))
        refined, unknown = host.empty(alpha.shape), host.empty(alpha.shape)
        progress = host.progress()
        for number in range(len(alpha)):
            one = slice(number, number + 1)
            if given is None:
                band = find_band(alpha[one], inside=inside, outside=outside)
            else:
                band = given[one]
            refined[one] = host.on_device(
                refine_mask,
                rgb(pictures[one]),
                alpha[one],
                band,
                method=method,
                radius=max(1, radius),
                epsilon=epsilon,
                trust=trust,
                contrast=contrast,
                max_megapixels=max_megapixels,
                progress=lambda fraction, done=number: progress((done + fraction) / len(alpha)),
            )
            unknown[one] = ((band > 0) & (band < 1)).to(unknown)
            progress((number + 1) / len(alpha))
        result = core_to_mask(refined)
        shown = previews.show_mask(result, before=core_to_mask(alpha), cls=cls)
        return io.NodeOutput(result, core_to_mask(unknown), ui=shown)
