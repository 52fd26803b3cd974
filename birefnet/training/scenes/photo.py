"""What lens, sensor and file format do to a picture."""

from __future__ import annotations

import io

import numpy as np

from .materials import Pixels, positions
from .noise import Field, Random


def blur(picture: Pixels, sigma: float) -> Pixels:
    """Gaussian blur of (H, W, 3) or (H, W), uint8; wide blurs are computed on a smaller copy."""
    from PIL import Image, ImageFilter

    image = Image.fromarray(picture)
    factor = int(min(8, max(1, sigma // 1.3)))
    if factor == 1:
        return np.asarray(image.filter(ImageFilter.GaussianBlur(sigma)))
    small = image.reduce(factor).filter(ImageFilter.GaussianBlur(sigma / factor))
    return np.asarray(small.resize(image.size, Image.Resampling.BICUBIC))


def grade(rng: Random) -> Pixels:
    """One tone curve per channel, (3, 256): exposure, contrast, gamma and a color cast."""
    line = np.linspace(0, 1, 256)
    exposure = 2 ** rng.normal(0, 0.22)
    gamma = 2 ** rng.normal(0, 0.18)
    cast = 1 + rng.normal(0, 0.05, 3) * (3 if rng.random() < 0.12 else 1)
    curves = np.clip(line[None] ** gamma * exposure * cast[:, None], 0, 1)
    bend = rng.uniform(-0.3, 0.6)
    curves = curves + bend * (curves * curves * (3 - 2 * curves) - curves)
    low, high = (rng.uniform(0, 0.12), rng.uniform(0.8, 1)) if rng.random() < 0.15 else (0.0, 1.0)
    return (np.clip(low + (high - low) * curves, 0, 1) * 255).astype(np.uint8)


def apply_curves(picture: Pixels, curves: Pixels, *, gray: bool) -> Pixels:
    """Tone curves (3, 256) on (H, W, 3); `gray` drops the color first."""
    from PIL import Image

    image = Image.fromarray(picture)
    if gray:
        luminance = image.convert("L")
        image = Image.merge("RGB", (luminance, luminance, luminance))
    return np.asarray(image.point(curves.ravel().tolist()))


def vignette(rng: Random, height: int, width: int) -> Field:
    """Fall of brightness towards the corners, (H, W), at most 1."""
    rows, columns = positions(height, width)
    shift = rng.normal(0, 0.15, 2).astype(np.float32)
    radius = (rows - shift[0]) ** 2 + (columns - shift[1]) ** 2
    return np.asarray(1 / (1 + np.float32(rng.uniform(0.1, 0.7)) * radius))


def sensor(rng: Random, picture: Pixels) -> Pixels:
    """Noise, sharpening or softness, and compression of a finished picture (H, W, 3)."""
    from PIL import Image, ImageFilter

    height, width = picture.shape[:2]
    image = Image.fromarray(picture)
    draw = rng.random()
    if draw < 0.25:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.9)))
    elif draw < 0.33:
        image = image.filter(
            ImageFilter.UnsharpMask(rng.uniform(0.6, 2), int(rng.uniform(40, 140)), 0)
        )
    elif draw < 0.4:
        small = rng.uniform(0.5, 0.85)
        reduced = image.resize(
            (max(1, int(width * small)), max(1, int(height * small))), Image.Resampling.BICUBIC
        )
        image = reduced.resize((width, height), Image.Resampling.BICUBIC)
    if rng.random() < 0.5:
        strength = np.float32(rng.gamma(1.4, 2.5))
        depth = 3 if rng.random() < 0.6 else 1
        grain = rng.standard_normal((height, width, depth), dtype=np.float32) * strength
        image = Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))
    if rng.random() < 0.5:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=int(rng.integers(30, 96)))
        image = Image.open(buffer).convert("RGB")
    return np.asarray(image)
