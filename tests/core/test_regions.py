"""Boxes: found, grown, cut out and put back."""

from __future__ import annotations

import pytest
import torch

from birefnet.errors import ConfigError, ShapeError
from birefnet.regions import Box, bounding_box, crop, fade, grow_box, paste, resize_box


@pytest.fixture
def image():
    return torch.rand(2, 3, 9, 12, generator=torch.Generator().manual_seed(3))


def test_a_box_knows_its_ends_and_its_part_inside():
    box = Box(-2, 3, 5, 10)
    assert (box.right, box.bottom, box.size) == (3, 13, (10, 5))
    assert box.clip((8, 20)) == Box(0, 3, 3, 5)
    assert box.clip((3, 20)) is None
    with pytest.raises(ConfigError, match="at least 1 x 1"):
        Box(0, 0, 0, 5)


def test_each_item_has_its_own_box_or_none():
    alpha = torch.zeros(3, 1, 6, 8)
    alpha[0, 0, 2:4, 3:8] = 0.6
    alpha[2, 0, 5, 0] = 1
    alpha[2, 0, 0, 0] = 0.4
    assert bounding_box(alpha) == [Box(3, 2, 5, 2), None, Box(0, 5, 1, 1)]
    assert bounding_box(alpha, 0.0)[2] == Box(0, 0, 1, 6)
    assert bounding_box(alpha > 0.5) == bounding_box(alpha)
    assert bounding_box(alpha.half()) == bounding_box(alpha)


def test_only_alphas_and_possible_thresholds_are_measured():
    with pytest.raises(ShapeError, match=r"\(B, 1, H, W\)"):
        bounding_box(torch.zeros(1, 6, 8))
    with pytest.raises(ConfigError, match="below 1"):
        bounding_box(torch.zeros(1, 1, 2, 2), 1.0)


def test_context_grows_around_the_center():
    assert grow_box(Box(50, 60, 20, 10), context=2) == Box(40, 55, 40, 20)
    assert grow_box(Box(0, 0, 100, 100), context=1.1).size == (110, 110)


def test_a_box_at_the_border_is_shifted_not_shrunk():
    assert grow_box(Box(0, 90, 20, 10), context=3, inside=(100, 200)) == Box(0, 70, 60, 30)
    assert grow_box(Box(10, 10, 80, 80), context=3, inside=(100, 120)) == Box(0, 0, 120, 100)


def test_sides_become_multiples_and_reach_outside_only_if_they_must():
    box = grow_box(Box(3, 3, 30, 50), multiple=64, inside=(100, 200))
    assert box == Box(0, 0, 64, 64)
    box = grow_box(Box(0, 0, 90, 50), multiple=64, inside=(50, 90))
    assert box == Box(-19, -7, 128, 64)


def test_the_short_side_grows_to_the_aspect():
    assert grow_box(Box(0, 0, 10, 40), aspect=1).size == (40, 40)
    assert grow_box(Box(0, 0, 40, 10), aspect=2).size == (20, 40)
    assert grow_box(Box(0, 0, 40, 40), aspect=16 / 9, multiple=8).size == (40, 72)


def test_a_grown_box_keeps_what_it_had():
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        left, top, width, height, multiple = torch.randint(
            1, 60, (5,), generator=generator
        ).tolist()
        box = Box(left - 20, top - 20, width + 20, height + 20)
        options = {"context": 1 + width / 30, "multiple": multiple, "aspect": height / width}
        for inside in (None, (70, 50)):
            new = grow_box(box, inside=inside, **options)
            assert new.width % multiple == 0
            assert new.height % multiple == 0
            kept = box if inside is None else box.clip(inside)
            assert new.left <= kept.left
            assert new.top <= kept.top
            assert new.right >= kept.right
            assert new.bottom >= kept.bottom
            if inside is not None:
                assert new.left >= 0 or new.width > inside[1]
                assert new.bottom <= inside[0] or new.height > inside[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"context": 0.9}, "context must be at least 1"),
        ({"multiple": 0}, "multiple must be at least 1"),
        ({"aspect": 0.0}, "aspect must be positive"),
        ({"inside": (4, 4)}, "must overlap its image"),
    ],
)
def test_impossible_growth_is_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        grow_box(Box(10, 10, 5, 5), **options)


def test_a_box_of_another_size_keeps_its_center_unless_the_border_is_near():
    assert resize_box(Box(10, 20, 4, 6), (10, 8)) == Box(8, 18, 8, 10)
    assert resize_box(Box(10, 20, 8, 10), (6, 4)) == Box(12, 22, 4, 6)
    assert resize_box(Box(10, 20, 4, 6), (10, 8), inside=(27, 14)) == Box(6, 17, 8, 10)
    assert resize_box(Box(1, 1, 4, 4), (40, 2), inside=(30, 30)) == Box(2, -5, 2, 40)


def test_a_crop_is_that_part(image):
    assert torch.equal(crop(image, Box(2, 1, 5, 4)), image[:, :, 1:5, 2:7])


