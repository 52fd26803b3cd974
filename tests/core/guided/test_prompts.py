"""Boxes, points and masks in all the forms in which they come."""

from __future__ import annotations

import json

import pytest
import torch

from birefnet import ConfigError
from birefnet.guided import Prompt, parse_boxes, read_boxes, read_points, read_prompts
from birefnet.regions import Box

SIZE = (100, 200)
ONE = {"x": 10, "y": 20, "width": 30, "height": 40}
BOX = Box(10, 20, 30, 40)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, []),
        ([], []),
        ("", []),
        (ONE, [[BOX]]),
        ([ONE], [[BOX]]),
        ((ONE, ONE), [[BOX, BOX]]),
        ([[ONE], []], [[BOX], []]),
        ([[ONE], None, [ONE, ONE]], [[BOX], [], [BOX, BOX]]),
        ([{**ONE, "label": "cat", "score": 0.5, "metadata": {}}], [[BOX]]),
        ({"x": 9.6, "y": 20.4, "width": 30.2, "height": 39.7}, [[BOX]]),
        ({"x": "10", "y": "20", "width": "30", "height": "40"}, [[BOX]]),
        ("10, 20, 30, 40", [[BOX]]),
    ],
)
def test_boxes_of_other_programs(given, expected):
    assert read_boxes(given, SIZE) == expected


def test_boxes_that_reach_outside_are_cut_at_the_border():
    box = {"x": -5.5, "y": 90, "width": 20, "height": 40}
    assert read_boxes(box, SIZE) == [[Box(0, 90, 14, 10)]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10, 20, 30, 40", [BOX]),
        ("5%,20%,15%,40%", [BOX]),
        (" 10 , 20%, 15 % ,40 ", [BOX]),
        ("10,20,30,40; 0,0,100%,100%", [BOX, Box(0, 0, 200, 100)]),
        ("10,20,30,40\n12.5%, 0, 5e1, .5;\n", [BOX, Box(25, 0, 50, 1)]),
        (" ; ", []),
    ],
)
def test_typed_boxes(text, expected):
    assert parse_boxes(text, SIZE) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2,3", "left, top, width, height"),
        ("1,2,3,4,5", "left, top, width, height"),
        ("1,2,3,x", "'1,2,3,x'"),
        ("10,20,0,40", "positive width"),
        ("10,20,-5,40", "positive width"),
        ("200,0,5,5", "200 x 100 pixels"),
        ("101%,0,5,5", "another size"),
    ],
)
def test_typed_boxes_that_make_no_sense(text, words):
    with pytest.raises(ConfigError, match=words):
        parse_boxes(text, SIZE)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (5, "a int"),
        ([5], "x, y, width and height"),
        ({"x": 1, "y": 2, "width": 3}, "x, y, width and height"),
        ({**ONE, "x": "left"}, "x, y, width and height"),
        ({**ONE, "width": float("nan")}, "positive width"),
        ({**ONE, "y": 100}, "another size"),
        ([[ONE], ONE], "x, y, width and height"),
    ],
)
def test_boxes_that_make_no_sense(given, words):
    with pytest.raises(ConfigError, match=words):
        read_boxes(given, SIZE)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, []),
        ("", []),
        ("[]", []),
        ('[{"x": 3, "y": 4.5}]', [[(3.0, 4.5)]]),
        ('{"x": 3, "y": 4}', [[(3.0, 4.0)]]),
        ([{"x": 3, "y": 4}], [[(3.0, 4.0)]]),
        ('[[{"x": 1, "y": 2}], []]', [[(1.0, 2.0)], []]),
    ],
)
def test_points_as_sam3_takes_them(given, expected):
    assert read_points(given) == expected


@pytest.mark.parametrize("given", ['[{"x": 3}]', "[3, 4]", "x=3", "5", '[{"x": 1, "y": NaN}]'])
def test_points_that_make_no_sense(given):
    with pytest.raises(ConfigError, match="point"):
        read_points(given)


def test_without_any_prompt_it_says_what_to_do():
    for empty in ({}, {"points": "[]"}, {"drawn": " "}, {"negative_points": '[{"x":1,"y":1}]'}):
        with pytest.raises(ConfigError, match=r"which object is meant.*draw or connect boxes"):
            read_prompts(size=SIZE, **empty)
    with pytest.raises(ConfigError, match="box, a point on the object or a mask"):
        Prompt(negative_points=((1.0, 1.0),))


def test_a_detector_that_found_nothing_is_no_mistake():
    assert read_prompts(size=SIZE, boxes=[]) == [[]]
    frames = read_prompts(size=SIZE, count=2, boxes=[[], [ONE]])
    assert [len(frame) for frame in frames] == [0, 1]


def test_what_is_given_once_holds_for_all_images():
    frames = read_prompts(
        size=SIZE,
        count=3,
        boxes=ONE,
        drawn="0,0,5,5",
        points='[{"x": 90, "y": 90}]',
        mask=torch.ones(1, 1, *SIZE)[..., :1].expand(1, 1, *SIZE) * (torch.arange(200) > 150),
    )
    for frame in frames:
        assert [prompt.box for prompt in frame] == [Box(0, 0, 5, 5), BOX, None, None]
        assert frame[2].mask is not None
        assert frame[3].points == ((90.0, 90.0),)


def test_what_is_given_for_each_image_stays_with_it():
    masks = torch.zeros(2, 1, *SIZE)
    masks[1, :, 5:9] = 1
    frames = read_prompts(size=SIZE, count=2, boxes=[[ONE], []], mask=masks)
    assert [prompt.box for prompt in frames[0]] == [BOX]
    assert [prompt.mask is None for prompt in frames[1]] == [False]


def test_for_a_single_image_everything_belongs_to_it():
    masks = torch.zeros(3, 1, *SIZE)
    masks[0, :, 5:9], masks[2, :, 50:60] = 1, 1
    ((*prompts,),) = read_prompts(size=SIZE, boxes=[[ONE], [ONE]], mask=masks)
    assert [prompt.box for prompt in prompts] == [BOX, BOX, None, None]


@pytest.mark.parametrize(
    "given", [{"boxes": [[ONE], [ONE]]}, {"points": '[[{"x":1,"y":1}],[{"x":1,"y":1}]]'}]
)
def test_other_numbers_are_refused(given):
    with pytest.raises(ConfigError, match="got 2 for 3 images"):
        read_prompts(size=SIZE, count=3, **given)


def test_points_belong_to_what_they_lie_in():
    mask = torch.zeros(1, 1, *SIZE)
    mask[..., 150:] = 1
    points = [{"x": x, "y": y} for x, y in ((20, 30), (180, 5), (100, 50), (101, 50))]
    negative = json.dumps([{"x": 1, "y": 2}])
    ((boxed, masked, free),) = read_prompts(
        size=SIZE, boxes=ONE, mask=mask, points=points, negative_points=negative
    )
    assert boxed.points == ((20.0, 30.0),)
    assert masked.points == ((180.0, 5.0),)
    assert free.points == ((100.0, 50.0), (101.0, 50.0))
    for prompt in (boxed, masked, free):
        assert prompt.negative_points == ((1.0, 2.0),)


@pytest.mark.parametrize("key", ["points", "negative_points"])
def test_points_outside_are_refused(key):
    with pytest.raises(ConfigError, match="0 <= x < 200 and 0 <= y < 100"):
        read_prompts(size=SIZE, boxes=ONE, **{key: '[{"x": 200, "y": 5}]'})
