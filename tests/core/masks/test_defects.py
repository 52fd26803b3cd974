"""Defects that mask nodes of other packs have, one test each; ours do not have them.

The names say what went wrong there. Input ranks, invert defaults and what a node does with an
empty batch are tested with the nodes, in tests/pack/test_mask_nodes.py.
"""

from __future__ import annotations

import pytest
import torch

from birefnet import ShapeError
from birefnet.filters import pixels
from birefnet.masks import (
    MaskOptions,
    apply_mask_ops,
    combine,
    edges,
    feather,
    fill_holes,
    find_parts,
    grow,
    keep_parts,
    levels,
    smooth_outline,
    threshold,
)
from birefnet.regions import Box


def square(height: int = 40, width: int = 50, low: int = 12, high: int = 28) -> torch.Tensor:
    alpha = torch.zeros(1, 1, height, width)
    alpha[..., low:high, low:high] = 1
    return alpha


def soft_disk(radius: float = 12, softness: float = 6, high: float = 1.0) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(50.0), indexing="ij")
    slope = 0.5 + (radius - torch.hypot(y - 20, x - 25)) / softness
    return high * slope.clamp(0, 1)[None, None]


@pytest.mark.parametrize("radius", [1.0, 2.0, 3.0, 4.0, -1.0, -2.0, -3.0, -4.0])
def test_even_sizes_do_not_shift_the_mask(radius):
    alpha = square(40, 40, 12, 28)
    result = grow(alpha, radius=radius)
    torch.testing.assert_close(result, result.flip(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(result, result.flip(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(result, result.mT, atol=1e-4, rtol=0)
    shifted = grow(square(40, 40, 13, 29), radius=radius)
    torch.testing.assert_close(shifted[..., 1:, 1:], result[..., :-1, :-1], atol=1e-4, rtol=0)


def test_filling_holes_does_not_harden_faint_haze():
    haze = square().clamp_min(1 / 255)
    assert torch.equal(fill_holes(haze), haze)


def test_filling_holes_does_not_harden_a_feathered_mask():
    alpha = soft_disk(12, 10)
    assert torch.equal(fill_holes(alpha), alpha)
    pierced = alpha.clone()
    pierced[..., 19:21, 24:26] = 0
    assert torch.equal(fill_holes(pierced), alpha)


def test_feathering_fades_the_edge_of_the_mask_and_not_the_frame_of_the_image():
    inner = feather(square(), width=6)
    assert not torch.equal(inner, square())
    assert 0.3 < inner[0, 0, 20, 12] < 0.7
    cut = torch.zeros(1, 1, 40, 50)
    cut[..., :20] = 1
    faded = feather(cut, width=6)
    assert (faded[..., :10] == 1).all()


def test_blurring_does_not_grow_the_mask():
    for alpha in (square(), soft_disk()):
        assert (feather(alpha, width=8, side="inside")[alpha == 0] == 0).all()


def test_empty_first_frames_give_no_nan():
    batch = torch.cat([torch.zeros(2, 1, 40, 50), square(), torch.ones(1, 1, 40, 50)])
    options = MaskOptions(
        black_point=0.1,
        white_point=0.9,
        threshold_kind="soft",
        fill_holes="all",
        keep_parts="largest",
        grow=2.5,
        smooth=5,
        feather=4,
    )
    result = apply_mask_ops(batch, options=options)
    assert result.isfinite().all()
    assert result[:2].max() == 0
    assert result[2].max() == 1


def test_an_empty_mask_has_no_box_and_does_not_crash():
    (parts,), (empty,) = find_parts(torch.zeros(1, 1, 8, 9))
    assert parts == []
    assert empty


def test_every_mask_of_a_batch_is_processed():
    batch = torch.cat([square(), square(low=5, high=9), square(low=20, high=38)])
    found, _ = find_parts(batch)
    assert [parts[0].box.left for parts in found] == [12, 5, 20]
    grown = grow(batch, radius=1.0)
    for number, side in enumerate((18, 6, 20)):
        assert grown[number].sum() == pytest.approx(side**2 - 4 * 0.2, abs=2.5)


def test_a_box_is_the_box():
    alpha = torch.zeros(1, 1, 100, 200)
    alpha[..., 10:70, 50:150] = 1
    ((part,),), _ = find_parts(alpha)
    assert part.box == Box(left=50, top=10, width=100, height=60)


def test_half_precision_masks_are_taken():
    batch = torch.cat([soft_disk(), square()]).half()
    options = MaskOptions(
        fill_holes="by area", keep_parts="by area", grow=-1.5, smooth=3, feather=2, invert=True
    )
    assert apply_mask_ops(batch, options=options).dtype == torch.float16
    assert find_parts(batch)[0][0][0].alpha.dtype == torch.float16
    assert combine(batch, batch).dtype == torch.float16


def test_the_range_of_one_frame_does_not_depend_on_the_others():
    batch = torch.cat([soft_disk(high=0.3), soft_disk(high=1.0)])
    for work in (
        lambda alpha: levels(alpha, black_point=0.1, white_point=0.6),
        lambda alpha: grow(alpha, radius=2.0),
        lambda alpha: smooth_outline(alpha, size=6.0),
        lambda alpha: feather(alpha, width=12.0),
    ):
        torch.testing.assert_close(work(batch)[:1], work(batch[:1]), atol=1e-5, rtol=0)


def test_masks_that_do_not_fit_are_refused_and_not_passed_through():
    with pytest.raises(ShapeError, match="same proportions"):
        combine(square(), torch.ones(1, 1, 40, 40))
    with pytest.raises(ShapeError, match="as many masks"):
        combine(square().expand(2, -1, -1, -1), square().expand(3, -1, -1, -1))


def test_smoothing_does_not_cut_at_one_half():
    glass = soft_disk(14, 2, high=0.4)
    smooth = smooth_outline(glass, size=6.0)
    inside = (..., slice(15, 25), slice(20, 30))
    torch.testing.assert_close(smooth[inside], glass[inside], atol=1e-4, rtol=0)
    assert smooth.max() == pytest.approx(0.4, abs=0.01)
    haze = torch.full((1, 1, 20, 20), 0.4)
    torch.testing.assert_close(smooth_outline(haze, size=6.0), haze)


def test_almost_opaque_insides_can_be_closed_without_touching_soft_edges_much():
    alpha = soft_disk(12, 6, high=0.98)
    closed = levels(alpha, white_point=0.98)
    assert closed.max() == 1
    assert (closed - alpha).abs().max() < 0.025


def test_blobs_beside_the_subject_go_without_an_opening_of_its_soft_edge():
    alpha = soft_disk(8, 6)
    with_blob = alpha.clone()
    with_blob[..., 2:5, 44:47] = 0.9
    assert torch.equal(keep_parts(with_blob, largest=1), alpha)


def test_separating_parts_keeps_them_soft():
    alpha = torch.maximum(soft_disk(8, 6), torch.zeros(1, 1, 40, 50))
    ((part,),), _ = find_parts(alpha)
    assert torch.equal(part.full(), alpha)


def test_one_mask_goes_with_a_batch_of_others():
    batch = torch.cat([square(), soft_disk()])
    assert torch.equal(combine(square(), batch, operation="multiply")[1:], square() * soft_disk())


def test_the_cost_does_not_grow_with_the_radius(monkeypatch):
    calls = []
    original = edges.contour_field

    def counted(*arguments):
        calls.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(edges, "contour_field", counted)
    counts = []
    for radius in (1.0, 10.0, 300.0):
        calls.clear()
        grow(soft_disk(), radius=radius)
        feather(soft_disk(), width=radius)
        counts.append(len(calls))
    assert counts == [2 * len(edges.LEVELS)] * 3


def test_radii_can_follow_the_size_of_the_picture():
    small = soft_disk()
    large = torch.nn.functional.interpolate(small, scale_factor=2, mode="bilinear")
    options = MaskOptions(grow=5.0, unit="percent")
    low, high = (apply_mask_ops(alpha, options=options) for alpha in (small, large))
    assert high.mean() == pytest.approx(low.mean().item(), rel=0.01)
    assert pixels(5.0, "percent", (80, 100)) == 2 * pixels(5.0, "percent", (40, 50))


def test_nothing_is_brightened_on_the_way():
    alpha = soft_disk(high=0.7)
    assert torch.equal(apply_mask_ops(alpha, options=MaskOptions()), alpha)
    for work in (
        lambda alpha: grow(alpha, radius=3.0),
        lambda alpha: smooth_outline(alpha, size=4.0),
        lambda alpha: feather(alpha, width=9.0, side="outside"),
        fill_holes,
    ):
        assert work(alpha).max() <= alpha.max() + 1e-6


def test_a_hard_mask_is_only_made_when_asked_for():
    alpha = soft_disk()
    assert set(threshold(alpha).unique().tolist()) == {0.0, 1.0}
    for options in (
        MaskOptions(threshold_kind="soft"),
        MaskOptions(grow=2.0),
        MaskOptions(fill_holes="all"),
        MaskOptions(keep_parts="largest"),
        MaskOptions(smooth=4.0),
    ):
        result = apply_mask_ops(alpha, options=options)
        assert ((result > 0.2) & (result < 0.8)).sum() > 50


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")
def test_masks_on_a_graphics_card_are_taken():
    alpha = torch.cat([soft_disk(), square()])
    options = MaskOptions(
        fill_holes="all", keep_parts="largest", grow=1.5, smooth=4.0, feather=3.0, invert=True
    )
    result = apply_mask_ops(alpha.cuda(), options=options)
    assert result.is_cuda
    torch.testing.assert_close(
        result.cpu(), apply_mask_ops(alpha, options=options), atol=1e-3, rtol=0
    )
    assert find_parts(alpha.cuda())[0][0][0].alpha.is_cuda
