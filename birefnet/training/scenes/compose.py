"""One scene: a subject placed in its surroundings and photographed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ConfigError
from .backgrounds import scatter
from .canvas import Drawing, place, rasterize, rotation
from .materials import Kinds, Pixels, pick
from .noise import Field, Random
from .photo import apply_curves, blur, grade, sensor, vignette
from .render import Light, draw_light, render

COVERAGE = (0.02, 0.9)
"""Smallest and largest share of the picture that a subject may cover."""

ATTEMPTS = 12
"""Subjects tried until one covers that much."""

SMALLEST = 16
"""Fewest rows and columns of a scene, in pixels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A picture with its exact matte."""

    image: Pixels
    """RGB as the camera stores it, (H, W, 3), uint8."""

    alpha: Field
    """Opacity of the subject, (H, W), float32 in [0, 1]."""

    foreground: Pixels
    """The subject's own color before noise and compression, (H, W, 3), uint8."""

    background: Pixels
    """The surroundings without the subject, before noise and compression, (H, W, 3), uint8."""

    kinds: tuple[str, ...]
    """Families that were drawn, as 'group:name'."""


def _arrange(rng: Random, drawing: Drawing, height: int, width: int) -> None:
    """Moves a drawing into the frame: centered, to one side, cut off, or filling it."""
    turn = rng.normal(0, 0.12) if drawing.upright else rng.uniform(0, 2 * np.pi)
    flip = np.diag([rng.choice([-1.0, 1.0]), 1.0])
    matrix = rotation(turn) @ flip @ np.diag([2 ** rng.normal(0, 0.12), 1.0])
    place(drawing, matrix, np.zeros(2))
    low, high = drawing.bounds()
    extent = np.maximum(high - low, 1e-3)
    frame = np.array([width, height], float)
    fit = float((frame / extent).min())
    if drawing.anchor == "bottom":
        scale = fit * rng.uniform(1.0, 1.9)
        center = (low + high) / 2
        shift = np.array([width * (0.5 + rng.normal(0, 0.1)) - center[0] * scale, 0.0])
        top = height * (rng.uniform(0.02, 0.35) if rng.random() < 0.8 else rng.uniform(-0.15, 0.02))
        shift[1] = top - low[1] * scale
        place(drawing, np.eye(2) * scale, shift)
        side = rng.random()
        if side < 0.08:
            quarter = rotation(float(rng.choice([-1, 1])) * np.pi / 2)
            middle = frame / 2
            place(drawing, quarter, middle - quarter @ middle)
        return
    style = rng.random()
    if style < 0.5:
        scale, loose = fit * rng.uniform(0.5, 0.97), 0.35
    elif style < 0.7:
        scale, loose = fit * rng.uniform(0.3, 0.6), 0.9
    elif style < 0.85:
        scale, loose = fit * rng.uniform(0.7, 1.2), 0.0
    else:
        scale, loose = fit * rng.uniform(1.0, 1.7), 0.0
    space = frame - extent * scale
    corner = space / 2 + np.maximum(space, 0) / 2 * rng.uniform(-1, 1, 2) * loose
    if loose == 0.0:
        corner += rng.normal(0, 0.12, 2) * frame
        if style < 0.85:
            axis = int(rng.integers(2))
            beyond = rng.uniform(0.05, 0.45) * extent[axis] * scale
            corner[axis] = (
                -beyond if rng.random() < 0.5 else frame[axis] - extent[axis] * scale + beyond
            )
            if drawing.upright and rng.random() < 0.6:
                corner[1] = frame[1] - extent[1] * scale + rng.uniform(0, 0.4) * extent[1] * scale
    place(drawing, np.eye(2) * scale, corner - low * scale)


def _subject(rng: Random, kinds: Kinds, height: int, width: int) -> tuple[Drawing, Pixels]:
    """Draws and places a subject until enough, but not all, of the picture is covered."""
    for _ in range(ATTEMPTS):
        mark = len(kinds.used)
        drawing = pick(rng, kinds.shapes, kinds.used, "shape")(rng)
        _arrange(rng, drawing, height, width)
        labels = rasterize(drawing, height, width)
        if COVERAGE[0] < float((labels[::3, ::3] > 0).mean()) < COVERAGE[1]:
            return drawing, labels
        del kinds.used[mark:]
    raise ConfigError(
        f"none of {ATTEMPTS} subjects covered between {COVERAGE[0]:.0%} and {COVERAGE[1]:.0%} of a "
        f"picture of {height} x {width} pixels; choose a size that is less narrow."
    )


