"""Refine Foreground: image + mask -> the subject's own colors."""

from __future__ import annotations

import torch
from comfy_api.v0_0_2 import io
from torch import Tensor

from ..birefnet.compositing import cutout, parse_color, premultiply
from ..birefnet.filters import UNITS, pixels
from ..birefnet.foreground import (
    ALPHA_TYPES,
    DESPILLS,
    METHODS,
    SIZES,
    UNDER_ALPHA,
    refine_foreground,
)
from ..birefnet.masks import EMPTY_POLICIES, settle_empty
from . import host, inputs, previews
from .convert import core_to_image, core_to_mask, mask_for, pair, rgb


class RefineForeground(io.ComfyNode):
    """Find the subject's own color where the old background shines through."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BiRefNet_RefineForeground",
            display_name="Refine Foreground (BiRefNet)",
            category="image/background removal",
            description=(
                "Finds the subject's own color in soft edges, hair and glass, so that a cutout has "
                "no halo of the old background; takes the light of a green or blue screen off; "
                "and decides what lies under full transparency. Never changes the mask."
            ),
            search_aliases=[
                *("decontaminate", "defringe", "halo", "edge color", "foreground estimation"),
                *("despill", "green screen", "alpha bleed", "premultiply", "matting"),
            ],
            has_intermediate_output=True,
            inputs=[
                io.Image.Input(
                    "image",
                    tooltip="The pictures the masks were made from, in their original colors. A "
                    "fourth channel is existing transparency, which the mask cannot exceed.",
                ),
                io.Mask.Input(
                    "mask",
                    tooltip="1 on the subject, 0 on the background, soft edges. One for all "
                    "pictures or one for each; another size in the same proportions is resized.",
                ),
                io.Combo.Input(
                    "method",
                    options=[*METHODS, "off"],
                    default=METHODS[0],
                    optional=True,
                    tooltip="How the subject's own color is found. adaptive: our own, smallest "
                    "error. multi-level: the smoothest colors that explain the picture. "
                    "blur-fusion: averages of what is known around, in two passes; "
                    "blur-fusion-once in one. off: keep the picture's colors.",
                ),
                io.Float.Input(
                    "blur_size",
                    default=SIZES[0],
                    min=1.0,
                    max=4096.0,
                    step=1.0,
                    optional=True,
                    advanced=True,
                    tooltip="For blur-fusion: side of the square that colors are averaged over, in "
                    "`unit`, at least 1 pixel. Costs the same for every size.",
                ),
                io.Float.Input(
                    "fine_blur_size",
                    default=SIZES[1],
                    min=1.0,
                    max=4096.0,
                    step=1.0,
                    optional=True,
                    advanced=True,
                    tooltip="For the second pass of blur-fusion: side of its square, in `unit`, at "
                    "least 1 pixel. Smaller shows more of the texture.",
                ),
                io.Combo.Input(
                    "unit",
                    options=list(UNITS),
                    default=UNITS[0],
                    optional=True,
                    advanced=True,
                    tooltip="Of both sizes: pixels, or percent of the picture's shorter side.",
                ),
                io.Combo.Input(
                    "despill",
                    options=list(DESPILLS),
                    default=DESPILLS[0],
                    optional=True,
                    tooltip="Takes the light of a colored screen off the subject and keeps its "
                    "brightness: of a green one, a blue one, or of the color key_color.",
                ),
                io.Color.Input(
                    "key_color",
                    default="#00b140",
                    optional=True,
                    tooltip="The screen's color for despill = key color: #rrggbb, a name, or three "
                    "numbers from 0 to 255. Only its hue counts, so it must not be gray.",
                ),
                io.Float.Input(
                    "despill_strength",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    optional=True,
                    tooltip="How much of the screen's light is taken off, 0 to 1. Lower it if the "
                    "subject itself has that hue.",
                ),
                io.Combo.Input(
                    "under_alpha",
                    options=list(UNDER_ALPHA),
                    default=UNDER_ALPHA[0],
                    optional=True,
                    tooltip="Colors under full transparency. bleed: those of the edge spread "
                    "outward, so that scaling and VAE encoding never bring the old background "
                    "back. keep: the picture. zero: black. fill: fill_color.",
                ),
                io.Color.Input(
                    "fill_color",
                    default="#000000",
                    optional=True,
                    tooltip="For under_alpha = fill: #rrggbb, a name, or three numbers from 0 to "
                    "255.",
                ),
                io.Combo.Input(
                    "alpha_type",
                    options=list(ALPHA_TYPES),
                    default=ALPHA_TYPES[0],
                    optional=True,
                    advanced=True,
                    tooltip="Colors of the cutout. straight: as PNG files and ComfyUI's nodes want "
                    "them. premultiplied: times opacity, as some compositing programs want them; "
                    "then black under full transparency.",
                ),
                *inputs.empty_policy(
                    "If a mask has no subject. pass: go on, with a warning. error: stop. "
                    "fallback: use fallback_mask for that picture."
                ),
            ],
            outputs=[
                io.Image.Output(
                    "cutout",
                    tooltip="RGBA: the colors and the mask. Save Image writes it as a transparent "
                    "PNG.",
                ),
                io.Image.Output(
                    "foreground",
                    tooltip="RGB: the subject's own colors, always straight; what under_alpha says "
                    "where the mask is 0.",
                ),
                io.Mask.Output("mask", tooltip="1 on the subject, 0 on the background, as given."),
                io.Boolean.Output(
                    "is_empty", tooltip="Whether at least one of the given masks has no subject."
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        mask: Tensor,
        method: str = METHODS[0],
        blur_size: float = SIZES[0],
        fine_blur_size: float = SIZES[1],
        unit: str = UNITS[0],
        despill: str = DESPILLS[0],
        key_color: str = "#00b140",
        despill_strength: float = 1.0,
        under_alpha: str = UNDER_ALPHA[0],
        fill_color: str = "#000000",
        alpha_type: str = ALPHA_TYPES[0],
        on_empty: str = EMPTY_POLICIES[0],
        fallback_mask: Tensor | None = None,
    ) -> io.NodeOutput:
        pictures, alpha = pair(image, mask)
        fallback = None if fallback_mask is None else mask_for(fallback_mask, pictures)
        alpha, empty = settle_empty(alpha, on_empty=on_empty, fallback=fallback)
        if pictures.shape[1] == 4:
            alpha = torch.minimum(alpha, pictures[:, 3:].to(alpha))
        if any(empty):
            which = ", ".join(str(number) for number, one in enumerate(empty) if one)
            host.say(f"Nothing to refine: mask {which} (from 0) is empty.", cls.hidden.unique_id)
        size = (pictures.shape[2], pictures.shape[3])
        options = {
            "method": method,
            "sizes": tuple(max(1.0, pixels(s, unit, size)) for s in (blur_size, fine_blur_size)),
            "despill_key": despill,
            "key_color": parse_color(key_color),
            "despill_strength": despill_strength,
            "under_alpha": under_alpha,
            "fill_color": parse_color(fill_color),
        }
        progress = host.progress()
        colors = host.empty((len(pictures), *size, 3))
        cutouts = host.empty((len(pictures), *size, 4))
        for number in range(len(pictures)):
            one = slice(number, number + 1)
            color = host.on_device(refine_foreground, rgb(pictures[one]), alpha[one], **options)
            opacity = alpha[one].to(color)
            colors[one] = core_to_image(color)
            if alpha_type == "premultiplied":
                color = premultiply(color, opacity)
            cutouts[one] = core_to_image(cutout(color, opacity))
            progress((number + 1) / len(pictures))
        masks = host.deliver(core_to_mask(alpha))
        shown = previews.show_cutout(colors, mask=masks, before=image, cls=cls)
        return io.NodeOutput(cutouts, colors, masks, any(empty), ui=shown)
