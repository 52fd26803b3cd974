"""Random periodic fields: the raw material of every synthetic surface."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating]
Random = np.random.Generator

TILE = 256
"""Side of a tile, in texels; a power of two, so that wrapping is a bit mask."""


def normalize(values: NDArray[np.floating], *, spread: float = 2.2) -> Field:
    """Maps a field of any range to [0, 1]: mean to 0.5, `spread` deviations to the ends.

    Args:
        values: Any finite field, (H, W).
        spread: Standard deviations between the middle and either end; values beyond are clipped.

    Returns:
        A field of the same shape in [0, 1]; a constant field becomes 0.5.
    """
    deviation = float(values.std())
    if deviation < 1e-9:
        return np.full(values.shape, 0.5, np.float32)
    scaled = (values - values.mean()) * (0.5 / (spread * deviation)) + 0.5
    return np.asarray(np.clip(scaled, 0, 1), np.float32)


def stretch(values: NDArray[np.floating]) -> Field:
    """Maps the smallest value of a field to 0 and the largest to 1 (a constant field to 0)."""
    low, high = float(values.min()), float(values.max())
    return ((values - low) / max(high - low, 1e-9)).astype(np.float32)


@lru_cache(maxsize=4)
def frequencies(side: int = TILE) -> tuple[Field, Field]:
    """Vertical and horizontal frequencies of a real FFT, (side, side // 2 + 1), cycles per tile."""
    vertical = np.fft.fftfreq(side).astype(np.float32)[:, None] * side
    horizontal = np.fft.rfftfreq(side).astype(np.float32)[None, :] * side
    shape = np.broadcast_shapes(vertical.shape, horizontal.shape)
    return np.broadcast_to(vertical, shape), np.broadcast_to(horizontal, shape)


@lru_cache(maxsize=4)
def grid(side: int = TILE) -> tuple[Field, Field]:
    """Vertical and horizontal texel positions, (side, side) each, in [0, 1)."""
    line = np.arange(side, dtype=np.float32) / side
    vertical, horizontal = np.meshgrid(line, line, indexing="ij")
    return vertical, horizontal


def filtered(rng: Random, response: NDArray[np.floating], side: int = TILE) -> Field:
    """White noise shaped by a frequency response (side, side // 2 + 1); zero mean, periodic."""
    spectrum = np.fft.rfft2(rng.standard_normal((side, side), dtype=np.float32))
    spectrum = spectrum * response
    spectrum[0, 0] = 0
    return np.fft.irfft2(spectrum, s=(side, side)).astype(np.float32)


def smooth(values: Field, sigma: float) -> Field:
    """Periodic Gaussian blur of a tile; sigma in texels."""
    vertical, horizontal = frequencies(values.shape[0])
    factor = -2 * (np.pi * sigma / values.shape[0]) ** 2
    response = np.exp(factor * (vertical**2 + horizontal**2))
    return np.fft.irfft2(np.fft.rfft2(values) * response, s=values.shape).astype(np.float32)


def power_noise(
    rng: Random, exponent: float, *, lowest: float = 1.0, stretching: float = 1.0
) -> Field:
    """Noise whose amplitude falls as 1 / frequency ** exponent; natural images are near 1.

    Args:
        rng: Source of randomness.
        exponent: Fall of the amplitude with frequency; larger is smoother.
        lowest: Frequencies below this many cycles per tile are damped.
        stretching: More than 1 draws the pattern out along the horizontal.

    Returns:
        Periodic tile (TILE, TILE) in [0, 1].
    """
    vertical, horizontal = frequencies()
    radius = np.sqrt(vertical**2 + (horizontal * stretching) ** 2)
    radius = np.maximum(radius, 0.5)
    response = radius**-exponent * (radius >= lowest * 0.5)
    return normalize(filtered(rng, response))


def band_noise(rng: Random, center: float, width: float) -> Field:
    """Noise of one scale: frequencies near `center` cycles per tile, `width` in octaves."""
    vertical, horizontal = frequencies()
    octaves = np.log2(np.maximum(np.hypot(vertical, horizontal), 0.5) / center)
    return normalize(filtered(rng, np.exp(-0.5 * (octaves / width) ** 2)))


def oriented_noise(rng: Random, center: float, angle: float, spread: float) -> Field:
    """Noise of one scale and direction (a field of Gabor wavelets); angles in radians."""
    vertical, horizontal = frequencies()
    radius = np.maximum(np.hypot(vertical, horizontal), 0.5)
    turn = np.arctan2(vertical, horizontal) - angle
    turn = np.abs(np.mod(turn + np.pi / 2, np.pi) - np.pi / 2)
    response = np.exp(-0.5 * (np.log2(radius / center) / 0.5) ** 2 - 0.5 * (turn / spread) ** 2)
    return normalize(filtered(rng, response))


def cell_distances(rng: Random, count: int, *, regular: float = 0.0) -> tuple[Field, Field, Field]:
    """Worley noise: distances to the nearest and second nearest of scattered points.

    Args:
        rng: Source of randomness.
        count: Approximate number of points on the tile.
        regular: 0 scatters the points freely, 1 puts them on a grid.

    Returns:
        First and second distance in tile sides, and a random value in [0, 1] of the nearest point;
        (TILE, TILE) each, periodic.

    Source: Worley, "A cellular texture basis function", SIGGRAPH 1996.
    """
    from scipy.spatial import cKDTree

    side = max(2, round(count**0.5))
    base = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1)
    jitter = rng.random((side, side, 2)) * (1 - regular)
    points = ((base + jitter) / side).reshape(-1, 2) % 1.0
    half = TILE // 2
    line = np.arange(half) / half
    queries = np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    distance, index = cKDTree(points, boxsize=1.0).query(queries, k=2)
    value = rng.random(len(points))[index[:, 0]]
    first, second = (upsample(distance[:, k].reshape(half, half)) for k in (0, 1))
    labels = np.repeat(np.repeat(value.reshape(half, half), 2, 0), 2, 1).astype(np.float32)
    return first, second, labels


