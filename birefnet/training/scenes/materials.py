"""Colored surfaces: a palette, a tile, and the way the tile lies in the picture."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .canvas import Drawing
from .noise import TILE, Field, Random, sample
from .textures import VARIANTS, Maker, tile

Pixels = NDArray[np.uint8]
T = TypeVar("T")
Color = tuple[float, float, float]
"""Red, green and blue in [0, 1]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kinds:
    """The families that a set of scenes draws from, each name with (function, weight)."""

    textures: Mapping[str, tuple[Maker, float]]
    """Gray patterns for subjects and surroundings."""

    shapes: Mapping[str, tuple[Callable[[Random], Drawing], float]]
    """Subjects: each function draws one with a generator."""

    backgrounds: Mapping[str, tuple[Callable[[Random, Kinds, int, int], Pixels], float]]
    """Surroundings: each function paints one of a height and a width, in pixels."""

    first_variant: int = 0
    """Number of the first tile of each family; other sets of tiles start elsewhere."""

    used: list[str] = field(default_factory=list)
    """Names drawn so far, in order; cleared for every scene."""


def pick(rng: Random, table: Mapping[str, tuple[T, float]], used: list[str], group: str) -> T:
    """Draws an entry of a weighted table and notes 'group:name' in `used`."""
    names = list(table)
    name = names[int(np.searchsorted(_cumulative(tuple(table[n][1] for n in names)), rng.random()))]
    used.append(f"{group}:{name}")
    return table[name][0]


@lru_cache(maxsize=64)
def _cumulative(weights: tuple[float, ...]) -> NDArray[np.float64]:
    """Running sum of weights, scaled so that the last is 1."""
    total = np.cumsum(weights)
    return np.asarray(total / total[-1])


def hsv(hue: float, saturation: float, value: float) -> Color:
    """Red, green, blue of a hue (turns, any number), saturation and value (clipped to [0, 1])."""
    clip = (min(max(float(part), 0.0), 1.0) for part in (saturation, value))
    return colorsys.hsv_to_rgb(hue % 1.0, *clip)


HINTS: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "skin": ((0.02, 0.09), (0.2, 0.6), (0.3, 0.98)),
    "hair": ((0.03, 0.13), (0.1, 0.7), (0.05, 0.65)),
    "fur": ((0.03, 0.14), (0.05, 0.6), (0.1, 0.95)),
    "plant": ((0.18, 0.42), (0.25, 0.85), (0.15, 0.75)),
    "metal": ((0.5, 0.7), (0.0, 0.15), (0.25, 0.95)),
    "white": ((0.0, 1.0), (0.0, 0.1), (0.75, 1.0)),
    "black": ((0.0, 1.0), (0.0, 0.4), (0.02, 0.2)),
    "earth": ((0.04, 0.15), (0.1, 0.6), (0.2, 0.8)),
    "sky": ((0.52, 0.66), (0.05, 0.7), (0.5, 1.0)),
    "gray": ((0.0, 1.0), (0.0, 0.12), (0.1, 0.95)),
}
"""Hue, saturation and value ranges that a kind of thing usually has."""


def base_color(rng: Random, hint: str = "any") -> Color:
    """A color for a kind of thing; 'any' favors the muted colors that photographs have."""
    if hint in HINTS and rng.random() < 0.8:
        ranges = HINTS[hint]
        return hsv(*(rng.uniform(*limits) for limits in ranges))
    if rng.random() < 0.25:
        return hsv(rng.random(), rng.uniform(0, 0.12), rng.uniform(0.02, 1))
    return hsv(rng.random(), rng.beta(1.4, 2.5), rng.uniform(0.08, 1))


def palette(rng: Random, hint: str = "any", *, contrast: float = 1.0) -> Pixels:
    """Colors for the grays of a tile, (256, 3): a few stops around one or more base colors.

    Args:
        rng: Source of randomness.
        hint: A key of HINTS, or "any".
        contrast: 0 gives one color, 1 the full range between stops.
    """
    base = np.array(base_color(rng, hint))
    count = int(rng.integers(2, 6))
    stops = np.empty((count, 3))
    strange = rng.random() < (0.35 if hint == "any" else 0.12)
    shades = np.linspace(rng.uniform(0.2, 0.8), rng.uniform(1.0, 1.7), count)
    if rng.random() < 0.4:
        shades = rng.permutation(shades)
    for index in range(count):
        other = np.array(base_color(rng, hint)) if strange else base
        stops[index] = other * shades[index] + rng.normal(0, 0.03, 3)
    stops = base + (stops - base) * contrast
    positions = np.linspace(0, 1, count)
    line = np.linspace(0, 1, 256)
    colors = np.stack([np.interp(line, positions, stops[:, k]) for k in range(3)], 1)
    return np.asarray(np.clip(colors, 0, 1) * 255).astype(np.uint8)


@lru_cache(maxsize=32)
def positions(height: int, width: int) -> tuple[Field, Field]:
    """Rows and columns of pixel centers, (height, width), the longer side spanning [-1, 1]."""
    longer = max(height, width)
    rows = (2 * np.arange(height, dtype=np.float32) + 1 - height) / longer
    columns = (2 * np.arange(width, dtype=np.float32) + 1 - width) / longer
    vertical, horizontal = np.meshgrid(rows, columns, indexing="ij")
    return vertical, horizontal


