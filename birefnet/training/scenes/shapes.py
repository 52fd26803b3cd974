"""Abstract subjects: outlines from formulas, rings, spirals, clusters and mirrored blots."""

from __future__ import annotations

import numpy as np

from .canvas import Drawing, Points, curve, ellipse, rotation
from .noise import Field, Random


def fourier_outline(rng: Random, *, terms: int = 6, fall: float = 1.4, size: float = 0.8) -> Points:
    """A closed wavy outline around the origin: radius as a sum of harmonics, (96, 2)."""
    angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    order = np.arange(1, terms + 1)
    amplitude = rng.normal(0, 0.28, terms) / order ** (fall - 0.6)
    phase = rng.uniform(0, 2 * np.pi, terms)
    radius = 1 + (amplitude[:, None] * np.cos(order[:, None] * angle + phase[:, None])).sum(0)
    radius = np.maximum(radius, 0.15) * size
    stretch = 2 ** rng.normal(0, 0.4)
    return np.stack([radius * np.cos(angle) * stretch, radius * np.sin(angle) / stretch], 1)


def inner_parts(rng: Random, drawing: Drawing, count: int) -> None:
    """Scatters patches of other looks over the middle of a drawing, clipped by nothing."""
    for _ in range(count):
        label = drawing.part(material=int(rng.integers(0, 3)), gain=rng.uniform(0.5, 1.5))
        center = rng.normal(0, 0.18, 2)
        small = fourier_outline(rng, terms=4, size=rng.uniform(0.06, 0.28))
        drawing.polygon(small + center, label)


def blob(rng: Random) -> Drawing:
    """A smooth lump, sometimes with patches and holes."""
    drawing = Drawing()
    see_through = rng.uniform(0.55, 0.9) if rng.random() < 0.1 else 1.0
    points = rng.normal(0, 0.1, (int(rng.integers(5, 10)), 2))
    angle = np.linspace(0, 2 * np.pi, len(points), endpoint=False)
    points += (
        np.stack([np.cos(angle), np.sin(angle)], 1) * rng.uniform(0.5, 1, len(points))[:, None]
    )
    drawing.polygon(curve(points, 90, closed=True), drawing.part(opacity=see_through))
    if rng.random() < 0.5:
        inner_parts(rng, drawing, int(rng.integers(1, 4)))
    if rng.random() < 0.12:
        drawing.polygon(fourier_outline(rng, size=0.22) + rng.normal(0, 0.1, 2), 0)
    return drawing


def wavy(rng: Random) -> Drawing:
    """A Fourier outline of random roughness."""
    drawing = Drawing()
    terms = int(rng.integers(3, 16))
    drawing.polygon(fourier_outline(rng, terms=terms, fall=rng.uniform(1.1, 2)), drawing.part())
    if rng.random() < 0.4:
        inner_parts(rng, drawing, int(rng.integers(1, 4)))
    return drawing


def polygon(rng: Random) -> Drawing:
    """A few straight sides, convex or not, with a facet or two."""
    drawing = Drawing()
    count = int(rng.integers(3, 9))
    angle = np.sort(rng.random(count)) * 2 * np.pi
    if rng.random() < 0.4:
        angle = np.arange(count) / count * 2 * np.pi
    radius = rng.uniform(0.5, 1, count) if rng.random() < 0.5 else np.full(count, 0.9)
    points = np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None]
    drawing.polygon(points, drawing.part())
    if rng.random() < 0.5:
        center = points.mean(0) + rng.normal(0, 0.15, 2)
        for index in range(count):
            if rng.random() < 0.5:
                label = drawing.part(gain=rng.uniform(0.55, 1.5))
                drawing.polygon([center, points[index], points[(index + 1) % count]], label)
    return drawing


def star(rng: Random) -> Drawing:
    """Pointed or rounded rays around a middle, with a disc or a ring on it."""
    drawing = Drawing()
    rays = int(rng.integers(4, 13))
    inner = rng.uniform(0.3, 0.8)
    angle = np.arange(rays * 2) / (rays * 2) * 2 * np.pi
    radius = np.where(np.arange(rays * 2) % 2 == 0, 1.0, inner)
    points = np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None]
    if rng.random() < 0.4:
        points = curve(points, rays * 12, closed=True)
    drawing.polygon(points, drawing.part())
    if rng.random() < 0.5:
        drawing.ellipse(0, 0, inner * 0.7, inner * 0.7, drawing.part(material=1))
    return drawing


