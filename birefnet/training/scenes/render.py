"""From labels to a lit subject: surfaces for each part, relief, highlights, edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .canvas import OVERSAMPLING, Drawing, Part
from .materials import Kinds, Pixels, paint
from .noise import Field, Random

MATERIALS = 4
"""Different surfaces on one subject, at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Light:
    """Where light comes from and how hard it is."""

    x: float
    """Towards the right of the picture."""

    y: float
    """Towards its lower border."""

    z: float
    """Towards the camera."""

    ambient: float
    """Share of light that reaches every side, in [0, 1]."""

    rim: float
    """Strength of light from behind that shows at the edges, 0 for none."""


def draw_light(rng: Random) -> Light:
    """A random light, mostly from above."""
    angle = rng.normal(-np.pi / 2, 0.9)
    height = rng.uniform(0.25, 1.4)
    length = float(np.hypot(1, height))
    return Light(
        x=float(np.cos(angle)) / length,
        y=float(np.sin(angle)) / length,
        z=height / length,
        ambient=rng.uniform(0.25, 0.9),
        rim=rng.uniform(0.2, 0.9) if rng.random() < 0.15 else 0.0,
    )


def shrink(labels: NDArray[np.uint8], table: NDArray[np.uint8]) -> Field:
    """Looks up a value per label and averages it down to picture size, (H, W), in [0, 255]."""
    from PIL import Image

    image = Image.fromarray(labels).point(table.tolist())
    return np.asarray(image.reduce(OVERSAMPLING), np.float32)


def per_label(drawing: Drawing, value: Callable[[Part], float]) -> NDArray[np.uint8]:
    """A table (256,) of a value in [0, 255] for each label of a drawing; 0 for label 0."""
    table = np.zeros(256, np.uint8)
    table[1 : len(drawing.parts) + 1] = [round(value(part)) for part in drawing.parts]
    return table


def enlarge(values: Field, height: int, width: int) -> Field:
    """Bilinear resize of a field (h, w) to (height, width)."""
    from PIL import Image

    resized = Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized, np.float32)


def relief(
    rng: Random, labels: NDArray[np.uint8], light: Light, height: int, width: int
) -> tuple[Field, Field]:
    """Shading of parts that bulge towards the camera.

    Args:
        rng: Source of randomness.
        labels: Oversampled labels.
        light: Direction and hardness.
        height: Rows of the result.
        width: Columns of the result.

    Returns:
        Factor on the surface color, around 1, and light to add, in [0, 1]; (height, width) each.
    """
    from scipy.ndimage import distance_transform_edt, uniform_filter

    step = OVERSAMPLING * 2
    coarse = labels[step // 2 :: step, step // 2 :: step]
    inside = coarse > 0
    inner = inside.copy()
    if rng.random() < 0.75:
        inner[:-1] &= coarse[:-1] == coarse[1:]
        inner[:, :-1] &= coarse[:, :-1] == coarse[:, 1:]
    distance = distance_transform_edt(np.pad(inner, 1, mode="edge"))[1:-1, 1:-1].astype(np.float32)
    roundness = np.float32(rng.uniform(0.06, 0.35) * max(coarse.shape))
    level = np.minimum(distance / roundness, 1)
    surface = np.sqrt(level * (2 - level)) * roundness
    surface = uniform_filter(surface, 3)
    down, across = np.gradient(surface)
    bump = np.float32(rng.uniform(0.5, 1.5))
    length = 1 / np.sqrt(1 + bump**2 * (down**2 + across**2))
    facing = np.maximum((light.z - bump * (across * light.x + down * light.y)) * length, 0)
    factor = light.ambient + (1 - light.ambient) * facing * np.float32(1.25 / max(light.z, 0.4))
    extra = np.zeros_like(factor)
    if rng.random() < 0.3:
        half = np.array([light.x, light.y, light.z + 1])
        half = half / np.linalg.norm(half)
        shine = np.maximum((half[2] - bump * (across * half[0] + down * half[1])) * length, 0)
        extra = np.float32(rng.uniform(0.2, 0.9)) * shine ** np.float32(2 ** rng.uniform(2.5, 6))
    if light.rim:
        extra = extra + np.float32(light.rim) * np.clip(1 - length, 0, 1) ** 2
    return enlarge(factor.astype(np.float32), height, width), enlarge(
        extra.astype(np.float32), height, width
    )


def render(
    rng: Random, kinds: Kinds, drawing: Drawing, labels: NDArray[np.uint8], light: Light
) -> tuple[Pixels, Field]:
    """Gives every part its surface and light.

    Args:
        rng: Source of randomness.
        kinds: Where surfaces come from.
        drawing: The parts behind the labels.
        labels: Raster of `canvas.rasterize`.
        light: Light of the scene.

    Returns:
        Straight color (H, W, 3), uint8, and alpha (H, W) in [0, 1].
    """
    height, width = labels.shape[0] // OVERSAMPLING, labels.shape[1] // OVERSAMPLING
    cover = shrink(labels, per_label(drawing, lambda part: 255))
    alpha = cover
    if any(part.opacity < 1 for part in drawing.parts):
        alpha = shrink(labels, per_label(drawing, lambda part: 255 * part.opacity))
    color = _surfaces(rng, kinds, drawing, labels, cover)
    if len({part.gain for part in drawing.parts}) > 1:
        table = per_label(drawing, lambda part: 127 * min(part.gain, 2.0))
        gain = shrink(labels, table) / np.maximum(cover, 1) * np.float32(255 / 127)
        color *= np.where(cover > 0, gain, 1)[..., None]
    if rng.random() < 0.85:
        factor, extra = relief(rng, labels, light, height, width)
        color *= factor[..., None]
        if extra.any():
            color += (extra * 255)[..., None]
    np.clip(color, 0, 255, out=color)
    return color.astype(np.uint8), np.asarray(alpha / np.float32(255))


def _surfaces(
    rng: Random, kinds: Kinds, drawing: Drawing, labels: NDArray[np.uint8], cover: Field
) -> Field:
    """Paints each part with its material's surface, (H, W, 3) in [0, 255]."""
    height, width = cover.shape
    present = np.bincount(labels[::3, ::3].ravel(), minlength=256)[1 : len(drawing.parts) + 1]
    groups: dict[int, str] = {}
    for index in np.flatnonzero(present):
        part = drawing.parts[index]
        groups.setdefault(part.material % MATERIALS, part.hint)
    color: Field = np.zeros((height, width, 3), np.float32)
    for order, (material, hint) in enumerate(groups.items()):
        layer = paint(rng, kinds, height, width, hint=hint)
        if len(groups) == 1:
            return layer.astype(np.float32)
        members = [part.material % MATERIALS == material for part in drawing.parts]
        table = np.zeros(256, np.uint8)
        table[1 : len(members) + 1] = np.where(members, 255, 0)
        share = shrink(labels, table) / np.maximum(cover, 1)
        if order == 0:
            share = np.where(cover > 0, share, 1)
        color += layer * share[..., None]
    return color
