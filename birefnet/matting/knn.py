"""The KNN matting Laplacian, for some pixels of a picture only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .rows import Band, Rows

NEIGHBORS = ((20, 2.0), (10, 0.1))
"""How many neighbors a pixel has, and how much the distance in the picture counts for them: the
whole width or height counts as much as this difference of one color channel."""


def knn_rows(image: NDArray[np.float64], band: Band, size: tuple[int, int]) -> Rows:
    """Rows of the Laplacian that is small where pixels alike in color and place agree.

    Args:
        image: RGB, (H, W, 3), in [0, 1].
        band: The pixels whose rows are wanted, and those that can be their neighbors.
        size: Height and width of the whole picture, if `image` is a part of it, in pixels.

    Returns:
        One row per unknown pixel, with a column for each pixel of the band.

    Source: Chen, Li and Tang, "KNN Matting", TPAMI 2013, with RGB instead of HSV; two sets of
        neighbors, near and far, as in Germer et al., "PyMatting", JOSS 2020.
    """
    from scipy import sparse
    from scipy.spatial import cKDTree

    total = len(band)
    place = np.stack([band.rows, band.columns], axis=1) / np.maximum(1, np.subtract(size, 1))
    color = image[band.rows, band.columns]
    alike = sparse.csr_matrix((total, total))
    for count, nearness in NEIGHBORS:
        count = min(count, total)
        features = np.concatenate([color, nearness * place], axis=1)
        _, other = cKDTree(features).query(features, k=[*range(1, count + 1)], workers=-1)
        ends = np.arange(0, total * count + 1, count)
        ones = np.ones(total * count)
        alike = alike + sparse.csr_matrix((ones, other.ravel(), ends), shape=(total, total))
    alike = (alike + alike.T).tocsr()[: band.unknown] / 2
    degree = np.asarray(alike.sum(axis=1)).ravel()
    rows = (sparse.diags(degree, shape=alike.shape) - alike).tocsr()
    return Rows(own=rows[:, : band.unknown].tocsr(), known=rows[:, band.unknown :].tocsr())
