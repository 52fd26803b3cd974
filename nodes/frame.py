"""Frame Subject: image + mask -> the subject on a canvas."""

from __future__ import annotations

import torch
from comfy_api.v0_0_2 import io
from torch import Tensor

from ..birefnet.compositing import cutout, over, parse_color
from ..birefnet.foreground import METHODS, estimate_foreground
from ..birefnet.framing import POSITIONS, THRESHOLD, check_framing, frame_subject
from ..birefnet.masks import EMPTY_POLICIES
from . import host, inputs, previews
from .convert import core_to_image, core_to_mask, rgb
from .cutouts import BACKGROUNDS
from .subject import find_subject, is_cutout

MOST = 16384  # sides of a canvas, as in ComfyUI's own nodes


class FrameSubject(io.ComfyNode):
    """Place the subject of each picture on a canvas of one size."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BiRefNet_FrameSubject",
            display_name="Frame Subject (BiRefNet)",
            category="image/background removal",
            description=(
                "Cuts the subject out and places it on a canvas of a given size and margin, as "
                "product pictures need it. Makes it smaller where it must, larger only on request."
            ),
            search_aliases=["canvas", "center", "pad", "product photo", "margin", "align", "fit"],
            has_intermediate_output=True,
            inputs=[
                *inputs.subject(),
                io.Int.Input(
                    "width",
                    default=0,
                    min=0,
                    max=MOST,
                    optional=True,
                    tooltip="Of the canvas, in pixels; 0 takes the picture's.",
                ),
                io.Int.Input(
                    "height",
                    default=0,
                    min=0,
                    max=MOST,
                    optional=True,
                    tooltip="Of the canvas, in pixels; 0 takes the picture's.",
                ),
                io.Float.Input(
                    "margin",
                    default=0.0,
                    min=0.0,
                    max=49.0,
                    step=0.5,
                    optional=True,
                    tooltip="Least distance of the subject from every side, in percent of the "
                    "canvas's shorter side, 0 to 49. A subject that is too large for it is made "
                    "smaller.",
                ),
                io.Combo.Input(
                    "position",
                    options=list(POSITIONS),
                    default=POSITIONS[0],
                    optional=True,
                    tooltip="Where the subject goes within the margins. The first nine place the "
                    "box around it; centroid puts its center of mass into the middle of the "
                    "canvas, which looks calmer for lopsided subjects.",
                ),
                io.Boolean.Input(
                    "upscale",
                    default=False,
                    optional=True,
                    tooltip="On: a subject smaller than the room between the margins is enlarged "
                    "to fill it. Off: it keeps its size.",
                ),
                io.Combo.Input(
                    "background",
                    options=list(BACKGROUNDS),
                    default=BACKGROUNDS[0],
                    optional=True,
                    tooltip="The rest of the canvas: nothing (transparent), or a plain color (the "
                    "picture is then opaque).",
                ),
                io.Color.Input(
                    "color",
                    default="#ffffff",
                    optional=True,
                    tooltip="Of the canvas when background is color: #rrggbb, a name such as "
                    "white, or three numbers from 0 to 255.",
                ),
                inputs.subject_color(),
                io.Float.Input(
                    "threshold",
                    default=THRESHOLD,
                    min=0.0,
                    max=0.99,
                    step=0.01,
                    optional=True,
                    advanced=True,
                    tooltip="Mask values above it count when the subject is measured, 0 to 0.99. "
                    "Fainter parts are still drawn.",
                ),
                io.Boolean.Input(
                    "keep_outside",
                    default=False,
                    optional=True,
                    advanced=True,
                    tooltip="For pictures with four channels. On: what is visible outside the "
                    "mask, such as a shadow from Replace Background, is carried along. Off: only "
                    "the subject is.",
                ),
                *inputs.empty_policy(
                    "If a mask has no subject. pass: leave the canvas empty, with a "
                    "warning. error: stop. fallback: use fallback_mask for that picture."
                ),
            ],
            outputs=[
                io.Image.Output(
                    "image",
                    tooltip="The canvas: RGBA with straight color, or RGB over `color`.",
                ),
                io.Mask.Output(
                    "mask", tooltip="1 on the subject, 0 beside it, at the canvas's size."
                ),
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
        mask: Tensor | None = None,
        width: int = 0,
        height: int = 0,
        margin: float = 0.0,
        position: str = POSITIONS[0],
        upscale: bool = False,
        background: str = BACKGROUNDS[0],
        color: str = "#ffffff",
        foreground: str = METHODS[0],
        threshold: float = THRESHOLD,
        keep_outside: bool = False,
        on_empty: str = EMPTY_POLICIES[0],
        fallback_mask: Tensor | None = None,
    ) -> io.NodeOutput:
        pictures, alpha, is_empty = find_subject(
            image,
            mask,
            on_empty=on_empty,
            fallback_mask=fallback_mask,
            node_id=cls.hidden.unique_id,
        )
        size = (height or pictures.shape[2], width or pictures.shape[3])
        check_framing(size, margin, position)
        plain = torch.tensor(parse_color(color)) if background == "color" else None
        options = {
            "size": size,
            "margin": margin,
            "position": position,
            "upscale": upscale,
            "threshold": threshold,
        }
        canvases = host.empty((len(pictures), *size, 4 if plain is None else 3))
        masks = host.empty((len(pictures), *size))
        progress = host.progress()
        for number in range(len(pictures)):
            one = slice(number, number + 1)
            cut = is_cutout(pictures[one])
            framed = host.on_device(
                _frame,
                pictures[one],
                alpha[one],
                method="off" if cut else foreground,
                keep=cut and keep_outside,
                **options,
            )
            canvas, masks[one] = framed[:, :4], core_to_mask(framed[:, 4:])
            if plain is not None:
                canvas = over(canvas[:, :3], canvas[:, 3:], plain.to(canvas).view(3, 1, 1))
            canvases[one] = core_to_image(canvas)
            progress((number + 1) / len(pictures))
        shown = previews.show_cutout(canvases, cls=cls)
        return io.NodeOutput(canvases, masks, is_empty, ui=shown)


def _frame(picture: Tensor, alpha: Tensor, *, method: str, keep: bool, **options: object) -> Tensor:
    """One picture (1, C, H, W) on its canvas, and the mask there: (1, 4 + 1, *size)."""
    color = rgb(picture)
    if method != "off":
        color = estimate_foreground(color, alpha, method=method)
    visible = picture[:, 3:] if keep else alpha
    return torch.cat(frame_subject(cutout(color, visible), alpha, **options), dim=1)
