"""How well does a model find the subjects of scenes, beside three trivial ways to do it?

    python benchmarks/starter.py
    python benchmarks/starter.py --model general --count 100 --by-kind

Prints the mean intersection over union (both mattes cut at one half) on two sets that
birefnet/training/scenes defines: unseen scenes of the families that training draws from, and
scenes of held-out kinds, whose code never runs in training. The last column is the share of
scenes with an IoU of at least 0.85.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

import birefnet
from birefnet.training.scenes import Scene, held_out_set, scenes_per_second, unseen_set
from birefnet.training.scenes.baselines import BASELINES, intersection_over_union

Predict = Callable[[np.ndarray], np.ndarray]

GOOD = 0.85
"""An IoU from which a cutout is of use."""


def model_function(name: str) -> Predict:
    """A model as a function from an image (H, W, 3), uint8, to alpha (H, W)."""
    predictor = birefnet.load(name)

    def predict(image: np.ndarray) -> np.ndarray:
        pixels = torch.from_numpy(np.moveaxis(image, 2, 0).copy()).float()[None] / 255
        return predictor(pixels)[0, 0].float().cpu().numpy()

    return predict


@dataclass
class Row:
    """Results of one method on one set."""

    predict: Predict
    scores: list[float] = field(default_factory=list)
    seconds: float = 0.0


def measure(rows: Sequence[Row], scenes: Sequence[Scene]) -> list[tuple[str, ...]]:
    """Adds the IoU of each method on each scene; returns the scenes' families."""
    kinds = []
    for index, scene in enumerate(scenes):
        for row in rows:
            start = time.perf_counter()
            row.scores.append(intersection_over_union(row.predict(scene.image), scene.alpha))
            row.seconds += time.perf_counter() - start
        kinds.append(scene.kinds)
        print(f"\r{index + 1}/{len(scenes)} ", end="", file=sys.stderr, flush=True)
    print("\r", end="", file=sys.stderr)
    return kinds


def print_kinds(scores: Sequence[float], scenes: Sequence[tuple[str, ...]]) -> None:
    """Mean IoU of each shape and background family, hardest first."""
    groups: dict[str, list[float]] = defaultdict(list)
    for score, kinds in zip(scores, scenes, strict=True):
        for kind in kinds:
            if not kind.startswith("texture:"):
                groups[kind].append(score)
    for kind, values in sorted(groups.items(), key=lambda item: np.mean(item[1])):
        print(f"    {kind:34} {np.mean(values):.3f}  ({len(values)})")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--model", default="starter", help="id or file of a checkpoint")
    parser.add_argument("--count", type=int, default=500, help="scenes of each set, at most 500")
    parser.add_argument("--side", type=int, default=256, help="height and width, in pixels")
    parser.add_argument("--by-kind", action="store_true", help="also each family by itself")
    parser.add_argument("--speed", action="store_true", help="also how fast scenes are made")
    arguments = parser.parse_args()
    size = (arguments.side, arguments.side)
    methods = {arguments.model: model_function(arguments.model), **BASELINES}
    print(f"{'':24}{'set':12}{'scenes':>7}{'mean IoU':>10}{'>= ' + str(GOOD):>9}{'seconds':>9}")
    for title, scenes in (("unseen", unseen_set(size)), ("held-out", held_out_set(size))):
        rows = {name: Row(predict) for name, predict in methods.items()}
        kinds = measure(list(rows.values()), scenes[: arguments.count])
        for name, row in rows.items():
            scores = np.array(row.scores)
            line = f"{name[-23:]:24}{title:12}{len(scores):7}{scores.mean():10.3f}"
            print(f"{line}{(scores >= GOOD).mean():9.2f}{row.seconds:9.1f}")
        if arguments.by_kind:
            print_kinds(rows[arguments.model].scores, kinds)
    if arguments.speed:
        print(f"{scenes_per_second():.0f} training scenes of 192 x 192 per second and core")


if __name__ == "__main__":
    main()
