"""Detail mode with predictors that know the truth, and with some that lie."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from birefnet import ConfigError, ShapeError
from birefnet.detail import DETAILS, InDetail, predict_in_detail
from birefnet.detail.grid import starts, weights
from birefnet.detail.trust import from_logits, to_logits
from birefnet.detail.views import View, look, sample, whole
from birefnet.preprocess import resize

SIDE = 64


class Oracle:
    """Knows the truth, the first channel, but only at the size at which it looks."""

    def __init__(self, side: int = SIDE) -> None:
        self.side = side
        self.looks: list[tuple[tuple[int, int], tuple[int, int]]] = []

    def network_size(self, image_size):
        return (self.side, self.side)

    def __call__(self, image, *, size=None, progress=None):
        assert image.shape[1] in (1, 3)
        size = size or self.network_size(image.shape[2:])
        height, width = image.shape[2:]
        self.looks += [((height, width), size)] * len(image)
        seen = resize(image[:, :1].float(), size)
        alpha = resize(seen.clamp(0, 1), (height, width)).clamp(0, 1)
        if progress is not None:
            progress(0.5)
            progress(1.0)
        return alpha.to(image.dtype)


class Liar(Oracle):
    """Tells the truth about the whole image, and something else about its parts."""

    def __init__(self, lie, side: int = SIDE) -> None:
        super().__init__(side)
        self.lie = lie

    def __call__(self, image, *, size=None, progress=None):
        first = not self.looks
        alpha = super().__call__(image, size=size, progress=progress)
        return alpha if first else self.lie(alpha)


def hairy(
    side: int = 512,
    *,
    center: tuple[float, float] = (0.5, 0.5),
    radius: float = 0.25,
    strands: int = 80,
) -> Tensor:
    """A disc with strands around it, (1, 1, side, side), in [0, 1]."""
    place = (torch.arange(side) + 0.5) / side
    y, x = place[:, None] - center[0], place[None] - center[1]
    distance, angle = torch.hypot(y, x), torch.atan2(y, x)
    disc = ((radius - distance) * side + 0.5).clamp(0, 1)
    hair = ((torch.sin(strands * angle) * distance / 80 + 0.0005) * side + 0.5).clamp(0, 1)
    hair *= distance < 1.4 * radius
    return (torch.maximum(disc, hair) if strands else disc)[None, None]


def picture(truth: Tensor) -> Tensor:
    """What the oracle reads the truth from."""
    return truth.expand(-1, 3, -1, -1)


def boundary_iou(alpha: Tensor, truth: Tensor, width: int = 3) -> float:
    """Agreement of the rims of two mattes, cut at one half."""

    def rim(mask: Tensor) -> Tensor:
        padded = F.pad((mask < 0.5).float(), (1, 1, 1, 1), value=1.0)
        near = F.max_pool2d(padded, 2 * width + 1, 1, width)[..., 1:-1, 1:-1]
        return (mask >= 0.5) & (near > 0)

    one, other = rim(alpha), rim(truth)
    return float((one & other).sum() / (one | other).sum())


def grow(mask: Tensor, radius: int) -> Tensor:
    """The largest value in a square around each pixel; a negative radius gives the smallest."""
    if radius < 0:
        return -grow(-mask, -radius)
    for kernel in ((2 * radius + 1, 1), (1, 2 * radius + 1)):
        mask = F.max_pool2d(mask, kernel, 1, [side // 2 for side in kernel])
    return mask


@pytest.fixture(scope="module")
def truth():
    return hairy()


@pytest.fixture(scope="module")
def once(truth):
    """What a single look finds."""
    return predict_in_detail(picture(truth), Oracle(), detail="off")


@pytest.fixture(scope="module")
def closer(truth):
    """What an honest predictor finds tile by tile."""
    return predict_in_detail(picture(truth), Oracle(), detail="tiles")


# --- what it is for -------------------------------------------------------------------------------


def test_tiles_find_strands_that_one_look_cannot_see(truth, once, closer):
    assert boundary_iou(closer, truth) > boundary_iou(once, truth) + 0.2
    assert boundary_iou(closer, truth) > 0.97
    assert (closer - truth).abs().mean() < (once - truth).abs().mean() / 10
    assert (closer - truth).abs().max() < 0.1


def test_a_crop_sees_a_small_subject_better():
    small = hairy(radius=0.12, center=(0.3, 0.7), strands=24)
    oracle = Oracle()
    once = predict_in_detail(picture(small), Oracle(), detail="off")
    closer = predict_in_detail(picture(small), oracle, detail="crop")
    assert len(oracle.looks) == 2
    assert boundary_iou(closer, small) > boundary_iou(once, small) + 0.2


def test_subjects_far_apart_get_a_crop_each():
    apart = torch.maximum(
        hairy(radius=0.07, center=(0.2, 0.2), strands=16),
        hairy(radius=0.08, center=(0.8, 0.75), strands=16),
    )
    oracle = Oracle()
    once = predict_in_detail(picture(apart), Oracle(), detail="off")
    closer = predict_in_detail(picture(apart), oracle, detail="crop")
    assert len(oracle.looks) == 3
    assert boundary_iou(closer, apart) > boundary_iou(once, apart) + 0.2


def test_a_subject_that_fills_the_image_is_looked_at_once():
    oracle = Oracle()
    full = hairy(256, radius=0.34)
    closer = predict_in_detail(picture(full), oracle, detail="crop")
    assert len(oracle.looks) == 1
    assert boundary_iou(closer, full) > 0.4


def test_tiles_see_the_image_at_its_own_scale(truth):
    oracle = Oracle()
    predict_in_detail(picture(truth), oracle, detail="tiles")
    for size, seen in oracle.looks[1:]:
        assert size == seen == (SIDE, SIDE)


def test_only_tiles_at_edges_are_looked_at():
    oracle = Oracle()
    predict_in_detail(picture(hairy(radius=0.1)), oracle, detail="tiles")
    grids = len(starts(512, SIDE)) ** 2 + len(starts(171, SIDE)) ** 2
    assert 10 < len(oracle.looks) < grids / 2


# --- nothing is invented --------------------------------------------------------------------------


def blob(alpha):
    result = alpha.clone()
    result[:, :, 4:24, 4:24] = 1
    return result


def chess(alpha):
    squares = (torch.arange(4)[:, None] + torch.arange(4)) % 2
    return F.interpolate(squares.float()[None, None], alpha.shape[2:]).expand_as(alpha)


LIES = {
    "nothing": torch.zeros_like,
    "everything": torch.ones_like,
    "the opposite": lambda alpha: 1 - alpha,
    "a blob": blob,
    "chess": chess,
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("detail", ["crop", "tiles"])
def test_looks_that_contradict_the_first_one_do_little_harm(lie, detail):
    truth = hairy(radius=0.35, strands=0)
    once = predict_in_detail(picture(truth), Oracle(), detail="off")
    result = predict_in_detail(picture(truth), Liar(LIES[lie]), detail=detail)
    known = grow((once > 0.02).float(), 12 * 512 // SIDE)
    assert (result * (1 - known)).max() == 0  # nothing away from what was known
    sure = grow((once > 0.98).float(), -(6 * 512 // SIDE + 32)) > 0
    assert bool(sure.any())
    assert result[sure].min() == 1  # no hole in what was sure
    error, before = ((one - truth).abs().mean() for one in (result, once))
    assert error < 1.25 * before


def test_a_part_that_nobody_knew_is_dropped():
    disc = hairy(strands=0)

    class Imaginative(Oracle):
        """Sees specks within the open band, near the edge but apart from the subject."""

        def __call__(self, image, *, size=None, progress=None):
            alpha = super().__call__(image, size=size, progress=progress)
            if len(self.looks) > 1:
                specks = torch.zeros_like(alpha)
                specks[..., ::12, ::12] = 1
                alpha = torch.maximum(alpha, grow(specks, 1) * (grow(alpha, 3) == 0))
            return alpha

    result = predict_in_detail(picture(disc), Imaginative(), detail="tiles")
    honest = predict_in_detail(picture(disc), Oracle(), detail="tiles")
    outside = grow(disc, 5) == 0
    assert (result - honest)[outside].max() < 0.05


def test_what_was_sure_stays_exactly_so(truth, closer):
    far = grow(truth, 100) == 0
    deep = grow(truth, -88) == 1
    assert bool(far.any())
    assert bool(deep.any())
    assert closer[far].max() == 0
    assert closer[deep].min() == 1


@pytest.mark.parametrize("detail", ["crop", "tiles"])
def test_no_seams_where_neighboring_looks_differ(detail):
    """All is open, and each look finds another opacity; it must change gradually."""
    veil = torch.full((1, 3, 300, 300), 0.5)
    answers = itertools.cycle([0.35, 0.65, 0.5, 0.6])

    class Fickle(Oracle):
        def __call__(self, image, *, size=None, progress=None):
            self.looks.append(image.shape)
            if len(self.looks) == 1:
                return torch.full((len(image), 1, *image.shape[2:]), 0.5)
            return torch.stack([torch.full((1, *image.shape[2:]), next(answers)) for _ in image])

    result = predict_in_detail(veil, Fickle(), detail=detail)
    assert result.max() - result.min() > (0.1 if detail == "tiles" else -1)
    for dim in (2, 3):
        assert result.diff(dim=dim).abs().max() < 0.04


# --- its parts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "side"), [(1, 1), (5, 5), (100, 64), (65, 64), (640, 64), (1000, 33), (97, 4)]
)
def test_tiles_cover_the_axis_and_their_weights_add_up_to_one(length, side):
    begins = starts(length, side)
    assert begins[0] == 0
    assert begins[-1] + side == length
    total = torch.zeros(length)
    for begin, weight in zip(begins, weights(begins, side), strict=True):
        assert weight.min() >= 0
        total[begin : begin + side] += weight
    assert torch.allclose(total, torch.ones(length), atol=1e-6)


def test_weights_are_smooth_and_vanish_at_the_ends():
    first, middle, last = weights([0, 48, 96], 64)
    for weight in (first, middle, last):
        assert weight.diff().abs().max() < 0.12
    assert middle[0] < 0.01
    assert middle[-1] < 0.01
    assert first[0] == last[-1] == 1


def test_logits_keep_zero_and_one():
    alpha = torch.tensor([0.0, 1.0, 0.5, 1e-4, 0.9999])
    back = from_logits(to_logits(alpha))
    assert back[0] == 0
    assert back[1] == 1
    assert torch.allclose(back, alpha, atol=2e-5)
    assert to_logits(alpha).abs().max() < 7


def test_a_view_averages_what_it_covers():
    image = torch.arange(5 * 7.0).view(1, 1, 5, 7)
    seen = look(image, whole((5, 7), 3))
    assert seen.shape == (1, 1, 2, 3)
    assert seen[0, 0, 0, 0] == image[0, 0, :3, :3].mean()
    assert seen[0, 0, 1, 2] == image[0, 0, 3:, 6:].mean()
    part = look(image, View(2, 1, 2, 2, 1))
    assert torch.equal(part, image[:, :, 2:4, 1:3])


@pytest.mark.parametrize(("factor", "wanted"), [(4, 1), (3, 2), (5, 5), (2, 3)])
def test_planes_are_read_where_they_lie(factor, wanted):
    """A plane that holds positions gives the positions that are asked for."""
    size = (67, 94)
    at = whole(size, factor)
    rows = ((torch.arange(at.height) + 0.5) * factor)[:, None].expand(at.height, at.width)
    plane = rows[None, None].clone()
    view = View(13, 6, 9, 11, wanted)
    expected = 13 + (torch.arange(9) + 0.5) * wanted
    read = sample(plane, at, view)
    assert read.shape == (1, 1, 9, 11)
    assert torch.allclose(read, expected[None, None, :, None].expand(1, 1, 9, 11), atol=1e-4)
    all_at_once = sample(plane, at, whole(size))
    assert torch.equal(all_at_once[:, :, 20:33], sample(plane, at, View(20, 0, 13, 94, 1)))


# --- how it is called -----------------------------------------------------------------------------


@pytest.mark.parametrize("detail", ["crop", "tiles"])
def test_a_batch_gives_what_its_images_give_alone(detail):
    images = torch.cat([picture(hairy(300, radius=r)) for r in (0.1, 0.2, 0.3)])
    together = predict_in_detail(images, Oracle(), detail=detail)
    for number in range(3):
        alone = predict_in_detail(images[number : number + 1], Oracle(), detail=detail)
        assert torch.equal(together[number], alone[0])


@pytest.mark.parametrize("detail", ["crop", "tiles"])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (129, 128), (257, 640), (64, 1000)])
def test_any_size_works(detail, size):
    generator = torch.Generator().manual_seed(0)
    smooth = F.interpolate(torch.rand(1, 1, 3, 4, generator=generator), size, mode="bilinear")
    result = predict_in_detail(picture((smooth > 0.5).float()), Oracle(), detail=detail)
    assert result.shape == (1, 1, *size)
    assert bool(result.isfinite().all())
    assert result.min() >= 0
    assert result.max() <= 1


def test_an_image_no_larger_than_a_look_is_looked_at_once():
    oracle = Oracle()
    image = picture(hairy(SIDE))
    result = predict_in_detail(image, oracle, detail="tiles")
    assert len(oracle.looks) == 1
    assert torch.allclose(result, image[:, :1], atol=1e-4)


def test_existing_opacity_limits_the_result(truth, closer):
    image = torch.cat([picture(truth), torch.full_like(truth, 0.25)], dim=1)
    result = predict_in_detail(image, Oracle(), detail="tiles")
    assert torch.allclose(result, closer * 0.25, atol=1e-6)


def test_gray_images_work(truth, closer):
    assert torch.equal(predict_in_detail(truth, Oracle(), detail="tiles"), closer)


def test_half_precision_images_stay_so(truth, closer):
    result = predict_in_detail(picture(truth).half(), Oracle(), detail="tiles")
    assert result.dtype == torch.float16
    assert (result.float() - closer).abs().max() < 0.02


@pytest.mark.parametrize("detail", DETAILS)
def test_progress_rises_to_one_and_can_stop_the_work(detail):
    seen: list[float] = []
    image = picture(hairy(200)).repeat(2, 1, 1, 1)
    predict_in_detail(image, Oracle(), detail=detail, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1

    def stop(fraction):
        if fraction > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_in_detail(image, Oracle(), detail=detail, progress=stop)


def test_another_size_of_looks_can_be_asked_for():
    oracle = Oracle()
    predict_in_detail(picture(hairy(300)), oracle, detail="tiles", size=(128, 96))
    assert {seen for _, seen in oracle.looks} == {(128, 96)}


def test_in_detail_is_a_predictor():
    image = picture(hairy(200))
    for detail in DETAILS:
        fine = InDetail(predictor=Oracle(), detail=detail)
        assert fine.network_size((5, 5)) == (SIDE, SIDE)
        assert torch.equal(fine(image), predict_in_detail(image, Oracle(), detail=detail))


def test_what_is_impossible_is_refused(truth):
    with pytest.raises(ConfigError, match="off, crop, tiles"):
        predict_in_detail(picture(truth), Oracle(), detail="fine")
    with pytest.raises(ShapeError, match="channels"):
        predict_in_detail(torch.rand(1, 5, 8, 8), Oracle(), detail="tiles")


MEMORY = """
import resource, sys, torch
sys.path.insert(0, sys.argv[1])
from test_detail import Oracle, hairy, picture
from birefnet.detail import predict_in_detail
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
torch.set_num_threads(1)
predict_in_detail(picture(hairy(512)), Oracle(256), detail="tiles")  # libraries are loaded
side = 4096
image = torch.nn.functional.interpolate(hairy(512), size=(side, side)).expand(1, 3, side, side)
before = peak()
result = predict_in_detail(image, Oracle(256), detail="tiles")
print(peak() - before - result.numel() * 4 / 2**20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux only")
def test_memory_does_not_grow_with_the_image():
    """Beyond image and result; a plane of this image alone has 64 MiB."""
    from pathlib import Path

    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, here], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 48, done.stdout
