"""Objects that prompts mark, found by a predictor that sees everything bright."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from birefnet import ConfigError, ShapeError
from birefnet.detail import InDetail
from birefnet.guided import EXISTING_ALPHA, Prompt, predict_alpha, predict_objects
from birefnet.guided.select import inside_box, near_mask, own_parts
from birefnet.regions import Box

SIZE = (120, 160)


class Bright:
    """Finds all that is bright, or with `shy` only what is away from the view's border."""

    def __init__(self, side: int = 64, *, shy: bool = False, blind: int = 0) -> None:
        self.side, self.shy, self.blind = side, shy, blind
        self.views: list[tuple[int, int]] = []

    def network_size(self, image_size):
        return (self.side, self.side)

    def __call__(self, image, *, size=None, progress=None):
        self.views.append(tuple(image.shape[2:]))
        if progress is not None:
            progress(1.0)
        alpha = image[:, :1].clone()
        return alpha * 0 if len(self.views) <= self.blind else alpha


def disc(x: float, y: float, radius: float) -> Tensor:
    """(1, 1, *SIZE), in [0, 1], with a soft edge of two pixels."""
    rows, columns = torch.arange(SIZE[0])[:, None] + 0.5, torch.arange(SIZE[1]) + 0.5
    return ((radius - torch.hypot(rows - y, columns - x)) / 2 + 0.5).clamp(0, 1)[None, None]


LEFT, RIGHT = disc(40, 60, 20), disc(115, 55, 25)
BOXES = (Box(18, 38, 44, 44), Box(88, 28, 54, 54))
SCENE = torch.maximum(LEFT, RIGHT).expand(1, 3, *SIZE)


def find(*prompts: Prompt, scene: Tensor = SCENE, predictor=None, **options):
    return predict_objects(scene, predictor or Bright(), [list(prompts)], **options)


def test_each_box_gives_its_object_and_the_union_all():
    found = find(Prompt(box=BOXES[0]), Prompt(box=BOXES[1]))
    assert torch.equal(found.alphas, torch.cat([LEFT, RIGHT]))
    assert torch.equal(found.union, torch.maximum(LEFT, RIGHT))
    assert found.boxes == [[Box(20, 40, 40, 40), Box(90, 30, 50, 50)]]


def test_a_view_shows_the_box_with_context():
    for context, side in ((1.25, 55), (2.0, 88)):
        predictor = Bright()
        find(Prompt(box=BOXES[0]), predictor=predictor, context=context)
        assert predictor.views == [(side, side)]


def test_a_view_is_wide_enough_for_the_reach():
    predictor = Bright()
    find(Prompt(box=BOXES[0]), predictor=predictor, context=1.0, reach=50)
    assert predictor.views == [(88, 88)]


def test_long_boxes_are_not_distorted_much():
    predictor = Bright()
    find(Prompt(box=Box(0, 50, 160, 10)), predictor=predictor, reach=0)
    ((height, width),) = predictor.views[:1]
    assert width / height <= 2.01


def test_a_neighbor_in_the_view_is_left_out():
    close = torch.maximum(LEFT, disc(75, 60, 10))
    found = find(Prompt(box=BOXES[0]), scene=close.expand(1, 3, *SIZE), context=2.0)
    assert (found.union - LEFT).abs().max() < 1e-6


def test_an_object_fades_out_at_the_end_of_its_reach():
    """A bar through the whole picture: no border of the box or of the view can be seen."""
    bar = torch.zeros(1, 1, *SIZE)
    bar[:, :, 50:70] = 1
    alpha = find(Prompt(box=Box(60, 40, 40, 40)), scene=bar.expand(1, 3, *SIZE), reach=50).union
    row = alpha[0, 0, 60]
    assert row[60:100].min() == 1
    assert row[:40].max() == 0
    assert row[120:].max() == 0
    assert row.diff().abs().max() < 0.2
    cut = find(Prompt(box=Box(60, 40, 40, 40)), scene=bar.expand(1, 3, *SIZE), reach=0).union
    assert cut[0, 0, 60, 60:100].min() == 1
    assert cut[0, 0, 60, :59].max() == 0


def test_the_parts_of_a_box_lie_mostly_in_it_or_cover_it():
    scene = torch.maximum(LEFT, disc(40, 90, 6))  # a small part below, half outside the box
    box = Box(18, 38, 44, 48)
    assert (find(Prompt(box=box), scene=scene.expand(1, 3, *SIZE)).union - LEFT).abs().max() < 1e-3
    head = find(Prompt(box=Box(20, 40, 40, 15)), scene=LEFT.expand(1, 3, *SIZE)).union
    assert head[0, 0, 50, 40] == 1  # most of the disc is outside, but it covers the box


