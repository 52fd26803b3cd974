"""Families of surroundings, painted without the subject."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .canvas import Drawing, rasterize, rotation
from .materials import (
    Kinds,
    Pixels,
    base_color,
    colorize,
    paint,
    palette,
    pick,
    positions,
    receding,
    spread,
)
from .noise import Field, Random
from .photo import blur

Painter = Callable[[Random, Kinds, int, int], Pixels]


def to_pixels(color: Field) -> Pixels:
    """Clips (H, W, 3) in [0, 1] to uint8."""
    return (np.clip(color, 0, 1) * 255).astype(np.uint8)


def plain(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """One color: a studio wall, often white, gray or black."""
    del kinds
    hint = str(rng.choice(["white", "white", "gray", "black", "any", "any"]))
    color = np.array(base_color(rng, hint), np.float32)
    return np.broadcast_to((color * 255).astype(np.uint8), (height, width, 3)).copy()


def gradient(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """A ramp between two or three colors, straight or round like a studio light."""
    del kinds
    rows, columns = positions(height, width)
    if rng.random() < 0.5:
        turn = rng.normal(0, 0.5)
        ramp = rows * np.float32(np.cos(turn)) + columns * np.float32(np.sin(turn))
    else:
        center = rng.normal(0, 0.35, 2).astype(np.float32)
        ramp = np.hypot(rows - center[0], columns - center[1]) * 1.6 - 1
    table = palette(rng, str(rng.choice(["any", "gray", "sky"])), contrast=rng.uniform(0.3, 1))
    table = table if rng.random() < 0.5 else np.sort(table, axis=0)
    return colorize(np.clip(ramp * 127 + 128, 0, 255).astype(np.uint8), table)


def colors_out_of_focus(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """Large smooth patches of several colors."""
    side = int(rng.integers(3, 9))
    hint = str(rng.choice(["any", "plant", "earth", "gray", "sky"]))
    grid = np.array([base_color(rng, hint) for _ in range(side * side)]).reshape(side, side, 3)
    from PIL import Image

    small = Image.fromarray(to_pixels(grid.astype(np.float32)))
    smooth = small.resize((width, height), Image.Resampling.BICUBIC)
    del kinds
    return blur(np.asarray(smooth), max(height, width) / side / 3)


def wall(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """A flat surface parallel to the picture."""
    return paint(rng, kinds, height, width, contrast=rng.uniform(0.05, 0.9))


def floor(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """Ground that recedes to a horizon below a wall or a sky."""
    rows, _ = positions(height, width)
    horizon = rng.uniform(-0.5, 0.45)
    gray = receding(rng, kinds, height, width, horizon)
    hint = str(rng.choice(["earth", "plant", "gray", "any"]))
    ground = colorize(gray, palette(rng, hint, contrast=rng.uniform(0.1, 0.9)))
    behind = _pick_simple(rng, kinds, height, width)
    if rng.random() < 0.6:
        behind = blur(behind, rng.uniform(0.5, max(0.5, 0.03 * height)))
    edge = np.clip((rows - np.float32(horizon)) * np.float32(2 ** rng.uniform(2, 7)) + 0.5, 0, 1)
    mixed = behind + (ground.astype(np.float32) - behind) * edge[..., None]
    return np.asarray(mixed).astype(np.uint8)


def _pick_simple(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """One of the cheap surroundings, to stand behind a floor or a table."""
    makers = (plain, gradient, colors_out_of_focus, wall, sky, interior, natural_colors)
    return makers[rng.integers(len(makers))](rng, kinds, height, width)


def table(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """A table top below the middle, with its edge and a room behind."""
    rows, columns = positions(height, width)
    level = rng.uniform(-0.2, 0.65)
    slope = rng.normal(0, 0.05)
    top = receding(rng, kinds, height, width, level - rng.uniform(0.2, 1.2))
    surface = palette(
        rng, "earth" if rng.random() < 0.5 else "any", contrast=rng.uniform(0.05, 0.8)
    )
    behind = blur(
        _pick_simple(rng, kinds, height, width), rng.uniform(0.5, max(0.5, 0.04 * height))
    )
    edge = np.clip((rows + columns * np.float32(slope) - np.float32(level)) * 40, 0, 1)
    return (behind + (colorize(top, surface).astype(np.float32) - behind) * edge[..., None]).astype(
        np.uint8
    )


def interior(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """Upright rectangles on a wall: windows, doors, shelves, pictures, screens."""
    from PIL import Image, ImageDraw

    image = Image.fromarray(paint(rng, kinds, height, width, contrast=rng.uniform(0, 0.3)))
    pen = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(2, 16))):
        size = np.minimum(rng.pareto(1.3, 2) * 0.12 + 0.05, 0.9) * [width, height]
        corner = rng.uniform(-0.15, 1, 2) * [width, height]
        color = tuple(int(c * 255) for c in base_color(rng))
        frame = tuple(int(c * 255) for c in base_color(rng))
        box = (
            float(corner[0]),
            float(corner[1]),
            float(corner[0] + size[0]),
            float(corner[1] + size[1]),
        )
        pen.rectangle(box, fill=color, outline=frame, width=int(rng.integers(0, 4)))
    picture = np.asarray(image)
    if rng.random() < 0.6:
        shade = spread(rng, kinds, height, width) / np.float32(255) * np.float32(0.5) + np.float32(
            0.6
        )
        picture = np.clip(picture * shade[..., None], 0, 255).astype(np.uint8)
    return picture


def sky(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """A sky from haze to blue with clouds, or a sunset."""
    rows, _ = positions(height, width)
    high, low = np.array(base_color(rng, "sky")), np.array(base_color(rng, "sky"))
    if rng.random() < 0.3:
        low = np.array(base_color(rng, "skin"))
    ramp = np.clip(rows * 0.5 + 0.5, 0, 1)[..., None]
    color = (high + (low - high) * ramp).astype(np.float32)
    if rng.random() < 0.6:
        cloud = spread(rng, kinds, height, width) / np.float32(255)
        cloud = np.clip((cloud - np.float32(0.45)) * 3, 0, 1) * np.float32(rng.uniform(0.2, 0.9))
        color = color + (np.float32(rng.uniform(0.5, 1)) - color) * cloud[..., None]
        return blur(to_pixels(color), 0.012 * height)
    return to_pixels(color)


def landscape(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """Sky, two to five ridges that fade with distance, and a foreground."""
    picture = sky(rng, kinds, height, width).astype(np.float32)
    rows, columns = positions(height, width)
    haze = picture.mean((0, 1))
    count = int(rng.integers(1, 5))
    level = rng.uniform(-0.5, 0.2)
    for index in range(count):
        level += rng.uniform(0.1, 0.4)
        line = np.float32(level) + sum(
            np.float32(rng.normal(0, 0.12) / k)
            * np.sin(columns[0] * k * 2.5 + np.float32(rng.uniform(0, 6)))
            for k in (1, 2, 4, 7)
        )
        near = (index + 1) / count
        layer = paint(
            rng,
            kinds,
            height,
            width,
            hint=str(rng.choice(["plant", "earth", "any"])),
            contrast=0.15 + 0.6 * near,
        )
        faded = haze + (layer - haze) * np.float32(0.3 + 0.7 * near)
        edge = np.clip((rows - line[None]) * height * np.float32(0.3), 0, 1)[..., None]
        picture += (faded - picture) * edge
    return picture.astype(np.uint8)


def woods(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """Upright trunks or posts before a mottled green or brown distance."""
    from PIL import Image, ImageDraw

    picture = paint(
        rng, kinds, height, width, hint=str(rng.choice(["plant", "earth"])), contrast=0.8
    )
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(2, 12))):
        x, thick, lean = (
            rng.uniform(0, width),
            width * rng.uniform(0.01, 0.09),
            rng.normal(0, width * 0.04),
        )
        color = tuple(int(c * 255 * 0.7) for c in base_color(rng, "earth"))
        pen.polygon(
            [(x, 0), (x + thick, 0), (x + thick + lean, height), (x + lean, height)], fill=color
        )
    return blur(np.asarray(image), 0.004 * height * rng.uniform(0.5, 4))


def natural_colors(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """Two patterns decide hue and brightness apart: mottled like a distant real place."""
    first = paint(rng, kinds, height, width, contrast=1.0).astype(np.float32)
    second = paint(rng, kinds, height, width, contrast=1.0)
    mask = spread(rng, kinds, height, width) / np.float32(255)
    return (first + (second - first) * mask[..., None]).astype(np.uint8)


def water(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """Horizontal ripples that tighten towards the far side."""
    rows, columns = positions(height, width)
    depth = 1 / (rows + np.float32(1.3))
    wobble = spread(rng, kinds, height, width) / np.float32(255)
    phase = depth * np.float32(rng.uniform(8, 30)) + wobble * np.float32(rng.uniform(1, 5))
    wave = 0.5 + 0.5 * np.sin(phase + columns * np.float32(rng.normal(0, 1)))
    table_ = palette(rng, "sky" if rng.random() < 0.7 else "plant", contrast=rng.uniform(0.2, 0.8))
    return colorize((wave * 255).astype(np.uint8), table_)


def heap(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """Flat shapes of all sizes covering each other in many colors."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, height), tuple(int(c * 255) for c in base_color(rng)))
    pen = ImageDraw.Draw(image)
    corners = int(rng.choice([3, 4, 4, 5, 12]))
    largest = rng.uniform(0.1, 0.4) * height
    base = [base_color(rng) for _ in range(5)]
    for _ in range(int(rng.integers(40, 140))):
        angles = 2 * np.pi * (np.arange(corners) / corners + rng.random())
        radius = min(0.03 * height / rng.random() ** 0.6, largest)
        ratio = rng.uniform(0.3, 1)
        center = rng.random(2) * [width, height]
        points = np.stack([np.cos(angles), ratio * np.sin(angles)], 1) * radius + center
        color = base[rng.integers(5)] if rng.random() < 0.6 else base_color(rng)
        gain = rng.uniform(0.6, 1.1)
        pen.polygon(
            points.ravel().tolist(), fill=tuple(min(255, int(c * 255 * gain)) for c in color)
        )
    picture = np.asarray(image)
    if rng.random() < 0.5:
        shade = spread(rng, kinds, height, width) / np.float32(255) * np.float32(0.6) + np.float32(
            0.5
        )
        picture = np.clip(picture * shade[..., None], 0, 255).astype(np.uint8)
    return picture


