"""Trees, flowers, mushrooms, potted plants and cacti."""

from __future__ import annotations

import numpy as np

from .canvas import Drawing, curve
from .noise import Random
from .shapes import fourier_outline, fringe


def _branch(
    rng: Random,
    drawing: Drawing,
    start: tuple[float, float],
    angle: float,
    length: float,
    width: float,
    label: int,
    tips: list[tuple[float, float]],
    depth: int,
) -> None:
    """Grows a branch and its twigs; appends the ends of the thinnest to `tips`."""
    stop = (start[0] + length * float(np.cos(angle)), start[1] + length * float(np.sin(angle)))
    drawing.limb([start, stop], [width, width * 0.7], label)
    if depth == 0:
        tips.append(stop)
        return
    for side in (-1, 1):
        if rng.random() < 0.92:
            turn = angle + side * rng.uniform(0.2, 0.7)
            _branch(
                rng,
                drawing,
                stop,
                turn,
                length * rng.uniform(0.6, 0.9),
                width * 0.68,
                label,
                tips,
                depth - 1,
            )


def tree(rng: Random) -> Drawing:
    """A bare or crowned tree, or a branching coral."""
    drawing = Drawing(upright=rng.random() < 0.85)
    bark = drawing.part("earth", 0, rng.uniform(0.4, 1))
    tips: list[tuple[float, float]] = []
    _branch(
        rng,
        drawing,
        (0, 1),
        -np.pi / 2 + rng.normal(0, 0.1),
        rng.uniform(0.4, 0.65),
        rng.uniform(0.12, 0.25),
        bark,
        tips,
        int(rng.integers(3, 6)),
    )
    if rng.random() < 0.6:
        for index, tip in enumerate(tips[:14]):
            crown = (
                drawing.part("plant", 1, rng.uniform(0.7, 1.25))
                if index < 5
                else len(drawing.parts)
            )
            size = rng.uniform(0.15, 0.35)
            drawing.polygon(fourier_outline(rng, terms=9, size=size) + np.array(tip), crown)
    return drawing


def flower(rng: Random) -> Drawing:
    """Petals around a heart, on a stem or filling the picture."""
    drawing = Drawing()
    petal, heart = drawing.part("any", 0), drawing.part("any", 1)
    shade, stem = drawing.part("any", 0, rng.uniform(0.6, 1.3)), drawing.part("plant", 2)
    if rng.random() < 0.6:
        drawing.limb(
            curve([(0, 0), (rng.normal(0, 0.15), 0.8), (rng.normal(0, 0.3), 2)], 16), 0.08, stem
        )
        for side in (-1, 1):
            if rng.random() < 0.5:
                y = rng.uniform(0.9, 1.4)
                drawing.polygon(
                    curve(
                        [
                            (0, y),
                            (side * 0.4, y - 0.35),
                            (side * 0.8, y - 0.2),
                            (side * 0.4, y + 0.05),
                        ],
                        20,
                        closed=True,
                    ),
                    stem,
                )
    count, wide = int(rng.integers(4, 18)), rng.uniform(0.15, 0.5)
    tilt = rng.uniform(0.5, 1)
    for layer in range(int(rng.integers(1, 3))):
        for index in range(count):
            angle = 2 * np.pi * (index + 0.5 * layer) / count + rng.normal(0, 0.08)
            reach = rng.uniform(0.45, 0.55) * (1 - 0.3 * layer)
            center = reach * np.array([np.cos(angle), np.sin(angle) * tilt])
            label = petal if (index + layer) % 2 else shade
            drawing.ellipse(
                center[0],
                center[1],
                reach,
                wide * (1 - 0.2 * layer),
                label,
                turn=float(np.arctan2(center[1], center[0])),
            )
    size = rng.uniform(0.12, 0.4)
    drawing.ellipse(0, 0, size, size * tilt, heart)
    return drawing


