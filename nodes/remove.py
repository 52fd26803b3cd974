"""Remove Background: image -> mask and cutout."""

from __future__ import annotations

import torch
from comfy_api.v0_0_2 import io
from torch import Tensor

from ..birefnet.compositing import parse_color
from ..birefnet.detail import DETAILS, InDetail
from ..birefnet.foreground import METHODS
from ..birefnet.guided import EXISTING_ALPHA, predict_alpha
from ..birefnet.masks import check_levels, levels
from ..birefnet.preprocess import FITS
from . import host, inputs, previews
from .convert import core_to_mask, image_to_core
from .cutouts import BACKGROUNDS, PREDICTION_SHARE, make_cutouts
from .sockets import BackgroundRemoval

SIZE_MODES = ("auto", "side", "longest side", "native")


class RemoveBackground(io.ComfyNode):
    """Find the subject of each picture and cut it out."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BiRefNet_RemoveBackground",
            display_name="Remove Background (BiRefNet)",
            category="image/background removal",
            description=(
                "Finds the subject of each picture and gives a soft mask and a transparent "
                "cutout whose edges carry no color of the old background."
            ),
            search_aliases=["cutout", "matting", "segmentation", "transparent", "rembg", "alpha"],
            has_intermediate_output=True,
            inputs=[
                BackgroundRemoval.Input(
                    "model",
                    tooltip="From Load BiRefNet, or from ComfyUI's own Load Background Removal "
                    "Model (then size_mode must stay auto and fit must stay stretch).",
                ),
                io.Image.Input(
                    "image",
                    tooltip="Pictures of any size, 1, 3 or 4 channels with values from 0 to 1. "
                    "A fourth channel is taken as existing transparency, which the mask keeps.",
                ),
                io.Combo.Input(
                    "size_mode",
                    options=list(SIZE_MODES),
                    default=SIZE_MODES[0],
                    optional=True,
                    tooltip="At which size the network sees a picture. auto: what the checkpoint "
                    "was trained for, nearly always best. side: a square of `size`. longest "
                    "side: in proportion, the longer side being `size`. native: the picture's "
                    "own size, limited to the range the checkpoint was trained for. The mask "
                    "always has the picture's size.",
                ),
                io.Int.Input(
                    "size",
                    default=1024,
                    min=32,
                    max=8192,
                    step=32,
                    optional=True,
                    tooltip="Pixels, for size_mode side and longest side; 32 to 8192, rounded to "
                    "multiples of 32. Memory and time grow with its square.",
                ),
                io.Combo.Input(
                    "fit",
                    options=list(FITS),
                    default=FITS[0],
                    optional=True,
                    advanced=True,
                    tooltip="How a picture fills the network's input. stretch: all of it, as in "
                    "training. letterbox: proportions kept, borders padded; can help with very "
                    "wide or tall pictures.",
                ),
                *inputs.cutout_colors("subject"),
                *inputs.levels(),
                io.Combo.Input(
                    "detail",
                    options=list(DETAILS),
                    default=DETAILS[0],
                    optional=True,
                    tooltip="How close the subject is looked at. off: one view of the whole "
                    "picture. crop: find it first, then look at it alone; twice the time, for "
                    "subjects that fill only a part. tiles: then go along its edges piece by "
                    "piece at the picture's own scale; for hair in large pictures, up to 16384 "
                    "pixels a side.",
                ),
                io.Combo.Input(
                    "existing_alpha",
                    options=list(EXISTING_ALPHA),
                    default=EXISTING_ALPHA[0],
                    optional=True,
                    advanced=True,
                    tooltip="What the fourth channel of a picture means. multiply: the mask "
                    "keeps its transparency. ignore: only the colors count. prior: it shows "
                    "roughly where the subject is, and the mask is found anew around it.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    "cutout",
                    tooltip="RGBA with straight (not premultiplied) color: Save Image writes it "
                    "as a transparent PNG. Opaque when background is color.",
                ),
                io.Mask.Output(
                    "mask", tooltip="1 on the subject, 0 on the background, soft edges."
                ),
                io.Mask.Output(
                    "mask_inverted",
                    tooltip="0 on the subject, 1 on the background: what Join Image with Alpha "
                    "and most inpainting nodes expect.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        model: object,
        image: Tensor,
        size_mode: str = "auto",
        size: int = 1024,
        fit: str = "stretch",
        foreground: str = METHODS[0],
        background: str = BACKGROUNDS[0],
        color: str = "#ffffff",
        black_point: float = 0.0,
        white_point: float = 1.0,
        detail: str = DETAILS[0],
        existing_alpha: str = EXISTING_ALPHA[0],
    ) -> io.NodeOutput:
        pictures = image_to_core(image)
        check_levels(black_point, white_point)
        backdrop = torch.tensor(parse_color(color)) if background == "color" else None
        progress = host.progress()
        predictor = host.predictor(
            model,
            size=size if size_mode == "side" else "native" if size_mode == "native" else "auto",
            longest_side=size if size_mode == "longest side" else None,
            fit=fit,
        )
        alpha = predict_alpha(
            pictures,
            InDetail(predictor=predictor, detail=detail),
            existing_alpha=existing_alpha,
            progress=lambda fraction: progress(PREDICTION_SHARE * fraction),
        )
        alpha = levels(alpha, black_point=black_point, white_point=white_point)
        cutouts = make_cutouts(
            pictures, alpha, foreground=foreground, backdrop=backdrop, progress=progress
        )
        mask = host.deliver(core_to_mask(alpha))
        shown = previews.show_cutout(cutouts, before=image, cls=cls)
        return io.NodeOutput(cutouts, mask, 1 - mask, ui=shown)
