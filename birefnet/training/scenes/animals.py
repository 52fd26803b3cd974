"""Animals and toys, built from heads, trunks and limbs."""

from __future__ import annotations

import numpy as np

from .canvas import Drawing, curve, ellipse
from .noise import Random
from .shapes import fourier_outline, fringe


def quadruped(rng: Random) -> Drawing:
    """Horse, dog, cow, cat, elephant ... seen from the side."""
    drawing = Drawing(upright=True)
    length, girth = rng.uniform(0.5, 0.8), rng.uniform(0.28, 0.55)
    legs, thick = rng.uniform(0.35, 0.85), rng.uniform(0.09, 0.2)
    far, near = drawing.part("fur", 0, rng.uniform(0.5, 0.8)), drawing.part("fur", 0)
    patch, dark = drawing.part("fur", 1), drawing.part("black", 2)
    belly = girth / 2
    for layer, label in ((0, far), (1, near)):
        if layer == 1:
            drawing.limb(
                curve([(-length, 0), (0, rng.normal(0.05, 0.06)), (length, 0)], 16),
                girth * np.array([0.9, *np.linspace(1, 0.95, 14), 1.05]),
                near,
            )
            if rng.random() < 0.4:
                for _ in range(int(rng.integers(1, 5))):
                    center = np.array([rng.uniform(-length, length), rng.uniform(-0.1, 0.1)])
                    drawing.polygon(fourier_outline(rng, size=girth * 0.25) + center, patch)
        for position in (-length, length):
            swing = rng.normal(0, 0.25)
            root = np.array([position + (0.1 if layer == 0 else 0), belly * 0.3])
            knee = root + legs * 0.55 * np.array([np.sin(swing), np.cos(swing)])
            lower = swing - rng.normal(0.1, 0.25)
            foot = knee + legs * 0.55 * np.array([np.sin(lower), np.cos(lower)])
            drawing.limb([root, knee, foot], [thick * 1.6, thick, thick * 0.8], label)
            if rng.random() < 0.4:
                drawing.ellipse(foot[0] + 0.02, foot[1], thick * 0.6, thick * 0.35, dark)
    rise, reach = rng.uniform(-0.1, 0.7), rng.uniform(0.15, 0.5)
    head = np.array([length + reach, -rise - 0.1])
    drawing.limb(
        curve([(length, 0), (length + reach * 0.4, -rise * 0.6), head], 12),
        np.linspace(girth * 0.85, girth * 0.4, 12),
        near,
    )
    skull = rng.uniform(0.13, 0.24)
    muzzle = head + skull * np.array([rng.uniform(1, 2), rng.uniform(0, 1.2)])
    for shift in (-0.06, 0.06):
        ear = head + np.array([shift, -skull * 0.8])
        tip = ear + np.array([shift, -rng.uniform(0.05, 0.3)])
        drawing.polygon([ear - [0.06, 0], tip, ear + np.array([0.06, 0.03])], near)
    if rng.random() < 0.2:
        horn = drawing.part("white", 2)
        drawing.limb(
            curve([head, head + np.array([0.05, -0.3]), head + np.array([0.2, -0.45])], 10),
            np.linspace(0.07, 0.01, 10),
            horn,
        )
    drawing.limb([head, muzzle], [skull * 2, skull * 1.1], near)
    drawing.ellipse(muzzle[0], muzzle[1], skull * 0.4, skull * 0.3, dark)
    drawing.ellipse(head[0] + skull * 0.4, head[1] - skull * 0.2, skull * 0.16, skull * 0.16, dark)
    tail = [
        (-length - girth * 0.3, -0.05),
        (-length - 0.3, rng.uniform(-0.6, 0.2)),
        (-length - rng.uniform(0.2, 0.6), rng.uniform(-0.7, 0.6)),
    ]
    drawing.limb(curve(tail, 12), np.linspace(thick, thick * rng.uniform(0.2, 1.2), 12), near)
    if rng.random() < 0.35:
        mane = curve(
            [
                (length, -girth * 0.4),
                (length + reach * 0.4, -rise * 0.7 - girth * 0.2),
                head,
            ],
            20,
        )
        fringe(rng, drawing, mane, patch, length=0.25, lean=rng.normal(0, 1), width=0.02)
    return drawing