def superformula(rng: Random) -> Drawing:
    """Shells, crosses and flowers from one formula.

    Source: Gielis, "A generic geometric transformation that unifies a wide range of natural and
    abstract shapes", 2003.
    """
    drawing = Drawing()
    angle = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    symmetry = int(rng.integers(2, 9))
    first, second, third = 2 ** rng.uniform(-1, 3, 3)
    base = (
        np.abs(np.cos(symmetry * angle / 4)) ** second
        + np.abs(np.sin(symmetry * angle / 4)) ** third
    )
    radius = np.maximum(base, 1e-6) ** (-1 / first)
    radius = np.minimum(radius / np.quantile(radius, 0.9), 1.5)
    outer = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    drawing.polygon(outer, drawing.part())
    for level in range(int(rng.integers(0, 3))):
        label = drawing.part(material=int(rng.integers(0, 2)), gain=rng.uniform(0.5, 1.5))
        drawing.polygon(outer * (0.7 - 0.25 * level), label)
    return drawing


def ring(rng: Random) -> Drawing:
    """A ring, frame or wreath with a hole through it."""
    drawing = Drawing()
    outer = fourier_outline(rng, terms=3, size=0.9)
    if rng.random() < 0.5:
        outer = ellipse(0, 0, 1, rng.uniform(0.4, 1), corners=60)
    drawing.polygon(outer, drawing.part())
    if rng.random() < 0.4:
        drawing.polygon(outer * 0.85, drawing.part(material=1))
    shift = rng.normal(0, 0.04, 2)
    drawing.polygon(outer * rng.uniform(0.35, 0.72) + shift, 0)
    return drawing


def spiral(rng: Random) -> Drawing:
    """A coil of a thick band."""
    drawing = Drawing()
    turns = rng.uniform(1.2, 3)
    t = np.linspace(0.15, 1, 80)
    angle = t * turns * 2 * np.pi
    path = np.stack([t * np.cos(angle), t * np.sin(angle)], 1)
    width = rng.uniform(0.3, 0.75) / turns
    drawing.limb(path, np.linspace(width * 0.4, width, 80), drawing.part())
    return drawing


def squiggle(rng: Random) -> Drawing:
    """A thick bent line: snakes, hoses, worms, ribbons."""
    drawing = Drawing()
    knots = np.cumsum(rng.normal(0, 0.45, (int(rng.integers(3, 7)), 2)), 0)
    knots -= knots.mean(0)
    path = curve(knots, 60)
    width = rng.uniform(0.08, 0.35)
    taper = np.sin(np.linspace(rng.uniform(0, 1), np.pi - rng.uniform(0, 1), 60))
    drawing.limb(path, width * (0.25 + 0.75 * taper), drawing.part())
    if rng.random() < 0.5:
        end = path[-1]
        drawing.ellipse(end[0], end[1], width * 0.6, width * 0.5, drawing.part(gain=0.9))
    return drawing


def thin(rng: Random) -> Drawing:
    """Rods and wires: a stand, a hanger, a frame of bars."""
    drawing = Drawing()
    width = rng.uniform(0.04, 0.1)
    count = int(rng.integers(3, 8))
    hub = rng.normal(0, 0.1, 2)
    for index in range(count):
        angle = 2 * np.pi * (index + rng.uniform(-0.3, 0.3)) / count
        tip = np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(0.6, 1)
        middle = (hub + tip) / 2 + rng.normal(0, 0.1, 2)
        drawing.limb(curve([hub, middle, tip], 12), width * rng.uniform(0.7, 1.3), drawing.part())
        if rng.random() < 0.4:
            size = rng.uniform(0.08, 0.2)
            drawing.ellipse(tip[0], tip[1], size, size, drawing.part(material=1))
    if rng.random() < 0.5:
        drawing.ellipse(hub[0], hub[1], 0.22, 0.22, drawing.part(material=1))
    return drawing


def blot(rng: Random) -> Drawing:
    """A mirrored inkblot with parts."""
    drawing = Drawing()
    for index in range(int(rng.integers(2, 5))):
        label = drawing.part(material=index % 3, gain=rng.uniform(0.6, 1.4))
        half = fourier_outline(rng, terms=7, size=rng.uniform(0.2, 0.6))
        half = half + np.array([rng.uniform(0, 0.35), rng.uniform(-0.6, 0.6)])
        drawing.polygon(half, label)
        drawing.polygon(half * np.array([-1, 1]), label)
    spine = drawing.part(material=0)
    drawing.ellipse(0, 0, rng.uniform(0.1, 0.3), rng.uniform(0.5, 0.9), spine)
    return drawing


