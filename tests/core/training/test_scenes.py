"""What a generated scene promises: exact mattes, one result per number, many looks."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from birefnet.errors import ConfigError
from birefnet.training.scenes import Scene, generate_scene, training_scene, unseen_set
from birefnet.training.scenes.compose import over
from birefnet.training.scenes.sets import training_kinds

SIZE = (64, 64)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [training_scene(3, index, SIZE) for index in range(40)]


def test_a_number_always_gives_the_same_scene_whatever_was_made_before(
    scenes: list[Scene],
) -> None:
    again = training_scene(3, 31, SIZE)
    np.testing.assert_array_equal(again.image, scenes[31].image)
    np.testing.assert_array_equal(again.alpha, scenes[31].alpha)
    np.testing.assert_array_equal(again.foreground, scenes[31].foreground)


def test_seed_and_index_both_change_the_scene() -> None:
    first = training_scene(3, 0, SIZE).image
    assert (training_scene(4, 0, SIZE).image != first).any()
    assert (training_scene(3, 1, SIZE).image != first).any()


def test_alpha_is_soft_at_edges_and_solid_inside(scenes: list[Scene]) -> None:
    for scene in scenes:
        assert scene.alpha.dtype == np.float32
        assert scene.alpha.min() >= 0
        assert scene.alpha.max() <= 1
    soft = np.mean([((scene.alpha > 0.02) & (scene.alpha < 0.98)).any() for scene in scenes])
    solid = np.mean([scene.alpha.max() > 0.98 for scene in scenes])
    assert soft > 0.95
    assert solid > 0.9


def test_every_scene_has_a_subject_and_surroundings(scenes: list[Scene]) -> None:
    for scene in scenes:
        assert 0.01 < scene.alpha.mean() < 0.92


def test_the_image_is_foreground_over_background_but_for_noise_and_compression(
    scenes: list[Scene],
) -> None:
    errors = []
    for scene in scenes:
        composite = over(scene.foreground, scene.alpha, scene.background)
        errors.append(np.abs(composite.astype(float) - scene.image).mean())
    assert np.median(errors) < 5
    assert min(errors) == 0, "some scenes come out of the camera untouched"


def test_over_mixes_by_opacity() -> None:
    front = np.full((1, 3, 3), 200, np.uint8)
    back = np.full((1, 3, 3), 100, np.uint8)
    mixed = over(front, np.array([[0.0, 0.25, 1.0]], np.float32), back)
    assert mixed[0, :, 0].tolist() == [100, 125, 200]


@pytest.mark.parametrize("size", [(32, 96), (80, 48)])
def test_image_and_alpha_have_the_size_asked_for(size: tuple[int, int]) -> None:
    scene = generate_scene(np.random.default_rng(5), size)
    assert scene.image.shape == scene.foreground.shape == scene.background.shape == (*size, 3)
    assert scene.alpha.shape == size
    assert scene.image.dtype == np.uint8


@pytest.mark.parametrize("size", [(15, 64), (64, 1)])
def test_a_size_that_shows_nothing_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match=f"at least 16 rows and columns, got {size[0]} x"):
        generate_scene(np.random.default_rng(0), size)


def test_subjects_often_touch_the_frame_and_often_do_not(scenes: list[Scene]) -> None:
    borders = [
        max(scene.alpha[0].max(), scene.alpha[-1].max(), scene.alpha[:, 0].max(),
            scene.alpha[:, -1].max()) > 0.5
        for scene in scenes
    ]  # fmt: skip
    assert 0.2 < np.mean(borders) < 0.8


@pytest.mark.slow
def test_the_smallest_size_works_for_every_background() -> None:
    for index in range(150):
        assert training_scene(6, index, (16, 16)).image.shape == (16, 16, 3)


@pytest.mark.slow
def test_every_family_is_drawn() -> None:
    kinds = training_kinds()
    wanted = {f"texture:{name}" for name in kinds.textures}
    wanted |= {f"shape:{name}" for name in kinds.shapes}
    wanted |= {f"background:{name}" for name in kinds.backgrounds}
    drawn: set[str] = set()
    for index in range(900):
        drawn |= set(training_scene(1, index, (24, 24)).kinds)
    assert wanted == drawn


def test_training_never_loads_the_held_out_kinds() -> None:
    code = (
        "import sys\n"
        "import birefnet.training.starter\n"
        "from birefnet.training.scenes import training_scene\n"
        "for index in range(3): training_scene(0, index, (32, 32))\n"
        "print([name for name in sys.modules if 'held_out' in name])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_training_and_unseen_scenes_share_no_surface_tile() -> None:
    scene = unseen_set(SIZE)[0]
    assert {kind.split(":")[0] for kind in scene.kinds} == {"texture", "shape", "background"}
    mine, theirs = training_kinds(), training_kinds(32)
    assert mine.first_variant + 32 <= theirs.first_variant
