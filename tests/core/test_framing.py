"""Subjects on a canvas: where they come to lie, how large, and what their edges look like."""

from __future__ import annotations

import pytest
import torch

from birefnet import ConfigError, ShapeError, cutout
from birefnet.filters import gaussian_blur
from birefnet.framing import POSITIONS, check_framing, frame_subject
from birefnet.regions import Box, bounding_box


def block(box: Box, size: tuple[int, int] = (60, 80), color: float = 0.8) -> torch.Tensor:
    """An opaque rectangle of one color on invisible black."""
    picture = torch.zeros(1, 4, *size)
    inside = picture[:, :, box.top : box.bottom, box.left : box.right]
    inside[:, :3], inside[:, 3:] = color, 1
    return picture


def seen(canvas: torch.Tensor) -> Box:
    (box,) = bounding_box(canvas[:, 3:], 0.5)
    assert box is not None
    return box


SMALL = Box(10, 5, 20, 30)  # left, top, width, height


def test_a_subject_that_fits_keeps_size_and_values() -> None:
    picture = cutout(torch.rand(1, 3, 60, 80), block(SMALL)[:, 3:] * torch.rand(1, 1, 60, 80))
    picture[:, 3, 5:35, 10] = picture[:, 3, 5:35, 29] = 1  # so that its box is known
    picture[:, 3, 5, 10:30] = picture[:, 3, 34, 10:30] = 1
    canvas, mask = frame_subject(picture)
    assert canvas.shape == picture.shape
    assert torch.equal(canvas[:, :, 15:45, 30:50], picture[:, :, 5:35, 10:30])
    assert torch.equal(mask, canvas[:, 3:])
    assert canvas[:, 3].sum() == pytest.approx(float(picture[:, 3].sum()))


PLACES = {
    "center": (40, 35),
    "top left": (10, 10),
    "top": (40, 10),
    "top right": (70, 10),
    "left": (10, 35),
    "right": (70, 35),
    "bottom left": (10, 60),
    "bottom": (40, 60),
    "bottom right": (70, 60),
}


@pytest.mark.parametrize("position", PLACES)
def test_nine_positions_within_the_margins(position: str) -> None:
    canvas, _ = frame_subject(block(SMALL), size=(100, 100), margin=10, position=position)
    left, top = PLACES[position]
    assert seen(canvas) == Box(left, top, 20, 30)


def test_every_position_is_known() -> None:
    assert set(POSITIONS) == {*PLACES, "centroid"}
    assert POSITIONS[0] == "center"


def test_the_margin_is_percent_of_the_shorter_side() -> None:
    canvas, _ = frame_subject(block(SMALL), size=(100, 200), margin=5, position="top left")
    assert seen(canvas) == Box(5, 5, 20, 30)


def test_it_never_enlarges_unless_asked() -> None:
    options = {"size": (300, 300), "margin": 10}
    assert seen(frame_subject(block(SMALL), **options)[0]).size == (30, 20)
    enlarged = seen(frame_subject(block(SMALL), upscale=True, **options)[0])
    assert enlarged == Box(70, 30, 160, 240)


@pytest.mark.parametrize("upscale", [False, True])
def test_what_is_too_large_is_made_smaller(upscale: bool) -> None:
    picture = block(Box(0, 10, 80, 40))
    canvas, _ = frame_subject(picture, size=(50, 50), margin=10, upscale=upscale)
    box = seen(canvas)
    assert box == Box(5, 15, 40, 20)


def test_a_subject_is_found_wherever_it_is_on_a_large_picture() -> None:
    picture = block(Box(700, 20, 50, 100), size=(300, 900))
    canvas, _ = frame_subject(picture, size=(40, 40))
    box = seen(canvas)
    assert box.height == 40
    assert box.width == 20
    assert box.left == 10


def test_the_centroid_comes_into_the_middle() -> None:
    picture = torch.maximum(block(Box(10, 20, 10, 20)), block(Box(20, 28, 40, 4)))
    canvas, mask = frame_subject(picture, size=(100, 120), position="centroid")
    columns = torch.arange(120) + 0.5
    rows = torch.arange(100) + 0.5
    assert float((mask[0, 0] * columns).sum() / mask.sum()) == pytest.approx(60, abs=0.6)
    assert float((mask[0, 0] * rows[:, None]).sum() / mask.sum()) == pytest.approx(50, abs=0.6)
    centered = seen(frame_subject(picture, size=(100, 120))[0])
    assert seen(canvas).left > centered.left + 3


def test_the_centroid_keeps_the_margins() -> None:
    picture = torch.maximum(block(Box(10, 20, 10, 20)), block(Box(20, 28, 40, 4)))
    for upscale, size in ((False, (40, 40)), (True, (200, 200))):
        canvas, _ = frame_subject(
            picture, size=size, margin=10, position="centroid", upscale=upscale
        )
        box, edge = seen(canvas), size[0] // 10
        assert box.left >= edge - 1
        assert box.right <= size[1] - edge + 1
        assert max(edge - box.left, box.right - (size[1] - edge)) >= -1  # and uses the room


def soft_disc(side: int = 96) -> torch.Tensor:
    place = torch.arange(side) - side / 2 + 0.5
    distance = (place[:, None] ** 2 + place[None] ** 2).sqrt()
    return ((side / 3 - distance) / 6 + 0.5).clamp(0, 1)[None, None]


