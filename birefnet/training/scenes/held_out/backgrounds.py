"""Held-out surroundings: discs of defocused lights, and cities of windows and streets."""

from __future__ import annotations

import numpy as np

from ..backgrounds import Painter
from ..materials import Kinds, Pixels, base_color, paint, positions
from ..noise import Random


def bokeh(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """Lights out of focus: overlapping discs with a bright rim over a dim scene."""
    rows, columns = positions(height, width)
    picture = paint(rng, kinds, height, width, contrast=0.5).astype(np.float32)
    picture *= np.float32(rng.uniform(0.1, 0.7))
    size = rng.uniform(0.05, 0.22)
    tints = [np.array(base_color(rng), np.float32) for _ in range(3)]
    for _ in range(int(rng.integers(12, 50))):
        x, y = rng.uniform(-1.05, 1.05, 2).astype(np.float32)
        radius = np.float32(size * rng.uniform(0.6, 1.2))
        distance = np.hypot(rows - y, columns - x) / radius
        disc = np.clip((1 - distance) * radius * height * np.float32(0.25), 0, 1)
        disc *= 0.75 + 0.25 * np.minimum(distance, 1) ** 4
        tint = tints[rng.integers(3)] * np.float32(255 * rng.uniform(0.15, 0.7))
        picture += disc[..., None] * tint
    return np.clip(picture, 0, 255).astype(np.uint8)


def city_grid(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """Blocks of houses with rows of windows before a sky, or streets seen from above."""
    from PIL import Image, ImageDraw

    if rng.random() < 0.35:
        ground = Image.fromarray(paint(rng, kinds, height, width, contrast=0.4))
        pen = ImageDraw.Draw(ground)
        street = tuple(int(255 * part) for part in base_color(rng, "gray"))
        step = rng.uniform(0.12, 0.3) * width
        for x in np.arange(rng.uniform(0, step), width, step):
            for y in np.arange(rng.uniform(0, step), height, step):
                roof = tuple(int(255 * part) for part in base_color(rng, "earth"))
                inset = step * rng.uniform(0.08, 0.2)
                pen.rectangle((x + inset, y + inset, x + step - inset, y + step - inset), fill=roof)
        lean = rng.normal(0, 0.2)
        for k in np.arange(0, 2 * width, step):
            pen.line((k, 0, k + lean * height, height), fill=street, width=max(1, int(step * 0.12)))
            pen.line((0, k, width, k - lean * width), fill=street, width=max(1, int(step * 0.12)))
        return np.asarray(ground)
    rows, _ = positions(height, width)
    top, low = (np.array(base_color(rng, "sky"), np.float32) for _ in range(2))
    air = top + (low - top) * np.clip(rows * 0.5 + 0.5, 0, 1)[..., None]
    night = np.float32(rng.choice([1.0, 1.0, 0.25]))
    image = Image.fromarray((air * 255 * night).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    for layer in range(int(rng.integers(1, 4))):
        x = -rng.uniform(0, 0.2) * width
        while x < width:
            wide, tall = rng.uniform(0.1, 0.32) * width, rng.uniform(0.25, 0.95) * height
            base = np.array(base_color(rng, "gray" if rng.random() < 0.6 else "earth")) * (
                0.9 - 0.2 * layer
            )
            wall = tuple(int(255 * part * float(night)) for part in base)
            lit = tuple(int(255 * part) for part in np.clip(base * rng.choice([0.4, 1.6]), 0, 1))
            pen.rectangle((x, height - tall, x + wide, height), fill=wall)
            across, down = wide / rng.integers(3, 8), rng.uniform(0.035, 0.08) * height
            for column in np.arange(x + across * 0.2, x + wide - across * 0.5, across):
                for row in np.arange(height - tall + down * 0.4, height, down):
                    pen.rectangle(
                        (column, row, column + across * 0.55, row + down * 0.55), fill=lit
                    )
            x += wide * rng.uniform(1.0, 1.3)
    return np.asarray(image)


BACKGROUNDS: dict[str, tuple[Painter, float]] = {
    "bokeh": (bokeh, 1.0),
    "city_grid": (city_grid, 1.0),
}
"""Held-out families: name to (painter, how often relative to the others)."""
