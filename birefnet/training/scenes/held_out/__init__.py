"""Surfaces, shapes and surroundings that only measure a model; training never loads them."""

from ..materials import Kinds
from .backgrounds import BACKGROUNDS
from .shapes import SHAPES
from .textures import TEXTURES


def held_out_kinds() -> Kinds:
    """The families of the held-out benchmark set."""
    return Kinds(textures=TEXTURES, shapes=SHAPES, backgrounds=BACKGROUNDS)


__all__ = ["held_out_kinds"]
