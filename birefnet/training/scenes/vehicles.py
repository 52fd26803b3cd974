"""Vehicles on wheels, on water and in the air."""

from __future__ import annotations

import numpy as np

from .canvas import Drawing, curve, rotation
from .noise import Random
from .shapes import fourier_outline


def car(rng: Random) -> Drawing:
    """Cars, vans, trucks and buses from the side."""
    drawing = Drawing(upright=True)
    body, glass = drawing.part("any", 0), drawing.part(str(rng.choice(["black", "sky"])), 1)
    tire, rim = drawing.part("black", 2), drawing.part("metal", 3)
    trim = drawing.part("any", 0, rng.uniform(0.5, 1.4))
    roof, base = -rng.uniform(0.3, 0.75), 0.3
    front, back = rng.uniform(0.3, 0.75), -rng.uniform(0.5, 0.95)
    hood = -rng.uniform(0.0, 0.2)
    shell = [
        (-1, base),
        (-1, hood),
        (back, hood - 0.05),
        (back + rng.uniform(0, 0.25), roof),
        (front - rng.uniform(0.1, 0.45), roof),
        (front, hood),
        (1, hood + 0.1),
        (1, base),
    ]
    drawing.polygon(shell if rng.random() < 0.6 else curve(shell, 60, closed=True), body)
    count = int(rng.integers(1, 5))
    left, right = back + 0.2, front - 0.35
    for index in range(count):
        a, b = (
            left + (right - left) * (index + 0.06) / count,
            left + (right - left) * (index + 0.9) / count,
        )
        drawing.polygon([(a, roof * 0.85), (b, roof * 0.85), (b + 0.05, hood), (a, hood)], glass)
    drawing.polygon([(-1, base - 0.12), (1, base - 0.12), (1, base), (-1, base)], trim)
    radius = rng.uniform(0.16, 0.3)
    for x in (-0.6, 0.6):
        drawing.ellipse(x, base, radius, radius, tire)
        drawing.ellipse(x, base, radius * 0.55, radius * 0.55, rim)
    if rng.random() < 0.3:
        load = drawing.part("any", 1)
        drawing.polygon(
            fourier_outline(rng, terms=4, size=0.3) + np.array([-0.3, roof - 0.15]), load
        )
    return drawing


def cycle(rng: Random) -> Drawing:
    """Bicycles and motorcycles: open wheels, a frame, handlebars, an engine."""
    drawing = Drawing(upright=True)
    tire, frame = drawing.part("black", 0), drawing.part("any", 1)
    seat, machine = drawing.part("black", 2, 1.5), drawing.part("metal", 3)
    radius, rim = rng.uniform(0.33, 0.45), rng.uniform(0.04, 0.12)
    motor = rng.random() < 0.5
    for x in (-0.6, 0.6):
        drawing.ellipse(x, 0.35, radius, radius, tire)
        drawing.ellipse(x, 0.35, radius - rim, radius - rim, 0)
        if motor:
            drawing.ellipse(x, 0.35, radius * 0.45, radius * 0.45, machine)
        for angle in np.linspace(0, np.pi, int(rng.integers(4, 9)), endpoint=False):
            reach = (radius - rim / 2) * np.array([np.cos(angle), np.sin(angle)])
            hub = np.array([x, 0.35])
            drawing.line(np.stack([hub - reach, hub + reach]), 0.014, machine)
    thick = rng.uniform(0.05, 0.09)
    crank, saddle, head = (0.0, 0.35), (-0.18, -0.15), (0.42, -0.2)
    for a, b in (
        (crank, saddle),
        (crank, head),
        (saddle, head),
        ((-0.6, 0.35), crank),
        ((-0.6, 0.35), saddle),
        ((0.6, 0.35), head),
    ):
        drawing.limb([a, b], thick, frame)
    if motor:
        drawing.polygon(fourier_outline(rng, terms=5, size=0.28) + np.array([0.0, 0.2]), machine)
        drawing.limb(
            curve([(-0.5, -0.2), (0, -0.12), (0.35, -0.25)], 12), np.linspace(0.16, 0.3, 12), frame
        )
    drawing.limb([(-0.35, -0.22), (-0.05, -0.2)], rng.uniform(0.07, 0.14), seat)
    drawing.limb(curve([head, (0.4, -0.45), (0.28, -0.5)], 10), thick * 0.9, seat)
    return drawing