def test_a_point_selects_the_subject_it_lies_on():
    found = find(Prompt(points=((40.0, 60.0),)))
    assert (found.union - LEFT).abs().max() < 1e-6
    assert found.boxes == [[Box(20, 40, 40, 40)]]


def test_points_on_two_subjects_select_both():
    found = find(Prompt(points=((40.0, 60.0), (115.0, 55.0))))
    assert (found.union - torch.maximum(LEFT, RIGHT)).abs().max() < 1e-6


def test_a_point_on_nothing_in_the_whole_picture_is_looked_at_closer():
    predictor = Bright(blind=1)
    found = find(Prompt(points=((40.0, 60.0),)), predictor=predictor)
    assert (found.union - LEFT).abs().max() < 1e-6
    assert predictor.views[0] == SIZE
    assert len(predictor.views) == 3


def test_a_point_on_nothing_gives_nothing():
    predictor = Bright()
    found = find(Prompt(points=((5.0, 5.0),)), predictor=predictor)
    assert found.union.max() == 0
    assert found.boxes == [[None]]
    assert len(predictor.views) == 4


def test_the_whole_picture_is_looked_at_once_for_all_points():
    predictor = Bright()
    find(Prompt(points=((40.0, 60.0),)), Prompt(points=((115.0, 55.0),)), predictor=predictor)
    assert predictor.views.count(SIZE) == 1


def test_negative_points_leave_parts_out():
    box = Box(10, 20, 140, 80)
    both = find(Prompt(box=box)).union
    assert (both - torch.maximum(LEFT, RIGHT)).abs().max() < 1e-6
    one = find(Prompt(box=box, negative_points=((115.0, 55.0),))).union
    assert (one - LEFT).abs().max() < 1e-6


def test_a_part_with_both_kinds_of_points_is_divided():
    merged = torch.maximum(LEFT, disc(70, 60, 20))
    prompt = Prompt(points=((40.0, 60.0),), negative_points=((70.0, 60.0),))
    row = find(prompt, scene=merged.expand(1, 3, *SIZE)).union[0, 0, 60]
    assert row[30:50].min() == 1
    assert row[60:].max() == 0
    assert abs(float(row[54] + row[55]) / 2 - 0.5) < 0.1


def test_a_rough_mask_selects_what_it_covers():
    rough = F.avg_pool2d(F.pad(LEFT, (6, 0, 0, 0))[..., :160], 9, 1, 4) > 0.3
    found = find(Prompt(mask=rough.float()), reach=60)
    assert (found.union - LEFT).abs().max() < 1e-6


def test_a_mask_ends_near_its_border():
    bar = torch.zeros(1, 1, *SIZE)
    bar[:, :, 50:70] = 1
    mask = bar.clone()
    mask[..., :60], mask[..., 100:] = 0, 0
    alpha = find(Prompt(mask=mask), scene=bar.expand(1, 3, *SIZE), reach=20).union
    assert alpha[mask > 0].min() == 1
    assert alpha[..., :52].max() == 0
    assert alpha[..., 108:].max() == 0


def test_an_object_that_is_not_seen_gets_a_wider_view():
    predictor = Bright(blind=1)
    found = find(Prompt(box=BOXES[0]), predictor=predictor)
    assert [height for height, _ in predictor.views] == [55, 110]
    assert (found.union - LEFT).abs().max() < 1e-6


def test_images_are_independent_and_may_have_no_object():
    scenes = torch.cat([SCENE, SCENE, LEFT.expand(1, 3, *SIZE)])
    prompts = [[Prompt(box=BOXES[1])], [], [Prompt(box=BOXES[0]), Prompt(points=((40.0, 60.0),))]]
    found = predict_objects(scenes, Bright(), prompts)
    assert [len(places) for places in found.boxes] == [1, 0, 2]
    assert found.alphas.shape == (3, 1, *SIZE)
    assert found.union[1].max() == 0
    for number, own in enumerate(prompts):
        alone = predict_objects(scenes[number : number + 1], Bright(), [own])
        assert torch.equal(found.union[number : number + 1], alone.union)


def test_existing_opacity_limits_objects():
    half = torch.cat([SCENE, torch.full((1, 1, *SIZE), 0.5)], dim=1)
    found = find(Prompt(box=BOXES[0]), scene=half)
    assert torch.equal(found.union, LEFT / 2)
    assert torch.equal(found.alphas, LEFT / 2)