def test_what_lies_outside_is_as_asked():
    row = torch.tensor([1.0, 2.0, 3.0]).view(1, 1, 1, 3)
    box = Box(-3, 0, 9, 1)
    assert crop(row, box).flatten().tolist() == [1, 1, 1, 1, 2, 3, 3, 3, 3]
    assert crop(row, box, "reflect").flatten().tolist() == [2, 3, 2, 1, 2, 3, 2, 1, 2]
    assert crop(row, box, "zero").flatten().tolist() == [0, 0, 0, 1, 2, 3, 0, 0, 0]
    assert crop(row, Box(7, 5, 2, 1), "zero").flatten().tolist() == [0, 0]
    assert crop(row, Box(7, 5, 2, 1)).flatten().tolist() == [3, 3]
    with pytest.raises(ConfigError, match="border must be one of"):
        crop(row, box, "wrap")
    with pytest.raises(ShapeError, match="with pixels"):
        crop(row[0], box)


@pytest.mark.parametrize("border", ["replicate", "reflect", "zero"])
def test_a_crop_pasted_back_restores_the_image(image, border):
    for box in (Box(2, 1, 5, 4), Box(-3, -4, 20, 30), Box(5, -2, 40, 4)):
        assert torch.equal(paste(image, crop(image, box, border), box), image)


def test_only_the_box_changes(image):
    box = Box(8, 6, 7, 6)
    patch = torch.full((1, 3, 6, 7), 2.0)
    result = paste(image, patch, box)
    changed = torch.zeros(9, 12, dtype=torch.bool)
    changed[6:9, 8:12] = True
    assert (result[:, :, changed] == 2).all()
    assert torch.equal(result[:, :, ~changed], image[:, :, ~changed])
    assert (image < 2).all(), "the image itself stays"


def test_weights_blend_and_zero_keeps_the_exact_pixel(image):
    box = Box(0, 0, 4, 2)
    weight = torch.tensor([[0, 0.25, 0.5, 1], [0, 0, 0, 1]]).view(1, 1, 2, 4)
    patch = torch.full((2, 3, 2, 4), float("nan"))
    patch[..., 1:] = 0.5
    patch[:, :, 1, 1:3] = float("inf")
    result = paste(image, patch, box, weight)
    expected = image.clone()
    expected[:, :, 0, 1] = 0.75 * image[:, :, 0, 1] + 0.125
    expected[:, :, 0, 2] = 0.5 * image[:, :, 0, 2] + 0.25
    expected[:, :, :2, 3] = 0.5
    torch.testing.assert_close(result, expected)
    zero = crop(weight, Box(0, 0, 12, 9), "zero").expand(2, 3, -1, -1) == 0
    assert torch.equal(result[zero], image[zero])


def test_half_precision_is_kept_outside_and_blended_inside(image):
    half = image.half()
    result = paste(half, torch.ones(1, 3, 4, 4), Box(1, 1, 4, 4), torch.full((1, 1, 4, 4), 0.5))
    assert result.dtype == torch.float16
    assert torch.equal(result[:, :, 6:], half[:, :, 6:])
    inside = (half[:, :, 1:5, 1:5].float() + 1) / 2
    torch.testing.assert_close(result[:, :, 1:5, 1:5].float(), inside, atol=1e-3, rtol=0)


def test_a_patch_of_another_size_is_refused(image):
    with pytest.raises(ShapeError, match="resize it to the box"):
        paste(image, torch.zeros(2, 3, 4, 4), Box(0, 0, 5, 4))
    with pytest.raises(ShapeError, match="weight must be"):
        paste(image, torch.zeros(2, 3, 4, 4), Box(0, 0, 4, 4), torch.zeros(2, 3, 4, 4))


def test_items_are_independent(image):
    box = Box(-1, 2, 6, 5)
    patch, weight = torch.rand(2, 3, 5, 6), torch.rand(2, 1, 5, 6)
    whole = paste(image, patch, box, weight)
    for i in range(2):
        one = slice(i, i + 1)
        assert torch.equal(whole[one], paste(image[one], patch[one], box, weight[one]))


def test_fading_rises_from_inner_sides_only():
    weight = fade(Box(0, 4, 8, 8), 4, (20, 20))[0, 0]
    assert weight.shape == (8, 8)
    assert torch.equal(weight[:, 0], weight[:, 1]), "the left side is the image's border"
    assert (weight.diff(dim=1)[:, 4:] < 0).all()
    ramp = weight[:4, 0]
    torch.testing.assert_close(ramp, torch.tensor([0.04297, 0.31641, 0.68359, 0.95703]), **LOOSE)
    torch.testing.assert_close(ramp + ramp.flip(0), torch.ones(4))
    assert torch.equal(weight, weight.flip(0))


LOOSE = {"atol": 1e-4, "rtol": 0}


def test_fading_uses_at_most_half_a_small_box_and_none_by_default_width_zero():
    assert fade(Box(5, 5, 6, 6), 100, (20, 20)).max() > 0.85
    assert (fade(Box(5, 5, 6, 6), 0, (20, 20)) == 1).all()
    with pytest.raises(ConfigError, match="at least 0 pixels"):
        fade(Box(5, 5, 6, 6), -1, (20, 20))
