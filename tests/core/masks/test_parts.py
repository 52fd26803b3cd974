"""Parts: what belongs together, and that nothing gets lost."""

from __future__ import annotations

import pytest
import torch

from birefnet import ConfigError, ShapeError
from birefnet.masks import area, find_parts, keep_parts
from birefnet.regions import Box


def blank(height: int = 40, width: int = 60) -> torch.Tensor:
    return torch.zeros(1, 1, height, width)


def disks(*disks: tuple[float, float, float, float], softness: float = 4.0) -> torch.Tensor:
    """Soft disks (row, column, radius, opacity) on 40 x 60 pixels."""
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(60.0), indexing="ij")
    alpha = torch.zeros(40, 60)
    for row, column, radius, opacity in disks:
        slope = (0.5 + (radius - torch.hypot(y - row, x - column)) / softness).clamp(0, 1)
        alpha = torch.maximum(alpha, opacity * slope)
    return alpha[None, None]


THREE = disks((20, 12, 9, 1.0), (12, 40, 5, 1.0), (30, 50, 3, 0.8))


def parts_of(alpha, **options):
    (parts,), _ = find_parts(alpha, **options)
    return parts


def test_all_parts_add_up_to_the_mask():
    noise = torch.rand(1, 1, 40, 60, generator=torch.Generator().manual_seed(0))
    for alpha in (THREE, THREE.clamp_min(1 / 255), torch.maximum(THREE, noise**4), noise):
        whole = sum(part.full() for part in parts_of(alpha))
        assert torch.equal(whole, alpha)


def test_boxes_areas_and_order():
    parts = parts_of(THREE)
    assert [part.area for part in parts] == sorted((part.area for part in parts), reverse=True)
    assert parts[0].box == Box(3, 11, 19, 19)
    assert parts[0].area == pytest.approx(disks((20, 12, 9, 1.0)).sum().item())
    assert [part.box.left for part in parts_of(THREE, order="left to right")] == [3, 35, 48]
    assert [part.box.top for part in parts_of(THREE, order="top to bottom")] == [7, 11, 28]


def test_soft_skirts_belong_to_their_part():
    big, small, _ = parts_of(THREE)
    assert torch.equal(big.full(), disks((20, 12, 9, 1.0)))
    assert torch.equal(small.full(), disks((12, 40, 5, 1.0)))
    assert big.place.width > big.box.width
    assert big.alpha.shape[2:] == big.place.size


def test_a_hair_belongs_to_the_head_it_is_on():
    alpha = blank()
    alpha[..., 10:30, 5:20] = 1
    alpha[..., 10:30, 40:55] = 1
    alpha[..., 20, 20:36] = 0.4  # a hair of the left one almost reaches the right one
    left, right = parts_of(alpha, order="left to right")
    assert left.full()[0, 0, 20, 35] == pytest.approx(0.4)
    assert right.full()[0, 0, 20, :39].max() == 0


def test_a_soft_bridge_is_divided_in_the_middle():
    alpha = blank()
    alpha[..., 10:30, 5:20] = 1
    alpha[..., 10:30, 40:55] = 1
    alpha[..., 18:22, 20:40] = 0.3
    left, right = parts_of(alpha, order="left to right")
    assert left.full()[0, 0, 20, 20:30].min() == pytest.approx(0.3)
    assert right.full()[0, 0, 20, 30:40].min() == pytest.approx(0.3)
    assert len(parts_of(alpha, threshold=0.2)) == 1


def test_a_tuft_joins_the_body_it_touches_faintly():
    alpha = blank()
    alpha[..., 5:35, 5:35] = 1
    alpha[..., 20, 35:38] = 0.2
    alpha[..., 20, 38:42] = 0.8
    (part,) = parts_of(alpha)
    assert torch.equal(part.full(), alpha)


def test_faint_blobs_are_parts_of_their_own():
    alpha = disks((20, 12, 9, 1.0), (20, 45, 6, 0.2))
    strong, faint = parts_of(alpha)
    assert torch.equal(faint.full(), disks((20, 45, 6, 0.2)))
    assert faint.box.left >= 38
    assert strong.box == Box(3, 11, 19, 19)


def test_small_parts_can_be_left_out():
    assert len(parts_of(THREE, min_area=30)) == 2
    assert len(parts_of(THREE, min_area=100)) == 1
    assert len(parts_of(THREE, limit=2)) == 2
    assert parts_of(THREE, limit=1, order="top to bottom")[0].box.top == 7


