"""Replace Background: image + mask -> the subject in front of something else."""

from __future__ import annotations

from dataclasses import replace

import torch
from comfy_api.v0_0_2 import io
from torch import Tensor

from ..birefnet.backdrops import BACKGROUNDS, FITS, PLAIN, SHADOWS, Scene, lit_share, multiply_layer
from ..birefnet.compositing import parse_color
from ..birefnet.errors import ConfigError, ShapeError
from ..birefnet.filters import UNITS, pixels
from ..birefnet.foreground import METHODS
from . import host, inputs, previews
from .convert import core_to_image, core_to_mask, image_to_core, rgb
from .subject import find_subject, is_cutout


class ReplaceBackground(io.ComfyNode):
    """Put the subject of each picture in front of another background."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BiRefNet_ReplaceBackground",
            display_name="Replace Background (BiRefNet)",
            category="image/background removal",
            description=(
                "Puts the subject in front of nothing, a color, another picture or its own "
                "background blurred, with a shadow and with light that wraps around its edge."
            ),
            search_aliases=[
                *("composite", "background", "backdrop", "blur background", "bokeh"),
                *("shadow", "drop shadow", "light wrap", "product photo"),
            ],
            has_intermediate_output=True,
            inputs=[
                *inputs.subject(),
                io.Combo.Input(
                    "background",
                    options=list(BACKGROUNDS),
                    default=BACKGROUNDS[0],
                    optional=True,
                    tooltip="What lies behind the subject. transparent: nothing. color: `color`. "
                    "image: `background_image`, sharp or blurred. blurred original: the picture "
                    "itself, blurred after its subject was removed, so that no glow of the "
                    "subject surrounds it.",
                ),
                io.Image.Input(
                    "background_image",
                    optional=True,
                    tooltip="For background image and blurred image: one picture for all, or as "
                    "many as `image` has; any size. A fourth channel is kept as transparency.",
                ),
                io.Combo.Input(
                    "background_fit",
                    options=list(FITS),
                    default=FITS[0],
                    optional=True,
                    tooltip="How background_image fills the picture. cover: in proportion, the "
                    "rest cut off evenly. contain: in proportion, the rest filled with `color`. "
                    "stretch: out of proportion. tile: in its own size, repeated.",
                ),
                io.Color.Input(
                    "color",
                    default="#ffffff",
                    optional=True,
                    tooltip="For background color, and beside the picture with background_fit "
                    "contain: #rrggbb, a name such as white, or three numbers from 0 to 255.",
                ),
                io.Float.Input(
                    "blur",
                    default=2.0,
                    min=0.0,
                    max=1000.0,
                    step=0.1,
                    optional=True,
                    tooltip="How far the blurred backgrounds are blurred (standard deviation), in "
                    "`unit`: 0 to 1000; 0 leaves them sharp.",
                ),
                inputs.subject_color(),
                io.Float.Input(
                    "light_wrap",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    optional=True,
                    tooltip="How much light of the new background falls on the subject's edge: "
                    "0 (none) to 1. It only brightens, up to the background's own color.",
                ),
                io.Float.Input(
                    "light_wrap_width",
                    default=1.0,
                    min=0.0,
                    max=1000.0,
                    step=0.1,
                    optional=True,
                    advanced=True,
                    tooltip="How far that light reaches into the subject (standard deviation), in "
                    "`unit`: 0 to 1000.",
                ),
                io.Combo.Input(
                    "shadow",
                    options=list(SHADOWS),
                    default=SHADOWS[0],
                    optional=True,
                    tooltip="off: none. synthetic: made from the mask. extracted: the real shadow "
                    "of the picture, if it was taken in front of a plain light background, laid "
                    "on the new one.",
                ),
                io.Float.Input(
                    "shadow_opacity",
                    default=0.5,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    optional=True,
                    advanced=True,
                    tooltip="Synthetic shadow: how dark, 0 to 1.",
                ),
                io.Float.Input(
                    "shadow_x",
                    default=1.0,
                    min=-1000.0,
                    max=1000.0,
                    step=0.1,
                    optional=True,
                    advanced=True,
                    tooltip="Synthetic shadow: offset to the right, in `unit`; negative: to the "
                    "left.",
                ),
                io.Float.Input(
                    "shadow_y",
                    default=1.0,
                    min=-1000.0,
                    max=1000.0,
                    step=0.1,
                    optional=True,
                    advanced=True,
                    tooltip="Synthetic shadow: offset downwards, in `unit`; negative: upwards.",
                ),
                io.Float.Input(
                    "shadow_blur",
                    default=1.5,
                    min=0.0,
                    max=1000.0,
                    step=0.1,
                    optional=True,
                    advanced=True,
                    tooltip="Synthetic shadow: softness (standard deviation), in `unit`: 0 to "
                    "1000; 0 is as sharp as the mask.",
                ),
                io.Float.Input(
                    "shadow_height",
                    default=1.0,
                    min=0.05,
                    max=2.0,
                    step=0.05,
                    optional=True,
                    advanced=True,
                    tooltip="Synthetic shadow: its height relative to the subject's, measured "
                    "from where the subject stands: 1 on a wall behind it, 0.3 on the ground.",
                ),
                io.Float.Input(
                    "shadow_lean",
                    default=0.0,
                    min=-80.0,
                    max=80.0,
                    step=1.0,
                    optional=True,
                    advanced=True,
                    tooltip="Synthetic shadow: degrees by which it leans to the right, -80 to 80, "
                    "around where the subject stands.",
                ),
                io.Float.Input(
                    "contact_shadow",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    optional=True,
                    advanced=True,
                    tooltip="Synthetic shadow: how dark the narrow shadow is where the subject "
                    "touches the ground, 0 (none) to 1.",
                ),
                io.Float.Input(
                    "contact_size",
                    default=1.0,
                    min=0.0,
                    max=1000.0,
                    step=0.1,
                    optional=True,
                    advanced=True,
                    tooltip="Synthetic shadow: softness of the contact shadow (standard "
                    "deviation), in `unit`: 0 to 1000.",
                ),
                io.Color.Input(
                    "shadow_color",
                    default="#000000",
                    optional=True,
                    advanced=True,
                    tooltip="Color of either shadow on white: #rrggbb, a name, or three numbers "
                    "from 0 to 255. On other backgrounds it is multiplied.",
                ),
                io.Float.Input(
                    "extracted_strength",
                    default=1.0,
                    min=0.0,
                    max=2.0,
                    step=0.05,
                    optional=True,
                    advanced=True,
                    tooltip="Extracted shadow: 1 as dark as in the picture, 0 to 2.",
                ),
                io.Float.Input(
                    "extracted_floor",
                    default=0.02,
                    min=0.0,
                    max=0.5,
                    step=0.005,
                    optional=True,
                    advanced=True,
                    tooltip="Extracted shadow: differences up to here are the background's noise "
                    "and vanish completely, so that white stays white: 0 to 0.5.",
                ),
                io.Boolean.Input(
                    "linear_light",
                    default=False,
                    optional=True,
                    advanced=True,
                    tooltip="On: blend and blur amounts of light instead of values of the "
                    "display. Bright spots of a blurred background shine more, soft edges get "
                    "brighter. Needs an opaque background to affect edges.",
                ),
                io.Combo.Input(
                    "unit",
                    options=list(UNITS),
                    default="percent",
                    optional=True,
                    advanced=True,
                    tooltip="Of blur, light_wrap_width, shadow_x, shadow_y, shadow_blur and "
                    "contact_size: percent of the picture's shorter side, or pixels.",
                ),
                *inputs.empty_policy(
                    "If a mask has no subject. pass: show the background alone, with a "
                    "warning. error: stop. fallback: use fallback_mask for that picture."
                ),
            ],
            outputs=[
                io.Image.Output(
                    "image",
                    tooltip="RGB, or RGBA with straight color if the background is transparent "
                    "or has a fourth channel. Shadows are part of the transparency then.",
                ),
                io.Mask.Output(
                    "mask",
                    tooltip="1 on the subject, 0 on the background: the mask as it was used, "
                    "without the shadow.",
                ),
                io.Image.Output(
                    "shadow_layer",
                    tooltip="The shadow alone, to be multiplied with a background: white where "
                    "there is none.",
                ),
                io.Image.Output(
                    "background",
                    tooltip="What lies behind the subject, without subject and shadow.",
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
        background: str = "transparent",
        background_image: Tensor | None = None,
        background_fit: str = "cover",
        color: str = "#ffffff",
        blur: float = 2.0,
        foreground: str = METHODS[0],
        light_wrap: float = 0.0,
        light_wrap_width: float = 1.0,
        shadow: str = "off",
        shadow_opacity: float = 0.5,
        shadow_x: float = 1.0,
        shadow_y: float = 1.0,
        shadow_blur: float = 1.5,
        shadow_height: float = 1.0,
        shadow_lean: float = 0.0,
        contact_shadow: float = 0.0,
        contact_size: float = 1.0,
        shadow_color: str = "#000000",
        extracted_strength: float = 1.0,
        extracted_floor: float = 0.02,
        linear_light: bool = False,
        unit: str = "percent",
        on_empty: str = "pass",
        fallback_mask: Tensor | None = None,
    ) -> io.NodeOutput:
        pictures, alpha, is_empty = find_subject(
            image,
            mask,
            on_empty=on_empty,
            fallback_mask=fallback_mask,
            node_id=cls.hidden.unique_id,
        )
        size = (pictures.shape[2], pictures.shape[3])
        scene = Scene(
            background=background,
            fit=background_fit,
            color=parse_color(color),
            blur=pixels(blur, unit, size),
            shadow=shadow,
            shadow_color=parse_color(shadow_color),
            shadow_opacity=shadow_opacity,
            shadow_offset=(pixels(shadow_x, unit, size), pixels(shadow_y, unit, size)),
            shadow_blur=pixels(shadow_blur, unit, size),
            shadow_height=shadow_height,
            shadow_lean=shadow_lean,
            contact=contact_shadow,
            contact_size=pixels(contact_size, unit, size),
            strength=extracted_strength,
            floor=extracted_floor,
            wrap=light_wrap,
            wrap_width=pixels(light_wrap_width, unit, size),
            foreground=foreground,
            linear=linear_light,
        )
        other = _other(background, background_image, len(pictures), cls.hidden.unique_id)
        several = 1 if other is None else len(other)
        count = max(len(pictures), several)  # also one subject in front of several backgrounds
        pictures, alpha = (part.expand(count, -1, -1, -1) for part in (pictures, alpha))
        own = background == "blurred original"
        channels = 4 if background == "transparent" else 3 if other is None else other.shape[1]
        results = host.empty((count, *size, channels))
        behinds = host.empty((count if own else several, *size, channels))
        layers = host.empty((1 if shadow == "off" else count, *size, 3))
        progress = host.progress()
        for number in range(count):
            one = slice(number, number + 1)
            tensors = [pictures[one], alpha[one]]
            if other is not None:
                tensors.append(other[one] if several > 1 else other)
            parts = host.on_device(_place, *tensors, scene=_scene_for(pictures[one], scene))
            result, shade, behind = parts.split((channels, 1, channels), dim=1)
            results[one] = core_to_image(result)
            if number < len(behinds):
                behinds[one] = core_to_image(behind)
            if number < len(layers):
                layers[one] = core_to_image(multiply_layer(shade, scene.shadow_color))
            if shadow == "extracted":
                _warn_about_texture(pictures[one], alpha[one], cls.hidden.unique_id)
            progress((number + 1) / count)
        masks = host.deliver(core_to_mask(alpha))
        shown = previews.show_cutout(results, before=image, cls=cls)
        whole = (count, *size, -1)
        return io.NodeOutput(
            results, masks, layers.expand(whole), behinds.expand(whole), is_empty, ui=shown
        )


def _other(
    background: str, background_image: Tensor | None, count: int, node_id: str | None
) -> Tensor | None:
    """The connected background, (1 or N, 3 or 4, H, W), if it is to be used."""
    if background not in ("image", "blurred image"):
        if background_image is not None:
            host.say(f"background_image is not used: background is {background}.", node_id)
        return None
    if background_image is None:
        raise ConfigError(
            f"background {background!r} needs a picture at background_image, and nothing is "
            "connected there; connect one, or choose another background."
        )
    other = image_to_core(background_image)
    if count > 1 and len(other) not in (1, count):
        raise ShapeError(
            f"there must be one background_image, or as many as pictures, got {len(other)} for "
            f"{count} pictures; pick those that belong together first."
        )
    return other if other.shape[1] == 4 else rgb(other)


def _scene_for(picture: Tensor, scene: Scene) -> Scene:
    """The scene for (1, C, H, W): colors of a cutout are the subject's own already."""
    if not is_cutout(picture):
        return scene
    if scene.background == "blurred original" or scene.shadow == "extracted":
        raise ConfigError(
            "a blurred original and an extracted shadow need pictures with their background, but "
            "a picture is transparent there; connect the original picture and its mask."
        )
    return replace(scene, foreground="off")


def _place(picture: Tensor, alpha: Tensor, *other: Tensor, scene: Scene) -> Tensor:
    """The scene's three results for one picture, joined: (1, C + 1 + C, H, W)."""
    return torch.cat(scene.place(rgb(picture), alpha, *other), dim=1)


def _warn_about_texture(picture: Tensor, alpha: Tensor, node_id: str | None) -> None:
    share = float(host.on_device(_lit_share, picture, alpha))
    if share < PLAIN:
        host.say(
            f"The background is not plain: only {share:.0%} of it has one smooth color. The "
            "extracted shadow may show its texture.",
            node_id,
        )


def _lit_share(picture: Tensor, alpha: Tensor) -> Tensor:
    return lit_share(rgb(picture), alpha)
