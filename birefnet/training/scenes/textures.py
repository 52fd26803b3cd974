"""Families of gray surface patterns, and how a scene samples them.

A family makes a periodic tile. Tiles are kept per process, because a scene then costs one lookup
per pixel; a tile depends only on (family, variant), so a scene never depends on what ran before.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from .noise import (
    TILE,
    Field,
    Random,
    band_noise,
    cascade,
    cell_distances,
    compose,
    filtered,
    frequencies,
    grid,
    labyrinth,
    normalize,
    oriented_noise,
    power_noise,
    smooth,
    stretch,
    warp,
)

if TYPE_CHECKING:
    from PIL import ImageDraw

Maker = Callable[[Random], Field]

VARIANTS = 32
"""Tiles kept per family: enough that no two scenes look alike after sampling and coloring."""


def clouds(rng: Random) -> Field:
    """Soft 1/f noise."""
    return power_noise(rng, rng.uniform(1.2, 2.6), stretching=2 ** rng.uniform(0, 1.5))


def natural(rng: Random) -> Field:
    """Noise with the spectrum of photographs."""
    return power_noise(rng, rng.uniform(0.8, 1.2))


def speckle(rng: Random) -> Field:
    """Fine grains."""
    return band_noise(rng, rng.uniform(30, 90), rng.uniform(0.3, 1.0))


def patches(rng: Random) -> Field:
    """Flat areas with winding borders, like camouflage."""
    levels = rng.integers(2, 6)
    steps = np.floor(power_noise(rng, rng.uniform(1.4, 2.2)) * levels * 0.999)
    return np.asarray(steps / (levels - 1))


def dunes(rng: Random) -> Field:
    """Folded noise lit from one side: dunes, eroded slopes, draped cloth."""
    total = np.zeros((TILE, TILE), np.float32)
    for octave in range(4):
        wave = band_noise(rng, 4 * 2**octave, 0.5)
        total += (1 - np.abs(wave * 2 - 1)) * 0.5**octave
    step = int(rng.integers(1, 4))
    return normalize(np.roll(total, step, 0) - np.roll(total, -step, 0))


def gabor(rng: Random) -> Field:
    """Ripples of one direction and scale."""
    center, spread = rng.uniform(8, 45), rng.uniform(0.08, 0.5)
    return oriented_noise(rng, center, rng.uniform(0, np.pi), spread)


def stripes(rng: Random) -> Field:
    """Parallel bands of random widths and grays, straight or bent."""
    count = int(rng.integers(3, 24))
    edges = np.sort(rng.random(count))
    if rng.random() < 0.5:
        edges = (np.arange(count) + 0.25 * rng.random()) / count
    grays = rng.random(count) if rng.random() < 0.4 else (np.arange(count) % 2).astype(float)
    rows, _ = grid()
    tile = grays[np.searchsorted(edges, rows) % count].astype(np.float32)
    tile = smooth(tile, rng.uniform(0.6, 2.0))
    return warp(tile, rng.uniform(2, 25), rng) if rng.random() < 0.5 else np.clip(tile, 0, 1)


def animal_stripes(rng: Random) -> Field:
    """High-contrast bands that fork and taper."""
    tile = oriented_noise(rng, rng.uniform(5, 14), 0.0, rng.uniform(0.2, 0.5))
    return np.asarray(np.clip((tile - 0.5) * rng.uniform(4, 12) + rng.uniform(0.3, 0.7), 0, 1))


def waves(rng: Random) -> Field:
    """Rounded parallel folds, like sheet metal or curtains."""
    rows, columns = grid()
    phase = rows * rng.integers(3, 20) + (power_noise(rng, 2.2) - 0.5) * rng.uniform(0, 1.5)
    curve = 0.5 + 0.5 * np.sin(2 * np.pi * phase)
    folds = columns * rng.integers(0, 3)
    bright = curve ** rng.uniform(0.5, 2) * (0.8 + 0.2 * np.sin(2 * np.pi * folds))
    return np.asarray(bright, np.float32)


def checks(rng: Random) -> Field:
    """A chessboard of rectangles."""
    rows, columns = grid()
    down, across = rng.integers(2, 14, 2) * 2
    board = (np.floor(rows * down) + np.floor(columns * across)) % 2
    tile = smooth(board.astype(np.float32), rng.uniform(0.4, 1.5))
    return np.clip(warp(tile, rng.uniform(2, 12), rng) if rng.random() < 0.3 else tile, 0, 1)


def plaid(rng: Random) -> Field:
    """Bands of two directions added up."""
    lines = []
    for _ in range(2):
        count = int(rng.integers(4, 14))
        lines.append(rng.random(count)[(np.arange(TILE) * count) // TILE])
    return stretch(lines[0][:, None] * rng.uniform(0.5, 1) + lines[1][None, :])


def dots(rng: Random) -> Field:
    """Equal discs on a regular or shaken grid."""
    first, _, value = cell_distances(
        rng, int(rng.integers(4, 18)) ** 2, regular=float(rng.choice([1.0, 0.7, 0.3]))
    )
    radius = np.quantile(first, rng.uniform(0.2, 0.6))
    tile = np.clip((radius - first) * TILE / 1.5 + 0.5, 0, 1)
    return tile * (value if rng.random() < 0.3 else 1)


def spots(rng: Random) -> Field:
    """Irregular animal-like rosettes."""
    tile = band_noise(rng, rng.uniform(6, 18), 0.35)
    inner = 1 - np.abs(tile - rng.uniform(0.55, 0.75)) * rng.uniform(5, 12)
    return np.asarray(np.clip(inner, 0, 1))


def bricks(rng: Random) -> Field:
    """Rows of shifted blocks with mortar and uneven grays."""
    rows, columns = grid()
    down = int(rng.integers(3, 9)) * 2
    across = int(rng.integers(2, 8))
    shift = (np.floor(rows * down) % 2) * 0.5 if rng.random() < 0.8 else 0.0
    inner_row, inner_column = (rows * down) % 1, (columns * across + shift) % 1
    gap = rng.uniform(0.03, 0.12)
    edge = np.minimum(
        np.minimum(inner_row, 1 - inner_row) / down,
        np.minimum(inner_column, 1 - inner_column) / across,
    )
    mortar = np.clip(edge * down / gap, 0, 1)
    number = np.floor(rows * down) * 31 + np.floor(columns * across + shift) % across
    gray = rng.random(4096)[number.astype(int) % 4096]
    tile = mortar * (0.6 + 0.4 * gray) * (0.8 + 0.2 * natural(rng))
    return np.asarray(np.clip(tile + (1 - mortar) * rng.random(), 0, 1), np.float32)


def cells(rng: Random) -> Field:
    """Flat polygons of many grays."""
    first, second, value = cell_distances(rng, int(2 ** rng.uniform(4, 9)))
    border = np.clip((second - first) * TILE / rng.uniform(1.5, 5), 0, 1)
    return value * (border if rng.random() < 0.6 else 1)


def cobbles(rng: Random) -> Field:
    """Rounded stones side by side."""
    first, second, value = cell_distances(rng, int(2 ** rng.uniform(4, 8)), regular=0.3)
    dome = np.clip((second - first) / np.quantile(second - first, 0.9), 0, 1) ** 0.6
    return np.asarray(np.clip(dome * (0.5 + 0.5 * value) * (0.7 + 0.5 * natural(rng)), 0, 1))


def cracks(rng: Random) -> Field:
    """Thin dark lines between plates."""
    first, second, _ = cell_distances(rng, int(2 ** rng.uniform(3, 7)))
    line = np.clip((second - first) * TILE / rng.uniform(1.5, 4), 0, 1)
    return np.clip(
        warp(line, rng.uniform(2, 10), rng, exponent=1.5) * (0.6 + 0.4 * clouds(rng)), 0, 1
    )


def crumpled(rng: Random) -> Field:
    """Facets that catch the light, like paper or foil."""
    total = np.zeros((TILE, TILE), np.float32)
    for octave in range(2):
        first, second, value = cell_distances(rng, int(2 ** rng.uniform(3, 6) * 3**octave))
        total += ((second - first) * 6 * (value - 0.5) + value * 0.5) * 0.6**octave
    return normalize(smooth(total, 0.7))


def marble(rng: Random) -> Field:
    """Veins: a sine of a ramp shaken by turbulence."""
    rows, _ = grid()
    shaken = rows * rng.integers(1, 5) + (power_noise(rng, 1.5) - 0.5) * rng.uniform(1.5, 5)
    return (np.abs(np.sin(np.pi * shaken)) ** rng.uniform(0.2, 1.0)).astype(np.float32)


def turing(rng: Random) -> Field:
    """Self-organized worms and spots."""
    return labyrinth(rng, rng.uniform(6, 24), rng.uniform(-0.6, 0.6))


def network(rng: Random) -> Field:
    """What a random network paints."""
    return compose(rng, int(rng.integers(1, 4)))


def filters(rng: Random) -> Field:
    """What a chain of random filters leaves of noise."""
    return cascade(rng, int(rng.integers(2, 5)))


def drawn(draw: Callable[[ImageDraw.ImageDraw], None], gray: int) -> Field:
    """A tile drawn four times with wrapped shifts, so that it stays periodic."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (TILE * 2, TILE * 2), gray)
    pen = ImageDraw.Draw(image)
    draw(pen)
    return np.asarray(image.resize((TILE, TILE), Image.Resampling.BOX), np.float32) / 255