def test_points_choose_parts():
    (part,) = parts_of(THREE, points=[[(40.0, 12.0)]])
    assert part.box.left == 35
    nearest = parts_of(THREE, points=[[(58.0, 20.0), (0.5, 0.5), (59.0, 21.0)]], order="points")
    assert [part.box.left for part in nearest] == [48, 3]
    assert parts_of(THREE, points=[[(58.0, 20.0)]], min_area=100) == []


def test_points_for_each_mask():
    batch = torch.cat([THREE, THREE])
    (one, two), _ = find_parts(batch, points=[[(40.0, 12.0)], [(12.0, 20.0)]])
    assert (one[0].box.left, two[0].box.left) == (35, 3)
    (one, two), _ = find_parts(batch, points=[[(40.0, 12.0)]])
    assert one[0].box == two[0].box
    with pytest.raises(ConfigError, match="got 3 lists for 2 masks"):
        find_parts(batch, points=[[], [], []])
    with pytest.raises(ConfigError, match="points must lie in the mask"):
        find_parts(THREE, points=[[(60.0, 2.0)]])


def test_each_item_is_taken_apart_alone():
    batch = torch.cat([THREE, blank(), disks((20, 30, 8, 1.0))])
    found, empty = find_parts(batch)
    assert [len(parts) for parts in found] == [3, 0, 1]
    assert empty == [False, True, False]
    for number in (0, 2):
        alone = parts_of(batch[number : number + 1])
        for one, other in zip(found[number], alone, strict=True):
            assert one.box == other.box
            assert torch.equal(one.full(), other.full())


def test_policies_for_masks_without_parts():
    batch = torch.cat([THREE, blank()])
    with pytest.raises(ConfigError, match=r"mask 1 \(counted from 0\) has none"):
        find_parts(batch, on_empty="error")
    found, empty = find_parts(batch, on_empty="fallback", fallback=disks((20, 30, 8, 1.0)))
    assert [len(parts) for parts in found] == [3, 1]
    assert empty == [False, True]
    with pytest.raises(ConfigError, match="needs a fallback mask"):
        find_parts(batch, on_empty="fallback")
    with pytest.raises(ShapeError, match="fallback mask must have"):
        find_parts(batch, on_empty="fallback", fallback=torch.zeros(1, 1, 3, 3))


def test_unknown_options_are_refused():
    for options, words in (
        ({"order": "random"}, "order must be one of"),
        ({"threshold": 0.0}, "threshold must be above 0"),
        ({"limit": 0}, "limit must be at least 1"),
        ({"min_area": -1.0}, "min_area must be at least 0"),
        ({"on_empty": "skip"}, "on_empty must be one of"),
    ):
        with pytest.raises(ConfigError, match=words):
            find_parts(THREE, **options)


def test_keeping_the_largest():
    assert torch.equal(keep_parts(THREE, largest=1), disks((20, 12, 9, 1.0)))
    two = keep_parts(THREE, largest=2)
    assert torch.equal(two, disks((20, 12, 9, 1.0), (12, 40, 5, 1.0)))
    assert torch.equal(keep_parts(THREE, largest=5), THREE)


def test_keeping_by_area_counts_opacity():
    third = disks((30, 50, 3, 0.8)).sum().item()
    assert torch.equal(keep_parts(THREE, min_area=third - 0.1), THREE)
    assert keep_parts(THREE, min_area=third + 0.1)[0, 0, 30, 50] == 0
    assert keep_parts(THREE, min_area=10_000).max() == 0


def test_hair_and_soft_bridges_are_kept_with_the_largest():
    alpha = blank()
    alpha[..., 5:35, 5:35] = 1
    alpha[..., 20, 35:38] = 0.1
    alpha[..., 20, 38:55] = 0.9
    assert torch.equal(keep_parts(alpha, largest=1), alpha)


def test_haze_alone_is_left():
    haze = torch.full((1, 1, 4, 5), 0.03)
    assert torch.equal(keep_parts(haze, largest=1), haze)


def test_keeping_in_a_batch_and_in_half_precision():
    batch = torch.cat([THREE, blank(), disks((20, 30, 8, 1.0))])
    whole = keep_parts(batch, largest=1)
    for number in range(3):
        assert torch.equal(whole[number], keep_parts(batch[number : number + 1], largest=1)[0])
    assert torch.equal(keep_parts(batch.half(), largest=1), whole.half())


def test_areas_in_percent():
    assert area(10, "percent", (20, 50)) == 100
    assert area(10, "pixels", (20, 50)) == 10


def test_what_cannot_be_kept():
    with pytest.raises(ConfigError, match="largest must be at least 1"):
        keep_parts(THREE, largest=0)