def _ears(rng: Random, drawing: Drawing, width: float, ear: int, inner: int) -> None:
    """Draws two pointed or hanging ears on a face of half width `width`."""
    tall, wide = rng.uniform(0.25, 0.8), rng.uniform(0.16, 0.32)
    droop = rng.random() < 0.25
    for side in (-1, 1):
        root = np.array([side * width * 0.65, -0.4])
        tip = root + np.array([side * rng.uniform(0, 0.25), -tall])
        if droop:
            tip = root + np.array([side * 0.35, tall * 0.9])
        drawing.polygon(
            curve(
                [root + np.array([-wide, 0.15]), tip, root + np.array([wide, 0.2])],
                24,
                closed=True,
            ),
            ear,
        )
        if rng.random() < 0.7:
            drawing.polygon(
                [
                    root + np.array([-wide * 0.5, 0.1]),
                    root * 0.3 + tip * 0.7,
                    root + np.array([wide * 0.5, 0.1]),
                ],
                inner,
            )


def _whiskers(rng: Random, drawing: Drawing, turn: float, label: int) -> None:
    """Draws three hairs on either side of a muzzle at column `turn`."""
    for side in (-1, 1):
        for level in range(3):
            start = np.array([turn + side * 0.15, 0.28 + 0.03 * level])
            stop = start + np.array(
                [
                    side * rng.uniform(0.4, 0.7),
                    rng.normal(0, 0.1) + 0.08 * level - 0.05,
                ]
            )
            drawing.line(np.stack([start, stop]), 0.012, label)


def animal_face(rng: Random) -> Drawing:
    """A cat, dog, bear or rabbit looking at the camera, often filling the frame."""
    drawing = Drawing(anchor=str(rng.choice(["bottom", "bottom", ""])), upright=True)
    fur, ear = drawing.part("fur", 0), drawing.part("fur", 0, rng.uniform(0.7, 1.1))
    inner, white = drawing.part("skin", 2), drawing.part("white", 1)
    dark, iris = drawing.part("black", 3), drawing.part("any", 2)
    width = rng.uniform(0.55, 0.75)
    turn = rng.normal(0, 0.12)
    if drawing.anchor:
        body = curve(
            [
                (-0.4, 0.1),
                (-rng.uniform(0.7, 1.2), 1.0),
                (-0.8, 2),
                (0.8, 2),
                (rng.uniform(0.7, 1.2), 1.0),
                (0.4, 0.1),
            ],
            40,
            closed=True,
        )
        drawing.polygon(body, drawing.part("fur", 0, rng.uniform(0.7, 1.0)))
        if rng.random() < 0.5:
            drawing.ellipse(0, 0.9, 0.35, 0.5, white)
        fringe(rng, drawing, body, fur, length=0.08)
    _ears(rng, drawing, width, ear, inner)
    head = fourier_outline(rng, terms=2, size=0.08) + ellipse(0, 0, width, 0.58, corners=96)
    drawing.polygon(head, fur)
    fringe(rng, drawing, head, fur, length=rng.uniform(0.03, 0.13))
    if rng.random() < 0.6:
        drawing.polygon(fourier_outline(rng, terms=3, size=0.22) + np.array([turn, 0.3]), white)
    if rng.random() < 0.4:
        patch = drawing.part("fur", 1)
        drawing.polygon(
            fourier_outline(rng, terms=3, size=0.22) + np.array([width * 0.4, -0.15]), patch
        )
    for side in (-1, 1):
        x = turn + side * width * 0.42
        drawing.ellipse(x, -0.08, 0.12, 0.1, iris)
        drawing.ellipse(x, -0.08, rng.uniform(0.03, 0.09), 0.09, dark)
    drawing.ellipse(turn, 0.22, 0.1, 0.07, dark)
    drawing.line(curve([(turn - 0.15, 0.42), (turn, 0.34), (turn + 0.15, 0.42)], 10), 0.025, dark)
    if rng.random() < 0.5:
        _whiskers(rng, drawing, turn, white)
    return drawing


