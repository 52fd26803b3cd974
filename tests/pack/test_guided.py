"""Guided Remove, detail mode and existing transparency on a real server."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import birefnet
from birefnet.detail import InDetail, predict_in_detail
from birefnet.guided import Prompt, parse_boxes, predict_alpha, predict_objects
from birefnet.predict import Sight
from birefnet.regions import Box

TINY = "tiny.safetensors"
BOX = {"x": 20, "y": 16, "width": 60, "height": 50}


def graph(node="BiRefNet_GuidedRemove", *, image="photograph.png", **inputs):
    """A loader, a picture and one of our nodes, whose cutout is saved as "4"."""
    return {
        "1": {"class_type": "BiRefNet_Load", "inputs": {"model": TINY, "dtype": "fp32"}},
        "2": {"class_type": "LoadImage", "inputs": {"image": image}},
        "3": {
            "class_type": node,
            "inputs": {"model": ["1", 0], "image": ["2", 0], "foreground": "off", **inputs},
        },
        "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "g"}},
    }


def with_node(content, number, kind, /, **inputs):
    content[number] = {"class_type": kind, "inputs": inputs}
    return content


def masks_of(content, output):
    """The graph with the masks of an output saved as "6"."""
    with_node(content, "5", "MaskToImage", mask=["3", output])
    return with_node(content, "6", "SaveImage", images=["5", 0], filename_prefix="m")


def to_bytes(alpha):
    """(1, 1, H, W) as ComfyUI saves it, uint8 (H, W)."""
    return (255 * alpha[0, 0].double()).clamp(0, 255).to(torch.uint8).numpy()


def assert_same(actual, expected):
    difference = np.abs(actual.astype(int) - expected.astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.02


@pytest.fixture(scope="module")
def sight(server):
    path = server.base / "models" / "background_removal" / TINY
    return Sight(predictor=birefnet.load(path, device="cpu", dtype="fp32"))


@pytest.fixture(scope="module")
def expected(sight, photograph):
    """What the library finds in BOX."""
    box = Box(BOX["x"], BOX["y"], BOX["width"], BOX["height"])
    found = predict_objects(photograph, sight, [[Prompt(box=box)]])
    assert found.boxes[0][0] is not None, "the random model must find something"
    return found


def run(server, content):
    result = server.run(content)
    assert result.status == "success", result.error
    return result


def test_a_drawn_box_gives_the_librarys_result(server, expected):
    (saved,) = run(server, graph(drawn_boxes="20, 16, 60, 50")).pictures("4")
    assert saved.shape == (96, 144, 4)
    assert_same(saved[..., 3], to_bytes(expected.union))


def test_the_core_boxes_give_the_same(server, expected):
    content = graph(boxes=["7", 0])
    with_node(content, "7", "PrimitiveBoundingBox", **BOX)
    (saved,) = run(server, content).pictures("4")
    assert_same(saved[..., 3], to_bytes(expected.union))


def test_the_core_canvas_gives_the_same(server, expected):
    if "CreateBoundingBoxes" not in server.json("/object_info"):
        pytest.skip("this release has no canvas for boxes")
    content = graph(boxes=["7", 1])
    state = {"__value__": [{**BOX, "metadata": {"type": "obj", "text": "", "palette": []}}]}
    with_node(content, "7", "CreateBoundingBoxes", width=144, height=96, editor_state=state)
    (saved,) = run(server, content).pictures("4")
    assert_same(saved[..., 3], to_bytes(expected.union))


def test_several_boxes_give_a_mask_each(server, sight, photograph):
    text = "20, 16, 60, 50; 50%, 0, 50%, 100%"
    (prompts,) = [[Prompt(box=box) for box in parse_boxes(text, (96, 144))]]
    found = predict_objects(photograph, sight, [prompts])
    result = run(server, masks_of(graph(drawn_boxes=text), 2))
    pictures = result.pictures("6")
    assert len(pictures) == 2
    for picture, alpha in zip(pictures, found.alphas, strict=True):
        assert_same(picture[..., 0], to_bytes(alpha[None]))
    (saved,) = result.pictures("4")
    assert_same(saved[..., 3], to_bytes(found.union))


def test_found_boxes_feed_the_node_again(server):
    content = graph(drawn_boxes="20, 16, 60, 50")
    content["7"] = json.loads(json.dumps(content["3"]))
    content["7"]["inputs"] |= {"drawn_boxes": "", "boxes": ["3", 3]}
    with_node(content, "8", "SaveImage", images=["7", 0], filename_prefix="again")
    (again,) = run(server, content).pictures("8")
    assert again[..., 3].max() > 128


def test_points_as_sam3_takes_them(server, sight, photograph, expected):
    where = expected.alphas[0, 0] == expected.alphas.max()
    y, x = (int(value) for value in where.nonzero()[0])
    points = json.dumps([{"x": x, "y": y}])
    found = predict_objects(photograph, sight, [[Prompt(points=((float(x), float(y)),))]])
    content = graph(points=["7", 0])
    with_node(content, "7", "PrimitiveString", value=points)
    (saved,) = run(server, content).pictures("4")
    assert_same(saved[..., 3], to_bytes(found.union))


@pytest.fixture(scope="module")
def rough(server):
    """A rough mask (1, 1, 96, 144); the server has it as rough.png."""
    pixels = np.zeros((96, 144, 3), np.uint8)
    pixels[20:70, 30:90] = 255
    server.picture("rough.png", pixels)
    return torch.from_numpy(pixels[..., 0]).float()[None, None] / 255


def masked(content, number="7", name="rough.png"):
    return with_node(content, number, "LoadImageMask", image=name, channel="red")


def test_a_rough_mask_selects(server, sight, photograph, rough):
    found = predict_objects(photograph, sight, [[Prompt(mask=rough)]])
    (saved,) = run(server, masked(graph(mask=["7", 0]))).pictures("4")
    assert_same(saved[..., 3], to_bytes(found.union))


def test_a_mask_without_anything_is_no_prompt(server, expected):
    """Load Image gives 64 x 64 zeros for a picture without transparency."""
    (saved,) = run(server, graph(drawn_boxes="20,16,60,50", mask=["2", 1])).pictures("4")
    assert_same(saved[..., 3], to_bytes(expected.union))


def test_one_box_holds_for_a_whole_batch(server, expected):
    content = graph(drawn_boxes="20, 16, 60, 50")
    with_node(content, "7", "RepeatImageBatch", image=["2", 0], amount=3)
    content["3"]["inputs"]["image"] = ["7", 0]
    result = run(server, masks_of(content, 2))
    assert len(result.pictures("6")) == 3
    for saved in result.pictures("4"):
        assert_same(saved[..., 3], to_bytes(expected.union))


def test_detail_looks_at_objects_piece_by_piece(server, sight):
    generator = torch.Generator().manual_seed(3)
    small = torch.rand(1, 3, 10, 12, generator=generator)
    large = torch.nn.functional.interpolate(small, (300, 360), mode="bicubic").clamp(0, 1)
    pixels = (large[0].permute(1, 2, 0) * 255).round().byte()
    server.picture("large for guided.png", pixels.numpy())
    picture = pixels.permute(2, 0, 1)[None].float() / 255
    box = Box(20, 20, 300, 250)
    fine = InDetail(predictor=sight, detail="tiles")
    found = predict_objects(picture, fine, [[Prompt(box=box)]])
    content = graph(image="large for guided.png", drawn_boxes="20,20,300,250", detail="tiles")
    (saved,) = run(server, content).pictures("4")
    assert_same(saved[..., 3], to_bytes(found.union))
    coarse = predict_objects(picture, sight, [[Prompt(box=box)]])
    assert (found.union - coarse.union).abs().max() > 0.1
    for detail in ("crop", "tiles"):
        alpha = predict_in_detail(picture, sight, detail=detail)
        content = graph("BiRefNet_RemoveBackground", image="large for guided.png", detail=detail)
        (saved,) = run(server, content).pictures("4")
        assert_same(saved[..., 3], to_bytes(alpha))


@pytest.mark.parametrize("existing", ["multiply", "ignore", "prior"])
def test_existing_transparency(server, sight, photograph, rough, existing):
    content = masked(graph("BiRefNet_RemoveBackground", existing_alpha=existing))
    with_node(content, "8", "InvertMask", mask=["7", 0])
    with_node(content, "9", "JoinImageWithAlpha", image=["2", 0], alpha=["8", 0])
    content["3"]["inputs"]["image"] = ["9", 0]
    alpha = predict_alpha(torch.cat([photograph, rough], 1), sight, existing_alpha=existing)
    (saved,) = run(server, content).pictures("4")
    assert_same(saved[..., 3], to_bytes(alpha))


def test_a_model_of_the_core_loader_works(server, photograph):
    content = graph(drawn_boxes="20, 16, 60, 50", detail="tiles")
    with_node(content, "1", "TestValue", kind="old core model")
    (saved,) = run(server, content).pictures("4")
    inside = to_bytes(photograph[:, :1])[16:66, 20:80]
    kept = saved[16:66, 20:80, 3]
    assert (kept[inside > 140] >= inside[inside > 140] - 8).mean() > 0.5
    assert saved[:, 100:, 3].max() == 0


def test_a_detector_that_finds_nothing_gives_empty_masks(server):
    content = masks_of(graph(boxes=["7", 0]), 2)
    with_node(content, "7", "TestValue", kind="no boxes")
    result = run(server, content)
    (mask,) = result.pictures("6")
    assert mask[..., 0].max() == 0
    (saved,) = result.pictures("4")
    assert saved[..., 3].max() == 0


def test_an_empty_mask_alone_is_no_prompt(server):
    content = graph(mask=["7", 0])
    with_node(content, "7", "SolidMask", value=0.0, width=144, height=96)
    assert "which object is meant" in server.refusal(content)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "which object is meant"),
        ({"drawn_boxes": "1, 2, 3"}, "left, top, width, height"),
        ({"drawn_boxes": "500, 0, 10, 10"}, "144 x 96 pixels"),
        ({"points": "here"}, "points must be JSON"),
        ({"points": '[{"x": 500, "y": 3}]'}, "0 <= x < 144"),
    ],
)
def test_prompts_that_make_no_sense_are_explained(server, inputs, words):
    assert words in server.refusal(graph(**inputs))


def test_an_empty_result_follows_the_policy(server, rough):
    """A box in a corner of a plain picture, in which levels remove what little is found."""
    little = {"drawn_boxes": "0,0,8,8", "black_point": 0.99}
    server.picture("plain.png", np.zeros((96, 144, 3), np.uint8))
    content = graph(image="plain.png", **little)
    (saved,) = run(server, content).pictures("4")
    if saved[..., 3].max() > 12:
        pytest.skip("the random model finds something in black")
    assert "a subject" in server.refusal(graph(image="plain.png", on_empty="error", **little))
    content = masked(
        graph(image="plain.png", on_empty="fallback", fallback_mask=["7", 0], **little)
    )
    (saved,) = run(server, content).pictures("4")
    assert_same(saved[..., 3], to_bytes(rough))
