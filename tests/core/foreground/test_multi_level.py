"""Multi-level estimation beside the authors' own program, and our own on the same machinery."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from birefnet.foreground import adaptive, multi_level, relax


@pytest.fixture(scope="module")
def pymatting() -> Callable:
    """Its multi-level estimation alone; importing the package compiles everything else, too."""
    spec = importlib.util.find_spec("pymatting")
    assert spec is not None, "pip install pymatting"
    path = Path(spec.submodule_search_locations[0], "foreground", "estimate_foreground_ml.py")
    name = "pymatting_estimate_foreground_ml"
    module_spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[name] = module
    try:
        module_spec.loader.exec_module(module)
        yield module.estimate_foreground_ml
    finally:
        del sys.modules[name]


def smooth(cells: int, size: tuple[int, int], seed: int, channels: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    small = torch.rand(1, channels, cells, cells, generator=generator)
    return F.interpolate(small, size=size, mode="bicubic").clamp(0, 1)


def scene(size: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Subject, alpha and photograph."""
    subject, background = smooth(6, size, 1), smooth(7, size, 2)
    alpha = (smooth(9, size, 3, 1) * 3 - 1).clamp(0, 1)
    return subject, alpha, torch.lerp(background, subject, alpha)


@pytest.mark.parametrize("size", [(64, 64), (97, 70), (40, 130)])
def test_it_agrees_with_pymatting(pymatting: Callable, size: tuple[int, int]) -> None:
    subject, alpha, photograph = scene(size)
    rows = np.ascontiguousarray(photograph[0].permute(1, 2, 0).numpy())
    theirs, behind = pymatting(rows, alpha[0, 0].numpy(), return_background=True)
    theirs = torch.from_numpy(theirs).permute(2, 0, 1)[None]
    behind = torch.from_numpy(behind).permute(2, 0, 1)[None]
    ours, background = multi_level(photograph, alpha)
    # The order of visits differs, so the unfinished iterations do; visible colors are the same.
    assert (alpha * (ours - theirs)).abs().mean() < 1.5 / 255
    assert ((1 - alpha) * (background - behind)).abs().mean() < 1.5 / 255
    soft = ((alpha > 0.01) & (alpha < 0.99)).expand_as(ours)
    error = [(alpha * (one - subject)).abs()[soft].mean() for one in (ours, theirs)]
    assert float(error[0] / error[1]) == pytest.approx(1, abs=0.06)


def test_with_many_sweeps_both_solve_the_same_equations(pymatting: Callable) -> None:
    _, alpha, photograph = scene((24, 30))
    rows = np.ascontiguousarray(photograph[0].permute(1, 2, 0).numpy())
    options = {"regularization": 0.05, "n_small_iterations": 500, "n_big_iterations": 500}
    theirs = torch.from_numpy(pymatting(rows, alpha[0, 0].numpy(), **options)).permute(2, 0, 1)
    ours, _ = multi_level(photograph, alpha, regularization=0.05, iterations=(500, 500))
    assert (ours[0] - theirs).abs().max() < 2e-3


def test_each_knob_is_connected() -> None:
    _, alpha, photograph = scene((48, 48))
    usual, _ = multi_level(photograph, alpha)
    for options in (
        {"regularization": 0.1},
        {"gradient_weight": 10.0},
        {"iterations": (1, 2)},
        {"iterations": (10, 5)},
    ):
        other, _ = multi_level(photograph, alpha, **options)
        assert (alpha * (usual - other)).abs().max() > 0.003, options


@pytest.mark.parametrize("estimate", [multi_level, adaptive])
def test_foreground_and_background_blend_to_the_photograph(estimate: Callable) -> None:
    _, alpha, photograph = scene((80, 80))
    foreground, background = estimate(photograph, alpha)
    blend = torch.lerp(background, foreground, alpha)
    assert (blend - photograph).abs().mean() < 0.02


@pytest.mark.parametrize("estimate", [multi_level, adaptive])
def test_the_squares_that_are_worked_on_leave_no_trace(
    estimate: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, alpha, photograph = scene((100, 75))
    whole, _ = estimate(photograph, alpha)
    monkeypatch.setattr(relax, "TILES", {"cpu": 16})
    torch.testing.assert_close(estimate(photograph, alpha)[0], whole, atol=2e-6, rtol=0)


def test_squares_without_soft_pixels_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    _, alpha, photograph = scene((64, 64))
    alpha[:, :, :, :40] = 1
    alpha[:, :, :, 48:] = 0
    monkeypatch.setattr(relax, "TILES", {"cpu": 16})
    worked = []
    solve = relax.Patch.solve

    def watched(patch, *arguments):
        worked.append(patch.whole)
        return solve(patch, *arguments)

    monkeypatch.setattr(relax.Patch, "solve", watched)
    adaptive(photograph, alpha)
    finest = [place for place in worked if place[1].stop > 40 or place[2].stop > 40]
    assert 0 < len(finest) <= 4
    alpha[:, :, :, 40:48] = 0
    worked.clear()
    foreground, background = adaptive(photograph, alpha)
    assert torch.equal(foreground[..., :40], photograph[..., :40])
    assert torch.equal(background[..., 40:], photograph[..., 40:])
