"""The pixels of a band, numbered, and equations about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]
Numbers = NDArray[np.int32]
Sparse = Any  # scipy.sparse.csr_matrix, which is imported only where it is used


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """Some rows of a symmetric matrix: those of the unknown pixels."""

    own: Sparse
    """Couplings of unknown pixels, (n, n)."""

    known: Sparse
    """Couplings of unknown pixels with known ones, (n, m)."""


class Band:
    """Unknown pixels of a picture and the known ones around them, numbered in one row.

    The unknown ones come first, each group in the order of reading.
    """

    def __init__(self, unknown: NDArray[np.bool_], reach: int) -> None:
        """Number the pixels.

        Args:
            unknown: (H, W).
            reach: How many pixels around them, along rows and columns, belong to the band.
        """
        from scipy import ndimage

        near = ndimage.binary_dilation(unknown, np.ones((2 * reach + 1, 2 * reach + 1)))
        own, other = np.nonzero(unknown), np.nonzero(near & ~unknown)
        self.rows = np.concatenate([own[0], other[0]])
        self.columns = np.concatenate([own[1], other[1]])
        self.unknown = int(unknown.sum())
        self.number: Numbers = np.full(unknown.shape, len(self.rows), np.int32)
        self.number[self.rows, self.columns] = np.arange(len(self.rows), dtype=np.int32)

    def __len__(self) -> int:
        return len(self.rows)

    def window_centers(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and columns of all windows of 3 x 3 pixels that hold an unknown one."""
        from scipy import ndimage

        centers = ndimage.binary_dilation(self.number < self.unknown, np.ones((3, 3)))
        centers[[0, -1]] = centers[:, [0, -1]] = False
        rows, columns = np.nonzero(centers)
        return rows, columns

    def assemble(self, couplings: Field, reach: int) -> Rows:
        """Make sparse rows of couplings with the square around each unknown pixel.

        Args:
            couplings: (n, reach * reach); 0 for none.
            reach: Side of the square, odd.
        """
        from scipy import sparse

        half, total, unknown = reach // 2, len(self), self.unknown
        padded = np.pad(self.number, half, constant_values=total)
        rows, columns = self.rows[:unknown], self.columns[:unknown]
        other = np.stack(
            [padded[rows + k // reach, columns + k % reach] for k in range(reach * reach)], axis=1
        )
        used = (couplings != 0) & (other < total)
        ends = np.concatenate([[0], used.sum(axis=1).cumsum()])
        matrix = sparse.csr_matrix((couplings[used], other[used], ends), shape=(unknown, total))
        return Rows(own=matrix[:, :unknown].tocsr(), known=matrix[:, unknown:].tocsr())
