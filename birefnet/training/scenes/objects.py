"""Made things: furniture, tools, machines, clothes, buildings."""

from __future__ import annotations

import numpy as np

from .canvas import Drawing, curve, ellipse, rotation
from .noise import Random
from .shapes import fourier_outline


def furniture(rng: Random) -> Drawing:
    """Chairs, stools, tables, sofas: legs, seats and backs with gaps between them."""
    drawing = Drawing(upright=True)
    frame, seat = drawing.part("earth", 0), drawing.part("any", 1)
    far = drawing.part("earth", 0, 0.7)
    width, leg = rng.uniform(0.4, 0.9), rng.uniform(0.05, 0.14)
    skew, level = rng.uniform(0.1, 0.35), rng.uniform(-0.1, 0.4)
    for x, y, label in (
        (-width + skew, -0.2, far),
        (width + skew, -0.2, far),
        (-width, 0, frame),
        (width, 0, frame),
    ):
        drawing.limb([(x, level + y * 0.5), (x * rng.uniform(0.95, 1.1), 1 + y)], leg, label)
    if rng.random() < 0.6:
        top = -rng.uniform(0.5, 1)
        if rng.random() < 0.5:
            drawing.polygon(
                [
                    (-width + skew, level),
                    (width + skew, level),
                    (width + skew, top),
                    (-width + skew, top),
                ],
                seat,
            )
        else:
            for x in np.linspace(-width + skew, width + skew, int(rng.integers(2, 6))):
                drawing.limb([(x, level), (x, top)], leg * 0.8, frame)
            drawing.limb([(-width + skew, top), (width + skew, top)], leg * 2, frame)
    thick = rng.uniform(0.05, 0.4)
    drawing.polygon(
        [
            (-width, level),
            (-width + skew, level - 0.2),
            (width + skew, level - 0.2),
            (width, level),
        ],
        seat,
    )
    drawing.polygon(
        [(-width, level), (width, level), (width, level + thick), (-width, level + thick)],
        drawing.part("any", 1, 0.75),
    )
    if rng.random() < 0.25:
        for side in (-1, 1):
            drawing.limb([(side * width, level - 0.25), (side * width, level + thick)], 0.25, seat)
    return drawing


def instrument(rng: Random) -> Drawing:
    """A camera, telescope or lamp on three thin legs."""
    drawing = Drawing(upright=True)
    leg, body = drawing.part("black", 0, 1.3), drawing.part("black", 1, 1.5)
    glass = drawing.part("any", 2)
    hub = (rng.normal(0, 0.08), -0.25)
    thick = rng.uniform(0.04, 0.09)
    for x in (-rng.uniform(0.4, 0.7), rng.normal(0, 0.1), rng.uniform(0.4, 0.7)):
        drawing.limb([hub, (x, 1)], [thick * 1.4, thick], leg)
    drawing.limb([hub, (hub[0], -0.5)], thick * 1.6, leg)
    turn = rotation(rng.normal(0, 0.25))
    width, height = rng.uniform(0.25, 0.6), rng.uniform(0.15, 0.3)
    corners = np.array([[-width, -height], [width, -height], [width, height], [-width, height]])
    drawing.polygon(corners @ turn.T + [hub[0], -0.6], body)
    tip = np.array([width, 0]) @ turn.T + [hub[0], -0.6]
    reach = np.array([rng.uniform(0.1, 0.45), 0]) @ turn.T
    drawing.limb(
        [tip, tip + reach],
        height * rng.uniform(0.8, 1.5),
        drawing.part("black", 1, 1.1),
    )
    drawing.ellipse(tip[0] + reach[0], tip[1] + reach[1], height * 0.3, height * 0.6, glass)
    return drawing


