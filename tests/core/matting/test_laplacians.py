"""Closed-form and KNN matting, against the pymatting package and their definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from birefnet.matting.closed_form import closed_form_rows
from birefnet.matting.knn import knn_rows
from birefnet.matting.rows import Band
from birefnet.matting.solve import Multigrid, solve

HEIGHT, WIDTH = 40, 48


@pytest.fixture(scope="module")
def scene():
    """A picture, its true alpha and what is unknown, as arrays."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    alpha = np.clip((14 - np.hypot(y - 20, x - 24)) / 5 + 0.5, 0, 1)
    front = np.array([0.9, 0.5, 0.2]) + 0.1 * np.sin(x / 3)[..., None]
    back = np.array([0.1, 0.3, 0.7]) + 0.1 * np.cos(y / 4)[..., None]
    image = alpha[..., None] * front + (1 - alpha[..., None]) * back
    image += 0.005 * generator.standard_normal(image.shape)
    return image.clip(0, 1), alpha, (alpha > 0) & (alpha < 1)


def everything(band):
    """Numbers that order pixels as pymatting does."""
    return band.rows * WIDTH + band.columns


def test_closed_form_rows_are_those_of_pymatting(scene):
    pymatting = pytest.importorskip("pymatting", reason="the test extra is not installed")
    image, _, unknown = scene
    band = Band(unknown, 2)
    rows = closed_form_rows(image, band, epsilon=1e-5)
    expected = pymatting.cf_laplacian(image, epsilon=1e-5, radius=1).tocsr()
    order = everything(band)
    expected = expected[order[: band.unknown]][:, order]
    assert abs(rows.own - expected[:, : band.unknown]).max() < 1e-4
    assert abs(rows.known - expected[:, band.unknown :]).max() < 1e-4


def test_knn_rows_are_those_of_pymatting(scene):
    pymatting = pytest.importorskip("pymatting", reason="the test extra is not installed")
    image, _, unknown = scene
    band = Band(unknown, max(HEIGHT, WIDTH))
    assert len(band) == HEIGHT * WIDTH
    rows = knn_rows(image, band, (HEIGHT, WIDTH))
    expected = pymatting.knn_laplacian(image).tocsr()
    order = everything(band)
    expected = expected[order[: band.unknown]][:, order]
    # Theirs is divided by the sum of all likenesses, to which each pixel adds itself twice.
    ours = rows.own.multiply(1 / (rows.own.diagonal()[:, None] + 2)).tocsr()
    difference = abs(ours - expected[:, : band.unknown])
    assert difference.max() < 0.1
    assert difference.sum() < 0.01 * abs(expected).sum(), "few ties are broken in another way"


@pytest.mark.parametrize("method", ["closed-form", "knn"])
def test_mattes_agree_with_pymatting(scene, method):
    pymatting = pytest.importorskip("pymatting", reason="the test extra is not installed")
    image, alpha, unknown = scene
    estimate = (
        pymatting.estimate_alpha_cf if method == "closed-form" else pymatting.estimate_alpha_knn
    )
    expected = estimate(image, np.where(unknown, 0.5, alpha.round()))
    band = Band(unknown, 2 if method == "closed-form" else 60)
    rows = (
        closed_form_rows(image, band, epsilon=1e-7)
        if method == "closed-form"
        else knn_rows(image, band, (HEIGHT, WIDTH))
    )
    given = np.where(unknown, 0.5, alpha.round())[band.rows, band.columns]
    found = solve(rows, band, given, np.zeros(band.unknown))
    assert np.abs(found - expected[unknown]).max() < 0.03


def test_closed_form_finds_a_true_alpha(scene):
    image, alpha, unknown = scene
    band = Band(unknown, 2)
    given = np.where(unknown, 0.5, alpha)[band.rows, band.columns]
    found = solve(closed_form_rows(image, band), band, given, np.zeros(band.unknown))
    assert np.abs(found - alpha[unknown]).mean() < 0.03


