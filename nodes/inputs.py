"""Inputs that several nodes have, described once."""

from __future__ import annotations

from comfy_api.v0_0_2 import io

from ..birefnet.foreground import METHODS
from ..birefnet.masks import EMPTY_POLICIES
from .cutouts import BACKGROUNDS


def subject() -> list[io.Input]:
    """What shows the subject: image and mask."""
    return [
        io.Image.Input(
            "image",
            tooltip="Pictures with the subject, or cutouts. A fourth channel is existing "
            "transparency: the mask cannot exceed it, and colors are then taken as free of the "
            "old background.",
        ),
        io.Mask.Input(
            "mask",
            optional=True,
            tooltip="1 on the subject, 0 on the background. Without one, the picture's own "
            "transparency is used.",
        ),
    ]


def subject_color() -> io.Input:
    """How the color of such a subject is found: foreground."""
    return io.Combo.Input(
        "foreground",
        options=[*METHODS, "off"],
        default=METHODS[0],
        optional=True,
        tooltip="How the subject's own color in soft edges is estimated, so that no halo of the "
        "old background comes along. off: keep the picture's colors. Cutouts (four channels) are "
        "never changed.",
    )


def empty_policy(tooltip: str) -> list[io.Input]:
    """What happens where a mask shows nothing: on_empty and fallback_mask.

    Args:
        tooltip: What each policy means for the node.
    """
    return [
        io.Combo.Input(
            "on_empty",
            options=list(EMPTY_POLICIES),
            default=EMPTY_POLICIES[0],
            optional=True,
            advanced=True,
            tooltip=tooltip,
        ),
        io.Mask.Input(
            "fallback_mask",
            optional=True,
            tooltip="For on_empty fallback: 1 on the subject, 0 on the background.",
        ),
    ]


def cutout_colors(subject: str) -> list[io.Input]:
    """What a cutout shows: foreground, background and color.

    Args:
        subject: What the node cuts out.
    """
    return [
        io.Combo.Input(
            "foreground",
            options=[*METHODS, "off"],
            default=METHODS[0],
            optional=True,
            tooltip="How the subject's own color is found in soft edges, so that the cutout has "
            "no halo of the old background. off: keep the picture's colors. Never changes the "
            "mask.",
        ),
        io.Combo.Input(
            "background",
            options=list(BACKGROUNDS),
            default=BACKGROUNDS[0],
            optional=True,
            tooltip=f"What lies behind the {subject} in the cutout: nothing (transparent), or a "
            "plain color (the cutout is then opaque).",
        ),
        io.Color.Input(
            "color",
            default="#ffffff",
            optional=True,
            tooltip=f"Behind the {subject} when background is color: #rrggbb, a name such as "
            "white, or three numbers from 0 to 255.",
        ),
    ]


def levels() -> list[io.Input]:
    """How a mask is stretched: black_point and white_point."""
    return [
        io.Float.Input(
            "black_point",
            default=0.0,
            min=0.0,
            max=1.0,
            step=0.01,
            optional=True,
            advanced=True,
            tooltip="Mask values up to here become 0: removes faint haze. 0 to 1, below "
            "white_point; 0 changes nothing.",
        ),
        io.Float.Input(
            "white_point",
            default=1.0,
            min=0.0,
            max=1.0,
            step=0.01,
            optional=True,
            advanced=True,
            tooltip="Mask values from here on become 1: closes faintly transparent insides. 0 to "
            "1, above black_point; 1 changes nothing.",
        ),
    ]