def tool(rng: Random) -> Drawing:
    """Hammers, keys, spoons, wrenches, brushes: a shaft and one or two heads."""
    drawing = Drawing()
    shaft, head = drawing.part("any", 0), drawing.part("metal", 1)
    thick = rng.uniform(0.07, 0.2)
    drawing.limb([(-0.85, 0), (0.5, 0)], [thick, thick * rng.uniform(0.6, 1.2)], shaft)
    style = rng.integers(4)
    if style == 0:
        tall = rng.uniform(0.3, 0.6)
        drawing.polygon([(0.4, -tall), (0.75, -tall * 0.9), (0.75, tall), (0.4, tall)], head)
    elif style == 1:
        drawing.ellipse(0.65, 0, 0.35, rng.uniform(0.2, 0.4), head)
        if rng.random() < 0.7:
            drawing.ellipse(0.68, 0, 0.2, 0.17, 0)
    elif style == 2:
        for y in np.linspace(-0.22, 0.22, int(rng.integers(2, 6))):
            drawing.limb(curve([(0.4, 0), (0.55, y), (1, y)], 10), 0.07, head)
    else:
        drawing.polygon(fourier_outline(rng, terms=5, size=0.35) + np.array([0.65, 0]), head)
    if rng.random() < 0.3:
        drawing.ellipse(-0.85, 0, 0.22, 0.22, shaft)
        drawing.ellipse(-0.85, 0, 0.11, 0.11, 0)
    return drawing


def scissors(rng: Random) -> Drawing:
    """Two crossed blades with finger rings, or a pair of spectacles."""
    drawing = Drawing()
    grip, blade = drawing.part("any", 0), drawing.part("metal", 1)
    if rng.random() < 0.5:
        opening = rng.uniform(0.1, 0.6)
        for side in (-1, 1):
            tip = np.array([side * np.sin(opening / 2), -np.cos(opening / 2)])
            ring = -tip * 0.75
            drawing.limb([ring * 0.5, tip], [0.16, 0.04], blade)
            drawing.ellipse(ring[0], ring[1], 0.22, 0.3, grip)
            drawing.ellipse(ring[0], ring[1], 0.13, 0.2, 0)
    else:
        rim = rng.uniform(0.05, 0.12)
        drawing.limb(curve([(-0.2, 0), (0, -0.1), (0.2, 0)], 10), rim, grip)
        for side in (-1, 1):
            drawing.ellipse(side * 0.55, 0, 0.4, 0.3, grip)
            lens = drawing.part("black", 1, 1.0)
            drawing.ellipse(side * 0.55, 0, 0.4 - rim, 0.3 - rim, lens if rng.random() < 0.6 else 0)
            drawing.limb([(side * 0.9, -0.05), (side * 1.05, -0.3)], rim, grip)
    return drawing


def bag(rng: Random) -> Drawing:
    """Bags, baskets, suitcases and padlocks: a body under a handle with a gap."""
    drawing = Drawing(upright=True)
    handle, body = drawing.part("any", 1), drawing.part("any", 0)
    flap, buckle = drawing.part("any", 0, rng.uniform(0.6, 1.3)), drawing.part("metal", 2)
    top, wide = rng.uniform(-0.3, 0.1), rng.uniform(0.5, 0.95)
    taper = rng.uniform(0.7, 1.3)
    arch = rng.uniform(0.2, 0.6)
    drawing.limb(
        curve(
            [
                (-arch, top + 0.1),
                (-arch, top - 0.4),
                (0, -0.95),
                (arch, top - 0.4),
                (arch, top + 0.1),
            ],
            30,
        ),
        rng.uniform(0.06, 0.15),
        handle,
    )
    shell = [(-wide * taper, top), (wide * taper, top), (wide, 0.9), (-wide, 0.9)]
    drawing.polygon(shell if rng.random() < 0.6 else curve(shell, 40, closed=True), body)
    if rng.random() < 0.7:
        deep = rng.uniform(0.1, 0.6)
        drawing.polygon(
            [
                (-wide * taper, top),
                (wide * taper, top),
                (wide * 0.9, top + deep),
                (-wide * 0.9, top + deep),
            ],
            flap,
        )
        drawing.ellipse(0, top + deep, 0.08, 0.1, buckle)
    return drawing


