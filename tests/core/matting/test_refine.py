"""Masks that are made better by their pictures."""

from __future__ import annotations

import pytest
import torch

from birefnet.errors import ConfigError, ShapeError
from birefnet.filters import gaussian_blur
from birefnet.masks.trimap import trimap
from birefnet.matting import METHODS, find_band, refine_mask

SIZE = 96


@pytest.fixture(scope="module")
def scene():
    """(1, 3, H, W) of a soft, star-like subject on a textured background, and its alpha."""
    generator = torch.Generator().manual_seed(2)
    place = torch.arange(SIZE) - (SIZE - 1) / 2
    y, x = place[:, None], place[None, :]
    radius = 26 + 6 * torch.cos(7 * torch.atan2(y, x))
    alpha = ((radius - torch.hypot(y, x)) / 2 + 0.5).clamp(0, 1)[None, None]
    front = torch.tensor([0.85, 0.55, 0.2]).view(3, 1, 1) + 0.06 * torch.sin(x / 3)
    back = torch.tensor([0.15, 0.35, 0.6]).view(3, 1, 1) + 0.06 * torch.cos(y / 4)
    image = alpha * front + (1 - alpha) * back
    image = image + 0.01 * torch.randn(image.shape, generator=generator)
    return image.clamp(0, 1), alpha


def error(found, alpha):
    """Mean difference near the edge."""
    near = trimap(alpha, inside=8, outside=8) == 0.5
    return float((found - alpha).abs()[near].mean())


def shifted(alpha):
    return torch.roll(alpha, (2, 2), (2, 3))


@pytest.mark.parametrize("method", METHODS)
def test_a_blurred_mask_becomes_much_better(scene, method):
    image, alpha = scene
    given = gaussian_blur(alpha, 3.0)
    assert error(refine_mask(image, given, method=method), alpha) < 0.4 * error(given, alpha)


@pytest.mark.parametrize("method", METHODS)
def test_a_mask_that_is_a_few_pixels_off_finds_back(scene, method):
    image, alpha = scene
    given = shifted(alpha)
    assert error(refine_mask(image, given, method=method), alpha) < 0.5 * error(given, alpha)


@pytest.mark.parametrize("method", METHODS)
def test_a_hard_mask_becomes_soft_where_the_picture_is(scene, method):
    image, alpha = scene
    given = (alpha > 0.5).float()
    found = refine_mask(image, given, method=method)
    assert error(found, alpha) < error(given, alpha)
    assert ((found > 0.1) & (found < 0.9)).any()


@pytest.mark.parametrize("method", METHODS)
def test_outside_the_band_nothing_changes_by_a_single_bit(scene, method):
    image, alpha = scene
    given = 0.01 + 0.98 * shifted(alpha)
    band = find_band(given, inside=4, outside=3)
    found = refine_mask(image, given, band, method=method)
    outside = band != 0.5
    assert torch.equal(found[outside], given[outside])
    assert (found[~outside] != given[~outside]).float().mean() > 0.5