def draw_tile(rng: Random, kinds: Kinds) -> Pixels:
    """A tile of a random family."""
    maker = pick(rng, kinds.textures, kinds.used, "texture")
    return tile(maker, kinds.first_variant + int(rng.integers(VARIANTS)))


def spread(
    rng: Random, kinds: Kinds, height: int, width: int, *, span: float | None = None
) -> Pixels:
    """A tile laid over a picture, turned, scaled, stretched and sometimes bent.

    Args:
        rng: Source of randomness.
        kinds: Where the tile comes from.
        height: Rows of the picture.
        width: Columns of the picture.
        span: Texels along the longer side; random between 50 and 350 if None.

    Returns:
        (height, width), uint8.
    """
    from PIL import Image

    half = (span if span is not None else 2 ** rng.uniform(5.6, 8.45)) / 2
    turn = (
        float(rng.integers(0, 4)) * np.pi / 2 if rng.random() < 0.6 else rng.uniform(0, 2 * np.pi)
    )
    ratio = min(2 ** rng.normal(0, 0.25), 1.5)
    shift = rng.random(2) * TILE
    chosen = draw_tile(rng, kinds)
    if rng.random() < 0.12:
        rows, columns = positions(height, width)
        cosine, sine = np.float32(np.cos(turn) * half), np.float32(np.sin(turn) * half)
        bend, waves = np.float32(rng.uniform(2, 14)), np.float32(rng.uniform(2, 6))
        vertical = rows * cosine + columns * sine + np.float32(shift[0] + 4 * TILE)
        vertical += bend * np.sin(columns * waves + np.float32(rng.uniform(0, 6)))
        horizontal = (columns * cosine - rows * sine) * np.float32(ratio)
        return sample(chosen, vertical, horizontal + np.float32(shift[1] + 4 * TILE)).astype(
            np.uint8
        )
    copies = int(np.ceil(2 * half * ratio * 1.42 / TILE)) + 1
    repeated = Image.fromarray(np.tile(chosen, (copies, copies)))
    step = 2 * half / max(height, width)
    along, aside = float(np.cos(turn) * step), float(np.sin(turn) * step)
    across = (along * ratio, -aside * ratio)
    down = (aside, along)
    middle = (width / 2, height / 2)
    start = [
        (copies - 1) * TILE / 2 + offset - line[0] * middle[0] - line[1] * middle[1]
        for offset, line in zip(shift, (across, down), strict=True)
    ]
    data = (across[0], across[1], start[0], down[0], down[1], start[1])
    laid = repeated.transform(
        (width, height), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR
    )
    return np.asarray(laid)


def receding(rng: Random, kinds: Kinds, height: int, width: int, horizon: float) -> Pixels:
    """A tile lying on the ground, seen at an angle: it shrinks towards the horizon.

    Args:
        rng: Source of randomness.
        kinds: Where the tile comes from.
        height: Rows of the picture.
        width: Columns of the picture.
        horizon: Row of the horizon in [-1, 1]; pixels above it repeat those just below.

    Returns:
        (height, width), uint8.
    """
    rows, columns = positions(height, width)
    depth = 1 / np.maximum(rows - np.float32(horizon) + np.float32(0.06), np.float32(0.06))
    scale = np.float32(2 ** rng.uniform(4.5, 6.5))
    turn = np.float32(rng.normal(0, 0.4))
    across = columns * depth * scale
    along = depth * scale
    shift = rng.random(2).astype(np.float32) * TILE + 64 * TILE
    gray = sample(
        draw_tile(rng, kinds), along + across * turn + shift[0], across - along * turn + shift[1]
    )
    return gray.astype(np.uint8)


def paint(
    rng: Random,
    kinds: Kinds,
    height: int,
    width: int,
    *,
    hint: str = "any",
    contrast: float | None = None,
    span: float | None = None,
) -> Pixels:
    """A colored surface seen from the front, (height, width, 3), uint8.

    Args:
        rng: Source of randomness.
        kinds: Where tiles come from.
        height: Rows.
        width: Columns.
        hint: Kind of color, see `palette`.
        contrast: Strength of the pattern in [0, 1]; random if None.
        span: Texels along the longer side; random if None.
    """
    if contrast is None:
        contrast = float(rng.beta(1.3, 1.3))
    gray = spread(rng, kinds, height, width, span=span)
    if rng.random() < 0.25:
        other = spread(rng, kinds, height, width)
        share = np.float32(rng.uniform(0.25, 0.75))
        mixed = gray * (1 - share) + other * share
        gray = (mixed if rng.random() < 0.5 else gray * (other / np.float32(255))).astype(np.uint8)
    return colorize(gray, palette(rng, hint, contrast=contrast))


def colorize(gray: Pixels, colors: Pixels) -> Pixels:
    """Replaces grays (H, W) by the colors (256, 3) of a palette, (H, W, 3)."""
    from PIL import Image

    image = Image.fromarray(gray)
    image.putpalette(colors.tobytes())
    return np.asarray(image.convert("RGB"))
