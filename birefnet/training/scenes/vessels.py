"""Vessels, dishes and fruit."""

from __future__ import annotations

import numpy as np

from .canvas import Drawing, Points, curve
from .noise import Random
from .shapes import fourier_outline


def _decorate(rng: Random, drawing: Drawing, points: Points, low: float, high: float) -> None:
    """Puts bands and labels on a vessel whose outline is (2 N, 2), right side first."""
    half = len(points) // 2
    for _ in range(int(rng.integers(0, 3))):
        start = int(rng.integers(0, half - 3))
        stop = min(half - 1, start + int(rng.integers(2, max(3, half // 3))))
        right = points[start : stop + 1]
        left = points[::-1][start : stop + 1]
        label = drawing.part(material=int(rng.integers(1, 4)), gain=rng.uniform(0.6, 1.4))
        drawing.polygon(np.concatenate([right, left[::-1]]), label)
    if rng.random() < 0.2:
        drawing.ellipse(0, (low + high) / 2, 0.15, 0.15, drawing.part(material=2))


def vessel(rng: Random) -> Drawing:
    """Bottles, vases, jars, mugs, lamps: a turned profile with handles, spouts and an open top."""
    drawing = Drawing(upright=rng.random() < 0.9)
    squat = rng.uniform(0.35, 1)
    y = np.linspace(-1, 1, 28)
    knots = rng.uniform(0.15, 0.75, int(rng.integers(3, 7)))
    if rng.random() < 0.35:
        knots = np.full(3, rng.uniform(0.4, 0.8)) + rng.normal(0, 0.06, 3)
    width = np.interp(np.linspace(0, 1, 28), np.linspace(0, 1, len(knots)), knots)
    if rng.random() < 0.7:
        width = curve(np.stack([np.linspace(0, 1, len(knots)), knots], 1), 28)[:, 1]
    width = np.maximum(width, 0.06)
    y = y * squat * 0.95
    glass = rng.uniform(0.6, 0.9) if rng.random() < 0.08 else 1.0
    body = drawing.part(opacity=glass)
    handle = drawing.part(material=0, gain=rng.uniform(0.8, 1.2), opacity=glass)
    for side in (-1, 1):
        if rng.random() < 0.35:
            top, low = y[5], y[20]
            start = (side * width[5] * 0.9, top)
            stop = (side * width[20] * 0.9, low)
            out = side * (max(width[5], width[20]) + rng.uniform(0.2, 0.5))
            drawing.limb(
                curve([start, (out, top + 0.05), (out, low - 0.1), stop], 20),
                rng.uniform(0.08, 0.16),
                handle,
            )
    if rng.random() < 0.15:
        tip = (width[10] + rng.uniform(0.3, 0.6), y[4])
        drawing.limb(
            curve([(0, y[16]), (width[14] + 0.15, y[14]), tip], 14),
            np.linspace(0.3, 0.08, 14),
            handle,
        )
    tilt = rng.uniform(0.05, 0.3)
    points = np.concatenate([np.stack([width, y], 1), np.stack([-width, y], 1)[::-1]])
    drawing.ellipse(0, y[-1], width[-1], width[-1] * tilt, body)
    drawing.polygon(points, body)
    _decorate(rng, drawing, points, y[0], y[-1])
    if rng.random() < 0.6:
        rim, inside = (
            drawing.part(gain=1.25),
            drawing.part(material=int(rng.integers(0, 3)), gain=0.5),
        )
        drawing.ellipse(0, y[0], width[0], width[0] * tilt, rim)
        drawing.ellipse(0, y[0], width[0] * 0.88, width[0] * tilt * 0.85, inside)
    elif rng.random() < 0.5:
        cap = drawing.part(material=2)
        drawing.limb(
            [(0, y[0]), (0, y[0] - rng.uniform(0.05, 0.25))], width[0] * rng.uniform(1.2, 2.4), cap
        )
    return drawing


def cup_and_saucer(rng: Random) -> Drawing:
    """A cup on its saucer seen from above, with a drink, a spoon and a foam pattern."""
    drawing = Drawing()
    tilt = rng.uniform(0.45, 1.0)
    saucer, well = drawing.part("white", 0), drawing.part("white", 0, 0.85)
    cup, drink = drawing.part("white", 0, 1.1), drawing.part("earth", 1)
    if rng.random() < 0.8:
        drawing.ellipse(0, 0.1, 1, tilt, saucer)
        drawing.ellipse(0, 0.1, 0.7, tilt * 0.7, well)
    radius = rng.uniform(0.4, 0.65)
    handle = rng.uniform(-0.5, 0.5)
    tip = np.array([np.cos(handle), np.sin(handle)]) * (radius + 0.28)
    drawing.limb([(0, 0), tip], rng.uniform(0.1, 0.16), cup)
    drawing.limb([(0, (1 - tilt) * 0.6), (0, 0)], radius * 1.7, drawing.part("white", 0, 0.95))
    drawing.ellipse(0, 0, radius, radius * tilt, cup)
    drawing.ellipse(0, 0, radius * 0.88, radius * tilt * 0.88, drink)
    if rng.random() < 0.6:
        foam = drawing.part("white", 2)
        drawing.polygon(fourier_outline(rng, terms=4, size=radius * 0.45) * [1, tilt], foam)
    if rng.random() < 0.5:
        spoon = drawing.part("metal", 3)
        drawing.limb([(-0.75, 0.3), (0.1, 0.75)], [0.16, 0.05], spoon)
    return drawing


def dish(rng: Random) -> Drawing:
    """A plate or bowl with food on it."""
    drawing = Drawing()
    tilt = rng.uniform(0.35, 1)
    plate = drawing.part(str(rng.choice(["white", "any"])), 0)
    drawing.ellipse(0, 0, 1, tilt, plate)
    if rng.random() < 0.4:
        drawing.polygon(curve([(-1, 0), (-0.6, 0.55), (0.6, 0.55), (1, 0)], 24, closed=True), plate)
    drawing.ellipse(0, 0, 0.75, tilt * 0.75, drawing.part("white", 0, 0.85))
    for index in range(int(rng.integers(2, 9))):
        food = drawing.part("any", 1 + index % 3, rng.uniform(0.7, 1.3))
        center = rng.normal(0, 0.25, 2) * [1, tilt]
        drawing.polygon(fourier_outline(rng, terms=4, size=rng.uniform(0.1, 0.35)) + center, food)
    return drawing


def fruit(rng: Random) -> Drawing:
    """Apples, pears, pumpkins: a round body with lobes and a stalk."""
    drawing = Drawing()
    body = drawing.part("any", 0)
    neck, wide = rng.uniform(0.2, 0.9), rng.uniform(0.6, 1)
    drawing.polygon(
        curve(
            [
                (0, -0.75),
                (neck * wide, -0.75),
                (wide, 0.1),
                (wide * 0.6, 0.8),
                (0, 0.75),
                (-wide * 0.6, 0.8),
                (-wide, 0.1),
                (-neck * wide, -0.75),
            ],
            60,
            closed=True,
        ),
        body,
    )
    for index in range(int(rng.integers(0, 5))):
        lobe = drawing.part("any", 0, rng.uniform(0.8, 1.2))
        drawing.ellipse((index - 2) * wide * 0.25, 0, wide * 0.22, 0.72, lobe)
    stalk = drawing.part("plant", 1)
    drawing.limb(curve([(0, -0.65), (0.03, -0.85), (rng.normal(0, 0.2), -1.05)], 8), 0.07, stalk)
    if rng.random() < 0.4:
        tip = rng.uniform(0.3, 0.6)
        drawing.polygon(
            curve([(0, -0.8), (tip * 0.5, -1.05), (tip, -0.85)], 16, closed=True), stalk
        )
    return drawing