def hull(rng: Random) -> Drawing:
    """The convex hull of random points: stones, crystals, folded cloth."""
    from scipy.spatial import ConvexHull

    drawing = Drawing()
    points = rng.normal(0, 0.5, (int(rng.integers(6, 20)), 2)) * np.array(
        [1, 2 ** rng.normal(0, 0.4)]
    )
    corners = points[ConvexHull(points).vertices]
    drawing.polygon(corners, drawing.part())
    middle = corners.mean(0) + rng.normal(0, 0.12, 2)
    for index in range(len(corners)):
        if rng.random() < 0.6:
            label = drawing.part(gain=rng.uniform(0.6, 1.4))
            drawing.polygon([middle, corners[index], corners[(index + 1) % len(corners)]], label)
    return drawing


def capsules(rng: Random) -> Drawing:
    """A few rounded rods and balls stuck together."""
    drawing = Drawing()
    here = np.zeros(2)
    for index in range(int(rng.integers(3, 8))):
        there = here + rng.normal(0, 0.5, 2)
        label = drawing.part(material=index % 3, gain=rng.uniform(0.7, 1.3))
        drawing.limb([here, there], list(rng.uniform(0.15, 0.5, 2)), label)
        if rng.random() < 0.6:
            here = there
    return drawing


def tentacles(rng: Random) -> Drawing:
    """A body with waving arms: octopus, jellyfish, roots, splashes."""
    drawing = Drawing()
    arms = int(rng.integers(4, 10))
    body, arm = drawing.part(), drawing.part(gain=rng.uniform(0.75, 1.2))
    base, fan = rng.uniform(0, 2 * np.pi), rng.choice([2 * np.pi, 2.5])
    for index in range(arms):
        angle = base + fan * (index / arms - 0.5)
        radius = np.linspace(0.1, rng.uniform(0.7, 1.1), 18)
        bend = angle + rng.normal(0, 0.25) + 0.35 * np.sin(radius * 5 + rng.uniform(0, 6))
        path = np.stack([np.cos(bend), np.sin(bend)], 1) * radius[:, None]
        drawing.limb(path, np.linspace(rng.uniform(0.15, 0.3), 0.03, 18), arm)
    drawing.polygon(fourier_outline(rng, terms=3, size=0.42), body)
    return drawing


def pile(rng: Random) -> Drawing:
    """Two to six similar things touching each other: fruit, stones, shoes, toys."""
    makers = (blob, wavy, polygon, hull, capsules, star)
    maker = makers[rng.integers(len(makers))]
    drawing = Drawing()
    count = int(rng.integers(2, 7))
    for index in range(count):
        piece = maker(rng)
        low, high = piece.bounds()
        scale = 1 / max(float((high - low).max()), 1e-3)
        matrix = rotation(rng.uniform(0, 6)) * scale * rng.uniform(0.7, 1.0)
        shift = ((index - count / 2) * 0.5 * rng.uniform(0.6, 1), rng.normal(0, 0.2))
        drawing.add(piece, matrix, shift)
        for part in drawing.parts:
            part.material %= 3
    return drawing


def box(rng: Random) -> Drawing:
    """A block in perspective: three faces of different brightness, with a label or a slot."""
    drawing = Drawing()
    width, height, depth = rng.uniform(0.5, 1.2, 3)
    yaw, pitch = rng.uniform(0.3, 1.2), rng.uniform(0.1, 0.7)
    right = np.array([np.cos(yaw), np.sin(yaw) * np.sin(pitch)]) * width
    back = np.array([-np.sin(yaw), np.cos(yaw) * np.sin(pitch)]) * depth
    up = np.array([0, -np.cos(pitch)]) * height
    top = up - (right + back) / 2
    gains = rng.permutation([0.55, 0.8, 1.15])
    same = rng.random() < 0.6
    faces = (
        [top, top + right, top + right + back, top + back],
        [top + back, top + right + back, top + right + back - up, top + back - up],
        [top + right, top + right + back, top + right + back - up, top + right - up],
    )
    for index, face in enumerate(faces):
        corners = np.array(face)
        drawing.polygon(corners, drawing.part(material=0 if same else index, gain=gains[index]))
        if rng.random() < 0.4:
            middle = corners.mean(0)
            inset = middle + (corners - middle) * rng.uniform(0.3, 0.8)
            drawing.polygon(inset, drawing.part(material=3, gain=gains[index]))
    return drawing


