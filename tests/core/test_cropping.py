"""Crops around a subject, and their way back."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import pytest
import torch

from birefnet.cropping import Region, check_parts, cut_out, mask_in_box, paste_back, plan_crops
from birefnet.errors import ConfigError, ShapeError
from birefnet.regions import Box, crop


def mask_of(*boxes, size=(90, 120)):
    """A batch with one filled box each; None for an empty mask."""
    masks = torch.zeros(len(boxes), 1, *size)
    for mask, box in zip(masks, boxes, strict=True):
        if box is not None:
            mask[:, box.top : box.bottom, box.left : box.right] = 1
    return masks


def picture(channels=3, size=(90, 120), batch=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    small = torch.rand(batch, channels, size[0] // 6, size[1] // 6, generator=generator)
    return torch.nn.functional.interpolate(small, size=size, mode="bicubic").clamp(0, 1)


SUBJECT = Box(40, 30, 20, 16)


def plan(masks, **options):
    return plan_crops(masks, **{"context": 1.0, "multiple": 1, **options})


def test_a_crop_is_the_bounding_box():
    assert plan(mask_of(SUBJECT)) == Region(boxes=(SUBJECT,), size=(90, 120), crop_size=(16, 20))


def test_context_and_multiples_make_it_larger():
    region = plan(mask_of(SUBJECT), context=2, multiple=16)
    assert region.crop_size == (32, 48)
    assert region.boxes == (Box(26, 22, 48, 32),)


def test_a_square_has_equal_sides():
    assert plan(mask_of(SUBJECT), shape="square").boxes == (Box(40, 28, 20, 20),)


@pytest.mark.parametrize("target", [512, 768, 1024])
@pytest.mark.parametrize("shape", ["free", "square"])
@pytest.mark.parametrize("multiple", [8, 16, 64])
def test_a_target_sets_the_longer_side_and_nothing_is_distorted(target, shape, multiple):
    region = plan(mask_of(SUBJECT), target=target, shape=shape, multiple=multiple)
    height, width = region.crop_size
    assert max(height, width) == target
    assert height % multiple == width % multiple == 0
    if shape == "square":
        assert height == width
    (box,) = region.boxes
    assert abs(box.width / box.height / (width / height) - 1) <= 1.01 / box.height
    assert box.left <= SUBJECT.left
    assert box.right >= SUBJECT.right


def test_a_target_that_is_no_multiple_is_rounded_up():
    assert plan(mask_of(SUBJECT), target=100, multiple=64).crop_size == (128, 128)


def test_all_crops_have_one_size_and_keep_their_pixels():
    small, large = Box(4, 5, 10, 30), Box(80, 40, 30, 20)
    region = plan(mask_of(small, large))
    assert region.crop_size == (30, 30)
    assert [box.size for box in region.boxes] == [(30, 30)] * 2
    for box, subject in zip(region.boxes, (small, large), strict=True):
        assert box.left <= subject.left
        assert box.right >= subject.right
        assert box.top <= subject.top
        assert box.bottom >= subject.bottom


def test_with_a_target_each_subject_is_scaled_to_it():
    region = plan(mask_of(Box(4, 5, 10, 10), Box(60, 20, 50, 50)), target=64)
    assert region.boxes == (Box(4, 5, 10, 10), Box(60, 20, 50, 50))
    assert region.crop_size == (64, 64)


def test_one_box_for_all_holds_every_subject():
    region = plan(mask_of(Box(4, 5, 10, 30), None, Box(80, 40, 30, 20)), grouping="all")
    assert region.boxes == (Box(4, 5, 106, 55),) * 3


def test_an_empty_mask_does_not_raise_and_gets_the_middle():
    region = plan(mask_of(SUBJECT, None))
    assert region.boxes == (SUBJECT, Box(50, 37, 20, 16))
    region = plan(mask_of(SUBJECT, None), target=64)
    assert region.boxes[1].size == region.boxes[0].size


def test_without_any_subject_it_is_the_whole_picture():
    region = plan(mask_of(None, None))
    assert region.boxes == (Box(0, 0, 120, 90),) * 2
    assert plan(mask_of(None), multiple=64).boxes == (Box(-4, -19, 128, 128),)


def test_haze_is_no_subject_unless_asked_for():
    masks = mask_of(SUBJECT)
    masks[..., 0, 0] = 0.04
    assert plan(masks).boxes == (SUBJECT,)
    assert plan(masks, threshold=0.03).boxes == (Box(0, 0, 60, 46),)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"multiple": 0}, "multiple must lie in 1"),
        ({"target": 0}, "target must lie in 1"),
        ({"shape": "round"}, "shape must be one of free, square"),
        ({"grouping": "none"}, "grouping must be one of each, all"),
        ({"context": 0.5}, "context must be at least 1"),
    ],
)
def test_impossible_crops_are_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        plan(mask_of(SUBJECT), **options)


def test_a_region_is_plain_data():
    region = plan(mask_of(SUBJECT))
    assert is_dataclass(region)
    assert not any(isinstance(getattr(region, each.name), torch.Tensor) for each in fields(region))
    assert hash(region) == hash(plan(mask_of(SUBJECT)))


def test_pixels_are_exact_without_resizing():
    image = picture(4)
    assert torch.equal(cut_out(image, SUBJECT, (16, 20)), crop(image, SUBJECT))


def test_resizing_stays_in_range_and_keeps_plain_color():
    image = (picture() > 0.5).float()
    large = cut_out(image, SUBJECT, (80, 100))
    assert large.min() >= 0
    assert large.max() <= 1
    plain = torch.full((1, 3, 40, 40), 0.3)
    torch.testing.assert_close(
        cut_out(plain, Box(0, 0, 40, 40), (64, 50)), plain.new_full((1, 3, 64, 50), 0.3)
    )


def test_resizing_never_brings_hidden_color_out():
    image = torch.zeros(1, 4, 20, 20)
    image[:, 0] = 1  # red everywhere, seen on the right only
    image[:, 1, :, :10] = 1  # and green where nothing is seen
    image[:, 3, :, 10:] = 1
    small = cut_out(image, Box(0, 0, 20, 20), (7, 7))
    seen = small[:, 3] > 0.01
    assert float(small[:, 1][seen].max()) < 1e-4
    assert float(small[:, 0][seen].min()) > 0.999


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("box", [SUBJECT, Box(-6, -9, 70, 64), Box(0, 0, 120, 90)])
def test_a_crop_that_was_not_edited_changes_nothing(channels, box):
    image = picture(channels, batch=2)
    patch = cut_out(image, box, box.size)
    torch.testing.assert_close(paste_back(image, patch, box=box), image, atol=1e-6, rtol=0)
    assert torch.equal(paste_back(image, patch, box=box, blend=0), image)


def test_pixels_outside_keep_their_exact_values():
    image = picture(3)
    edited = 1 - cut_out(image, SUBJECT, (64, 80))
    result = paste_back(image, edited, box=SUBJECT, blend=4)
    inside = mask_of(SUBJECT).bool().expand_as(image)
    assert torch.equal(result[~inside], image[~inside])
    middle = (slice(None), slice(None), slice(36, 40), slice(46, 54))
    torch.testing.assert_close(result[middle], 1 - image[middle], atol=0.02, rtol=0)


def test_the_seam_is_soft():
    image = torch.zeros(1, 3, 60, 60)
    box = Box(10, 10, 40, 40)
    result = paste_back(image, torch.ones(1, 3, 40, 40), box=box, blend=10)
    line = result[0, 0, 30]
    assert (line[10:20].diff() > 0).all()
    assert (line[20:40] == 1).all()
    assert line[:10].max() == 0
    assert line.diff().abs().max() < 0.2
    hard = paste_back(image, torch.ones(1, 3, 40, 40), box=box, blend=0)
    assert (hard[..., 10:50, 10:50] == 1).all()


def test_with_a_mask_only_it_and_its_seam_change():
    image = picture()
    box = Box(20, 10, 60, 60)
    mask = mask_of(Box(40, 30, 20, 20))
    edited = 1 - cut_out(image, box, box.size)
    result = paste_back(image, edited, crop(mask, box), box=box, blend=6)
    from birefnet.filters import distance_to

    distance = distance_to(mask > 0.5)
    far = (distance > 7).expand_as(image)
    assert torch.equal(result[far], image[far])
    whole = mask.bool().expand_as(image)
    torch.testing.assert_close(result[whole], 1 - image[whole])
    near = ((distance > 0.6) & (distance < 4)).expand_as(image)
    assert bool((result[near] != image[near]).float().mean() > 0.9)


def test_transparent_parts_of_a_crop_show_an_opaque_picture():
    image = picture()
    patch = torch.rand(1, 4, *SUBJECT.size)
    patch[:, 3, :8] = 0
    patch[:, 3, 8:] = 1
    result = paste_back(image, patch, box=SUBJECT, blend=0)
    part = crop(result, SUBJECT)
    assert torch.equal(part[:, :, :8], crop(image, SUBJECT)[:, :, :8])
    assert torch.equal(part[:, :, 8:], patch[:, :3, 8:])


def test_a_picture_keeps_its_transparency():
    image = picture(4)
    result = paste_back(image, torch.ones(1, 3, *SUBJECT.size), box=SUBJECT, blend=0)
    assert torch.equal(result[:, 3], image[:, 3])
    assert (crop(result, SUBJECT)[:, :3] == 1).all()


def test_a_crop_brings_its_own_transparency_into_a_transparent_picture():
    image = picture(4)
    patch = picture(4, SUBJECT.size, seed=3)
    result = paste_back(image, patch, box=SUBJECT, blend=0)
    assert torch.equal(crop(result, SUBJECT), patch)


def test_hidden_color_does_not_come_out_in_the_seam():
    image = torch.zeros(1, 4, 40, 40)
    image[:, 0] = 1
    image[:, 3] = 1  # opaque red
    patch = torch.zeros(1, 4, 20, 20)
    patch[:, 1] = 1  # transparent green
    result = paste_back(image, patch, box=Box(10, 10, 20, 20), blend=8)
    seen = result[:, 3] > 0.01
    assert float(result[:, 1][seen].max()) < 1e-5
    assert float(result[:, 0][seen].min()) > 0.999
    assert float(result[0, 3, 20, 20]) == 0


def test_masks_come_in_the_crops_or_the_pictures_size():
    region = plan(mask_of(SUBJECT), target=80)
    whole = picture(1)
    assert torch.equal(mask_in_box(whole, region, SUBJECT), crop(whole, SUBJECT))
    half = torch.ones(1, 1, 32, 40)
    assert (mask_in_box(half, region, SUBJECT) == 1).all()
    assert mask_in_box(half, region, SUBJECT).shape == (1, 1, 16, 20)
    with pytest.raises(ShapeError, match=r"crop's proportions, 80 x 64 .* got 50 x 50"):
        mask_in_box(torch.ones(1, 1, 50, 50), region, SUBJECT)


def test_numbers_of_parts_are_one_or_all_the_same():
    region = plan(mask_of(SUBJECT))
    three = plan(mask_of(SUBJECT, SUBJECT, SUBJECT))
    image, patch = picture(), torch.zeros(1, 3, 8, 8)
    assert check_parts(region, image, patch) == 1
    assert check_parts(region, image, patch.expand(5, -1, -1, -1)) == 5
    assert check_parts(three, image, patch) == 3
    assert check_parts(region, image, patch, torch.zeros(4, 1, 16, 20)) == 4
    with pytest.raises(ShapeError, match="1 pictures, 2 crops, 3 boxes"):
        check_parts(three, image, patch.expand(2, -1, -1, -1))
    with pytest.raises(ShapeError, match="the same pictures as to Crop to Mask"):
        check_parts(region, picture(size=(60, 120)), patch)


def test_impossible_pastes_are_refused():
    image = picture()
    with pytest.raises(ConfigError, match="blend"):
        paste_back(image, torch.zeros(1, 3, 8, 8), box=SUBJECT, blend=-1)
    with pytest.raises(ShapeError, match="cut it out with the same box"):
        paste_back(image, torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8), box=SUBJECT)


def test_items_are_independent_and_the_dtype_is_kept():
    image, patch = picture(4, batch=2), picture(4, SUBJECT.size, batch=2, seed=1)
    whole = paste_back(image, patch, box=SUBJECT)
    for item in range(2):
        one = slice(item, item + 1)
        assert torch.equal(whole[one], paste_back(image[one], patch[one], box=SUBJECT))
    assert paste_back(image.half(), patch, box=SUBJECT).dtype == torch.float16
    assert cut_out(image.half(), SUBJECT, (9, 9)).dtype == torch.float16
