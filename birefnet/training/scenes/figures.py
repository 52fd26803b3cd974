"""People and animals, built from heads, trunks and limbs."""

from __future__ import annotations

import numpy as np

from .canvas import Drawing, curve, ellipse
from .noise import Random
from .shapes import fourier_outline, fringe


def _head(
    rng: Random, drawing: Drawing, x: float, y: float, size: float, *, skin: int = 0, hair: int = 1
) -> None:
    """Draws a human head of half height `size`: skull, hair, ears, face, glasses, hats."""
    turn = rng.normal(0, 0.35)
    slim = rng.uniform(0.68, 0.85)
    face = drawing.part("skin", skin)
    style = rng.integers(5)
    if style >= 2:
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
        for direction in (-1, 1):
            eye = center + direction * size * 0.32
            drawing.ellipse(eye, y - size * 0.08, size * 0.1, size * 0.05, dark)
            drawing.line(
                np.array(
                    [[eye - size * 0.15, y - size * 0.25], [eye + size * 0.15, y - size * 0.25]]
                ),
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
            [tuple(hip + [side * 0.06, 0]), tuple(knee), tuple(foot)],
            [0.22 * thick, 0.16 * thick, 0.11 * thick],
            skin if bare else label,
        )
        drawing.limb([tuple(foot), tuple(foot + [0.12, 0.03])], 0.1, shoe)
        if side == 1:
            drawing.polygon(
                [
                    tuple(neck + [-0.22 * thick, 0.06]),
                    tuple(neck + [0.22 * thick, 0.06]),
                    tuple(hip + [0.16 * thick, 0.06]),
                    tuple(hip + [-0.16 * thick, 0.06]),
                ],
                shirt,
            )
            drawing.limb([tuple(neck), tuple(hip)], [0.3 * thick, 0.3 * thick], shirt)
        raised = rng.normal(0, 0.5) - side * stride + (rng.random() < 0.2) * 2
        elbow = neck + [side * 0.2, 0.08] + 0.3 * np.array([np.sin(raised), np.cos(raised)])
        bent = raised + rng.uniform(0, 1)
        hand = elbow + 0.3 * np.array([np.sin(bent), np.cos(bent)])
        drawing.limb(
            [tuple(neck + [side * 0.18 * thick, 0.1]), tuple(elbow), tuple(hand)],
            [0.14 * thick, 0.11 * thick, 0.08],
            arm,
        )
        drawing.ellipse(hand[0], hand[1], 0.06, 0.06, skin)
    if rng.random() < 0.25:
        skirt = drawing.part("any", 2)
        drawing.polygon([(-0.16, 0), (0.16, 0), (0.4, rng.uniform(0.3, 0.8)), (-0.4, 0.5)], skirt)
    drawing.limb([tuple(neck + [0, -0.1]), tuple(neck + [0, 0.05])], 0.12, skin)
    _head(rng, drawing, float(neck[0]), float(neck[1] - 0.22), 0.17)
    if rng.random() < 0.25:
        gear = drawing.part("any", 1)
        drawing.polygon(fourier_outline(rng, terms=3, size=0.25) + neck + [-0.25, 0.25], gear)
    return drawing


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
            drawing.limb(
                [tuple(root), tuple(knee), tuple(foot)], [thick * 1.6, thick, thick * 0.8], label
            )
            if rng.random() < 0.4:
                drawing.ellipse(foot[0] + 0.02, foot[1], thick * 0.6, thick * 0.35, dark)
    rise, reach = rng.uniform(-0.1, 0.7), rng.uniform(0.15, 0.5)
    head = np.array([length + reach, -rise - 0.1])
    drawing.limb(
        curve([(length, 0), (length + reach * 0.4, -rise * 0.6), tuple(head)], 12),
        np.linspace(girth * 0.85, girth * 0.4, 12),
        near,
    )
    skull = rng.uniform(0.13, 0.24)
    muzzle = head + skull * np.array([rng.uniform(1, 2), rng.uniform(0, 1.2)])
    for shift in (-0.06, 0.06):
        ear = head + np.array([shift, -skull * 0.8])
        tip = ear + np.array([shift, -rng.uniform(0.05, 0.3)])
        drawing.polygon([tuple(ear - [0.06, 0]), tuple(tip), tuple(ear + [0.06, 0.03])], near)
    if rng.random() < 0.2:
        horn = drawing.part("white", 2)
        drawing.limb(
            curve([tuple(head), tuple(head + [0.05, -0.3]), tuple(head + [0.2, -0.45])], 10),
            np.linspace(0.07, 0.01, 10),
            horn,
        )
    drawing.limb([tuple(head), tuple(muzzle)], [skull * 2, skull * 1.1], near)
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
                tuple(head),
            ],
            20,
        )
        fringe(rng, drawing, mane, patch, length=0.25, lean=rng.normal(0, 1), width=0.02)
    return drawing


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
    tall, wide = rng.uniform(0.25, 0.8), rng.uniform(0.16, 0.32)
    droop = rng.random() < 0.25
    for side in (-1, 1):
        root = np.array([side * width * 0.65, -0.4])
        tip = root + np.array([side * rng.uniform(0, 0.25), -tall])
        if droop:
            tip = root + np.array([side * 0.35, tall * 0.9])
        drawing.polygon(
            curve(
                [tuple(root + [-wide, 0.15]), tuple(tip), tuple(root + [wide, 0.2])],
                24,
                closed=True,
            ),
            ear,
        )
        if rng.random() < 0.7:
            drawing.polygon(
                [
                    tuple(root + [-wide * 0.5, 0.1]),
                    tuple(root * 0.3 + tip * 0.7),
                    tuple(root + [wide * 0.5, 0.1]),
                ],
                inner,
            )
    head = fourier_outline(rng, terms=2, size=0.08) + ellipse(0, 0, width, 0.58, corners=96)
    drawing.polygon(head, fur)
    fringe(rng, drawing, head, fur, length=rng.uniform(0.03, 0.13))
    if rng.random() < 0.6:
        drawing.polygon(fourier_outline(rng, terms=3, size=0.22) + [turn, 0.3], white)
    if rng.random() < 0.4:
        patch = drawing.part("fur", 1)
        drawing.polygon(fourier_outline(rng, terms=3, size=0.22) + [width * 0.4, -0.15], patch)
    for side in (-1, 1):
        x = turn + side * width * 0.42
        drawing.ellipse(x, -0.08, 0.12, 0.1, iris)
        drawing.ellipse(x, -0.08, rng.uniform(0.03, 0.09), 0.09, dark)
    drawing.ellipse(turn, 0.22, 0.1, 0.07, dark)
    drawing.line(curve([(turn - 0.15, 0.42), (turn, 0.34), (turn + 0.15, 0.42)], 10), 0.025, dark)
    if rng.random() < 0.5:
        for side in (-1, 1):
            for level in range(3):
                start = np.array([turn + side * 0.15, 0.28 + 0.03 * level])
                stop = start + [
                    side * rng.uniform(0.4, 0.7),
                    rng.normal(0, 0.1) + 0.08 * level - 0.05,
                ]
                drawing.line(np.stack([start, stop]), 0.012, white)
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
            edge = [(0.1, -0.05), tuple(tip * 0.5 + [0, -0.25]), tuple(tip)]
            fingers = [tuple(tip * (1 - k / 6) + [0, rng.uniform(0.1, 0.3)]) for k in range(1, 5)]
            drawing.polygon(
                [*edge, *fingers, (-0.25, 0.1)], wing if side > 0 else drawing.part("any", 1, 0.8)
            )
    else:
        for shift in (-0.06, 0.08):
            drawing.limb([(shift, 0.15), (shift + 0.03, rng.uniform(0.5, 0.9))], 0.04, beak)
    tail = rump - direction * rng.uniform(0.25, 0.6)
    drawing.polygon(
        [
            tuple(rump + [0, -0.08]),
            tuple(tail + [0, -0.1]),
            tuple(tail + [0.02, 0.1]),
            tuple(rump + [0, 0.1]),
        ],
        wing,
    )
    neck = rng.uniform(0.1, 0.5)
    skull = chest + np.array([neck * 0.5, -neck])
    size = rng.uniform(0.13, 0.22)
    drawing.limb(
        curve([tuple(rump), (0, 0.03), tuple(chest)], 14),
        0.5 * np.sin(np.linspace(0.5, 2.4, 14)),
        body,
    )
    if rng.random() < 0.5:
        drawing.ellipse(chest[0] - 0.1, chest[1] + 0.15, 0.25, 0.14, belly)
    drawing.limb(
        curve([tuple(chest), tuple((chest + skull) / 2 + [0.05, 0]), tuple(skull)], 10),
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
                [tuple(chest * 0.6 + [0, -0.08]), tuple(rump - direction * 0.25), (0, 0.2)],
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
        drawing.limb([tuple(root), tuple(tip)], [0.19, 0.14], skin if index % 2 else shade)
    side = rng.choice([-1, 1])
    drawing.limb(
        [(side * 0.3, 0.25), (side * 0.55, -0.05), (side * 0.6, -0.3)], [0.25, 0.2, 0.15], shade
    )
    drawing.ellipse(0, 0.12, 0.38, 0.4, skin)
    if rng.random() < 0.4:
        held = fourier_outline(rng, terms=4, size=rng.uniform(0.25, 0.5))
        drawing.polygon(held + np.array([0, -0.3]), drawing.part("any", 2))
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


def companions(rng: Random) -> Drawing:
    """Somebody with something: a person beside an instrument, on an animal, with another person."""
    from . import objects

    drawing = Drawing(upright=True)
    style = rng.integers(4)
    if style == 0:
        drawing.add(person(rng), np.eye(2), (-0.3, 0.0))
        drawing.add(objects.instrument(rng), np.eye(2) * 0.8, (0.3, 0.25))
    elif style == 1:
        drawing.add(person(rng), np.eye(2) * 0.75, (0.0, -0.45))
        drawing.add(quadruped(rng), np.eye(2), (0.0, 0.4))
    elif style == 2:
        drawing.add(person(rng), np.eye(2) * rng.uniform(0.8, 1), (-0.35, 0.0))
        drawing.add(person(rng), np.eye(2) * rng.uniform(0.8, 1), (0.35, 0.0))
    else:
        drawing.add(objects.cycle(rng), np.eye(2), (0.0, 0.35))
        drawing.add(person(rng), np.eye(2) * 0.8, (-0.1, -0.3))
    return drawing