def wrapped(points: NDArray[np.floating]) -> list[list[tuple[float, float]]]:
    """Copies of a point list (N, 2), in double texels, for every side that it crosses."""
    side = TILE * 2
    copies = []
    low, high = points.min(0), points.max(0)
    for down in (-side, 0, side):
        for across in (-side, 0, side):
            shift = np.array([across, down])
            if np.all(high + shift > 0) and np.all(low + shift < side):
                copies.append([(float(x), float(y)) for x, y in points + shift])
    return copies


def scratches(rng: Random) -> Field:
    """Thin straight strokes on a plain ground."""
    base = rng.uniform(0, 2 * np.pi)
    spread = rng.choice([0.1, 0.6, 3.2])

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for _stroke in range(int(rng.integers(40, 300))):
            angle = base + rng.normal() * spread
            start, length = rng.random(2) * TILE * 2, rng.exponential(60) + 8
            line = np.stack([start, start + length * np.array([np.cos(angle), np.sin(angle)])])
            gray, width = int(rng.integers(256)), int(rng.integers(1, 4))
            for copy in wrapped(line):
                pen.line(copy, fill=gray, width=width)

    return drawn(draw, int(rng.integers(60, 200)))


def fur(rng: Random) -> Field:
    """Short bent hairs combed along a slowly turning direction."""
    flow = power_noise(rng, 2.5)
    base, turn = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 3)
    length, width = rng.uniform(15, 60), int(rng.integers(2, 5))

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for x, y in rng.random((1500, 2)) * TILE * 2:
            angle = base + turn * (flow[int(y) // 2, int(x) // 2] - 0.5) * 2 + rng.normal() * 0.15
            step = np.array([np.cos(angle), np.sin(angle)]) * length * rng.uniform(0.5, 1)
            gray = int(np.clip(rng.normal(128, 60), 0, 255))
            pen.line([(x, y), (float(x + step[0]), float(y + step[1]))], fill=gray, width=width)

    return drawn(draw, 90)


def leaves_of_paper(rng: Random) -> Field:
    """Dead leaves: flat shapes of all sizes covering each other, as objects do in photographs.

    Source: Lee, Mumford and Huang, "Occlusion models for natural images", 2001.
    """
    sides = int(rng.integers(3, 7))
    roundness = rng.random() < 0.5

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for _shape in range(260):
            radius = min(9 / rng.random() ** 0.7, 140)
            corners = 14 if roundness else sides
            angles = 2 * np.pi * (np.arange(corners) / corners + rng.random())
            ratio = rng.uniform(0.4, 1)
            points = np.stack([np.cos(angles), ratio * np.sin(angles)], 1) * radius
            turn = rng.uniform(0, np.pi)
            rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            gray = int(rng.integers(256))
            for copy in wrapped(points @ rotation + rng.random(2) * TILE * 2):
                pen.polygon(copy, fill=gray)

    return drawn(draw, 128)


def patchwork(rng: Random) -> Field:
    """Upright rectangles of all sizes, like shelves, signs and facades seen from afar."""

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for _shape in range(int(rng.integers(40, 200))):
            size = np.minimum(12 / rng.random(2) ** 0.7, 200)
            corner = rng.random(2) * TILE * 2
            box = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * size + corner
            gray, outline = int(rng.integers(256)), int(rng.integers(256))
            for copy in wrapped(box):
                pen.polygon(copy, fill=gray, outline=outline if rng.random() < 0.3 else None)

    return drawn(draw, 128)


def print_rows(rng: Random) -> Field:
    """Rows of short marks like a printed page that is too small to read."""
    height, ink = rng.uniform(10, 34), int(rng.integers(0, 90))

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for row in np.arange(0, TILE * 2, height * 1.8):
            x = rng.uniform(0, 40)
            while x < TILE * 2 - height:
                for _mark in range(int(rng.integers(1, 8))):
                    width = height * rng.uniform(0.15, 0.5)
                    top = row + height * rng.uniform(0, 0.4)
                    pen.rectangle((x, top, x + width, row + height), fill=ink)
                    x += width + height * 0.15
                x += height * rng.uniform(0.4, 1.5)

    return drawn(draw, 235)


def knit(rng: Random) -> Field:
    """Columns of V-shaped stitches."""
    rows, columns = grid()
    down, across = int(rng.integers(10, 30)), int(rng.integers(6, 16))
    side = np.abs((columns * across) % 1 - 0.5) * 2
    phase = (rows * down + side * rng.uniform(0.5, 1.2)) % 1
    stitch = np.sin(np.pi * phase) * np.abs(np.sin(np.pi * side)) ** 0.5
    return np.asarray(np.clip(stitch + (natural(rng) - 0.5) * 0.3, 0, 1), np.float32)


def quilt(rng: Random) -> Field:
    """Padded diamonds with seams."""
    rows, columns = grid()
    count = int(rng.integers(2, 9))
    down, across = (rows + columns) * count, (rows - columns) * count
    pad = np.abs(np.sin(np.pi * down) * np.sin(np.pi * across)) ** rng.uniform(0.2, 0.8)
    return np.asarray(pad, np.float32)


def scales(rng: Random) -> Field:
    """Overlapping discs in shifted rows, like fish skin or roof tiles, darker under each edge."""
    rows, columns = grid()
    down = int(rng.integers(3, 9)) * 2
    across = int(rng.integers(down // 2, down + 1))
    best = np.zeros((TILE, TILE), np.float32)
    for step in (-1, 0, 1, 2):
        row = np.floor(rows * down) + 1 - step
        offset = ((columns * across + (row % 2) * 0.5) % 1 - 0.5) * 1.9
        depth = rows * down - row
        distance = np.hypot(offset, depth * 0.9)
        best = np.where(distance < 1, 0.35 + 0.65 * np.clip((1 - distance) * 3, 0, 1) ** 0.5, best)
    return np.clip(best * (0.85 + 0.3 * natural(rng)), 0, 1)


def brush(rng: Random) -> Field:
    """Dabs of a flat brush in a few directions, each with bristle marks."""
    directions = rng.uniform(0, np.pi, int(rng.integers(1, 4)))
    length, wide = rng.uniform(60, 160), rng.uniform(18, 50)

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for _dab in range(130):
            angle = rng.choice(directions) + rng.normal(0, 0.15)
            along = np.array([np.cos(angle), np.sin(angle)]) * length * rng.uniform(0.5, 1.2)
            side = np.array([-np.sin(angle), np.cos(angle)])
            start, gray = rng.random(2) * TILE * 2, rng.uniform(30, 225)
            for offset in np.arange(0, wide, 4):
                root = start + side * offset + along * rng.uniform(0, 0.15)
                shade = int(np.clip(gray + rng.normal(0, 14), 0, 255))
                for copy in wrapped(np.stack([root, root + along])):
                    pen.line(copy, fill=shade, width=5)

    return drawn(draw, 128)


def terrazzo(rng: Random) -> Field:
    """Chips of stone in a plain ground."""
    first, second, value = cell_distances(rng, int(2 ** rng.uniform(5, 9)))
    keep = (value > rng.uniform(0.3, 0.7)) & (second - first > 0.012)
    return np.where(keep, value, rng.random()).astype(np.float32)


def flat(rng: Random) -> Field:
    """Almost nothing: faint, large unevenness."""
    return 0.5 + (power_noise(rng, 2.5) - 0.5) * np.float32(rng.uniform(0.0, 0.25))


def ramps(rng: Random) -> Field:
    """Slow light and dark, a few cycles per tile."""
    rows, columns = grid()
    down, across = rng.integers(-1, 2, 2)
    phase = rows * down + columns * across + rng.random()
    return np.asarray(0.5 + 0.5 * np.sin(2 * np.pi * phase), np.float32)


def streaks(rng: Random) -> Field:
    """Brushed metal, rain marks, long thin lines of one direction."""
    vertical, horizontal = frequencies()
    response = 1 / (1 + (vertical / rng.uniform(20, 80)) ** 2) / (1 + (horizontal / 1.5) ** 2)
    return normalize(filtered(rng, response))


def drips(rng: Random) -> Field:
    """Stains with hard lower borders."""
    tile = power_noise(rng, 1.6, stretching=0.3)
    return normalize((tile * rng.uniform(2, 5)) % 1.0)


def embossed(rng: Random) -> Field:
    """A rough relief lit from one side."""
    height = power_noise(rng, rng.uniform(1.0, 1.8))
    turn = rng.integers(2)
    return normalize(np.roll(height, 1, turn) - np.roll(height, -1, turn))


@lru_cache(maxsize=1)
def _surfaces() -> tuple[Field, ...]:
    """The packed pictures of real surfaces, (H, W) in [0, 1]; see surfaces/README.md."""
    from PIL import Image

    found = []
    for path in sorted(Path(__file__).with_name("surfaces").glob("*.jpg")):
        with Image.open(path) as image:
            found.append(np.asarray(image.convert("L"), np.float32) / 255)
    return tuple(found)


def surface(rng: Random) -> Field:
    """A piece of a photographed surface, mirrored so that it repeats without a seam."""
    from PIL import Image

    pictures = _surfaces()
    picture = pictures[rng.integers(len(pictures))]
    side = int(rng.integers(TILE // 2, min(picture.shape) + 1))
    top = int(rng.integers(picture.shape[0] - side + 1))
    left = int(rng.integers(picture.shape[1] - side + 1))
    piece = Image.fromarray(picture[top : top + side, left : left + side])
    half = np.asarray(piece.resize((TILE // 2, TILE // 2), Image.Resampling.BOX))
    half = normalize(np.rot90(half, int(rng.integers(4))))
    both = np.concatenate([half, half[:, ::-1]], 1)
    return np.concatenate([both, both[::-1]], 0)


TEXTURES: dict[str, tuple[Maker, float]] = {
    "clouds": (clouds, 2.0), "natural": (natural, 2.0), "speckle": (speckle, 1.0),
    "patches": (patches, 1.0), "dunes": (dunes, 1.0), "gabor": (gabor, 1.0),
    "stripes": (stripes, 1.0), "animal_stripes": (animal_stripes, 0.7), "waves": (waves, 1.0),
    "checks": (checks, 0.7), "plaid": (plaid, 0.8), "dots": (dots, 0.8), "spots": (spots, 0.8),
    "bricks": (bricks, 1.0), "cells": (cells, 1.0), "cobbles": (cobbles, 1.0),
    "cracks": (cracks, 0.8), "crumpled": (crumpled, 1.0), "marble": (marble, 1.0),
    "turing": (turing, 0.8), "network": (network, 1.5), "filters": (filters, 2.0),
    "scratches": (scratches, 1.0), "fur": (fur, 1.5), "leaves_of_paper": (leaves_of_paper, 1.5),
    "patchwork": (patchwork, 1.2), "print_rows": (print_rows, 0.7), "knit": (knit, 0.8),
    "quilt": (quilt, 0.6), "scales": (scales, 0.7), "brush": (brush, 1.0),
    "terrazzo": (terrazzo, 0.7), "flat": (flat, 4.0), "ramps": (ramps, 2.0),
    "streaks": (streaks, 1.0), "drips": (drips, 0.6), "embossed": (embossed, 1.0),
    "surface": (surface, 3.0),
}  # fmt: skip
"""Training families: name to (maker, how often relative to the others)."""


@lru_cache(maxsize=2048)
def tile(maker: Maker, variant: int) -> NDArray[np.uint8]:
    """The tile number `variant` of a family, (TILE, TILE), uint8; the same in every process."""
    rng = np.random.default_rng([crc32(maker.__name__.encode()), variant])
    made = (np.clip(maker(rng), 0, 1) * 255).astype(np.uint8)
    made.setflags(write=False)
    return made