def bird(rng: Random) -> Drawing:
    """A bird perching, standing, or flying with spread wings."""
    drawing = Drawing(upright=True)
    body, wing = drawing.part("any", 0), drawing.part("any", 1, rng.uniform(0.6, 1.2))
    head, beak = drawing.part("any", int(rng.integers(0, 3))), drawing.part("earth", 2, 1.2)
    dark, belly = drawing.part("black", 3), drawing.part("white", 2)
    flying = rng.random() < 0.4
    tilt = rng.uniform(-0.2, 0.7)
    direction = np.array([np.cos(tilt), -np.sin(tilt)])
    chest, rump = direction * 0.35, -direction * 0.4
    if flying:
        for side in (-1, 1):
            tip = np.array([side * rng.uniform(0.7, 1.2), -rng.uniform(0.1, 0.9)])
            edge = [(0.1, -0.05), tip * 0.5 + np.array([0, -0.25]), tip]
            fingers = [
                tip * (1 - k / 6) + np.array([0, rng.uniform(0.1, 0.3)]) for k in range(1, 5)
            ]
            drawing.polygon(
                [*edge, *fingers, (-0.25, 0.1)], wing if side > 0 else drawing.part("any", 1, 0.8)
            )
    else:
        for shift in (-0.06, 0.08):
            drawing.limb([(shift, 0.15), (shift + 0.03, rng.uniform(0.5, 0.9))], 0.04, beak)
    tail = rump - direction * rng.uniform(0.25, 0.6)
    drawing.polygon(
        [
            rump + np.array([0, -0.08]),
            tail + np.array([0, -0.1]),
            tail + np.array([0.02, 0.1]),
            rump + np.array([0, 0.1]),
        ],
        wing,
    )
    neck = rng.uniform(0.1, 0.5)
    skull = chest + np.array([neck * 0.5, -neck])
    size = rng.uniform(0.13, 0.22)
    drawing.limb(
        curve([rump, (0, 0.03), chest], 14),
        0.5 * np.sin(np.linspace(0.5, 2.4, 14)),
        body,
    )
    if rng.random() < 0.5:
        drawing.ellipse(chest[0] - 0.1, chest[1] + 0.15, 0.25, 0.14, belly)
    drawing.limb(
        curve([chest, (chest + skull) / 2 + np.array([0.05, 0]), skull], 10),
        np.linspace(0.35, size * 1.4, 10),
        body,
    )
    drawing.ellipse(skull[0], skull[1], size, size * 0.9, head)
    reach = rng.uniform(0.1, 0.4)
    drawing.polygon(
        [
            (skull[0] + size * 0.7, skull[1] - 0.06),
            (skull[0] + size + reach, skull[1] + 0.05),
            (skull[0] + size * 0.7, skull[1] + 0.09),
        ],
        beak,
    )
    drawing.ellipse(skull[0] + size * 0.4, skull[1] - 0.03, 0.03, 0.03, dark)
    if not flying:
        drawing.polygon(
            curve(
                [chest * 0.6 + np.array([0, -0.08]), rump - direction * 0.25, (0, 0.2)],
                24,
                closed=True,
            ),
            wing,
        )
    return drawing


def bird_of_prey(rng: Random) -> Drawing:
    """Head and breast of a big bird, cut off by the lower border."""
    drawing = Drawing(anchor="bottom", upright=True)
    brown, pale = drawing.part("fur", 0), drawing.part(str(rng.choice(["white", "any"])), 1)
    beak, dark = drawing.part("earth", 2, 1.3), drawing.part("black", 3)
    width = rng.uniform(0.5, 0.9)
    body = curve(
        [(-0.25, -0.3), (-width, 0.5), (-width, 2), (width, 2), (width, 0.5), (0.25, -0.3)],
        40,
        closed=True,
    )
    drawing.polygon(body, brown)
    fringe(rng, drawing, body, brown, length=0.07, width=0.025)
    neck = curve(
        [
            (-0.35, -0.6),
            (-0.45, 0.1),
            (-0.5, rng.uniform(0.3, 0.9)),
            (0.5, rng.uniform(0.3, 0.9)),
            (0.42, 0.1),
            (0.35, -0.6),
            (0, -0.95),
        ],
        50,
        closed=True,
    )
    drawing.polygon(neck, pale)
    fringe(rng, drawing, neck, pale, length=0.06, width=0.025)
    reach = rng.uniform(0.25, 0.5)
    drawing.polygon(
        curve(
            [(0.25, -0.75), (0.35 + reach, -0.6), (0.3 + reach, -0.35), (0.25, -0.45)],
            20,
            closed=True,
        ),
        beak,
    )
    drawing.ellipse(0.15, -0.68, 0.05, 0.045, dark)
    return drawing


