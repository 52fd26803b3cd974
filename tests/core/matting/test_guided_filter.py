"""The guided filter, against its definition."""

from __future__ import annotations

import pytest
import torch

from birefnet.errors import ConfigError, ShapeError
from birefnet.filters import box_mean
from birefnet.matting.guided_filter import (
    STRIP,
    guided_filter,
    guided_upsample,
    learn,
    solve_symmetric,
)


def noise(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def by_definition(image, alpha, weight, radius, epsilon):
    """Ridge regression in every window, window by window; borders repeated as `box_mean` does."""
    padded = torch.nn.functional.pad(
        torch.cat([image, alpha, weight], 1), [radius] * 4, "replicate"
    )
    side = 2 * radius + 1
    windows = padded.double().unfold(2, side, 1).unfold(3, side, 1).flatten(4)[0]
    color, wanted, share = windows[:3], windows[3], windows[4]
    share = share / share.sum(-1, keepdim=True)
    center, level = (color * share).sum(-1, keepdim=True), (wanted * share).sum(-1, keepdim=True)
    color, wanted = color - center, wanted - level
    matrix = torch.einsum("chwk,dhwk,hwk->hwcd", color, color, share) + epsilon * torch.eye(3)
    right = torch.einsum("chwk,hwk,hwk->hwc", color, wanted, share)
    slope = torch.linalg.solve(matrix, right).permute(2, 0, 1)
    offset = level[..., 0] - (slope * center[..., 0]).sum(0)
    total = windows[4].mean(-1)
    model = torch.cat([slope, offset[None], torch.ones_like(offset)[None]]) * total
    slope, offset, total = box_mean(model[None], side)[0].split([3, 1, 1])
    return (((slope * image[0]).sum(0) + offset[0]) / total[0]).clamp(0, 1)


@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_ridge_regression_in_every_window(weighted):
    image, alpha = noise(1, 3, 14, 17), noise(1, 1, 14, 17, seed=1)
    weight = noise(1, 1, 14, 17, seed=2).clamp_min(0.01) if weighted else torch.ones(1, 1, 14, 17)
    found = guided_filter(image, alpha, weight if weighted else None, radius=2, epsilon=1e-3)
    expected = by_definition(image, alpha, weight, 2, 1e-3)
    torch.testing.assert_close(found[0, 0].double(), expected, atol=1e-5, rtol=0)


def test_a_mask_that_is_linear_in_color_stays():
    image = noise(1, 3, 20, 24)
    alpha = (image * torch.tensor([0.2, 0.5, 0.3]).view(3, 1, 1)).sum(1, keepdim=True)
    torch.testing.assert_close(guided_filter(image, alpha, epsilon=1e-9), alpha, atol=1e-4, rtol=0)


def test_in_flat_pictures_it_is_a_blur():
    alpha = noise(1, 1, 20, 24)
    flat = torch.full((1, 3, 20, 24), 0.4)
    expected = box_mean(box_mean(alpha, 7), 7)
    torch.testing.assert_close(guided_filter(flat, alpha, radius=3), expected, atol=1e-5, rtol=0)


def test_a_blurred_mask_takes_the_pictures_edge_again():
    image = torch.full((1, 3, 40, 40), 0.2)
    image[..., 20:] = 0.8
    alpha = torch.linspace(-1, 2, 40).clamp(0, 1).expand(1, 1, 40, 40)
    certain = (2 * alpha - 1).square()
    found = guided_filter(image, alpha, certain, radius=8)
    assert found[..., 8:32, 18:20].max() < 0.15
    assert found[..., 8:32, 20:22].min() > 0.85
    plain = guided_filter(image, alpha, radius=8)
    assert plain[..., 20, 19].max() > 0.2, "what the weights are for"


def test_strips_leave_no_trace():
    image, alpha = noise(1, 3, STRIP + 40, 24), noise(1, 1, STRIP + 40, 24, seed=1)
    around = slice(STRIP - 60, STRIP + 40)
    alone = guided_filter(image[:, :, around], alpha[:, :, around], radius=4)
    whole = guided_filter(image, alpha, radius=4)
    torch.testing.assert_close(
        whole[:, :, STRIP - 20 : STRIP + 40], alone[:, :, 40:], atol=1e-6, rtol=0
    )


def test_items_are_independent_and_the_dtype_is_kept():
    image, alpha = noise(2, 3, 16, 16), noise(2, 1, 16, 16)
    whole = guided_filter(image, alpha)
    for item in range(2):
        one = slice(item, item + 1)
        torch.testing.assert_close(whole[one], guided_filter(image[one], alpha[one]))
    half = guided_filter(image.half(), alpha.half())
    assert half.dtype == torch.float16
    torch.testing.assert_close(half.float(), whole, atol=5e-3, rtol=0)


def test_upsampling_finds_the_edge_of_the_large_picture():
    image = torch.full((1, 3, 64, 64), 0.2)
    image[..., 27:] = 0.8
    small = torch.nn.functional.interpolate(image, size=(16, 16), mode="area")
    small_alpha = (small[:, :1] - 0.2) / 0.6
    found = guided_upsample(small, small_alpha, image, radius=1, epsilon=1e-6)
    expected = (image[:, :1] > 0.5).float()
    assert float((found - expected).abs().max()) < 0.05
    blurred = torch.nn.functional.interpolate(small_alpha, size=(64, 64), mode="bilinear")
    assert float((blurred - expected).abs().max()) > 0.3


def test_color_tells_much_at_edges_it_shares_with_the_mask_and_nothing_elsewhere():
    alpha = torch.zeros(1, 1, 40, 40)
    alpha[..., 20:] = 1
    image = 0.2 + 0.6 * alpha.expand(-1, 3, -1, -1)
    weight = torch.ones_like(alpha)

    def told(image, alpha):
        return learn(image, alpha, weight)[1]

    assert told(image, alpha)[..., 19:21].min() > 0.95
    assert told(torch.full_like(image, 0.5), alpha)[..., 19:21].max() < 0.1
    assert told(noise(1, 3, 40, 40), alpha)[..., 8:32, 19:21].mean() < 0.15
    assert told(image, torch.ones_like(alpha)).min() > 0.99


def test_small_systems_are_solved_exactly():
    root = noise(1, 3, 3, 50).double()
    matrix = torch.einsum("bijn,bkjn->bikn", root, root)
    entries = torch.stack(
        [matrix[:, i, j] for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))], 1
    )
    right = noise(1, 3, 50, seed=1).double()
    found = solve_symmetric(entries[..., None], right[..., None], 0.01)[..., 0]
    back = torch.einsum("bikn,bkn->bin", matrix, found) + 0.01 * found
    torch.testing.assert_close(back, right)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"radius": 0.4}, "radius must be at least 1"), ({"epsilon": 0}, "epsilon must be above 0")],
)
def test_impossible_windows_are_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        guided_filter(noise(1, 3, 8, 8), noise(1, 1, 8, 8), **options)


def test_shapes_must_fit():
    with pytest.raises(ShapeError):
        guided_filter(noise(1, 3, 8, 8), noise(1, 1, 8, 9))
    with pytest.raises(ShapeError):
        guided_filter(noise(1, 3, 8, 8), noise(1, 1, 8, 8), noise(1, 1, 4, 4))


def test_one_pixel_is_enough():
    image, alpha = noise(1, 3, 1, 1), noise(1, 1, 1, 1)
    torch.testing.assert_close(guided_filter(image, alpha, radius=30), alpha)
