"""Held-out subjects: rope strands, gears, leaves with holes, glyph clusters, lattices."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from ..canvas import Drawing, curve, rotation
from ..noise import Random


def rope_strands(rng: Random) -> Drawing:
    """Two or three strands twisted around a bent line, frayed at the ends, sometimes a loop."""
    drawing = Drawing()
    strands, count = int(rng.integers(2, 4)), 150
    knots = np.cumsum(rng.normal(0, 0.5, (int(rng.integers(3, 6)), 2)), 0)
    if rng.random() < 0.4:
        angle = np.linspace(0, rng.uniform(1.2, 1.9) * np.pi, 8)
        knots = np.stack([np.cos(angle), np.sin(angle)], 1) * rng.uniform(0.6, 0.9, (8, 1))
    path = curve(knots, count)
    tangent = np.gradient(path, axis=0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    width = rng.uniform(0.12, 0.22)
    turns = np.linspace(0, rng.uniform(14, 26), count)
    labels = [
        drawing.part(material=int(rng.random() < 0.3), gain=rng.uniform(0.75, 1.2))
        for _ in range(strands)
    ]
    offsets = [np.sin(turns + 2 * np.pi * k / strands) * width / 2 for k in range(strands)]
    depths = [np.cos(turns + 2 * np.pi * k / strands) for k in range(strands)]
    piece = 6
    for start in range(0, count - 1, piece):
        stop = min(start + piece + 1, count)
        middle = min(start + piece // 2, count - 1)
        for k in sorted(range(strands), key=lambda strand: depths[strand][middle]):
            line = path[start:stop] + normal[start:stop] * offsets[k][start:stop, None]
            drawing.limb(line, width * 0.62, labels[k])
    for end, step in ((0, 5), (count - 1, -5)):
        out = path[end] - path[end + step]
        out = out / max(float(np.linalg.norm(out)), 1e-6)
        for _ in range(int(rng.integers(6, 22))):
            tip = path[end] + rotation(rng.normal(0, 0.5)) @ out * rng.uniform(0.08, 0.3)
            root = path[end] + normal[end] * rng.normal(0, width * 0.25)
            drawing.line(np.stack([root, tip]), 0.018, labels[0])
    return drawing


def gears(rng: Random) -> Drawing:
    """One to three toothed wheels with a bore, spokes or openings, meshing with each other."""
    drawing = Drawing()
    center = np.zeros(2)
    radius = rng.uniform(0.4, 0.7)
    for index in range(int(rng.integers(1, 4))):
        teeth = int(rng.integers(8, 22))
        depth = rng.uniform(0.1, 0.22)
        steps = np.arange(teeth * 4)
        angle = (steps + np.array([-0.15, 0.15, -0.15, 0.15])[steps % 4]) / (teeth * 4) * 2 * np.pi
        reach = np.where(steps % 4 < 2, 1.0, 1 - depth) * radius
        rim = np.stack([np.cos(angle), np.sin(angle)], 1) * reach[:, None] + center
        body = drawing.part("metal", index, rng.uniform(0.8, 1.2))
        drawing.polygon(rim, body)
        style = rng.integers(3)
        inner = radius * (1 - depth) * 0.78
        if style == 0:
            hub = drawing.part("metal", index, 0.7)
            drawing.ellipse(center[0], center[1], inner, inner, 0)
            for spoke in np.linspace(0, 2 * np.pi, int(rng.integers(3, 7)), endpoint=False):
                tip = center + inner * 1.1 * np.array([np.cos(spoke), np.sin(spoke)])
                drawing.limb(np.stack([center, tip]), radius * 0.16, body)
            drawing.ellipse(center[0], center[1], radius * 0.32, radius * 0.32, hub)
        elif style == 1:
            drawing.ellipse(center[0], center[1], inner, inner, drawing.part("metal", index, 0.75))
            for hole in np.linspace(0, 2 * np.pi, int(rng.integers(3, 7)), endpoint=False):
                spot = center + inner * 0.62 * np.array([np.cos(hole), np.sin(hole)])
                drawing.ellipse(spot[0], spot[1], radius * 0.15, radius * 0.15, 0)
        drawing.ellipse(center[0], center[1], radius * 0.16, radius * 0.16, 0)
        towards = rng.uniform(0, 2 * np.pi)
        following = rng.uniform(0.3, 0.6)
        gap = (radius + following) * 0.96
        center = center + gap * np.array([np.cos(towards), np.sin(towards)])
        radius = following
    return drawing


def leaf_with_holes(rng: Random) -> Drawing:
    """A leaf on its stalk, lobed or toothed, with veins and bites."""
    drawing = Drawing()
    blade, vein = drawing.part("plant", 0), drawing.part("plant", 0, rng.uniform(1.15, 1.5))
    lobes, depth = int(rng.integers(0, 6)), rng.uniform(0.1, 0.35)
    t = np.linspace(0, 1, 60)
    half = np.sin(np.pi * t ** rng.uniform(0.6, 1.1)) * rng.uniform(0.35, 0.7)
    half = half * (1 - depth * np.abs(np.sin(np.pi * lobes * t))) if lobes else half
    if rng.random() < 0.4:
        half = half * (1 + 0.08 * ((t * 24) % 1))
    bend = rng.normal(0, 0.2) * np.sin(np.pi * t)
    y = 1 - 2 * t
    right, left = np.stack([bend + half, y], 1), np.stack([bend - half, y], 1)
    stalk = curve([(0, 1), (rng.normal(0, 0.1), 1.25), (rng.normal(0, 0.25), 1.5)], 10)
    drawing.limb(stalk, 0.06, vein)
    drawing.polygon(np.concatenate([right, left[::-1]]), blade)
    drawing.limb(np.stack([bend, y], 1), np.linspace(0.05, 0.012, 60), vein)
    for place in np.linspace(0.15, 0.8, int(rng.integers(4, 8))):
        k = int(place * 59)
        for side in (right, left):
            drawing.limb(
                np.stack(
                    [
                        [bend[k], y[k]],
                        side[min(k + 7, 59)] * 0.85 + 0.15 * np.array([bend[k], y[k]]),
                    ]
                ),
                0.018,
                vein,
            )
    for _ in range(int(rng.integers(2, 9))):
        k = int(rng.integers(8, 52))
        across = bend[k] + half[k] * rng.uniform(0.2, 1.05) * rng.choice([-1, 1])
        corners = rng.normal(0, 1, (7, 2))
        angle = np.linspace(0, 2 * np.pi, 7, endpoint=False)
        bite = np.stack([np.cos(angle), np.sin(angle)], 1) + corners * 0.15
        size = rng.uniform(0.04, 0.13)
        drawing.polygon(curve(bite, 24, closed=True) * size + [across, y[k]], 0)
    return drawing


GLYPHS: tuple[tuple[tuple[tuple[float, float], ...], ...], ...] = (
    (((0, 2), (0.5, 0), (1, 2)), ((0.2, 1.3), (0.8, 1.3))),
    (
        ((0, 0), (0, 2)),
        ((0, 0), (0.9, 0.1), (0.9, 0.9), (0, 1)),
        ((0, 1), (1, 1.1), (1, 1.9), (0, 2)),
    ),
    (((1, 0.2), (0.5, 0), (0, 0.6), (0, 1.4), (0.5, 2), (1, 1.8)),),
    (((1, 0), (0, 0), (0, 2), (1, 2)), ((0, 1), (0.8, 1))),
    (((0, 0), (0, 2)), ((1, 0), (1, 2)), ((0, 1), (1, 1))),
    (((0, 0), (0, 2)), ((1, 0), (0, 1.1), (1, 2))),
    (((0, 2), (0, 0), (0.5, 1), (1, 0), (1, 2)),),
    (((0, 2), (0, 0), (1, 2), (1, 0)),),
    (((0.5, 0), (0, 0.6), (0, 1.4), (0.5, 2), (1, 1.4), (1, 0.6), (0.5, 0)),),
    (((0, 2), (0, 0), (0.9, 0.1), (0.9, 0.9), (0, 1)), ((0.4, 1), (1, 2))),
    (((1, 0.2), (0.5, 0), (0, 0.5), (0.5, 1), (1, 1.5), (0.5, 2), (0, 1.8)),),
    (((0, 0), (1, 0)), ((0.5, 0), (0.5, 2))),
    (((0, 0), (0.5, 2), (1, 0)),),
    (((0, 0), (1, 2)), ((1, 0), (0, 2))),
    (((0, 0), (1, 0), (0, 2), (1, 2)),),
    (((0.1, 0.4), (0.6, 0), (1, 0.5), (0, 2), (1, 2)),),
    (((0.7, 2), (0.7, 0), (0, 1.4), (1, 1.4)),),
)
"""Strokes of capital letters and digits in a box 1 wide and 2 high."""


def glyph_cluster(rng: Random) -> Drawing:
    """One to seven solid letters or digits in one or two rows, like a sign or a toy."""
    drawing = Drawing(upright=rng.random() < 0.6)
    width = rng.uniform(0.28, 0.5)
    rows, columns = int(rng.integers(1, 3)), int(rng.integers(1, 5))
    slant = rng.normal(0, 0.12)
    loose, shared = rng.uniform(0, 0.12), rng.random() < 0.6
    for row in range(rows):
        for column in range(columns):
            label = drawing.part(material=0 if shared else column % 3, gain=rng.uniform(0.85, 1.15))
            turn = rotation(rng.normal(0, loose))
            corner = np.array([column * (1.12 + width), row * (2.12 + width)])
            for stroke in GLYPHS[rng.integers(len(GLYPHS))]:
                path = np.array(stroke) @ turn.T
                path[:, 0] -= slant * path[:, 1]
                if len(path) > 4:
                    path = curve(path, 24)
                for start, stop in pairwise(path):
                    drawing.limb(np.stack([start, stop]) + corner, width, label)
    return drawing


def lattice(rng: Random) -> Drawing:
    """Crossing bars with regular openings: a trellis, a grate, a fence panel, a cage."""
    drawing = Drawing(upright=rng.random() < 0.4)
    rows, columns = int(rng.integers(2, 7)), int(rng.integers(2, 7))
    width = rng.uniform(0.18, 0.42) / max(rows, columns) * 2
    slanted = rng.random() < 0.4
    skew = np.array([[1, rng.normal(0, 0.2)], [rng.normal(0, 0.15), 1]])
    bars, second = (
        drawing.part(material=0),
        drawing.part(material=int(rng.random() < 0.3), gain=rng.uniform(0.75, 1.2)),
    )
    half = rng.uniform(0.6, 1, 2)
    frame = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]) * half
    for index in range(rows + 1):
        y = -half[1] + 2 * half[1] * index / rows
        ends = np.array([[-half[0], y], [half[0], y]])
        if slanted:
            ends[1, 1] = -half[1] + 2 * half[1] * (index + 1) / rows if index < rows else y
        drawing.limb(ends @ skew, width, bars)
    for index in range(columns + 1):
        x = -half[0] + 2 * half[0] * index / columns
        drawing.limb(np.array([[x, -half[1]], [x, half[1]]]) @ skew, width, second)
    for start, stop in pairwise(frame):
        drawing.limb(np.stack([start, stop]) @ skew, width * rng.uniform(1, 1.6), bars)
    if rng.random() < 0.3:
        knob = drawing.part(material=1)
        for corner in frame[:4] @ skew:
            drawing.ellipse(corner[0], corner[1], width, width, knob)
    return drawing


SHAPES: dict[str, tuple[Callable[[Random], Drawing], float]] = {
    "rope_strands": (rope_strands, 1.0),
    "gears": (gears, 1.0),
    "leaf_with_holes": (leaf_with_holes, 1.0),
    "glyph_cluster": (glyph_cluster, 1.0),
    "lattice": (lattice, 1.0),
}
"""Held-out families: name to (maker, how often relative to the others)."""
