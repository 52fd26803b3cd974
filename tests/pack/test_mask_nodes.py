"""Mask Ops, Mask Combine and Mask Parts on a real server, compared with the library."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from birefnet.masks import MaskOptions, apply_mask_ops, combine, find_parts
from birefnet.regions import Box

HEIGHT, WIDTH = 72, 96


def stored(tensor):
    """(1, 1, H, W) as it comes back from an 8-bit file."""
    return (tensor * 255).round().clamp(0, 255) / 255


def disk(row, column, radius, softness=4.0, high=1.0):
    y, x = torch.meshgrid(torch.arange(float(HEIGHT)), torch.arange(float(WIDTH)), indexing="ij")
    slope = 0.5 + (radius - torch.hypot(y - row, x - column)) / softness
    return stored(high * slope.clamp(0, 1))[None, None]


BODY = torch.maximum(disk(34, 30, 20) * (1 - disk(30, 30, 5, 2)), torch.full((1, 1, 1, 1), 1 / 255))
THREE = torch.maximum(torch.maximum(BODY, disk(20, 72, 9)), disk(58, 80, 5, 2, 0.8))
MASKS = {
    "body.png": BODY,
    "three.png": THREE,
    "disk.png": disk(40, 50, 15, 8),
    "nothing.png": torch.zeros(1, 1, HEIGHT, WIDTH),
    "small.png": disk(40, 50, 15, 8)[..., ::2, ::2],
    "narrow.png": disk(40, 50, 15, 8)[..., 20:60],
}


@pytest.fixture(scope="module", autouse=True)
def files(server):
    """The masks as RGB pictures in the input folder."""
    for name, mask in MASKS.items():
        values = (mask.expand(1, 3, -1, -1)[0].permute(1, 2, 0) * 255).round().byte()
        server.picture(name, values.numpy())


def mask(name):
    return {"class_type": "LoadImageMask", "inputs": {"image": name, "channel": "red"}}


def node(kind, /, **inputs):
    return {"class_type": kind, "inputs": inputs}


def shown(graph, source, number="100"):
    """Adds what saves a MASK as a picture, and what reports about it."""
    graph[number] = node("MaskToImage", mask=source)
    graph[f"{number}1"] = node("SaveImage", images=[number, 0], filename_prefix="mask")
    graph[f"{number}2"] = node("TestInspect", value=source)
    return graph


def ran(server, graph):
    result = server.run(graph)
    assert result.status == "success", result.error
    return result


def report(result, number="100"):
    return json.loads(result.outputs[f"{number}2"]["text"][0])


def saved(result, number="100"):
    """The saved masks as they are in the files: (B, H, W) uint8."""
    return np.stack([picture[..., 0] for picture in result.pictures(f"{number}1")])


def to_bytes(alpha):
    return (255 * alpha[:, 0].double()).clamp(0, 255).to(torch.uint8).numpy()


def assert_same(actual, expected):
    expected = to_bytes(expected)
    assert actual.shape == expected.shape
    assert np.abs(actual.astype(int) - expected.astype(int)).max() <= 1


OPTIONS = {
    "black_point": 0.05,
    "white_point": 0.95,
    "threshold_kind": "soft",
    "threshold": 0.45,
    "softness": 0.6,
    "fill_holes": "by area",
    "hole_area": 3.0,
    "keep_parts": "largest",
    "keep_count": 2,
    "min_area": 5.0,
    "grow": -1.5,
    "smooth": 3.0,
    "feather": 6.0,
    "feather_side": "inside",
    "unit": "percent",
    "area_unit": "percent",
    "invert": True,
}


def test_a_fresh_mask_ops_node_changes_nothing(server):
    graph = {"1": mask("three.png"), "2": node("BiRefNet_MaskOps", mask=["1", 0])}
    result = ran(server, shown(shown(graph, ["2", 0]), ["2", 1], "200"))
    assert_same(saved(result), THREE)
    assert_same(saved(result, "200"), 1 - THREE)
    assert report(result)["dtype"] == "torch.float32"


def test_mask_ops_are_the_librarys(server):
    graph = {"1": mask("three.png"), "2": node("BiRefNet_MaskOps", mask=["1", 0], **OPTIONS)}
    expected = apply_mask_ops(THREE, options=MaskOptions(**OPTIONS))
    assert_same(saved(ran(server, shown(graph, ["2", 0]))), expected)


def test_the_invert_switch_is_off_unless_asked_for(server):
    options = {"grow": 2.0}
    graph = {"1": mask("disk.png"), "2": node("BiRefNet_MaskOps", mask=["1", 0], **options)}
    result = ran(server, shown(graph, ["2", 0]))
    assert saved(result)[0, 40, 50] == 255
    assert saved(result)[0, 0, 0] == 0


def test_every_mask_of_a_batch_is_shaped_alone(server):
    options = {"grow": 3.0, "smooth": 4.0, "feather": 3.0, "fill_holes": "all"}
    graph = {
        "1": node("LoadImage", image="three.png"),
        "2": node("LoadImage", image="nothing.png"),
        "3": node("LoadImage", image="disk.png"),
        "4": node("ImageBatch", image1=["1", 0], image2=["2", 0]),
        "5": node("ImageBatch", image1=["4", 0], image2=["3", 0]),
        "6": node("ImageToMask", image=["5", 0], channel="red"),
        "7": node("BiRefNet_MaskOps", mask=["6", 0], **options),
    }
    batch = torch.cat([THREE, MASKS["nothing.png"], MASKS["disk.png"]])
    expected = apply_mask_ops(batch, options=MaskOptions(**options))
    result = ran(server, shown(graph, ["7", 0]))
    assert_same(saved(result), expected)
    assert len(result.outputs["7"]["images"]) == 3


def test_core_mask_nodes_before_and_after(server):
    graph = {
        "1": node("SolidMask", value=1.0, width=WIDTH, height=HEIGHT),
        "2": node("InvertMask", mask=["1", 0]),
        "3": mask("disk.png"),
        "4": node(
            "MaskComposite",
            destination=["2", 0],
            source=["3", 0],
            x=0,
            y=0,
            operation="add",
        ),
        "5": node("BiRefNet_MaskOps", mask=["4", 0], grow=2.0),
        "6": node("GrowMask", mask=["5", 0], expand=2, tapered_corners=True),
        "7": node("FeatherMask", mask=["6", 0], left=0, top=0, right=0, bottom=0),
        "8": node("ThresholdMask", mask=["7", 0], value=0.5),
        "9": node("BiRefNet_MaskCombine", mask=["5", 0], second_mask=["8", 0]),
    }
    result = ran(server, shown(shown(graph, ["5", 0]), ["9", 0], "200"))
    expected = apply_mask_ops(MASKS["disk.png"], options=MaskOptions(grow=2.0))
    assert_same(saved(result), expected)
    assert saved(result, "200")[0, 40, 50 + 18] == 255


@pytest.mark.parametrize("kind", ["flat mask", "deep mask", "half mask"])
def test_masks_of_other_packs_with_other_ranks_and_types(server, kind):
    ramp = torch.linspace(0, 1, 64 * 48).view(1, 1, 64, 48)
    count = 2 if kind == "deep mask" else 1
    if kind == "half mask":
        ramp = ramp.half().float()
    graph = {
        "1": node("TestValue", kind=kind),
        "2": node("BiRefNet_MaskOps", mask=["1", 0], grow=1.0),
        "3": node("BiRefNet_MaskCombine", mask=["1", 0], second_mask=["2", 0]),
        "4": node("BiRefNet_MaskParts", mask=["1", 0]),
    }
    for number in ("2", "3", "4"):
        shown(graph, [number, 0], number * 3)
    result = ran(server, graph)
    grown = apply_mask_ops(ramp, options=MaskOptions(grow=1.0)).expand(count, -1, -1, -1)
    for number in ("2", "3"):
        assert report(result, number * 3)["shape"] == [count, 64, 48]
        assert report(result, number * 3)["dtype"] == "torch.float32"
        assert_same(saved(result, number * 3), grown)


@pytest.mark.parametrize("kind", ["no pictures", "two channels", "text"])
def test_what_is_no_mask_is_refused(server, kind):
    said = server.refusal(
        shown(
            {
                "1": node("TestValue", kind=kind),
                "2": node("BiRefNet_MaskOps", mask=["1", 0]),
            },
            ["2", 0],
        )
    )
    assert "mask must be a MASK" in said


def test_impossible_options_say_what_to_do(server):
    graph = {
        "1": mask("disk.png"),
        "2": node("BiRefNet_MaskOps", mask=["1", 0], black_point=0.7, white_point=0.6),
    }
    assert "black_point must be below white_point" in server.refusal(shown(graph, ["2", 0]))


@pytest.mark.parametrize("operation", ["union", "difference", "exclusive or", "multiply"])
def test_combining_is_the_librarys(server, operation):
    graph = {
        "1": mask("body.png"),
        "2": mask("disk.png"),
        "3": node("BiRefNet_MaskCombine", mask=["1", 0], second_mask=["2", 0], operation=operation),
    }
    result = ran(server, shown(shown(graph, ["3", 0]), ["3", 1], "200"))
    expected = combine(BODY, MASKS["disk.png"], operation=operation)
    assert_same(saved(result), expected)
    assert_same(saved(result, "200"), 1 - expected)


def test_combining_sizes_and_batches(server):
    graph = {
        "1": node("LoadImage", image="body.png"),
        "2": node("LoadImage", image="three.png"),
        "3": node("ImageBatch", image1=["1", 0], image2=["2", 0]),
        "4": node("ImageToMask", image=["3", 0], channel="red"),
        "5": mask("small.png"),
        "6": node("BiRefNet_MaskCombine", mask=["4", 0], second_mask=["5", 0]),
        "7": mask("narrow.png"),
        "8": node("BiRefNet_MaskCombine", mask=["4", 0], second_mask=["7", 0], sizes="pad"),
    }
    result = ran(server, shown(shown(graph, ["6", 0]), ["8", 0], "200"))
    both = torch.cat([BODY, THREE])
    assert_same(saved(result), combine(both, MASKS["small.png"]))
    assert_same(saved(result, "200"), combine(both, MASKS["narrow.png"], sizes="pad"))
    graph["8"]["inputs"]["sizes"] = "resize"
    said = server.refusal(shown(graph, ["8", 0]))
    assert "same proportions, got 96 x 72 and 40 x 72" in said


def test_pictures_without_transparency_can_be_combined(server):
    # Load Image gives a mask of 64 x 64 zeros for them.
    graph = {
        "1": mask("body.png"),
        "2": node("LoadImage", image="three.png"),
        "3": node("BiRefNet_MaskCombine", mask=["1", 0], second_mask=["2", 1]),
    }
    assert_same(saved(ran(server, shown(graph, ["3", 0]))), BODY)


def parts_graph(name="three.png", **inputs):
    graph = {
        "1": mask(name),
        "2": node("BiRefNet_MaskParts", mask=["1", 0], **inputs),
        "3": node("PreviewAny", source=["2", 1]),
        "4": node("PreviewAny", source=["2", 2]),
        "5": node("PreviewAny", source=["2", 3]),
    }
    return shown(graph, ["2", 0])


def told(result):
    """Boxes, count and is_empty."""
    texts = [result.outputs[number]["text"][0] for number in ("3", "4", "5")]
    return json.loads(texts[0].replace("'", '"')), int(texts[1]), texts[2].lower() == "true"


def as_dicts(parts):
    boxes = [part.box for part in parts]
    return [{"x": b.left, "y": b.top, "width": b.width, "height": b.height} for b in boxes]


def test_parts_are_masks_and_boxes(server):
    result = ran(server, parts_graph())
    ((parts),), _ = find_parts(THREE)
    boxes, count, empty = told(result)
    assert boxes == as_dicts(parts)
    assert (count, empty) == (3, False)
    assert_same(saved(result), torch.cat([part.full() for part in parts]))
    assert np.abs(saved(result).astype(int).sum(0) - to_bytes(THREE)[0]).max() <= 2


def test_parts_can_be_chosen(server):
    boxes, count, _ = told(ran(server, parts_graph(points='[{"x": 72, "y": 20}]')))
    assert (boxes[0]["x"], count) == (63, 1)
    boxes, count, _ = told(ran(server, parts_graph(order="left to right", limit=2)))
    assert [box["x"] for box in boxes] == sorted(box["x"] for box in boxes)
    assert count == 2
    _, count, _ = told(ran(server, parts_graph(min_area=2.0, area_unit="percent")))
    assert count == 2


def test_boxes_go_into_core_nodes(server):
    graph = {
        "1": mask("three.png"),
        "2": node("BiRefNet_MaskParts", mask=["1", 0]),
        "3": node("LoadImage", image="nothing.png"),
        "4": node("DrawBBoxes", image=["3", 0], bboxes=["2", 1]),
        "5": node("SaveImage", images=["4", 0], filename_prefix="boxes"),
    }
    (picture,) = ran(server, graph).pictures("5")
    ((parts),), _ = find_parts(THREE)
    for part in parts:
        box = Box(part.box.left, part.box.top, part.box.width, part.box.height)
        middle = box.left + box.width // 2
        assert picture[box.top - 1 : box.top + 3, middle].max() > 100  # its upper side
        assert picture[box.top + box.height // 2, middle].max() < 50


def test_an_empty_mask_has_no_parts_and_does_not_crash(server):
    result = ran(server, parts_graph("nothing.png"))
    assert told(result) == ([], 0, True)
    assert saved(result).max() == 0
    assert saved(result).shape == (1, HEIGHT, WIDTH)
    assert "No part in mask 0 (counted from 0): it gives none." in server.text()


def test_what_else_can_be_done_about_empty_masks(server):
    assert "has none" in server.refusal(parts_graph("nothing.png", on_empty="error"))
    graph = parts_graph("nothing.png", on_empty="fallback", fallback_mask=["6", 0])
    graph["6"] = mask("disk.png")
    result = ran(server, graph)
    _, count, empty = told(result)
    assert (count, empty) == (1, True)
    assert_same(saved(result), MASKS["disk.png"])
    assert "needs a fallback mask" in server.refusal(
        parts_graph("nothing.png", on_empty="fallback")
    )


def test_every_mask_of_a_batch_is_taken_apart(server):
    graph = {
        "1": node("LoadImage", image="disk.png"),
        "2": node("LoadImage", image="three.png"),
        "3": node("ImageBatch", image1=["1", 0], image2=["2", 0]),
        "4": node("ImageToMask", image=["3", 0], channel="red"),
        "6": node("BiRefNet_MaskParts", mask=["4", 0]),
        "7": node("PreviewAny", source=["6", 1]),
    }
    result = ran(server, shown(graph, ["6", 0]))
    (one, three), _ = find_parts(torch.cat([MASKS["disk.png"], THREE]))
    boxes = json.loads(result.outputs["7"]["text"][0].replace("'", '"'))
    assert boxes == [as_dicts(one), as_dicts(three)]
    assert_same(saved(result), torch.cat([part.full() for part in [*one, *three]]))