def test_the_band_follows_the_mask_unless_it_is_given(scene):
    image, alpha = scene
    given = shifted(alpha)
    assert torch.equal(
        refine_mask(image, given), refine_mask(image, given, trimap(given, inside=10, outside=10))
    )
    nowhere = refine_mask(image, given, (given > 0.5).float())
    assert torch.equal(nowhere, given)
    right = torch.full_like(given, 0.3)
    right[..., : SIZE // 2] = 1
    found = refine_mask(image, given, right)
    assert torch.equal(found[..., : SIZE // 2], given[..., : SIZE // 2])
    assert not torch.equal(found, given)


@pytest.mark.parametrize("method", ["closed-form", "knn"])
def test_trust_leads_from_the_picture_to_the_mask(scene, method):
    image, alpha = scene
    given = shifted(alpha).round()
    changes = [
        float((refine_mask(image, given, method=method, trust=t, contrast=1) - given).abs().mean())
        for t in (0.0, 0.5, 0.99, 1.0)
    ]
    assert changes[0] > changes[1] > changes[2] > changes[3] == 0


@pytest.mark.parametrize("method", METHODS)
def test_contrast_makes_edges_crisper(scene, method):
    image, alpha = scene
    given = gaussian_blur(alpha, 3.0)
    soft, crisp = (refine_mask(image, given, method=method, contrast=c) for c in (1.0, 3.0))
    assert float((crisp * (1 - crisp)).mean()) < 0.8 * float((soft * (1 - soft)).mean())


def test_radius_and_epsilon_reach_the_guided_filter(scene):
    image, alpha = scene
    given = gaussian_blur(alpha, 3.0)
    usual = refine_mask(image, given)
    assert not torch.allclose(usual, refine_mask(image, given, radius=3), atol=0.01)
    assert not torch.allclose(usual, refine_mask(image, given, epsilon=0.1), atol=0.01)


@pytest.mark.parametrize("method", ["closed-form", "knn"])
def test_a_band_above_the_budget_is_solved_smaller_and_still_follows_the_picture(scene, method):
    image, alpha = scene
    given = gaussian_blur(alpha, 3.0)
    exact = refine_mask(image, given, method=method)
    small = refine_mask(image, given, method=method, max_megapixels=0.0015)
    assert not torch.equal(exact, small)
    assert error(small, alpha) < 0.7 * error(given, alpha)


def test_a_budget_of_nearly_nothing_still_works(scene):
    image, alpha = scene
    found = refine_mask(image, alpha, method="closed-form", max_megapixels=1e-6)
    assert found.isfinite().all()


@pytest.mark.parametrize("method", METHODS)
def test_items_are_independent_and_the_dtype_is_kept(scene, method):
    image, alpha = scene
    images = torch.cat([image, image.flip(3), image])
    masks = torch.cat([gaussian_blur(alpha, 2.0), shifted(alpha), torch.zeros_like(alpha)])
    whole = refine_mask(images, masks, method=method)
    for item in range(3):
        one = slice(item, item + 1)
        assert torch.equal(whole[one], refine_mask(images[one], masks[one], method=method))
    half = refine_mask(image.half(), shifted(alpha).half(), method=method)
    assert half.dtype == torch.float16
    assert half.isfinite().all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 2), (5, 5)])
def test_tiny_pictures_work(method, size):
    image, alpha = torch.rand(1, 3, *size), torch.rand(1, 1, *size)
    found = refine_mask(image, alpha, method=method)
    assert found.shape == alpha.shape
    assert found.isfinite().all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_masks_without_an_edge_stay(scene, method, value):
    image, _ = scene
    given = torch.full((1, 1, SIZE, SIZE), value)
    assert torch.equal(refine_mask(image, given, method=method), given)


@pytest.mark.parametrize("method", METHODS)
def test_pictures_of_one_color_do_no_harm(method):
    image = torch.full((1, 3, 40, 40), 0.5)
    alpha = torch.zeros(1, 1, 40, 40)
    alpha[..., 15:25, 15:25] = 1
    found = refine_mask(image, alpha, method=method)
    assert found.isfinite().all()
    assert float((found[..., 18:22, 18:22]).min()) > 0.7
    assert float(found[..., 0, 0]) == 0


def test_the_input_stays_as_it_was(scene):
    image, alpha = scene
    given = shifted(alpha)
    before = given.clone(), image.clone()
    refine_mask(image, given)
    assert torch.equal(given, before[0])
    assert torch.equal(image, before[1])


def test_progress_grows_over_a_batch(scene):
    image, alpha = scene
    seen = []
    refine_mask(
        torch.cat([image, image]),
        torch.cat([shifted(alpha), gaussian_blur(alpha, 2.0)]),
        method="closed-form",
        progress=seen.append,
    )
    assert seen == sorted(seen)
    assert 0 <= seen[0] < 0.5 < seen[-1] < 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "magic"}, "method must be one of guided filter, closed-form, knn"),
        ({"trust": 1.5}, "trust must lie in 0 to 1"),
        ({"contrast": 0.5}, "contrast must be at least 1"),
        ({"max_megapixels": 0}, "max_megapixels must be above 0"),
        ({"radius": 0}, "radius must be at least 1"),
        ({"epsilon": -1.0}, "epsilon must be above 0"),
    ],
)
def test_impossible_options_are_refused(scene, options, words):
    with pytest.raises(ConfigError, match=words):
        refine_mask(*scene, **options)


def test_sizes_that_differ_are_refused_not_passed_through(scene):
    image, alpha = scene
    with pytest.raises(ShapeError, match="resize it to the image first"):
        refine_mask(image, alpha[..., 1:])
    with pytest.raises(ShapeError, match="band must have the mask's shape"):
        refine_mask(image, alpha, alpha[..., 1:])