def shoe(rng: Random) -> Drawing:
    """A shoe or boot from the side."""
    drawing = Drawing(upright=True)
    upper, sole = drawing.part("any", 0), drawing.part("any", 1)
    trim = drawing.part("any", 2)
    high = -rng.uniform(0.2, 1)
    drawing.polygon(
        curve(
            [
                (-0.9, 0.35),
                (-0.85, high),
                (-0.25, high),
                (0, -0.05),
                (0.6, 0.05),
                (1, 0.3),
                (0.9, 0.5),
                (-0.9, 0.5),
            ],
            60,
            closed=True,
        ),
        upper,
    )
    heel = rng.uniform(0, 0.35)
    drawing.polygon(
        [
            (-0.95, 0.42),
            (1.0, 0.42),
            (0.95, 0.58),
            (-0.3, 0.58),
            (-0.4, 0.58 + heel),
            (-0.95, 0.58 + heel),
        ],
        sole,
    )
    for index in range(int(rng.integers(0, 5))):
        drawing.limb(
            [(-0.2 + 0.15 * index, -0.05 + 0.02 * index), (0.0 + 0.15 * index, 0.15)], 0.05, trim
        )
    return drawing


def garment(rng: Random) -> Drawing:
    """Shirts, dresses and trousers laid flat or hanging."""
    drawing = Drawing(upright=True)
    cloth, trim = drawing.part("any", 0), drawing.part("any", 1)
    sleeve, flare = rng.uniform(0.2, 1), rng.uniform(0.4, 0.9)
    if rng.random() < 0.7:
        for side in (-1, 1):
            drawing.limb(
                [(side * 0.35, -0.6), (side * (0.45 + sleeve * 0.5), -0.6 + sleeve)],
                [0.35, 0.25],
                cloth,
            )
        drawing.polygon(
            [
                (-0.25, -0.8),
                (0.25, -0.8),
                (0.5, -0.6),
                (0.42, 0),
                (flare, 0.9),
                (-flare, 0.9),
                (-0.42, 0),
                (-0.5, -0.6),
            ],
            cloth,
        )
        drawing.ellipse(0, -0.82, 0.2, 0.14, trim)
        if rng.random() < 0.5:
            drawing.polygon([(-0.05, -0.7), (0.05, -0.7), (0.05, 0.9), (-0.05, 0.9)], trim)
    else:
        for side in (-1, 1):
            drawing.polygon(
                [
                    (0, -0.8),
                    (side * 0.45, -0.8),
                    (side * rng.uniform(0.45, 0.8), 0.95),
                    (side * 0.15, 0.95),
                    (0, -0.1),
                ],
                cloth,
            )
        drawing.polygon([(-0.45, -0.9), (0.45, -0.9), (0.45, -0.75), (-0.45, -0.75)], trim)
    return drawing


def house(rng: Random) -> Drawing:
    """A small building, tower, tent or statue on a base, standing free."""
    drawing = Drawing(upright=True)
    wall, roof = drawing.part("any", 0), drawing.part("any", 1)
    hole, base = drawing.part("black", 2, 1.5), drawing.part("any", 3)
    y, half = 0.9, rng.uniform(0.4, 0.9)
    drawing.polygon(
        [(-half * 1.1, y), (half * 1.1, y), (half * 1.1, y - 0.1), (-half * 1.1, y - 0.1)], base
    )
    for level in range(int(rng.integers(1, 4))):
        tall = rng.uniform(0.3, 0.7)
        label = wall if level % 2 == 0 else drawing.part("any", 0, 0.85)
        drawing.polygon(
            [(-half, y - 0.1), (half, y - 0.1), (half, y - 0.1 - tall), (-half, y - 0.1 - tall)],
            label,
        )
        for _ in range(int(rng.integers(0, 4))):
            x = rng.uniform(-half * 0.8, half * 0.5)
            drawing.polygon(
                [
                    (x, y - 0.2),
                    (x + 0.14, y - 0.2),
                    (x + 0.14, y - tall * 0.8),
                    (x, y - tall * 0.8),
                ],
                hole,
            )
        y -= tall
        half *= rng.uniform(0.5, 0.95)
    point = y - rng.uniform(0.2, 0.7)
    if rng.random() < 0.7:
        drawing.polygon([(-half * 1.3, y - 0.08), (0, point), (half * 1.3, y - 0.08)], roof)
    else:
        drawing.ellipse(0, y - 0.1, half * 1.1, 0.35, roof)
    return drawing


