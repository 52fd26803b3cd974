"""Held-out surfaces: wood grain, fabric weave, caustics, foliage, halftone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..canvas import curve
from ..noise import TILE, Field, Random, band_noise, grid, power_noise, smooth
from ..textures import Maker, drawn, wrapped

if TYPE_CHECKING:
    from PIL import ImageDraw


def wood_grain(rng: Random) -> Field:
    """Growth rings cut lengthwise: narrow dark lines around a cathedral, pores, planks."""
    rows, columns = grid()
    planks = int(rng.integers(1, 5))
    plank = np.floor(rows * planks)
    inner = (rows * planks) % 1 - 0.5
    start = rng.random(planks)[plank.astype(int)]
    arch = 0.5 * np.cos(2 * np.pi * (columns + start)) * rng.uniform(0.2, 1.2)
    wobble = (power_noise(rng, 2.2, stretching=3) - 0.5) * rng.uniform(0.2, 0.7)
    rings = np.abs(inner) * rng.uniform(3, 7) + arch + wobble + start * 5
    phase = (rings * rng.uniform(1, 2)) % 1
    late = phase**3 * (1 - np.clip((phase - 0.93) / 0.07, 0, 1))
    pores = power_noise(rng, 0.4, stretching=0.06)
    tile = 0.85 - late * rng.uniform(0.3, 0.6) - np.clip(pores - 0.6, 0, 1) * 0.8
    gap = np.clip((0.5 - np.abs(inner)) * TILE / planks / 1.5, 0.3, 1) if planks > 1 else 1.0
    return np.asarray(np.clip(tile * gap * (0.85 + 0.3 * start), 0, 1), np.float32)


def fabric_weave(rng: Random) -> Field:
    """Threads of two directions passing over and under each other: plain weave or twill."""
    rows, columns = grid()
    period = int(rng.integers(2, 5))
    count = int(rng.integers(8, 18)) * period // 2 * 2
    count -= count % period
    row, column = np.floor(rows * count), np.floor(columns * count)
    upright = (column + row) % period < (period + 1) // 2
    across, down = (columns * count) % 1 - 0.5, (rows * count) % 1 - 0.5
    slim = rng.uniform(1.75, 1.95)
    thread = np.sqrt(np.maximum(1 - (slim * np.where(upright, across, down)) ** 2, 0.02))
    bow = np.cos(np.pi * np.where(upright, down, across) * 0.9)
    shades = np.where(upright, rng.uniform(0.4, 1), rng.uniform(0.4, 1))
    fiber = 1 + 0.15 * np.sin(2 * np.pi * 3 * np.where(upright, across + down, across - down))
    tile = thread * (0.4 + 0.6 * bow) * shades * fiber * (0.85 + 0.3 * power_noise(rng, 0.3))
    return np.clip(tile, 0, 1).astype(np.float32)


def caustics(rng: Random) -> Field:
    """Light gathered by a wavy water surface: rays bent by its slope, counted where they land."""
    height = band_noise(rng, rng.uniform(4, 9), 0.5)
    slope_down = np.roll(height, -1, 0) - np.roll(height, 1, 0)
    slope_across = np.roll(height, -1, 1) - np.roll(height, 1, 1)
    depth = rng.uniform(7, 14) / max(float(slope_down.std()), 1e-6)
    light = np.zeros((TILE, TILE), np.float32)
    rows, columns = np.mgrid[0:TILE, 0:TILE]
    for part in range(9):
        down, across = (part // 3) / 3, (part % 3) / 3
        row = np.round(rows + down + slope_down * depth).astype(int) % TILE
        column = np.round(columns + across + slope_across * depth).astype(int) % TILE
        np.add.at(light, (row, column), 1)
    return np.clip(smooth(light, 0.8) / 9 * 0.4, 0, 1) ** np.float32(0.7)


def foliage(rng: Random) -> Field:
    """Leaves with a midrib lying over each other, dark gaps between them."""
    length, slim = rng.uniform(40, 110), rng.uniform(0.25, 0.5)
    base, loose = rng.uniform(0, 6), rng.uniform(0.3, 3)

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for step in range(230):
            angle = base + rng.normal() * loose
            size = length * rng.uniform(0.5, 1.1)
            half = curve([(-0.5, 0), (-0.1, slim / 2), (0.5, 0)], 8)
            leaf = np.concatenate([half, half[::-1] * [1, -1]]) * size
            turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
            center = rng.random(2) * TILE * 2
            gray = 30 + 190 * step / 230 * rng.uniform(0.6, 1.1)
            rib = np.array([[-0.5, 0], [0.5, 0]]) * size
            for copy in wrapped(leaf @ turn + center):
                pen.polygon(copy, fill=int(min(gray, 255)), outline=int(gray * 0.5))
            for copy in wrapped(rib @ turn + center):
                pen.line(copy, fill=int(min(gray * 1.25, 255)), width=3)

    return drawn(draw, 15)


def halftone(rng: Random) -> Field:
    """Printed dots on a slanted grid whose size follows a gray picture."""
    rows, columns = grid()
    down, across = int(rng.integers(10, 30)), int(rng.integers(4, 14))
    u, v = rows * down + columns * across, columns * down - rows * across
    gray = 0.15 + 0.7 * power_noise(rng, 1.9)
    screen = 0.5 + 0.25 * (np.cos(2 * np.pi * u) + np.cos(2 * np.pi * v))
    return np.clip((screen - gray) * 5 + 0.5, 0, 1).astype(np.float32)


TEXTURES: dict[str, tuple[Maker, float]] = {
    "wood_grain": (wood_grain, 1.0),
    "fabric_weave": (fabric_weave, 1.0),
    "caustics": (caustics, 1.0),
    "foliage": (foliage, 1.0),
    "halftone": (halftone, 1.0),
}
"""Held-out families: name to (maker, how often relative to the others)."""