def dark(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """Night or a black stage with faint structure."""
    picture = paint(rng, kinds, height, width, contrast=1.0)
    return (picture * np.float32(rng.uniform(0.05, 0.35))).astype(np.uint8)


def corner(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """Two walls and a floor meeting in a corner, each with its own surface."""
    rows, columns = positions(height, width)
    x, y = rng.normal(0, 0.4), rng.uniform(-0.2, 0.6)
    left, right = (paint(rng, kinds, height, width, contrast=rng.uniform(0, 0.5)) for _ in range(2))
    ground = colorize(
        receding(rng, kinds, height, width, y - 0.4), palette(rng, contrast=rng.uniform(0.1, 0.7))
    )
    slope = np.float32(rng.uniform(0.1, 0.5))
    picture = np.where(
        (columns < x)[..., None], left, (right * np.float32(rng.uniform(0.6, 1))).astype(np.uint8)
    )
    return np.where(
        (rows > y + slope * np.abs(columns - np.float32(x)))[..., None], ground, picture
    )


BACKGROUNDS: dict[str, tuple[Painter, float]] = {
    "plain": (plain, 1.3), "gradient": (gradient, 1.2),
    "colors_out_of_focus": (colors_out_of_focus, 1.5),
    "wall": (wall, 1.6), "floor": (floor, 1.6), "table": (table, 1.3), "interior": (interior, 1.4),
    "sky": (sky, 0.9), "landscape": (landscape, 1.2), "woods": (woods, 0.8),
    "natural_colors": (natural_colors, 1.3), "water": (water, 0.6), "heap": (heap, 0.9),
    "dark": (dark, 0.6), "corner": (corner, 0.8),
}  # fmt: skip
"""Training families: name to (painter, how often relative to the others)."""


def scatter(rng: Random, kinds: Kinds, picture: Pixels, count: int, largest: float) -> Pixels:
    """Puts smaller or cut-off things into the surroundings.

    Args:
        rng: Source of randomness.
        kinds: Where their shapes and surfaces come from.
        picture: Surroundings (H, W, 3), uint8.
        count: Number of things.
        largest: Largest side as a share of the picture's longer side.

    Returns:
        A new picture of the same shape.
    """
    height, width = picture.shape[:2]
    scene = Drawing()
    longer = max(height, width)
    same: Drawing | None = None
    for _ in range(count):
        thing = same if same is not None and rng.random() < 0.4 else _thing(rng, kinds)
        same = thing
        low, high = thing.bounds()
        size = longer * rng.uniform(0.3, 1.0) * largest / max(float((high - low).max()), 1e-3)
        turn = 0.0 if thing.upright else rng.uniform(0, 2 * np.pi)
        matrix = rotation(turn) * size
        border = rng.random() < 0.6
        where = rng.random(2)
        if border:
            where[rng.integers(2)] = rng.choice([rng.normal(0, 0.08), rng.normal(1, 0.08)])
        center = where * [width, height] - matrix @ ((low + high) / 2)
        if len(scene.parts) + len(thing.parts) > 250:
            break
        scene.add(thing, matrix, (float(center[0]), float(center[1])))
    labels = np.ascontiguousarray(rasterize(scene, height, width)[::2, ::2])
    colors = np.zeros((256, 3))
    bases: dict[int, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
    for index, part in enumerate(scene.parts):
        base = bases.setdefault(part.material, np.array(base_color(rng, part.hint)))
        colors[index + 1] = np.clip(base * part.gain, 0, 1) * 255
    painted = colorize(labels, colors.astype(np.uint8))
    if rng.random() < 0.7:
        shade = spread(rng, kinds, height, width) / np.float32(255) + np.float32(0.5)
        painted = np.minimum(painted * shade[..., None], 255).astype(np.uint8)
    return np.where((labels > 0)[..., None], painted, picture)


def _thing(rng: Random, kinds: Kinds) -> Drawing:
    """A subject used as a minor thing; it is not noted as a family that was drawn."""
    return pick(rng, kinds.shapes, [], "shape")(rng)
