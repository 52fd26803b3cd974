"""People: heads and shoulders, whole figures, hands, and somebody with something."""

from __future__ import annotations

import numpy as np

from .animals import quadruped
from .canvas import Drawing, curve, ellipse
from .noise import Random
from .objects import instrument
from .shapes import fourier_outline, fringe
from .vehicles import cycle


def _back_hair(rng: Random, drawing: Drawing, x: float, y: float, size: float, hair: int) -> None:
    """Draws the hair behind a head of half height `size`."""
    back = drawing.part("hair", hair, rng.uniform(0.6, 1.0))
    edge = fourier_outline(rng, terms=5, size=size * rng.uniform(1.0, 1.4))
    edge = edge * np.array([0.95, 1.05]) + np.array([x, y + size * rng.uniform(-0.2, 0.5)])
    drawing.polygon(edge, back)
    if rng.random() < 0.6:
        fringe(
            rng,
            drawing,
            edge,
            back,
            length=size * rng.uniform(0.1, 0.5),
            count=120,
            width=size * 0.02,
        )


def _features(
    rng: Random,
    drawing: Drawing,
    center: float,
    y: float,
    size: float,
    *,
    side: int,
    skin: int,
    dark: int,
) -> None:
    """Draws eyes, brows, mouth and a nose that points to `side`."""
    for direction in (-1, 1):
        eye = center + direction * size * 0.32
        drawing.ellipse(eye, y - size * 0.08, size * 0.1, size * 0.05, dark)
        drawing.line(
            np.array([[eye - size * 0.15, y - size * 0.25], [eye + size * 0.15, y - size * 0.25]]),
            size * 0.05,
            dark,
        )
    mouth = drawing.part("skin", skin, rng.uniform(0.5, 0.75))
    drawing.ellipse(center, y + size * 0.55, size * rng.uniform(0.15, 0.3), size * 0.07, mouth)
    nose = drawing.part("skin", skin, rng.uniform(0.75, 1.15))
    drawing.polygon(
        [
            (center, y - size * 0.1),
            (center + side * size * 0.15, y + size * 0.25),
            (center - size * 0.08, y + size * 0.28),
        ],
        nose,
    )


def _hat(rng: Random, drawing: Drawing, x: float, y: float, size: float, turn: float) -> None:
    """Draws a hat with a brim."""
    hat = drawing.part("any", 3)
    crown = y - size * rng.uniform(1.2, 1.7)
    drawing.polygon(
        [
            (x - size * 0.85, y - size * 0.45),
            (x - size * 0.65, crown),
            (x + size * 0.65, crown),
            (x + size * 0.85, y - size * 0.45),
        ],
        hat,
    )
    brim = size * rng.uniform(0.9, 1.5)
    drawing.ellipse(x + turn * size * 0.3, y - size * 0.45, brim, size * 0.16, hat)