def test_rows_of_a_laplacian_sum_to_zero(scene):
    image, _, unknown = scene
    for rows in (
        closed_form_rows(image, Band(unknown, 2)),
        knn_rows(image, Band(unknown, 6), (HEIGHT, WIDTH)),
    ):
        total = np.asarray(rows.own.sum(axis=1) + rows.known.sum(axis=1)).ravel()
        assert np.abs(total).max() < 1e-8
        assert abs(rows.own - rows.own.T).max() < 1e-8


def test_a_mask_linear_in_color_costs_nothing_in_closed_form():
    generator = np.random.default_rng(1)
    image = generator.random((12, 13, 3))
    alpha = image @ np.array([0.2, 0.3, 0.5])
    band = Band(np.ones((12, 13), bool), 2)
    rows = closed_form_rows(image, band, epsilon=1e-12)
    assert np.abs(rows.own @ alpha[band.rows, band.columns]).max() < 1e-6


def test_a_band_holds_what_is_unknown_and_its_surroundings_only(scene):
    _, _, unknown = scene
    band = Band(unknown, 1)
    near = torch.nn.functional.max_pool2d(torch.from_numpy(unknown)[None].float(), 3, 1, 1)[0] > 0
    assert len(band) == int(near.sum())
    assert band.unknown == unknown.sum()
    assert unknown[band.rows[: band.unknown], band.columns[: band.unknown]].all()
    assert not unknown[band.rows[band.unknown :], band.columns[band.unknown :]].any()
    assert (band.number[band.rows, band.columns] == np.arange(len(band))).all()
    assert (band.number == len(band)).sum() == unknown.size - len(band)


def test_the_solution_is_exact_and_follows_the_weights(scene):
    image, _, unknown = scene
    band = Band(unknown, 2)
    rows = closed_form_rows(image, band)
    generator = np.random.default_rng(2)
    given, weight = generator.random(len(band)), 0.1 + generator.random(band.unknown)
    found = solve(rows, band, given, weight)
    dense = rows.own.toarray() + np.diag(weight)
    right = weight * given[: band.unknown] - rows.known @ given[band.unknown :]
    assert np.abs(found - np.linalg.solve(dense, right).clip(0, 1)).max() < 0.01
    held = solve(rows, band, given, np.full(band.unknown, 1e6))
    np.testing.assert_allclose(held, given[: band.unknown], atol=1e-3)


def test_one_cycle_comes_closer_than_the_diagonal_alone():
    from scipy import sparse

    side = 90
    line = sparse.diags([-1.0, 2.0, -1.0], [-1, 0, 1], shape=(side, side))
    one = sparse.identity(side)
    matrix = (
        sparse.kron(line, one) + sparse.kron(one, line) + 1e-4 * sparse.identity(side**2)
    ).tocsr()
    y, x = (place.ravel() for place in np.mgrid[:side, :side])
    right = np.random.default_rng(3).standard_normal(side**2)
    cycle = Multigrid(matrix, y, x)
    symmetric = right @ cycle(right[::-1]) - right[::-1] @ cycle(right)
    assert abs(symmetric) < 1e-8 * abs(right @ cycle(right))
    smooth = np.ones(side**2)
    assert np.linalg.norm(cycle(matrix @ smooth) - smooth) < 0.5 * np.linalg.norm(smooth)
    assert np.linalg.norm(matrix @ smooth / 4 - smooth) > 0.9 * np.linalg.norm(smooth)


def test_pictures_without_a_single_window_are_left_alone():
    image = np.random.default_rng(4).random((1, 9, 3))
    band = Band(np.ones((1, 9), bool), 2)
    given = np.linspace(0, 1, 9)
    found = solve(closed_form_rows(image, band), band, given, np.zeros(9))
    np.testing.assert_allclose(found, given, atol=1e-6)


def test_a_solution_can_be_stopped(scene):
    image, _, unknown = scene

    def stop(fraction):
        raise InterruptedError(fraction)

    band = Band(unknown, 2)
    with pytest.raises(InterruptedError):
        solve(
            closed_form_rows(image, band),
            band,
            np.full(len(band), 0.5) + 0.4 * (np.arange(len(band)) % 2),
            np.zeros(band.unknown),
            progress=stop,
        )