def strands(rng: Random) -> Drawing:
    """A tuft: a core with many thin hairs that stand away from it."""
    drawing = Drawing()
    core = fourier_outline(rng, terms=5, size=0.55)
    body = drawing.part("fur")
    drawing.polygon(core, body)
    hair = drawing.part("fur", gain=rng.uniform(0.8, 1.3))
    length, lean = rng.uniform(0.12, 0.5), rng.normal(0, 0.6)
    fringe(rng, drawing, core, hair, length=length, lean=lean)
    return drawing


def fringe(
    rng: Random,
    drawing: Drawing,
    edge: Points,
    label: int,
    *,
    length: float,
    lean: float = 0.0,
    count: int = 260,
    width: float = 0.012,
) -> None:
    """Draws hairs that grow outwards from an outline.

    Args:
        rng: Source of randomness.
        drawing: Receives the hairs.
        edge: Outline (N, 2) they grow from, around the origin of the outward direction.
        label: Part they belong to.
        length: Mean length in object units.
        lean: Turn against the outward direction, radians.
        count: Number of hairs.
        width: Thickness in object units.
    """
    middle = edge.mean(0)
    start = rng.integers(len(edge) - 1, size=count)
    roots = edge[start] + (edge[start + 1] - edge[start]) * rng.random((count, 1))
    out = roots - middle
    angle = np.arctan2(out[:, 1], out[:, 0]) + lean + rng.normal(0, 0.3, count)
    reach = (length * rng.uniform(0.3, 1.2, count) * 0.5)[:, None]
    knees = roots + reach * np.stack([np.cos(angle), np.sin(angle)], 1)
    angle += rng.normal(0, 0.4, count)
    tips = knees + reach * np.stack([np.cos(angle), np.sin(angle)], 1)
    for hair in np.stack([roots * 0.96 + middle * 0.04, knees, tips], 1):
        drawing.line(hair, width, label)


def feather(rng: Random) -> Drawing:
    """A shaft with barbs, partly split."""
    drawing = Drawing()
    vane, shaft = drawing.part(), drawing.part(material=1, gain=1.2)
    spine = curve([(0, 1), (rng.normal(0, 0.15), 0), (rng.normal(0, 0.2), -1)], 40)
    widths = np.sin(np.linspace(0.15, 3.0, 40)) ** 0.6 * rng.uniform(0.25, 0.5)
    for side in (-1, 1):
        start = 0
        while start < 38:
            stop = min(start + int(rng.integers(4, 16)), 39)
            edge = spine[start : stop + 1] + np.stack(
                [side * widths[start : stop + 1], np.full(stop + 1 - start, -0.12)], 1
            )
            drawing.polygon(np.concatenate([spine[start : stop + 1], edge[::-1]]), vane)
            start = stop
    drawing.limb(spine, np.linspace(0.06, 0.015, 40), shaft)
    return drawing


def panels(rng: Random) -> Drawing:
    """A flat thing of several fields: a sign, a picture, a book, a phone."""
    drawing = Drawing(upright=rng.random() < 0.6)
    width, height = rng.uniform(0.45, 1, 2)
    skew = rng.normal(0, 0.12)
    corners = np.array(
        [
            [-width, -height + skew],
            [width, -height - skew],
            [width, height + skew],
            [-width, height - skew],
        ]
    )
    drawing.polygon(corners, drawing.part())
    columns, rows = rng.integers(1, 4, 2)
    for column in range(columns):
        for row in range(rows):
            if rng.random() < 0.7:
                u = (column + np.array([0.1, 0.9, 0.9, 0.1])) / columns
                v = (row + np.array([0.1, 0.1, 0.9, 0.9])) / rows
                top = corners[0] + u[:, None] * (corners[1] - corners[0])
                low = corners[3] + u[:, None] * (corners[2] - corners[3])
                label = drawing.part(material=int(rng.integers(1, 4)), gain=rng.uniform(0.6, 1.3))
                drawing.polygon(top + v[:, None] * (low - top), label)
    return drawing


def soft_noise(rng: Random, side: int, cells: int) -> Field:
    """Smooth noise of about `cells` bumps along a side, (side, side), in [0, 1]."""
    from PIL import Image

    small = Image.fromarray(rng.random((cells + 3, cells + 3), dtype=np.float32))
    big = small.resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(big, np.float32)