def _head(
    rng: Random, drawing: Drawing, x: float, y: float, size: float, *, skin: int = 0, hair: int = 1
) -> None:
    """Draws a human head of half height `size`: skull, hair, ears, face, glasses, hats."""
    turn = rng.normal(0, 0.35)
    slim = rng.uniform(0.68, 0.85)
    face = drawing.part("skin", skin)
    style = rng.integers(5)
    if style >= 2:
        _back_hair(rng, drawing, x, y, size, hair)
    side = 1 if turn > 0 else -1
    ear = drawing.part("skin", skin, 0.85)
    for direction in (-1, 1):
        if rng.random() < 0.7:
            drawing.ellipse(
                x + direction * size * slim, y + size * 0.05, size * 0.13, size * 0.22, ear
            )
    drawing.polygon(
        curve(
            [
                (x, y - size),
                (x + slim * size, y - size * 0.25),
                (x + slim * size * 0.8, y + size * 0.5),
                (x + turn * size * 0.2, y + size),
                (x - slim * size * 0.8, y + size * 0.5),
                (x - slim * size, y - size * 0.25),
            ],
            40,
            closed=True,
        ),
        face,
    )
    dark = drawing.part("black", 3, rng.uniform(0.3, 0.8))
    center = x + turn * size * 0.35
    if rng.random() < 0.85:
        _features(rng, drawing, center, y, size, side=side, skin=skin, dark=dark)
    if rng.random() < 0.2:
        for direction in (-1, 1):
            lens = ellipse(
                center + direction * size * 0.35, y - size * 0.05, size * 0.26, size * 0.2
            )
            drawing.line(np.concatenate([lens, lens[:1]]), size * 0.06, dark)
    if rng.random() < 0.25:
        beard = drawing.part("hair", hair, rng.uniform(0.7, 1))
        drawing.polygon(
            curve(
                [
                    (x - slim * size * 0.85, y + size * 0.2),
                    (center, y + size * 0.4),
                    (x + slim * size * 0.85, y + size * 0.2),
                    (x, y + size * rng.uniform(1, 1.5)),
                ],
                24,
                closed=True,
            ),
            beard,
        )
    if style >= 1:
        top = drawing.part("hair", hair)
        brow = y - size * rng.uniform(0.3, 0.6)
        drawing.polygon(
            curve(
                [
                    (x - slim * size * 1.08, y - size * 0.1),
                    (x - slim * size * 0.9, y - size),
                    (x, y - size * rng.uniform(1.1, 1.35)),
                    (x + slim * size * 0.9, y - size),
                    (x + slim * size * 1.08, y - size * 0.1),
                    (x + slim * size * 0.6, brow),
                    (center, brow - size * 0.1),
                    (x - slim * size * 0.6, brow),
                ],
                40,
                closed=True,
            ),
            top,
        )
    if rng.random() < 0.2:
        _hat(rng, drawing, x, y, size, turn)


