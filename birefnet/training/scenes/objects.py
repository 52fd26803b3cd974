"""Made things: vessels, vehicles, furniture, tools, machines, clothes, food."""

from __future__ import annotations

import numpy as np

from .canvas import Drawing, Points, curve, ellipse, rotation
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
    drawing.limb([(0, 0), tuple(tip)], rng.uniform(0.1, 0.16), cup)
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
            drawing.line(np.stack([[x, 0.35] - reach, [x, 0.35] + reach]), 0.014, machine)
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
        [tuple(tip), tuple(tip + reach)],
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
            drawing.limb([tuple(ring * 0.5), tuple(tip)], [0.16, 0.04], blade)
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
            piece = curve([(0, 0), tuple(center * 0.6 + [0.1, 0]), tuple(center)], 12)
        for flip in (1, -1) if mirrored else (1,):
            drawing.limb([(0, 0), (center[0] * flip, center[1])], 0.1, label)
            if style == 2:
                drawing.limb(piece * [flip, 1], size[1] * 0.5, label)
            else:
                drawing.polygon(piece * [flip, 1], label)
    drawing.polygon([(-half, -tall), (half, -tall), (half, tall), (-half, tall)], core)
    for _ in range(int(rng.integers(0, 4))):
        center = rng.uniform(-0.7, 0.7, 2) * [half, tall]
        size = rng.uniform(0.05, 0.2)
        drawing.ellipse(
            center[0], center[1], size, size, drawing.part("any", int(rng.integers(1, 4)))
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
            drawing.limb([tuple(tip * rng.uniform(0.05, 0.8)), tuple(tip * 0.9)], 0.06, mark)
    return drawing