def machine(rng: Random) -> Drawing:
    """Assemblies of boxes, discs and pipes, often mirrored: robots, radios, engines."""
    drawing = Drawing(upright=rng.random() < 0.7)
    mirrored = rng.random() < 0.6
    core = drawing.part("any", 0)
    half, tall = rng.uniform(0.25, 0.6, 2)
    for index in range(int(rng.integers(2, 7))):
        label = drawing.part("any", index % 4, rng.uniform(0.6, 1.4))
        center, size = rng.uniform(-0.7, 0.7, 2), rng.uniform(0.08, 0.4, 2)
        style = rng.integers(3)
        if style == 0:
            piece = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size + center
        elif style == 1:
            piece = ellipse(center[0], center[1], size[0], size[0])
        else:
            piece = curve([(0, 0), center * 0.6 + np.array([0.1, 0]), center], 12)
        for flip in (1, -1) if mirrored else (1,):
            drawing.limb([(0, 0), (center[0] * flip, center[1])], 0.1, label)
            if style == 2:
                drawing.limb(piece * [flip, 1], size[1] * 0.5, label)
            else:
                drawing.polygon(piece * [flip, 1], label)
    drawing.polygon([(-half, -tall), (half, -tall), (half, tall), (-half, tall)], core)
    for _ in range(int(rng.integers(0, 4))):
        spot = rng.uniform(-0.7, 0.7, 2) * [half, tall]
        radius = rng.uniform(0.05, 0.2)
        drawing.ellipse(
            spot[0], spot[1], radius, radius, drawing.part("any", int(rng.integers(1, 4)))
        )
    return drawing


def umbrella(rng: Random) -> Drawing:
    """Umbrellas, lamps and balloons: a canopy over a thin stem."""
    drawing = Drawing(upright=True)
    stem, canopy = drawing.part("metal", 1), drawing.part("any", 0)
    drawing.limb([(0, -0.5), (0, 0.75), (0.1, 0.9)], 0.05, stem)
    if rng.random() < 0.4:
        drawing.limb([(-0.35, 0.95), (0.35, 0.95)], 0.1, stem)
    top, low = -rng.uniform(0.6, 1), rng.uniform(-0.3, 0.1)
    narrow = rng.uniform(0.05, 0.7)
    drawing.polygon(
        curve(
            [
                (-0.95, low),
                (-0.6 - narrow * 0.2, top * 0.8),
                (0, top),
                (0.6 + narrow * 0.2, top * 0.8),
                (0.95, low),
            ],
            40,
        ),
        canopy,
    )
    for index in range(int(rng.integers(0, 6))):
        x = -0.8 + index * 0.4
        drawing.polygon([(0, top), (x, low), (x + 0.2, low)], drawing.part("any", 2, 0.9))
    return drawing


def ball(rng: Random) -> Drawing:
    """A ball, clock, wheel or coin with rings, segments and marks."""
    drawing = Drawing()
    squeeze = rng.uniform(0.75, 1)
    drawing.ellipse(0, 0, 1, squeeze, drawing.part("any", 0))
    radius = 1.0
    for index in range(int(rng.integers(0, 4))):
        radius *= rng.uniform(0.5, 0.9)
        label = drawing.part("any", index % 3 + 1, rng.uniform(0.7, 1.3))
        drawing.ellipse(0, 0, radius, radius * squeeze, label)
    if rng.random() < 0.5:
        mark = drawing.part("any", 3)
        count = int(rng.integers(2, 13))
        for index in range(count):
            angle = 2 * np.pi * index / count
            tip = np.array([np.cos(angle), np.sin(angle) * squeeze])
            drawing.limb([tip * rng.uniform(0.05, 0.8), tip * 0.9], 0.06, mark)
    return drawing