def bust(rng: Random) -> Drawing:
    """Head and shoulders or a half figure, cut off by the lower border."""
    drawing = Drawing(anchor="bottom", upright=True)
    size = rng.uniform(0.26, 0.42)
    lean = rng.normal(0, 0.12)
    chin = -0.95 + 2 * size
    shoulder = rng.uniform(0.5, 0.85) * rng.uniform(1.5, 2.2) * size / 0.55
    drop = chin + rng.uniform(0.15, 0.35)
    trunk = drawing.part("any", 2)
    left, right = lean - shoulder, lean + shoulder
    base = rng.uniform(0.8, 1.25)
    if rng.random() < 0.25:
        behind = drawing.part("hair", 1, 0.7)
        drawing.polygon(
            curve(
                [(-size, -0.8), (size, -0.8), (size * 1.3, drop + 0.4), (-size * 1.3, drop + 0.4)],
                30,
                closed=True,
            ),
            behind,
        )
    body = [
        (lean - size * 0.35, chin - 0.05),
        (left * 0.8, drop),
        (left, drop + 0.3),
        (left * base, 2.2),
        (right * base, 2.2),
        (right, drop + 0.3),
        (right * 0.8, drop),
        (lean + size * 0.35, chin - 0.05),
    ]
    drawing.polygon(body if rng.random() < 0.3 else curve(body, 60, closed=True), trunk)
    neck = drawing.part("skin", 0, rng.uniform(0.65, 0.95))
    drawing.limb([(0, chin - size * 0.4), (lean, drop + 0.02)], size * rng.uniform(0.6, 0.95), neck)
    style = rng.integers(5)
    middle = lean * 0.7
    if style == 0:
        shirt = drawing.part("white", 3)
        deep = drop + rng.uniform(0.4, 1.5)
        drawing.polygon(
            [
                (middle - size * 0.5, drop - 0.08),
                (middle + size * 0.5, drop - 0.08),
                (middle + size * 0.1, deep),
                (middle - size * 0.1, deep),
            ],
            shirt,
        )
        tie = drawing.part("any", 0, rng.uniform(0.4, 1.5))
        drawing.polygon(
            [
                (middle - 0.05, drop),
                (middle + 0.05, drop),
                (middle + 0.08, deep - 0.1),
                (middle, deep),
                (middle - 0.08, deep - 0.1),
            ],
            tie,
        )
    elif style == 1:
        collar = drawing.part("any", 2, rng.uniform(0.5, 1.5))
        drawing.limb(
            curve(
                [
                    (middle - size * 0.7, drop - 0.05),
                    (middle, drop + 0.2),
                    (middle + size * 0.7, drop - 0.05),
                ],
                14,
            ),
            0.12,
            collar,
        )
    elif style == 2:
        for _ in range(int(rng.integers(1, 4))):
            patch = drawing.part("any", 3, rng.uniform(0.6, 1.4))
            spot = (rng.uniform(left, right) * 0.7, drop + rng.uniform(0.2, 1))
            drawing.polygon(fourier_outline(rng, terms=2, size=0.12) + np.array(spot), patch)
    elif style == 3:
        strap = drawing.part("any", 3, rng.uniform(0.4, 1.2))
        drawing.limb([(left * 0.6, drop), (right * 0.7, drop + 1.2)], rng.uniform(0.08, 0.2), strap)
    for direction in (-1, 1):
        if rng.random() < 0.35:
            sleeve = drawing.part("any", 2, rng.uniform(0.75, 1.2))
            start = (lean + direction * shoulder * 0.9, drop + 0.25)
            elbow = (start[0] + direction * rng.uniform(0, 0.5), drop + rng.uniform(0.6, 1.0))
            hand = (direction * rng.uniform(-0.4, 0.8), rng.uniform(-0.3, 1.3))
            drawing.limb([start, elbow, hand], [size * 0.9, size * 0.75, size * 0.5], sleeve)
            palm = drawing.part("skin", 0)
            drawing.ellipse(hand[0], hand[1], size * 0.35, size * 0.4, palm)
            if rng.random() < 0.4:
                held = drawing.part("any", 3)
                drawing.polygon(
                    fourier_outline(rng, terms=3, size=size * 0.8) + np.array(hand), held
                )
    _head(rng, drawing, rng.normal(0, 0.05), chin - size, size)
    return drawing


def person(rng: Random) -> Drawing:
    """A whole figure standing, walking, sitting or jumping."""
    drawing = Drawing(upright=True)
    back, front = drawing.part("any", 2, rng.uniform(0.6, 0.9)), drawing.part("any", 2)
    skin, shoe = drawing.part("skin", 0), drawing.part("any", 3, rng.uniform(0.3, 1))
    shirt, shade = drawing.part("any", 3), drawing.part("any", 3, rng.uniform(0.6, 0.9))
    stride, thick = rng.uniform(0.05, 0.6), rng.uniform(0.8, 1.4)
    hip, neck = np.array([0.0, 0.05]), np.array([rng.normal(0, 0.1), -0.6])
    bare = rng.random() < 0.25
    for side, label, arm in ((-1, back, shade), (1, front, shirt)):
        swing = side * stride + rng.normal(0, 0.15)
        knee = hip + 0.46 * np.array([np.sin(swing), np.cos(swing)])
        bend = swing - rng.uniform(0, 0.6)
        foot = knee + 0.46 * np.array([np.sin(bend), np.cos(bend)])
        drawing.limb(
            [hip + np.array([side * 0.06, 0]), knee, foot],
            [0.22 * thick, 0.16 * thick, 0.11 * thick],
            skin if bare else label,
        )
        drawing.limb([foot, foot + np.array([0.12, 0.03])], 0.1, shoe)
        if side == 1:
            drawing.polygon(
                [
                    neck + np.array([-0.22 * thick, 0.06]),
                    neck + np.array([0.22 * thick, 0.06]),
                    hip + np.array([0.16 * thick, 0.06]),
                    hip + np.array([-0.16 * thick, 0.06]),
                ],
                shirt,
            )
            drawing.limb([neck, hip], [0.3 * thick, 0.3 * thick], shirt)
        raised = rng.normal(0, 0.5) - side * stride + (rng.random() < 0.2) * 2
        elbow = (
            neck + np.array([side * 0.2, 0.08]) + 0.3 * np.array([np.sin(raised), np.cos(raised)])
        )
        bent = raised + rng.uniform(0, 1)
        hand = elbow + 0.3 * np.array([np.sin(bent), np.cos(bent)])
        drawing.limb(
            [neck + np.array([side * 0.18 * thick, 0.1]), elbow, hand],
            [0.14 * thick, 0.11 * thick, 0.08],
            arm,
        )
        drawing.ellipse(hand[0], hand[1], 0.06, 0.06, skin)
    if rng.random() < 0.25:
        skirt = drawing.part("any", 2)
        drawing.polygon([(-0.16, 0), (0.16, 0), (0.4, rng.uniform(0.3, 0.8)), (-0.4, 0.5)], skirt)
    drawing.limb([neck + np.array([0, -0.1]), neck + np.array([0, 0.05])], 0.12, skin)
    _head(rng, drawing, float(neck[0]), float(neck[1] - 0.22), 0.17)
    if rng.random() < 0.25:
        gear = drawing.part("any", 1)
        drawing.polygon(
            fourier_outline(rng, terms=3, size=0.25) + neck + np.array([-0.25, 0.25]), gear
        )
    return drawing