def cutout_noise(rng: Random) -> Drawing:
    """Whatever smooth noise cuts out of a plane: islands, bays, holes and bridges."""
    drawing = Drawing()
    side = 128
    rows, columns = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    values: Field = soft_noise(rng, side, int(rng.integers(2, 9)))
    if rng.random() < 0.35:
        values = 1 - np.abs(values * 2 - 1) * rng.uniform(0.8, 1.6)
    if rng.random() < 0.4:
        values = (values + values[:, ::-1]) / 2
    inside = 1.25 - np.hypot(rows, columns) * rng.uniform(1.15, 1.5)
    field = np.minimum(values - rng.uniform(0.25, 0.5), inside)
    drawing.stamp(np.clip(field * 1000 + 128, 0, 255).astype(np.uint8), drawing.part())
    if rng.random() < 0.5:
        level = np.minimum(soft_noise(rng, side, int(rng.integers(2, 6))) - 0.5, field)
        label = drawing.part(material=1, gain=rng.uniform(0.6, 1.4))
        drawing.stamp(np.clip(level * 1000 + 128, 0, 255).astype(np.uint8), label)
    return drawing


def pierced(rng: Random) -> Drawing:
    """A shape with several openings: sieves, cheese, buttons, masks, racks."""
    drawing = Drawing()
    outer = fourier_outline(rng, terms=4, size=0.85)
    if rng.random() < 0.4:
        corners = int(rng.integers(3, 8))
        outer = ellipse(0, 0, 1, rng.uniform(0.5, 1), rng.uniform(0, 3), corners=corners)
    drawing.polygon(outer, drawing.part())
    if rng.random() < 0.3:
        drawing.polygon(outer * rng.uniform(0.6, 0.9), drawing.part(material=1))
    count = int(rng.integers(2, 9))
    size = rng.uniform(0.35, 0.75) / count**0.6
    for index in range(count):
        angle = 2 * np.pi * index / count
        center = np.array([np.cos(angle), np.sin(angle)]) * 0.48 + rng.normal(0, 0.06, 2)
        hole = fourier_outline(rng, terms=3, size=size * rng.uniform(0.5, 1))
        drawing.polygon(hole + center * [0.9, 0.7], 0)
    return drawing


def tangle(rng: Random) -> Drawing:
    """Several bent bars crossing each other, with gaps between them."""
    drawing = Drawing()
    width = rng.uniform(0.06, 0.16)
    shared = rng.random() < 0.6
    label = drawing.part()
    for index in range(int(rng.integers(3, 8))):
        knots = rng.normal(0, 0.5, (int(rng.integers(3, 5)), 2))
        if not shared:
            label = drawing.part(material=index % 3, gain=rng.uniform(0.7, 1.3))
        drawing.limb(curve(knots, 30), width * rng.uniform(0.7, 1.3), label)
    return drawing


def chain(rng: Random) -> Drawing:
    """Links or beads on a curve, touching each other."""
    drawing = Drawing()
    path = curve(np.cumsum(rng.normal(0, 0.6, (int(rng.integers(3, 6)), 2)), 0), 16)
    size = 0.75 * float(np.hypot(*np.diff(path, axis=0).T).mean())
    open_ = rng.random() < 0.5
    for index, (x, y) in enumerate(path[:: 1 if rng.random() < 0.7 else 2]):
        label = drawing.part(material=index % 2, gain=rng.uniform(0.8, 1.2))
        drawing.ellipse(x, y, size, size * 0.8, label)
        if open_:
            drawing.ellipse(x, y, size * 0.5, size * 0.35, 0)
    return drawing


def cluster(rng: Random) -> Drawing:
    """Separate pieces of one look close together: splashes, pebbles, toys, petals."""
    drawing = Drawing()
    corners = int(rng.integers(3, 7))
    smooth = rng.random() < 0.5
    for _ in range(int(rng.integers(4, 16))):
        size = rng.uniform(0.08, 0.3)
        piece = fourier_outline(rng, terms=3, size=size)
        if not smooth:
            piece = ellipse(
                0, 0, size, size * rng.uniform(0.4, 1), rng.uniform(0, 3), corners=corners
            )
        label = drawing.part(material=int(rng.integers(0, 2)), gain=rng.uniform(0.8, 1.2))
        drawing.polygon(piece + rng.normal(0, 0.33, 2), label)
    return drawing