def upsample(values: NDArray[np.floating]) -> Field:
    """Periodic bilinear doubling of a square field."""
    values = values.astype(np.float32)
    rows = np.repeat(values, 2, 0)
    rows[1::2] = (values + np.roll(values, -1, 0)) / 2
    columns = np.repeat(rows, 2, 1)
    columns[:, 1::2] = (rows + np.roll(rows, -1, 1)) / 2
    return columns


def sample(tile: NDArray[np.uint8], vertical: Field, horizontal: Field) -> Field:
    """Reads a tile at fractional positions, wrapping around; bilinear.

    Args:
        tile: (TILE, TILE), uint8.
        vertical: Row positions in texels, any shape.
        horizontal: Column positions in texels, the same shape.

    Returns:
        Values in [0, 255], float32, of the positions' shape.
    """
    flat = tile.reshape(-1)
    row, column = np.floor(vertical), np.floor(horizontal)
    down, right = vertical - row, horizontal - column
    upper = (row.astype(np.int32) & (TILE - 1)) << 8
    lower = (upper + TILE) & (TILE * TILE - 1)
    left = column.astype(np.int32) & (TILE - 1)
    next_ = (left + 1) & (TILE - 1)
    top_left, top_right = flat.take(upper | left).astype(np.float32), flat.take(upper | next_)
    low_left, low_right = flat.take(lower | left).astype(np.float32), flat.take(lower | next_)
    top = top_left + (top_right - top_left) * right
    low = low_left + (low_right - low_left) * right
    return top + (low - top) * down


def warp(tile: Field, amount: float, rng: Random, *, exponent: float = 2.0) -> Field:
    """Bends a tile by smooth noise; `amount` is the largest shift in texels."""
    shifts = [(power_noise(rng, exponent) - 0.5) * 2 * amount for _ in range(2)]
    rows, columns = grid()
    bytes_ = (tile * 255).astype(np.uint8)
    return sample(bytes_, rows * TILE + shifts[0], columns * TILE + shifts[1]) / np.float32(255)


def compose(rng: Random, layers: int) -> Field:
    """A random little network over periodic coordinates: patterns nobody designed.

    Source: Stanley, "Compositional pattern producing networks", 2007; our own periodic form.
    """
    rows, columns = (half[::2, ::2] for half in grid())
    waves = []
    for _ in range(6):
        across, down = rng.integers(-3, 4, 2)
        waves.append(np.sin(2 * np.pi * (across * columns + down * rows + rng.random())))
    values: Field = np.stack(waves, -1).astype(np.float32)
    for _ in range(layers):
        weights = rng.standard_normal((values.shape[-1], 6)).astype(np.float32)
        values = np.sin(values @ weights * np.float32(rng.uniform(0.7, 1.6)))
    mixture = rng.standard_normal((values.shape[-1],)).astype(np.float32)
    return normalize(upsample(values @ mixture))


def cascade(rng: Random, rounds: int) -> Field:
    """White noise through random filters and thresholds in turn: blotches, worms, grains."""
    vertical, horizontal = frequencies()
    radius = np.maximum(np.hypot(vertical, horizontal), 0.5)
    values: Field = rng.standard_normal((TILE, TILE), dtype=np.float32)
    for _ in range(rounds):
        center, width = 2 ** rng.uniform(1.5, 5.5), rng.uniform(0.3, 1.0)
        response = np.exp(-0.5 * (np.log2(radius / center) / width) ** 2)
        values = np.fft.irfft2(np.fft.rfft2(values) * response, s=values.shape).astype(np.float32)
        values /= max(float(values.std()), 1e-9)
        choice = rng.integers(4)
        if choice == 0:
            values = np.abs(values)
        elif choice == 1:
            values = np.tanh(values * np.float32(rng.uniform(1, 5)))
        elif choice == 2:
            values = np.maximum(values, 0)
        else:
            values = np.sin(values * np.float32(rng.uniform(1, 3)))
    return normalize(values)


def labyrinth(rng: Random, scale: float, threshold: float) -> Field:
    """Spots and stripes that organize themselves, like a reaction of two chemicals.

    Source: Turing, "The chemical basis of morphogenesis", 1952; here a difference of Gaussians and
    a soft step, repeated, which settles in the same patterns much sooner.
    """
    vertical, horizontal = frequencies()
    squared = (vertical**2 + horizontal**2) / scale**2
    response = np.exp(-squared * 0.7) - np.exp(-squared * 2.2)
    values = filtered(rng, response)
    for _ in range(7):
        values = np.tanh(values / max(float(values.std()), 1e-9) * 2 + threshold)
        values = np.fft.irfft2(np.fft.rfft2(values) * response, s=values.shape).astype(np.float32)
    return normalize(values, spread=1.3)
