"""Training scenes by number, and the two sets that measure a model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import overload

import numpy as np

from . import animals, objects, people, plants, shapes, vehicles, vessels
from .backgrounds import BACKGROUNDS
from .canvas import Drawing
from .compose import Scene, generate
from .materials import Kinds
from .noise import Random
from .textures import TEXTURES, VARIANTS

Size = tuple[int, int]

SET_SIZE = 500
"""Scenes in each benchmark set."""

UNSEEN_SEED = 71_001
"""Seed of the set of unseen scenes; training must not use it."""

HELD_OUT_SEED = 71_002
"""Seed of the set of held-out kinds."""

SHAPES: dict[str, tuple[Callable[[Random], Drawing], float]] = {
    "blob": (shapes.blob, 1.2), "wavy": (shapes.wavy, 1.2), "polygon": (shapes.polygon, 0.9),
    "star": (shapes.star, 0.8), "superformula": (shapes.superformula, 0.9),
    "ring": (shapes.ring, 0.8), "spiral": (shapes.spiral, 0.5), "squiggle": (shapes.squiggle, 0.8),
    "thin": (shapes.thin, 0.7), "blot": (shapes.blot, 0.8), "hull": (shapes.hull, 0.9),
    "capsules": (shapes.capsules, 0.9), "tentacles": (shapes.tentacles, 0.8),
    "pile": (shapes.pile, 0.9), "box": (shapes.box, 1.0), "strands": (shapes.strands, 0.9),
    "feather": (shapes.feather, 0.6), "panels": (shapes.panels, 0.8),
    "cutout_noise": (shapes.cutout_noise, 2.0), "pierced": (shapes.pierced, 1.0),
    "tangle": (shapes.tangle, 0.8), "chain": (shapes.chain, 0.6), "cluster": (shapes.cluster, 1.0),
    "companions": (people.companions, 1.5), "bust": (people.bust, 7.0),
    "person": (people.person, 2.5), "quadruped": (animals.quadruped, 3.0),
    "animal_face": (animals.animal_face, 2.5), "bird": (animals.bird, 1.6),
    "bird_of_prey": (animals.bird_of_prey, 1.0), "fish": (animals.fish, 0.8),
    "insect": (animals.insect, 0.9), "hand": (people.hand, 0.9), "plush": (animals.plush, 1.0),
    "vessel": (vessels.vessel, 2.0), "cup_and_saucer": (vessels.cup_and_saucer, 1.0),
    "dish": (vessels.dish, 0.8), "fruit": (vessels.fruit, 1.0), "car": (vehicles.car, 1.4),
    "cycle": (vehicles.cycle, 1.0), "craft": (vehicles.craft, 1.4), "boat": (vehicles.boat, 0.7),
    "furniture": (objects.furniture, 1.2), "instrument": (objects.instrument, 0.7),
    "tool": (objects.tool, 1.0), "scissors": (objects.scissors, 0.7), "bag": (objects.bag, 0.9),
    "shoe": (objects.shoe, 0.8), "garment": (objects.garment, 0.8), "house": (objects.house, 0.8),
    "machine": (objects.machine, 1.4), "umbrella": (objects.umbrella, 0.7),
    "ball": (objects.ball, 0.9), "tree": (plants.tree, 0.9), "flower": (plants.flower, 1.2),
    "mushroom": (plants.mushroom, 0.6), "potted": (plants.potted, 0.9),
    "cactus": (plants.cactus, 0.5), "bouquet": (plants.bouquet, 0.6),
}  # fmt: skip
"""Training families: name to (maker, how often relative to the others)."""


def training_kinds(first_variant: int = 0) -> Kinds:
    """The families that training draws from; other first variants give other tiles."""
    return Kinds(
        textures=TEXTURES, shapes=SHAPES, backgrounds=BACKGROUNDS, first_variant=first_variant
    )


def generate_scene(rng: Random, size: Size = (192, 192)) -> Scene:
    """Makes a scene of the training families.

    Args:
        rng: Source of randomness; equal states give equal scenes.
        size: (height, width) in pixels.

    Returns:
        Image, alpha and the colors behind it.
    """
    return generate(rng, training_kinds(), size)


def training_scene(seed: int, index: int, size: Size = (192, 192)) -> Scene:
    """Scene number `index` of a training run; depends on nothing but the arguments."""
    return generate_scene(np.random.default_rng([seed, index]), size)


class SceneSet(Sequence[Scene]):
    """Scenes made when asked for; item i is the same every time.

    Args:
        make: Builds scene number i.
        length: Number of scenes.
    """

    def __init__(self, make: Callable[[int], Scene], length: int) -> None:
        self._make = make
        self._length = length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Scene: ...

    @overload
    def __getitem__(self, index: slice) -> SceneSet: ...

    def __getitem__(self, index: int | slice) -> Scene | SceneSet:
        """The scene at an index, or a shorter set for a slice."""
        if isinstance(index, slice):
            chosen = range(self._length)[index]
            return SceneSet(lambda position: self._make(chosen[position]), len(chosen))
        if not -self._length <= index < self._length:
            raise IndexError(f"the set has {self._length} scenes, got index {index}.")
        return self._make(index % self._length)

    def __iter__(self) -> Iterator[Scene]:
        return (self._make(index) for index in range(self._length))


def unseen_set(size: Size = (256, 256)) -> SceneSet:
    """500 scenes of the training families, of seeds and surface tiles that training never meets."""
    return SceneSet(
        lambda index: generate(
            np.random.default_rng([UNSEEN_SEED, index]), training_kinds(VARIANTS), size
        ),
        SET_SIZE,
    )


def held_out_set(size: Size = (256, 256)) -> SceneSet:
    """500 scenes whose surfaces, shapes and surroundings are of kinds that training never draws."""
    from .held_out import held_out_kinds

    return SceneSet(
        lambda index: generate(
            np.random.default_rng([HELD_OUT_SEED, index]), held_out_kinds(), size
        ),
        SET_SIZE,
    )


def scenes_per_second(count: int = 200, size: Size = (192, 192)) -> float:
    """Measures how many training scenes one core makes per second, tiles made beforehand.

    Args:
        count: Scenes timed, after as many that only fill the tile store.
        size: (height, width) in pixels.
    """
    for index in range(count):
        training_scene(0, index, size)
    start = time.perf_counter()
    for index in range(count):
        training_scene(0, index, size)
    return count / (time.perf_counter() - start)
