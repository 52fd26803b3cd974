"""The closed-form matting Laplacian, for some pixels of a picture only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .rows import Band, Rows

EPSILON = 1e-6
"""Variance of color below which a window counts as flat."""

CHUNK = 1 << 16
"""Windows that are worked on at once; each takes about 2 kB."""

WINDOW = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)]
REACH = 5  # pixels that share a window with one pixel lie in a square of 5 x 5


def closed_form_rows(image: NDArray[np.float64], band: Band, *, epsilon: float = EPSILON) -> Rows:
    """Rows of the Laplacian that is 0 where alpha is a linear function of color in each window.

    Args:
        image: RGB, (H, W, 3), in [0, 1].
        band: The pixels whose rows are wanted, and those around them.
        epsilon: Keeps alpha from following noise in windows of one color, above 0.

    Returns:
        One row per unknown pixel, with a column for each pixel of the band.

    Source: Levin, Lischinski and Weiss, "A Closed-Form Solution to Natural Image Matting",
        TPAMI 2008, equation 12, with windows of 3 x 3 pixels.
    """
    size = len(WINDOW)
    rows, columns = band.window_centers()
    couplings = np.zeros((band.unknown, REACH * REACH))
    for start in range(0, len(rows), CHUNK):
        y, x = rows[start : start + CHUNK], columns[start : start + CHUNK]
        member = np.stack([band.number[y + down, x + right] for down, right in WINDOW], axis=1)
        color = np.stack([image[y + down, x + right] for down, right in WINDOW], axis=1)
        color -= color.mean(axis=1, keepdims=True)
        covariance = np.einsum("kic,kid->kcd", color, color) / size
        covariance += epsilon / size * np.eye(3)
        whitened = np.einsum("kic,kcd->kid", color, np.linalg.inv(covariance))
        weight = (1 + np.einsum("kid,kjd->kij", whitened, color)) / size
        for i, (down, right) in enumerate(WINDOW):
            wanted = member[:, i] < band.unknown
            own = member[wanted, i]  # each pixel once, so that += adds every window
            couplings[own, REACH * REACH // 2] += 1
            for j, (other_down, other_right) in enumerate(WINDOW):
                place = (other_down - down + 2) * REACH + other_right - right + 2
                couplings[own, place] -= weight[wanted, i, j]
    return band.assemble(couplings, REACH)
