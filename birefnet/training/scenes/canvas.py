"""Vector drawings made of labeled parts, and their antialiased rasters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .noise import Random

Points = NDArray[np.float64]
Outline = Points | Sequence[Points | Sequence[float]]
"""Positions (N, 2) as one array or one by one."""

OVERSAMPLING = 2
"""Drawing happens at this multiple of the picture's size; averaging it smooths the edges."""


@dataclass(slots=True)
class Part:
    """One piece of a subject with a look of its own."""

    hint: str = "any"
    """Kind of color, see materials.HINTS."""

    material: int = 0
    """Parts with one number share one surface."""

    gain: float = 1.0
    """Brightness against the material."""

    opacity: float = 1.0
    """Below 1 for veils and glass."""


@dataclass(slots=True)
class Drawing:
    """Outlines in object coordinates (x right, y down, about [-1, 1]), painted in order."""

    parts: list[Part] = field(default_factory=list)
    """Label k of the raster is parts[k - 1]."""

    strokes: list[tuple[Points, int, float]] = field(default_factory=list)
    """Points (N, 2), label (0 erases) and line width (0 fills the polygon; -k paints stamps[k - 1]
    into the parallelogram of corner, corner + x axis, corner + y axis)."""

    stamps: list[NDArray[np.uint8]] = field(default_factory=list)
    """Bitmaps (h, w), nonzero inside, for outlines that no polygon describes."""

    anchor: str = ""
    """Side of the frame that the subject grows from ("bottom" for busts), or empty."""

    upright: bool = False
    """Whether it is usually seen with its top up."""

    def part(
        self, hint: str = "any", material: int = 0, gain: float = 1.0, opacity: float = 1.0
    ) -> int:
        """Adds a part and returns its label."""
        self.parts.append(Part(hint, material, gain, opacity))
        return len(self.parts)

    def polygon(self, points: Outline, label: int) -> None:
        """Fills an outline (N, 2); label 0 cuts a hole into what is there."""
        self.strokes.append((np.asarray(points, np.float64), label, 0.0))

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, label: int, *, turn: float = 0.0
    ) -> None:
        """Fills an ellipse with half axes rx and ry, turned by `turn` radians."""
        self.polygon(ellipse(x, y, rx, ry, turn), label)

    def limb(
        self,
        points: Outline,
        widths: ArrayLike,
        label: int,
    ) -> None:
        """Fills a rounded stroke along points (N, 2), with one width or one per point."""
        path = np.asarray(points, np.float64)
        sizes = np.broadcast_to(np.asarray(widths, np.float64), (len(path),))
        self.polygon(outline(path, sizes), label)
        for (x, y), size in zip(path[[0, -1]], sizes[[0, -1]], strict=True):
            self.polygon(ellipse(x, y, size / 2, size / 2, corners=14), label)
        if len(path) > 2 and len(path) <= 4:
            for (x, y), size in zip(path[1:-1], sizes[1:-1], strict=True):
                self.polygon(ellipse(x, y, size / 2, size / 2, corners=14), label)

    def stamp(self, bitmap: NDArray[np.uint8], label: int) -> None:
        """Paints a bitmap (h, w) over the square [-1, 1] x [-1, 1], wherever it is nonzero."""
        self.stamps.append(bitmap)
        corners = np.array([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
        self.strokes.append((corners, label, -float(len(self.stamps))))

    def line(self, points: Points, width: float, label: int) -> None:
        """Draws a thin line along points (N, 2)."""
        self.strokes.append((np.asarray(points, np.float64), label, width))

    def add(self, other: Drawing, matrix: Points, shift: tuple[float, float]) -> None:
        """Draws another drawing into this one after a linear map (2, 2) and a shift."""
        offset = len(self.parts)
        materials = 1 + max((part.material for part in self.parts), default=-1)
        for part in other.parts:
            self.parts.append(Part(part.hint, part.material + materials, part.gain, part.opacity))
        scale = abs(float(np.linalg.det(matrix))) ** 0.5
        stamps = len(self.stamps)
        self.stamps.extend(other.stamps)
        for points, label, width in other.strokes:
            moved = points @ matrix.T + np.asarray(shift)
            size = width * scale if width >= 0 else width - stamps
            self.strokes.append((moved, label + offset if label else 0, size))

    def bounds(self) -> tuple[Points, Points]:
        """Smallest and largest (x, y) of all filled outlines."""
        points = np.concatenate([stroke[0] for stroke in self.strokes])
        return points.min(0), points.max(0)


def ellipse(
    x: float, y: float, rx: float, ry: float, turn: float = 0.0, *, corners: int = 36
) -> Points:
    """Outline of an ellipse, (corners, 2)."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    cosine, sine = np.cos(turn), np.sin(turn)
    across, down = rx * np.cos(angle), ry * np.sin(angle)
    return np.stack([x + across * cosine - down * sine, y + across * sine + down * cosine], 1)


def outline(path: Points, widths: Points) -> Points:
    """Outline of a band along a path (N, 2) with a width at each point, (2 N, 2)."""
    tangent = np.gradient(path, axis=0)
    length = np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-9)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1) / length[:, None]
    offset = normal * widths[:, None] / 2
    return np.concatenate([path + offset, (path - offset)[::-1]])


def curve(points: Outline, count: int = 24, *, closed: bool = False) -> Points:
    """A smooth line through points (N, 2): Catmull-Rom, (count, 2)."""
    knots = np.asarray(points, np.float64)
    if closed:
        knots = np.concatenate([knots[-1:], knots, knots[:2]])
    else:
        knots = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    pieces = len(knots) - 3
    position = np.linspace(0, pieces, count, endpoint=not closed)
    index = np.minimum(position.astype(int), pieces - 1)
    t = (position - index)[:, None]
    a, b, c, d = (knots[index + k] for k in range(4))
    return np.asarray(
        0.5
        * (
            2 * b
            + (c - a) * t
            + (2 * a - 5 * b + 4 * c - d) * t**2
            + (3 * b - a - 3 * c + d) * t**3
        )
    )


def rotation(angle: float) -> Points:
    """The (2, 2) matrix that turns by `angle` radians."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def place(drawing: Drawing, matrix: Points, shift: Points) -> None:
    """Moves a drawing into the frame in place: points become matrix @ point + shift."""
    scale = abs(float(np.linalg.det(matrix))) ** 0.5
    drawing.strokes = [
        (points @ matrix.T + shift, label, width * scale if width > 0 else width)
        for points, label, width in drawing.strokes
    ]


def rasterize(drawing: Drawing, height: int, width: int) -> NDArray[np.uint8]:
    """Paints a placed drawing.

    Args:
        drawing: Points in pixels of the picture.
        height: Rows of the picture.
        width: Columns of the picture.

    Returns:
        Labels (height * OVERSAMPLING, width * OVERSAMPLING), 0 where nothing is.
    """
    from PIL import Image, ImageDraw

    image = Image.new("L", (width * OVERSAMPLING, height * OVERSAMPLING), 0)
    pen = ImageDraw.Draw(image)
    for points, label, line in drawing.strokes:
        flat = (points * OVERSAMPLING).ravel().tolist()
        if line < 0:
            bitmap = drawing.stamps[round(-line) - 1]
            corner, across, down = (points[k] * OVERSAMPLING for k in range(3))
            rows, columns = bitmap.shape
            axes = np.stack([(across - corner) / columns, (down - corner) / rows], 1)
            back = np.linalg.inv(axes)
            start = -back @ corner
            data = (*back[0].tolist(), float(start[0]), *back[1].tolist(), float(start[1]))
            mask = Image.fromarray(bitmap).transform(
                image.size, Image.Transform.AFFINE, data, Image.Resampling.BILINEAR
            )
            image.paste(label, mask=mask.point([0] * 128 + [255] * 128))
        elif line:
            pen.line(flat, fill=label, width=max(1, round(line * OVERSAMPLING)))
        elif len(points) > 2:
            pen.polygon(flat, fill=label)
    return np.asarray(image)


def shaken(rng: Random, value: float, share: float = 0.2) -> float:
    """A value changed by up to `share` of itself either way."""
    return value * float(rng.uniform(1 - share, 1 + share))