def craft(rng: Random) -> Drawing:
    """Rockets, airplanes, boats, submarines: a long hull with fins, wings, masts and windows."""
    drawing = Drawing()
    hull, fin = drawing.part("any", 0), drawing.part("any", 1)
    mark = drawing.part("black", 2, 1.5)
    width = rng.uniform(0.15, 0.45)
    y = np.linspace(-1, 0.8, 30)
    nose = np.clip((np.linspace(0, 1, 30) / rng.uniform(0.15, 0.5)), 0, 1) ** rng.uniform(0.5, 1)
    profile = width * nose * np.linspace(1, rng.uniform(0.6, 1.1), 30)
    reach = rng.uniform(0.2, 0.9)
    low = rng.uniform(-0.2, 0.7)
    for side in (-1, 1):
        drawing.polygon(
            [
                (side * width * 0.3, low - 0.4),
                (side * (width / 2 + reach), low + rng.uniform(-0.1, 0.3)),
                (side * (width / 2 + reach), low + 0.35),
                (side * width * 0.3, low + 0.2),
            ],
            fin,
        )
        if rng.random() < 0.4:
            drawing.limb(
                [(side * width * 0.8, -0.3), (side * width * 0.8, 0.8)],
                width * 0.5,
                drawing.part("any", 0, 0.85),
            )
    drawing.polygon(
        np.concatenate([np.stack([profile, y], 1), np.stack([-profile, y], 1)[::-1]]), hull
    )
    for _ in range(int(rng.integers(0, 4))):
        place = rng.uniform(-0.6, 0.6)
        size = rng.uniform(0.03, 0.2)
        drawing.polygon(
            [
                (-width * 0.7, place),
                (width * 0.7, place),
                (width * 0.7, place + size),
                (-width * 0.7, place + size),
            ],
            mark if rng.random() < 0.5 else fin,
        )
    if rng.random() < 0.4:
        drawing.polygon(
            [(-width * 0.5, 0.78), (width * 0.5, 0.78), (width * 0.35, 1), (-width * 0.35, 1)], mark
        )
    if rng.random() < 0.5:
        place_ = rotation(rng.uniform(0, 2 * np.pi))
        drawing.strokes = [
            (points @ place_.T, label, line) for points, label, line in drawing.strokes
        ]
    else:
        drawing.upright = True
    return drawing


def boat(rng: Random) -> Drawing:
    """A hull with masts, sails or a cabin."""
    drawing = Drawing(upright=True)
    hull, sail = drawing.part("any", 0), drawing.part("white", 1)
    pole = drawing.part("earth", 2, 0.7)
    drawing.polygon([(-1, 0.35), (-0.75, 0.8), (0.7, 0.8), (1, 0.3)], hull)
    if rng.random() < 0.6:
        mast = rng.uniform(-0.2, 0.2)
        drawing.limb([(mast, 0.35), (mast, -1)], 0.04, pole)
        drawing.polygon(
            curve(
                [(mast, -0.95), (mast + rng.uniform(0.4, 0.9), 0.15), (mast, 0.2)], 20, closed=True
            ),
            sail,
        )
        drawing.polygon(
            [(mast - 0.04, -0.8), (mast - rng.uniform(0.3, 0.7), 0.2), (mast - 0.04, 0.2)], sail
        )
    else:
        for level in range(int(rng.integers(1, 4))):
            half = 0.55 - 0.14 * level
            drawing.polygon(
                [
                    (-half, 0.36 - 0.3 * level),
                    (half, 0.36 - 0.3 * level),
                    (half * 0.9, 0.06 - 0.3 * level),
                    (-half, 0.06 - 0.3 * level),
                ],
                drawing.part("any", 1 + level % 2, 1 + 0.1 * level),
            )
    return drawing
