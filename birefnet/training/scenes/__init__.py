"""Generated training pictures with exact mattes, and the two sets that measure a model on them."""

from .compose import Scene
from .sets import (
    generate_scene,
    held_out_set,
    scenes_per_second,
    training_scene,
    unseen_set,
)

__all__ = [
    "Scene",
    "generate_scene",
    "held_out_set",
    "scenes_per_second",
    "training_scene",
    "unseen_set",
]
