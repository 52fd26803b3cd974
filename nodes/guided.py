"""Guided Remove: image and boxes, points or a rough mask -> the objects they mark."""

from __future__ import annotations

import torch
from comfy_api.v0_0_2 import io
from torch import Tensor

from ..birefnet.compositing import parse_color
from ..birefnet.detail import DETAILS, InDetail
from ..birefnet.foreground import METHODS
from ..birefnet.guided import CONTEXT, REACH, predict_objects, read_prompts
from ..birefnet.masks import EMPTY_POLICIES, check_levels, levels, settle_empty
from . import host, inputs, previews
from .convert import core_to_mask, image_to_core, mask_for, mask_to_core
from .cutouts import BACKGROUNDS, PREDICTION_SHARE, make_cutouts
from .sockets import BackgroundRemoval

CLOSE_UP = tuple(detail for detail in DETAILS if detail != "crop")  # each object is a crop anyway


class GuidedRemove(io.ComfyNode):
    """Cut out what boxes, points or a rough mask mark."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BiRefNet_GuidedRemove",
            display_name="Guided Remove (BiRefNet)",
            category="image/background removal",
            description=(
                "Cuts out the objects you point at: draw boxes on the node, or connect boxes, "
                "points or a rough mask. Each object is looked at from close by and also has a "
                "mask of its own."
            ),
            search_aliases=[
                *("box", "bbox", "bounding box", "points", "prompt", "select object"),
                *("sam", "sam3", "coarse mask", "guided", "pick"),
            ],
            has_intermediate_output=True,
            inputs=[
                BackgroundRemoval.Input(
                    "model",
                    tooltip="From Load BiRefNet, or from ComfyUI's own Load Background Removal "
                    "Model.",
                ),
                io.Image.Input(
                    "image",
                    tooltip="Pictures of any size, 1, 3 or 4 channels with values from 0 to 1. "
                    "The masks keep existing transparency of a fourth channel.",
                ),
                io.String.Input(
                    "drawn_boxes",
                    default="",
                    optional=True,
                    tooltip="Boxes drawn on the node, or typed: left, top, width, height, in "
                    'pixels or percent of the picture ("10%, 20%, 30%, 40%"); several are '
                    "separated by semicolons. They hold for all pictures and are used together "
                    "with what is connected.",
                ),
                io.BoundingBox.Input(
                    "boxes",
                    optional=True,
                    force_input=True,
                    tooltip="Boxes in pixels of the picture from another node, one object each: a "
                    "box, a list for all pictures, or a list for each. Create Bounding Boxes, "
                    "Bounding Box and detectors give them. Set the canvas of Create Bounding "
                    "Boxes to the picture's size.",
                ),
                io.String.Input(
                    "points",
                    default="",
                    optional=True,
                    tooltip="Places on the object in pixels, as SAM nodes take them: a JSON list "
                    'of objects with "x" and "y". All points that lie in no box and on no mask '
                    "together mark one object. A list of such lists gives each picture its own.",
                ),
                io.String.Input(
                    "negative_points",
                    default="",
                    optional=True,
                    advanced=True,
                    tooltip="Places that do not belong to any object, in pixels, as JSON like "
                    "points. Parts that contain one are left out; a part with both is divided "
                    "between them.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="A rough mask of the object, 1 on the subject, for example from SAM. "
                    "For one picture each mask is an object; for several pictures one mask for "
                    "all or one for each.",
                ),
                io.Float.Input(
                    "context",
                    default=CONTEXT,
                    min=1.0,
                    max=4.0,
                    step=0.05,
                    optional=True,
                    tooltip="How much the network sees around an object: sides of the view as a "
                    "multiple of the box. 1 to 4. More helps it tell the object from its "
                    "surroundings, less gives more detail.",
                ),
                io.Float.Input(
                    "reach",
                    default=REACH,
                    min=0.0,
                    max=100.0,
                    step=1.0,
                    optional=True,
                    advanced=True,
                    tooltip="How far an object may go beyond its box or rough mask, in percent of "
                    "the box, 0 to 100; it fades out over that distance. Raise it for tight boxes "
                    "and for masks that cover only a part.",
                ),
                io.Combo.Input(
                    "detail",
                    options=list(CLOSE_UP),
                    default=CLOSE_UP[0],
                    optional=True,
                    tooltip="off: each object is seen at the checkpoint's size. tiles: its edges "
                    "are then looked at again piece by piece at the picture's own scale; for "
                    "large pictures, takes longer.",
                ),
                *inputs.cutout_colors("objects"),
                *inputs.levels(),
                *inputs.empty_policy(
                    "What happens to a picture in which nothing was found. pass: an "
                    "empty mask, and a line on the node. error: stop. fallback: take "
                    "fallback_mask."
                ),
            ],
            hidden=[io.Hidden.unique_id],
            outputs=[
                io.Image.Output(
                    "cutout",
                    tooltip="All objects of a picture as RGBA with straight (not premultiplied) "
                    "color. Opaque when background is color.",
                ),
                io.Mask.Output(
                    "mask",
                    tooltip="All objects of a picture together: 1 on them, 0 elsewhere, soft "
                    "edges.",
                ),
                io.Mask.Output(
                    "object_masks",
                    tooltip="One mask for each object, 1 on it, picture by picture in the order "
                    "of the prompts: drawn boxes, connected boxes, masks, points.",
                ),
                io.BoundingBox.Output(
                    "object_boxes",
                    tooltip="The box that each found object fills, in pixels: a list of boxes "
                    "for each picture.",
                ),
                io.Int.Output("count", tooltip="How many objects were found in all pictures."),
                io.Boolean.Output(
                    "is_empty", tooltip="Whether nothing was found in at least one picture."
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        model: object,
        image: Tensor,
        drawn_boxes: str = "",
        boxes: object = None,
        points: str = "",
        negative_points: str = "",
        mask: Tensor | None = None,
        context: float = CONTEXT,
        reach: float = REACH,
        detail: str = CLOSE_UP[0],
        foreground: str = METHODS[0],
        background: str = BACKGROUNDS[0],
        color: str = "#ffffff",
        black_point: float = 0.0,
        white_point: float = 1.0,
        on_empty: str = EMPTY_POLICIES[0],
        fallback_mask: Tensor | None = None,
    ) -> io.NodeOutput:
        pictures = image_to_core(image)
        check_levels(black_point, white_point)
        backdrop = torch.tensor(parse_color(color)) if background == "color" else None
        prompts = read_prompts(
            size=(pictures.shape[2], pictures.shape[3]),
            count=len(pictures),
            boxes=boxes,
            drawn=drawn_boxes,
            points=points,
            negative_points=negative_points,
            mask=None if mask is None else prompt_masks(mask, pictures),
        )
        progress = host.progress()
        found = predict_objects(
            pictures,
            InDetail(predictor=host.predictor(model), detail=detail),
            prompts,
            context=context,
            reach=reach,
            progress=lambda fraction: progress(PREDICTION_SHARE * fraction),
        )
        alpha = levels(found.union, black_point=black_point, white_point=white_point)
        # Without any object, empty masks stand for them: no node takes a batch of none.
        each = found.alphas if len(found.alphas) else found.union
        objects = levels(each, black_point=black_point, white_point=white_point)
        fallback = None if fallback_mask is None else mask_for(fallback_mask, pictures)
        alpha, empty = settle_empty(alpha, on_empty=on_empty, fallback=fallback)
        cutouts = make_cutouts(
            pictures, alpha, foreground=foreground, backdrop=backdrop, progress=progress
        )
        if any(empty):
            which = ", ".join(str(number) for number, one in enumerate(empty) if one)
            host.say(f"Nothing was found in picture {which} (from 0).", cls.hidden.unique_id)
        place = [
            [
                {"x": box.left, "y": box.top, "width": box.width, "height": box.height}
                for box in frame
                if box is not None
            ]
            for frame in found.boxes
        ]
        return io.NodeOutput(
            cutouts,
            host.deliver(core_to_mask(alpha)),
            host.deliver(core_to_mask(objects)),
            place,
            sum(map(len, place)),
            any(empty),
            ui=previews.show_cutout(cutouts, before=image, cls=cls),
        )


def prompt_masks(mask: Tensor, pictures: Tensor) -> Tensor | None:
    """Rough masks of the pictures' size, (N, 1, H, W); None if they are all empty."""
    masks = mask_to_core(mask)
    if not bool(masks.any()):
        return None  # such as Load Image gives for a picture without transparency
    if len(pictures) == 1:
        pictures = pictures.expand(len(masks), -1, -1, -1)
    return mask_for(masks, pictures)