def hand(rng: Random) -> Drawing:
    """A hand and a forearm entering from the border."""
    drawing = Drawing(anchor="bottom")
    skin, shade = drawing.part("skin", 0), drawing.part("skin", 0, 0.85)
    sleeve = drawing.part("any", 1)
    drawing.limb([(0, 0.3), (rng.normal(0, 0.2), 2.2)], [0.5, 0.65], skin)
    if rng.random() < 0.6:
        drawing.limb([(0, rng.uniform(0.8, 1.2)), (0.1, 2.3)], 0.8, sleeve)
    spread = rng.uniform(0.1, 0.3)
    for index in range(4):
        angle = (index - 1.5) * spread + rng.normal(0, 0.06)
        root = np.array([(index - 1.5) * 0.17, -0.12])
        tip = root + rng.uniform(0.25, 0.75) * np.array([np.sin(angle), -np.cos(angle)])
        drawing.limb([root, tip], [0.19, 0.14], skin if index % 2 else shade)
    side = rng.choice([-1, 1])
    drawing.limb(
        [(side * 0.3, 0.25), (side * 0.55, -0.05), (side * 0.6, -0.3)], [0.25, 0.2, 0.15], shade
    )
    drawing.ellipse(0, 0.12, 0.38, 0.4, skin)
    if rng.random() < 0.4:
        held = fourier_outline(rng, terms=4, size=rng.uniform(0.25, 0.5))
        drawing.polygon(held + np.array([0, -0.3]), drawing.part("any", 2))
    return drawing


def companions(rng: Random) -> Drawing:
    """Somebody with something: a person beside an instrument, on an animal, with another person."""
    drawing = Drawing(upright=True)
    style = rng.integers(4)
    if style == 0:
        drawing.add(person(rng), np.eye(2), (-0.3, 0.0))
        drawing.add(instrument(rng), np.eye(2) * 0.8, (0.3, 0.25))
    elif style == 1:
        drawing.add(person(rng), np.eye(2) * 0.75, (0.0, -0.45))
        drawing.add(quadruped(rng), np.eye(2), (0.0, 0.4))
    elif style == 2:
        drawing.add(person(rng), np.eye(2) * rng.uniform(0.8, 1), (-0.35, 0.0))
        drawing.add(person(rng), np.eye(2) * rng.uniform(0.8, 1), (0.35, 0.0))
    else:
        drawing.add(cycle(rng), np.eye(2), (0.0, 0.35))
        drawing.add(person(rng), np.eye(2) * 0.8, (-0.1, -0.3))
    return drawing
