"""Crop to Mask and Paste Back: work on the subject alone, then put it back."""

from __future__ import annotations

from comfy_api.v0_0_2 import io
from torch import Tensor

from ..birefnet.cropping import (
    BLEND,
    CONTEXT,
    GROUPINGS,
    LARGEST,
    MULTIPLE,
    SHAPES,
    Region,
    check_parts,
    cut_out,
    mask_in_box,
    paste_back,
    plan_crops,
)
from ..birefnet.filters import UNITS, pixels
from ..birefnet.masks import EMPTY_POLICIES, settle_empty
from ..birefnet.masks.empty import FAINT
from . import host, inputs, previews
from .convert import core_to_image, core_to_mask, image_to_core, mask_for, mask_to_core, pair, rgb
from .sockets import CropRegion, bounding_boxes


class CropToMask(io.ComfyNode):
    """Cut each picture down to the surroundings of its subject."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BiRefNet_CropToMask",
            display_name="Crop to Mask (BiRefNet)",
            category="image/background removal",
            description=(
                "Cuts out the surroundings of the masked subject, at a size that models take. "
                "Paste Back puts the edited crop where it came from."
            ),
            search_aliases=["inpaint crop", "crop by mask", "bounding box", "stitch", "zoom"],
            has_intermediate_output=True,
            inputs=[
                io.Image.Input("image", tooltip="Pictures; a fourth channel is kept."),
                io.Mask.Input(
                    "mask",
                    tooltip="1 on the subject, 0 on the background. One for all pictures, or one "
                    "for each. Several masks of one picture give several crops of it.",
                ),
                io.Float.Input(
                    "context",
                    default=CONTEXT,
                    min=1.0,
                    max=100.0,
                    step=0.05,
                    optional=True,
                    tooltip="How many times as wide and high as the subject the crop is; 1 is the "
                    "subject alone. It ends at the picture's borders.",
                ),
                io.Int.Input(
                    "multiple",
                    default=MULTIPLE,
                    min=1,
                    max=1024,
                    optional=True,
                    tooltip="Width and height of the crop are multiples of this many pixels: 8 "
                    "suits most diffusion models, others want 16 or 64. Crops grow for it.",
                ),
                io.Int.Input(
                    "target",
                    default=0,
                    min=0,
                    max=LARGEST,
                    step=8,
                    optional=True,
                    tooltip="Longer side of the crop in pixels, such as 512, 768 or 1024: crops "
                    "are resized to it in proportion. 0 keeps the picture's pixels.",
                ),
                io.Combo.Input(
                    "shape",
                    options=list(SHAPES),
                    default=SHAPES[0],
                    optional=True,
                    tooltip="free: the crop has the subject's proportions. square: equal sides.",
                ),
                io.Combo.Input(
                    "grouping",
                    options=list(GROUPINGS),
                    default=GROUPINGS[0],
                    optional=True,
                    tooltip="each: every picture is cropped around its own subject, all crops "
                    "having one size. all: one box that holds the subjects of all pictures, "
                    "which keeps a video steady.",
                ),
                io.Float.Input(
                    "threshold",
                    default=FAINT,
                    min=0.0,
                    max=0.99,
                    step=0.01,
                    optional=True,
                    advanced=True,
                    tooltip="Mask values above it belong to the subject, 0 to 0.99.",
                ),
                *inputs.empty_policy(
                    "If a mask has no subject. pass: take the middle of that picture (all "
                    "of it if no mask has one), with a warning. error: stop. fallback: use "
                    "fallback_mask for that picture."
                ),
            ],
            outputs=[
                io.Image.Output("crop", tooltip="The cropped pictures, all of one size."),
                io.Mask.Output("crop_mask", tooltip="The masks, cropped alike: 1 on the subject."),
                CropRegion.Output("region", tooltip="Where the crops came from, for Paste Back."),
                io.BoundingBox.Output(
                    "bounding_box",
                    tooltip="The same as x, y, width and height in pixels of the picture: one box, "
                    "or a list per picture if there are several.",
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
        mask: Tensor,
        context: float = CONTEXT,
        multiple: int = MULTIPLE,
        target: int = 0,
        shape: str = SHAPES[0],
        grouping: str = GROUPINGS[0],
        threshold: float = FAINT,
        on_empty: str = EMPTY_POLICIES[0],
        fallback_mask: Tensor | None = None,
    ) -> io.NodeOutput:
        pictures, alpha = pair(image, mask)
        fallback = None if fallback_mask is None else mask_for(fallback_mask, pictures)
        alpha, empty = settle_empty(
            alpha, on_empty=on_empty, fallback=fallback, threshold=threshold
        )
        if any(empty):
            which = ", ".join(str(number) for number, one in enumerate(empty) if one)
            action = "fallback_mask is" if on_empty == "fallback" else "the picture's middle is"
            host.say(
                f"No subject in mask {which} (counted from 0): {action} cropped.",
                cls.hidden.unique_id,
            )
        region = plan_crops(
            alpha,
            context=context,
            multiple=multiple,
            target=target or None,
            shape=shape,
            grouping=grouping,
            threshold=threshold,
        )
        size = region.crop_size
        crops = host.empty((len(pictures), *size, pictures.shape[1]))
        masks = host.empty((len(pictures), *size))
        progress = host.progress()
        for number, box in enumerate(region.boxes):
            one = slice(number, number + 1)
            crops[one] = core_to_image(cut_out(pictures[one], box, size)).to(crops)
            masks[one] = core_to_mask(cut_out(alpha[one], box, size)).to(masks)
            progress((number + 1) / len(region.boxes))
        return io.NodeOutput(
            crops,
            masks,
            region,
            bounding_boxes(region.boxes),
            any(empty),
            ui=previews.show_cutout(crops, cls=cls),
        )


class PasteBack(io.ComfyNode):
    """Put edited crops back into their pictures."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BiRefNet_PasteBack",
            display_name="Paste Back (BiRefNet)",
            category="image/background removal",
            description=(
                "Puts an edited crop of Crop to Mask back where it was taken from, with a soft "
                "seam. All other pixels keep their exact values."
            ),
            search_aliases=["stitch", "uncrop", "inpaint stitch", "composite", "restore"],
            has_intermediate_output=True,
            inputs=[
                io.Image.Input(
                    "image",
                    tooltip="The pictures that were cropped. A fourth channel is kept.",
                ),
                io.Image.Input(
                    "crop",
                    tooltip="The edited crops, of any size. What is transparent in them shows the "
                    "picture, unless that has a fourth channel as well.",
                ),
                CropRegion.Input("region", tooltip="Where the crops came from, of Crop to Mask."),
                io.Float.Input(
                    "blend",
                    default=BLEND,
                    min=0.0,
                    max=1000.0,
                    step=0.5,
                    optional=True,
                    tooltip="Width of the soft seam in `unit` of the picture: inwards from the "
                    "sides of the crop, and outwards from the mask. 0 for none.",
                ),
                io.Combo.Input(
                    "unit",
                    options=list(UNITS),
                    default=UNITS[0],
                    optional=True,
                    tooltip="Of blend: pixels, or percent of the picture's shorter side.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="Puts back only what is 1 here, such as crop_mask or the mask that was "
                    "inpainted: of the crop's proportions or of the picture's size. Without one "
                    "the whole crop is put back.",
                ),
            ],
            outputs=[
                io.Image.Output("image", tooltip="The whole pictures, as many channels as before."),
            ],
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        crop: Tensor,
        region: Region,
        blend: float = BLEND,
        unit: str = UNITS[0],
        mask: Tensor | None = None,
    ) -> io.NodeOutput:
        pictures, patches = image_to_core(image), image_to_core(crop)
        masks = None if mask is None else mask_to_core(mask)
        count = check_parts(region, pictures, patches, masks)
        if pictures.shape[1] == 1:
            pictures = rgb(pictures)
        if patches.shape[1] == 1:
            patches = rgb(patches)
        width = pixels(blend, unit, region.size)
        result = host.empty((count, *region.size, pictures.shape[1]))
        progress = host.progress()
        for number in range(count):
            parts = [pictures[number % len(pictures)][None], patches[number % len(patches)][None]]
            box = region.boxes[number % len(region.boxes)]
            if masks is not None:
                parts.append(mask_in_box(masks[number % len(masks)][None], region, box))
            whole = host.on_device(paste_back, *parts, box=box, blend=width)
            result[number] = core_to_image(whole)[0].to(result)
            progress((number + 1) / count)
        return io.NodeOutput(result, ui=previews.show_cutout(result, before=image, cls=cls))