def _surroundings(rng: Random, kinds: Kinds, height: int, width: int) -> Pixels:
    """Paints the background, puts things into it and mostly takes it out of focus."""
    longer = max(height, width)
    soft = rng.random() < 0.62
    fine = not soft or rng.random() < 0.2
    rows, columns = (height, width) if fine else ((height + 1) // 2, (width + 1) // 2)
    painter = pick(rng, kinds.backgrounds, kinds.used, "background")
    picture = painter(rng, kinds, rows, columns)
    if rng.random() < (0.45 if soft else 0.2):
        count = int(rng.integers(1, 6 if soft else 3))
        picture = scatter(rng, kinds, picture, count, rng.uniform(0.2, 0.7 if soft else 0.35))
    if (rows, columns) != (height, width):
        from PIL import Image

        picture = np.asarray(
            Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC)
        )
    if soft:
        picture = blur(picture, longer * 2 ** rng.uniform(-7.5, -4.2))
    elif rng.random() < 0.3:
        picture = blur(picture, longer * rng.uniform(0.001, 0.004))
    return picture


def _shadow(rng: Random, alpha: Field, light: Light) -> Field:
    """Shade that the subject throws on what is behind or below it, (H, W), 1 where none."""
    from PIL import Image, ImageFilter

    height, width = alpha.shape
    small = Image.fromarray((alpha * 255).astype(np.uint8)).reduce(4)
    reach = rng.uniform(0.02, 0.2)
    if rng.random() < 0.5:
        squeeze = rng.uniform(0.1, 0.5)
        bottom = (np.flatnonzero(alpha.max(1) > 0.5).max(initial=0) + 1) / 4
        shear = -light.x * rng.uniform(0, 2)
        data = (1, shear, -shear * bottom, 0, 1 / squeeze, bottom * (1 - 1 / squeeze))
        small = small.transform(small.size, Image.Transform.AFFINE, data)
    else:
        offset = (light.x * reach * small.width, light.y * reach * small.height)
        small = small.transform(
            small.size, Image.Transform.AFFINE, (1, 0, offset[0], 0, 1, offset[1])
        )
    small = small.filter(ImageFilter.GaussianBlur(max(small.size) * rng.uniform(0.01, 0.08)))
    spread_ = np.asarray(small.resize((width, height), Image.Resampling.BILINEAR), np.float32)
    return 1 - spread_ * np.float32(rng.uniform(0.25, 0.8) / 255)


CHANGES = ((1.7, 0.0), (0.55, 0.0), (3.0, 0.0), (0.3, 0.0), (0.7, 76.0), (0.5, 128.0), (0.15, 0.0))
"""Gain and offset tried on a background that hides the subject, mildest first."""


def _separate(rng: Random, foreground: Pixels, alpha: Field, background: Pixels) -> Pixels:
    """Lightens or darkens a background until most of the subject's outline can be seen."""
    inside = alpha[::2, ::2] > 0.5
    edge = np.zeros(inside.shape, bool)
    edge[1:] |= inside[1:] != inside[:-1]
    edge[:, 1:] |= inside[:, 1:] != inside[:, :-1]
    where = np.flatnonzero(edge)
    inner = foreground[::2, ::2].reshape(-1, 3)[where].astype(np.float32)
    outer = background[::2, ::2].reshape(-1, 3)[where].astype(np.float32)
    needed = rng.uniform(10, 36)
    visible = rng.uniform(0.65, 0.9)

    def share(gain: float, offset: float) -> float:
        changed = np.minimum(outer * np.float32(gain) + np.float32(offset), 255)
        return float((np.abs(inner - changed).max(1) > needed).mean()) if len(where) else 1.0

    best, most = (1.0, 0.0), share(1.0, 0.0)
    for change in CHANGES:
        if most >= visible:
            break
        reached = share(*change)
        if reached > most:
            best, most = change, reached
    if best == (1.0, 0.0):
        return background
    changed = background * np.float32(best[0]) + np.float32(best[1])
    return np.asarray(np.minimum(changed, 255)).astype(np.uint8)