def mushroom(rng: Random) -> Drawing:
    """One to three mushrooms."""
    drawing = Drawing(upright=True)
    stem, cap = drawing.part("white", 0), drawing.part("any", 1)
    under, spot = drawing.part("white", 0, 0.7), drawing.part("white", 2)
    for index in range(int(rng.integers(1, 4))):
        x, size = index * 0.55 - 0.3, rng.uniform(0.45, 0.9)
        y = rng.uniform(-0.5, 0.1)
        drawing.limb([(x, y), (x + rng.normal(0, 0.06), 0.9)], [size * 0.3, size * 0.5], stem)
        drawing.ellipse(x, y, size * 0.75, size * 0.18, under)
        drawing.polygon(
            curve(
                [
                    (x - size * 0.8, y),
                    (x - size * 0.5, y - size * 0.6),
                    (x, y - size * 0.8),
                    (x + size * 0.5, y - size * 0.6),
                    (x + size * 0.8, y),
                ],
                30,
            ),
            cap,
        )
        for _ in range(int(rng.integers(0, 5))):
            drawing.ellipse(
                x + rng.uniform(-0.4, 0.4) * size,
                y - size * rng.uniform(0.15, 0.55),
                size * 0.1,
                size * 0.08,
                spot,
            )
    return drawing


def potted(rng: Random) -> Drawing:
    """Blades or fronds growing out of a pot."""
    drawing = Drawing(upright=True)
    blade, second = drawing.part("plant", 0), drawing.part("plant", 0, rng.uniform(0.6, 1.3))
    pot, rim = drawing.part("any", 1), drawing.part("any", 1, 1.2)
    width = rng.uniform(0.06, 0.28)
    for _ in range(int(rng.integers(4, 14))):
        reach, rise = rng.normal(0, 0.55), -rng.uniform(0.4, 1.2)
        path = curve(
            [(reach * 0.1, 0.35), (reach * 0.5, rise * 0.6), (reach, rise * rng.uniform(0.5, 1))],
            16,
        )
        drawing.limb(
            path,
            width * np.sin(np.linspace(0.3, 3.05, 16)),
            blade if rng.random() < 0.5 else second,
        )
    top = rng.uniform(0.35, 0.6)
    drawing.polygon([(-top, 0.3), (top, 0.3), (top * 0.7, 1), (-top * 0.7, 1)], pot)
    drawing.polygon(
        [(-top * 1.08, 0.25), (top * 1.08, 0.25), (top * 1.08, 0.42), (-top * 1.08, 0.42)], rim
    )
    return drawing


def cactus(rng: Random) -> Drawing:
    """A ribbed column with arms and needles."""
    drawing = Drawing(upright=True)
    flesh, needle = drawing.part("plant", 0), drawing.part("white", 1)
    width = rng.uniform(0.3, 0.5)
    column = curve([(0, 0.95), (0, 0), (0.02, -0.8)], 20)
    drawing.limb(column, width, flesh)
    for side in (-1, 1):
        if rng.random() < 0.7:
            y, out = rng.uniform(-0.3, 0.4), rng.uniform(0.4, 0.7)
            drawing.limb(
                [(0, y), (side * out, y), (side * out, y - rng.uniform(0.2, 0.6))],
                width * 0.6,
                flesh,
            )
    for x in np.linspace(-0.35, 0.35, 4) * width * 2:
        drawing.limb([(x, 0.9), (x, -0.7)], 0.025, drawing.part("plant", 0, 0.7))
    edge = np.concatenate([column + np.array([width / 2, 0]), column - [width / 2, 0]])
    fringe(rng, drawing, edge, needle, length=0.07, count=80)
    return drawing


def bouquet(rng: Random) -> Drawing:
    """Many blossoms close together, with stems below."""
    drawing = Drawing(upright=True)
    stem = drawing.part("plant", 0)
    for _ in range(6):
        drawing.limb([(rng.normal(0, 0.12), 0.95), (rng.normal(0, 0.4), -0.2)], 0.04, stem)
    for index in range(int(rng.integers(5, 14))):
        label = drawing.part("any" if index else "plant", 1 + index % 3, rng.uniform(0.7, 1.3))
        center = rng.normal(0, 0.38, 2) + np.array([0, -0.35])
        drawing.polygon(fourier_outline(rng, terms=8, size=rng.uniform(0.15, 0.35)) + center, label)
    return drawing
