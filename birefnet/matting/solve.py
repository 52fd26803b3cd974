"""Opacities of the unknown pixels of a band, from equations about them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .rows import Band, Field, Rows, Sparse

FLOOR = 1e-6
"""Least weight of the given opacity; keeps pixels that nothing else holds."""

ACCURACY = 5e-4
"""Conjugate gradients stop when a step promises less than this on average, in opacity."""

MOST_STEPS = 500

DIRECT = 2000
"""Systems of at most this many unknowns are solved directly."""

DAMPING = 0.7  # of the smoother


def solve(
    rows: Rows,
    band: Band,
    given: Field,
    weight: Field,
    *,
    progress: Callable[[float], None] | None = None,
) -> Field:
    """Minimize the energy of a Laplacian plus the weighted distance to given opacities.

    Args:
        rows: Of the Laplacian.
        band: Its pixels.
        given: Opacity of all pixels of the band, (n + m,), in [0, 1]; it is what the known ones
            have, and where the search starts.
        weight: How much the given opacity of each unknown pixel counts, (n,), at least 0.
        progress: Called now and then with a fraction that grows; may raise to stop.

    Returns:
        Opacity of the unknown pixels, (n,), in [0, 1].

    Source: Hestenes and Stiefel, "Methods of Conjugate Gradients for Solving Linear Systems",
        1952; the preconditioner is a multigrid cycle as in Lee and Wu, "Scalable Matting", 2014.
    """
    from scipy import sparse

    start, known = given[: band.unknown], given[band.unknown :]
    weight = weight + FLOOR
    matrix = (rows.own + sparse.diags(weight)).tocsr()
    right = weight * start - rows.known @ known
    cycle = Multigrid(matrix, band.rows[: band.unknown], band.columns[: band.unknown])
    found = start.copy()
    rest = right - matrix @ found
    correction = cycle(rest)
    direction = correction.copy()
    energy = rest @ correction
    for step in range(MOST_STEPS):
        if energy <= 0 or math.sqrt(float(np.mean(correction**2))) < ACCURACY:
            break
        image = matrix @ direction
        length = energy / (direction @ image)
        found += length * direction
        rest -= length * image
        correction = cycle(rest)
        before, energy = energy, rest @ correction
        direction = correction + energy / before * direction
        if progress is not None:
            progress(step / (step + 20))
    return np.asarray(found.clip(0, 1))


class Multigrid:
    """Solves a system roughly, from coarse to fine: one symmetric cycle."""

    def __init__(self, matrix: Sparse, rows: np.ndarray, columns: np.ndarray) -> None:
        """Set up the coarser systems.

        Args:
            matrix: Symmetric and positive definite, (n, n).
            rows: Where its unknowns lie in the picture, (n,).
            columns: Likewise.
        """
        from scipy import sparse
        from scipy.sparse.linalg import splu

        self._levels: list[tuple[Sparse, Field, Sparse]] = []
        while matrix.shape[0] > DIRECT:
            blocks, member = np.unique(
                np.stack([rows // 2, columns // 2]), axis=1, return_inverse=True
            )
            rows, columns = blocks
            count = matrix.shape[0]
            if len(rows) > 0.9 * count:
                break
            spread = sparse.csr_matrix(
                (np.ones(count), member.ravel(), np.arange(count + 1)), shape=(count, len(rows))
            )
            self._levels.append((matrix, DAMPING / matrix.diagonal(), spread))
            matrix = (spread.T @ matrix @ spread).tocsr()
        self._direct = splu(matrix.tocsc()).solve if matrix.shape[0] <= 4 * DIRECT else None
        self._last = 1 / matrix.diagonal()

    def __call__(self, right: Field, level: int = 0) -> Field:
        """Roughly the solution for a right side (n,)."""
        if level == len(self._levels):
            solved: Field = self._last * right if self._direct is None else self._direct(right)
            return solved
        matrix, damping, spread = self._levels[level]
        found: Field = damping * right
        found += spread @ self(spread.T @ (right - matrix @ found), level + 1)
        found += damping * (right - matrix @ found)
        return found