def _expose(
    rng: Random, foreground: Pixels, alpha: Field, background: Pixels
) -> tuple[Pixels, Pixels]:
    """Lifts a picture that came out too dark to recognize anything."""
    bright = over(foreground[::4, ::4], alpha[::4, ::4], background[::4, ::4]).max(2)
    level = float(np.partition(bright.ravel(), int(bright.size * 0.93))[int(bright.size * 0.93)])
    wanted = rng.uniform(70, 190)
    if level >= wanted:
        return foreground, background
    gain = np.float32(min(wanted / max(level, 4), 12))
    return (
        np.minimum(foreground * gain, 255).astype(np.uint8),
        np.minimum(background * gain, 255).astype(np.uint8),
    )


def _soften(foreground: Pixels, alpha: Field, sigma: float) -> tuple[Pixels, Field]:
    """Takes the subject out of focus: blurs color times alpha, and alpha."""
    weight = (alpha * 255).astype(np.uint8)
    flat = (foreground * alpha[..., None]).astype(np.uint8)
    soft = blur(weight, sigma).astype(np.float32)
    color = blur(flat, sigma).astype(np.float32)
    straight = np.clip(color * 255 / np.maximum(soft, 1)[..., None], 0, 255)
    keep = (soft > 8)[..., None]
    return np.where(keep, straight, foreground).astype(np.uint8), soft / np.float32(255)


def generate(rng: Random, kinds: Kinds, size: tuple[int, int]) -> Scene:
    """Makes one scene from the families of `kinds`.

    Args:
        rng: Source of randomness; the scene depends on its state and on nothing else.
        kinds: Families to draw from.
        size: (height, width) in pixels, at least SMALLEST each.

    Returns:
        A scene whose image is foreground over background before noise and compression.

    Raises:
        ConfigError: If the size is too small, or too narrow for any subject.
    """
    height, width = size
    if min(size) < SMALLEST:
        raise ConfigError(
            f"a scene needs at least {SMALLEST} rows and columns, got {height} x {width}."
        )
    kinds.used.clear()
    drawing, labels = _subject(rng, kinds, height, width)
    light = draw_light(rng)
    foreground, alpha = render(rng, kinds, drawing, labels, light)
    background = _surroundings(rng, kinds, height, width)
    if rng.random() < 0.06:
        foreground = (foreground * np.float32(rng.uniform(0.03, 0.3))).astype(np.uint8)
        lift = np.float32(rng.uniform(0.2, 0.6))
        background = (background * (1 - lift) + 255 * lift).astype(np.uint8)
    if rng.random() < 0.5:
        background = (background * _shadow(rng, alpha, light)[..., None]).astype(np.uint8)
    if rng.random() < 0.2:
        foreground, alpha = _soften(foreground, alpha, max(size) * 2 ** rng.uniform(-9, -6.5))
    curves, gray = grade(rng), bool(rng.random() < 0.08)
    foreground = apply_curves(foreground, curves, gray=gray)
    background = apply_curves(background, curves, gray=gray)
    if rng.random() < 0.3:
        fall = vignette(rng, height, width)[..., None]
        foreground = (foreground * fall).astype(np.uint8)
        background = (background * fall).astype(np.uint8)
    foreground, background = _expose(rng, foreground, alpha, background)
    background = _separate(rng, foreground, alpha, background)
    image = over(foreground, alpha, background)
    return Scene(
        image=sensor(rng, image),
        alpha=alpha,
        foreground=foreground,
        background=background,
        kinds=tuple(kinds.used),
    )


def over(foreground: Pixels, alpha: Field, background: Pixels) -> Pixels:
    """The picture alpha * foreground + (1 - alpha) * background, rounded, (H, W, 3), uint8."""
    mixed = background + (foreground.astype(np.float32) - background) * alpha[..., None]
    return (mixed + np.float32(0.5)).astype(np.uint8)