@pytest.mark.parametrize("size", [(50, 50), (400, 400)])
def test_edges_carry_neither_black_nor_another_color(size: tuple[int, int]) -> None:
    alpha = soft_disc()
    color = torch.tensor([0.9, 0.3, 0.2]).view(1, 3, 1, 1) * (alpha > 0)
    canvas, _ = frame_subject(cutout(color, alpha), size=size, upscale=True)
    visible = (canvas[:, 3:] > 0.01).expand(1, 3, *size)
    expected = torch.tensor([0.9, 0.3, 0.2]).view(1, 3, 1, 1).expand(1, 3, *size)
    assert (canvas[:, :3] - expected)[visible].abs().max() < 0.004
    assert canvas.min() >= 0
    assert canvas.max() <= 1


def test_soft_edges_stay_soft_and_smooth() -> None:
    alpha = soft_disc()
    _, mask = frame_subject(cutout(torch.ones(1, 3, 96, 96), alpha), size=(400, 400), upscale=True)
    row = mask[0, 0, 200, :200]
    assert ((row > 0.05) & (row < 0.95)).sum() > 15
    assert (row.diff() >= -1e-4).all()


def test_shrinking_averages_fine_detail() -> None:
    stripes = (torch.arange(240) % 2).float().view(1, 1, 1, 240).expand(1, 1, 240, 240)
    canvas, _ = frame_subject(cutout(torch.ones(1, 3, 240, 240), stripes), size=(60, 60))
    assert (canvas[:, 3, 10:50, 10:50] - 0.5).abs().max() < 0.05


def test_faint_parts_are_drawn_but_not_measured() -> None:
    picture = block(SMALL)
    picture[:, 3, 40:50, 60:70] = 0.04
    canvas, _ = frame_subject(picture, size=(100, 100))
    assert seen(canvas) == Box(40, 35, 20, 30)
    assert canvas[0, 3, 70:80, 90:100].min() == pytest.approx(0.04)
    measured, _ = frame_subject(picture, size=(100, 100), threshold=0.01)
    assert seen(measured).left < 30


def test_the_mask_is_measured_and_the_shadow_comes_along() -> None:
    picture, mask = block(SMALL), block(SMALL)[:, 3:]
    picture[:, 3, 34:40, 30:70] = 0.6  # a shadow to the lower right
    canvas, framed = frame_subject(picture, mask, size=(100, 160))
    assert seen(cutout(canvas[:, :3], framed)) == Box(70, 35, 20, 30)
    assert canvas[0, 3, 66, 100] == pytest.approx(0.6)
    assert framed[0, 0, 66, 100] == 0
    alone, _ = frame_subject(picture, size=(100, 160))
    assert seen(alone).left == 50


def test_a_batch_of_different_subjects_equals_its_items() -> None:
    boxes = (SMALL, Box(0, 0, 80, 60), Box(70, 50, 5, 5))
    pictures = torch.cat([block(box) for box in boxes] + [torch.zeros(1, 4, 60, 80)])
    options = {"size": (50, 40), "margin": 5, "upscale": True, "position": "bottom"}
    together = frame_subject(pictures, **options)
    for item in range(4):
        alone = frame_subject(pictures[item : item + 1], **options)
        for part, whole in zip(alone, together, strict=True):
            torch.testing.assert_close(part[0], whole[item])
    sizes = [seen(together[0][item : item + 1]).size for item in range(3)]
    assert sizes[0] == pytest.approx((46, 31), abs=1)
    assert sizes[1] == pytest.approx((27, 36), abs=1)
    assert sizes[2] == pytest.approx((36, 36), abs=1)


def test_an_empty_mask_leaves_the_canvas_empty() -> None:
    canvas, mask = frame_subject(torch.rand(1, 4, 20, 30), torch.zeros(1, 1, 20, 30), size=(9, 8))
    assert canvas.shape == (1, 4, 9, 8)
    assert canvas.max() == 0
    assert mask.max() == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (7, 3)])
def test_tiny_canvases(size: tuple[int, int]) -> None:
    canvas, _ = frame_subject(block(SMALL), size=size)
    assert canvas.isfinite().all()
    assert canvas[:, 3].max() > 0.3


def test_half_precision_stays_half_precision() -> None:
    picture = cutout(torch.rand(1, 3, 96, 96), soft_disc())
    half, mask = frame_subject(picture.half(), size=(50, 50))
    full, _ = frame_subject(picture, size=(50, 50))
    assert half.dtype == mask.dtype == torch.float16
    assert (half[:, 3:].float() - full[:, 3:]).abs().max() < 2e-3


def test_large_enlargements_only_draw_what_is_on_the_canvas() -> None:
    picture = block(Box(500, 500, 4, 4), size=(1000, 1000))
    picture[:, 3] = gaussian_blur(picture[:, 3:], 0.3)[:, 0]
    canvas, _ = frame_subject(picture, size=(512, 512), upscale=True)  # 128 times as large
    box = seen(canvas)
    assert box.width == pytest.approx(512, abs=80)
    assert abs(box.left + box.right - 512) <= 4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": (0, 10)}, "at least 1 x 1 pixels, got 10 x 0"),
        ({"margin": 50}, "margin must lie in 0 to below 50"),
        ({"margin": -1}, "margin must lie in 0 to below 50"),
        ({"margin": float("nan")}, "margin must lie in 0 to below 50"),
        ({"position": "middle"}, "position must be one of center, top left"),
        ({"threshold": 1.0}, "threshold must lie in 0 to below 1"),
    ],
)
def test_impossible_options_are_refused(options: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        frame_subject(block(SMALL), **options)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match="4"):
        frame_subject(torch.rand(1, 3, 5, 5))
    with pytest.raises(ShapeError, match="resize it to the image"):
        frame_subject(torch.rand(1, 4, 5, 5), torch.rand(1, 1, 5, 6))
    check_framing((10, 10), 5, "center")