def test_dtype_is_kept_and_progress_rises():
    seen: list[float] = []
    found = predict_objects(
        SCENE.half(),
        Bright(),
        [[Prompt(box=BOXES[0]), Prompt(points=((5.0, 5.0),))]],
        progress=seen.append,
    )
    assert found.union.dtype == found.alphas.dtype == torch.float16
    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_objects_can_be_looked_at_in_detail():
    large = F.interpolate(SCENE, scale_factor=4, mode="nearest")
    predictor = Bright()
    box = Box(4 * 18, 4 * 38, 4 * 44, 4 * 44)
    found = predict_objects(
        large, InDetail(predictor=predictor, detail="tiles"), [[Prompt(box=box)]]
    )
    assert len(predictor.views) > 5
    assert predictor.views[1:].count((64, 64)) >= len(predictor.views) - 6
    expected = F.interpolate(LEFT, scale_factor=4, mode="nearest")
    assert (found.union - expected).abs().mean() < 0.002


@pytest.mark.parametrize(
    ("options", "words"),
    [({"context": 0.9}, "context must be at least 1"), ({"reach": -1}, "reach must be at least")],
)
def test_impossible_options_are_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        find(Prompt(box=BOXES[0]), **options)


def test_prompts_must_fit_the_images():
    with pytest.raises(ConfigError, match="got 2 for 1 images"):
        predict_objects(SCENE, Bright(), [[], []])
    with pytest.raises(ShapeError, match="channels"):
        predict_objects(torch.rand(1, 5, 8, 8), Bright(), [[]])


# --- parts ----------------------------------------------------------------------------------------


def test_weights_of_a_box_are_one_inside_and_fall_smoothly():
    weight = inside_box(Box(20, 30, 40, 20), 0.5, (100, 100))[0, 0]
    assert weight[25:55, 10:70].min() == 1
    assert weight[:20].max() == 0
    assert weight[60:].max() == 0
    assert weight[:, 80:].max() == 0
    assert weight[40].diff().abs().max() < 0.16
    hard = inside_box(Box(20, 30, 40, 20), 0, (100, 100))[0, 0]
    assert hard.sum() == 800


def test_weights_of_a_mask_fall_with_the_distance():
    inside = torch.zeros(1, 1, 1, 30, dtype=torch.bool)
    inside[..., 10:20] = True
    weight = near_mask(inside, 6)[0, 0, 0]
    assert weight[7:23].min() == 1
    assert weight[3] == weight[26] == 0
    assert 0 < weight[4] < weight[5] < 1
    assert near_mask(inside & False, 5).max() == 0


def test_soft_pixels_go_with_the_nearest_part():
    alpha = torch.zeros(1, 1, 1, 40)
    alpha[..., 5:10] = 1
    alpha[..., 30:35] = 1
    alpha[..., 10:13], alpha[..., 27:30] = 0.3, 0.3
    prompt = torch.zeros(1, 1, 1, 40, dtype=torch.bool)
    prompt[..., 4:11] = True
    own = own_parts(alpha, prompt)[0, 0, 0]
    assert torch.equal(own[:13], alpha[0, 0, 0, :13])
    assert own[27:].max() == 0


# --- existing alpha -------------------------------------------------------------------------------


def transparent(alpha: Tensor) -> Tensor:
    return torch.cat([SCENE, alpha], dim=1)


class Careful(Bright):
    """Like `Predictor`: a fourth channel limits the result."""

    def __call__(self, image, *, size=None, progress=None):
        alpha = super().__call__(image, size=size, progress=progress)
        return alpha * image[:, 3:] if image.shape[1] == 4 else alpha


def test_existing_alpha_is_multiplied_or_ignored():
    image = transparent(torch.full((1, 1, *SIZE), 0.25))
    both = torch.maximum(LEFT, RIGHT)
    assert torch.equal(predict_alpha(image, Careful()), both / 4)
    assert torch.equal(predict_alpha(image, Careful(), existing_alpha="ignore"), both)


def test_existing_alpha_as_prior_is_a_rough_mask():
    rough = (F.avg_pool2d(LEFT, 7, 1, 3) > 0.4).float()
    found = predict_alpha(transparent(rough), Careful(), existing_alpha="prior")
    assert (found - LEFT).abs().max() < 1e-5


def test_an_opaque_prior_says_nothing_and_an_empty_one_that_nothing_is_there():
    images = torch.cat(
        [transparent(torch.ones(1, 1, *SIZE)), transparent(torch.zeros(1, 1, *SIZE))]
    )
    found = predict_alpha(images, Careful(), existing_alpha="prior")
    assert torch.equal(found[:1], torch.maximum(LEFT, RIGHT))
    assert found[1].max() == 0


@pytest.mark.parametrize("existing", EXISTING_ALPHA)
def test_images_without_alpha_are_simply_predicted(existing):
    found = predict_alpha(SCENE, Careful(), existing_alpha=existing)
    assert torch.equal(found, torch.maximum(LEFT, RIGHT))


def test_unknown_ways_are_refused():
    with pytest.raises(ConfigError, match="multiply, ignore, prior"):
        predict_alpha(SCENE, Careful(), existing_alpha="add")
