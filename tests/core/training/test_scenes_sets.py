"""The two benchmark sets stay what they are, and trivial methods stay far from solving them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from birefnet.training.scenes import Scene, held_out_set, training_scene, unseen_set
from birefnet.training.scenes.baselines import (
    BASELINES,
    centered_ellipse,
    gray_saliency,
    intersection_over_union,
    mean_iou,
    otsu,
)
from birefnet.training.scenes.held_out import held_out_kinds
from birefnet.training.scenes.sets import SceneSet, training_kinds

SIZE = (64, 64)
SETS: dict[str, Callable[..., SceneSet]] = {"unseen": unseen_set, "held_out": held_out_set}


@pytest.fixture(scope="module", params=SETS)
def scenes(request: pytest.FixtureRequest) -> list[Scene]:
    return list(SETS[request.param](SIZE)[:60])


@pytest.mark.parametrize("make", SETS.values())
def test_a_set_has_500_scenes_and_makes_any_of_them_by_itself(
    make: Callable[..., SceneSet],
) -> None:
    scenes = make(SIZE)
    assert len(scenes) == 500
    np.testing.assert_array_equal(scenes[499].image, scenes[-1].image)
    np.testing.assert_array_equal(scenes[7].alpha, scenes[5:9][2].alpha)
    with pytest.raises(IndexError, match="500 scenes, got index 500"):
        scenes[500]


FIRST = {
    "unseen": [(0.2848, 0.1738), (0.2441, 0.2089), (0.532, 0.3299), (0.2358, 0.1454),
               (0.3784, 0.1974), (0.3892, 0.0499)],
    "held_out": [(0.1774, 0.34), (0.1927, 0.0611), (0.1501, 0.0957), (0.1638, 0.1523),
                 (0.1808, 0.1734), (0.1778, 0.2)],
}  # fmt: skip
"""Mean of image / 255 and of alpha of the first scenes, 64 x 64."""


@pytest.mark.parametrize("name", SETS)
def test_the_sets_have_not_changed(name: str) -> None:
    found = [(scene.image.mean() / 255, scene.alpha.mean()) for scene in SETS[name](SIZE)[:6]]
    np.testing.assert_allclose(found, FIRST[name], atol=2e-3)


@pytest.mark.parametrize("baseline", BASELINES)
def test_trivial_methods_stay_below_055(scenes: list[Scene], baseline: str) -> None:
    assert 0.05 < mean_iou(BASELINES[baseline], scenes) < 0.55


def test_held_out_families_are_the_promised_ones_and_none_is_a_training_family() -> None:
    held_out, training = held_out_kinds(), training_kinds()
    assert set(held_out.textures) == {
        "wood_grain", "fabric_weave", "caustics", "foliage", "halftone",
    }  # fmt: skip
    assert set(held_out.shapes) == {
        "rope_strands", "gears", "leaf_with_holes", "glyph_cluster", "lattice",
    }  # fmt: skip
    assert set(held_out.backgrounds) == {"bokeh", "city_grid"}
    for group in ("textures", "shapes", "backgrounds"):
        mine = {function for function, _ in getattr(held_out, group).values()}
        assert not mine & {function for function, _ in getattr(training, group).values()}


def test_a_held_out_scene_draws_held_out_kinds_only() -> None:
    kinds = held_out_kinds()
    allowed = {f"texture:{name}" for name in kinds.textures}
    allowed |= {f"shape:{name}" for name in kinds.shapes}
    allowed |= {f"background:{name}" for name in kinds.backgrounds}
    drawn = {kind for scene in held_out_set((32, 32))[:40] for kind in scene.kinds}
    assert drawn == allowed


def test_no_set_repeats_a_training_scene() -> None:
    first = training_scene(0, 0, SIZE).image
    assert all((scene.image != first).any() for scene in unseen_set(SIZE)[:5])


def test_overlap_by_hand() -> None:
    truth = np.array([[1, 1, 0, 0]], np.float32)
    assert intersection_over_union(np.array([[0, 1, 1, 0]], np.float32), truth) == 1 / 3
    assert intersection_over_union(np.zeros((1, 4), np.float32), truth) == 0
    assert intersection_over_union(truth * 0, truth * 0) == 1


def test_otsu_splits_two_groups() -> None:
    values = np.array([0.0, 0.1, 0.1, 0.9, 1.0, 1.0], np.float32)
    assert 0.1 < otsu(values) < 0.9


def test_the_ellipse_covers_the_middle_and_no_corner() -> None:
    alpha = centered_ellipse(np.zeros((40, 80, 3), np.uint8))
    assert alpha[20, 40] == 1
    assert alpha[0].max() == 0
    assert alpha.mean() == pytest.approx(np.pi / 4 * 0.7**2, abs=0.02)


def test_saliency_finds_a_bright_square_on_black() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[20:44, 20:44] = 255
    truth = (image[..., 0] > 0).astype(np.float32)
    assert intersection_over_union(gray_saliency(image), truth) > 0.85