def fish(rng: Random) -> Drawing:
    """A fish with fins."""
    drawing = Drawing()
    body, fin = drawing.part("any", 0), drawing.part("any", 1)
    dark, stripe = drawing.part("black", 2), drawing.part("any", 1, rng.uniform(0.6, 1.3))
    deep = rng.uniform(0.3, 0.8)
    drawing.polygon(
        [(-0.55, 0), (-1, -rng.uniform(0.2, 0.5)), (-0.85, 0), (-1, rng.uniform(0.2, 0.5))], fin
    )
    for side in (-1, 1):
        drawing.polygon(
            curve(
                [
                    (0.3, side * deep * 0.3),
                    (-0.1, side * deep * rng.uniform(0.7, 1.2)),
                    (-0.4, side * deep * 0.3),
                ],
                16,
                closed=True,
            ),
            fin,
        )
    x = np.linspace(-0.7, 0.8, 30)
    drawing.limb(
        np.stack([x, 0.03 * np.sin(x * 4)], 1), deep * np.sin(np.linspace(0.25, 2.7, 30)), body
    )
    for _ in range(int(rng.integers(0, 4))):
        place = rng.uniform(-0.3, 0.5)
        drawing.limb([(place, -deep * 0.3), (place + 0.05, deep * 0.3)], 0.08, stripe)
    drawing.ellipse(0.6, -deep * 0.1, 0.06, 0.06, dark)
    return drawing


def insect(rng: Random) -> Drawing:
    """Beetles, bees, spiders and butterflies, mirrored along their body."""
    drawing = Drawing()
    body, leg = drawing.part("any", 0), drawing.part("black", 2, 1.2)
    wing, spot = drawing.part("any", 1, 1.0, 1.0), drawing.part("any", 3)
    if rng.random() < 0.6:
        for low, high in ((-0.9, -0.1), (0.0, 0.7)):
            points = [
                (0.05, (low + high) / 2),
                (rng.uniform(0.5, 1.1), low),
                (rng.uniform(0.6, 1.1), high),
                (0.3, high),
            ]
            outline_ = curve(points, 30, closed=True)
            mark = fourier_outline(rng, terms=3, size=rng.uniform(0.06, 0.18)) + outline_.mean(0)
            for side in (-1, 1):
                drawing.polygon(outline_ * [side, 1], wing)
                drawing.polygon(mark * [side, 1], spot)
    else:
        for row in (-0.3, 0.0, 0.3):
            knee, foot = (
                (rng.uniform(0.4, 0.7), row - 0.1),
                (rng.uniform(0.6, 1), row + rng.uniform(0, 0.5)),
            )
            for side in (-1, 1):
                drawing.limb(
                    [(0, row), (side * knee[0], knee[1]), (side * foot[0], foot[1])],
                    [0.07, 0.06, 0.03],
                    leg,
                )
    sizes = rng.uniform(0.1, 0.35, 3)
    for y, size in zip((0.45, 0, -0.4), sizes, strict=True):
        drawing.ellipse(0, y, size, rng.uniform(0.2, 0.4), body)
    for side in (-1, 1):
        drawing.limb(curve([(0, -0.6), (side * 0.15, -0.9), (side * 0.35, -1)], 8), 0.03, leg)
    return drawing


def plush(rng: Random) -> Drawing:
    """Toys and cartoon creatures: big head, small body, round limbs."""
    drawing = Drawing(upright=True)
    main, second = drawing.part("any", 0), drawing.part("any", 1)
    dark = drawing.part("black", 3)
    for side in (-1, 1):
        drawing.limb([(side * 0.2, 0.5), (side * rng.uniform(0.2, 0.5), 0.95)], [0.25, 0.3], main)
        drawing.limb(
            [(side * 0.25, 0.15), (side * rng.uniform(0.4, 0.8), rng.uniform(-0.3, 0.6))],
            [0.2, 0.25],
            main,
        )
        size = rng.uniform(0.12, 0.28)
        drawing.ellipse(side * rng.uniform(0.25, 0.5), -0.85, size, size * rng.uniform(1, 2), main)
    drawing.ellipse(0, 0.35, rng.uniform(0.3, 0.5), 0.42, main if rng.random() < 0.5 else second)
    drawing.ellipse(0, 0.4, 0.22, 0.28, second)
    drawing.ellipse(0, -0.4, rng.uniform(0.45, 0.65), rng.uniform(0.4, 0.5), main)
    for side in (-1, 1):
        drawing.ellipse(side * 0.2, -0.45, 0.06, rng.uniform(0.05, 0.12), dark)
    drawing.ellipse(0, -0.25, 0.15, 0.1, second)
    return drawing
