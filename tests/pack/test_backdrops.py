"""Replace Background and Frame Subject on a real server, compared with the library."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from birefnet import cutout, estimate_foreground, over, replace_background
from birefnet.backdrops import (
    blur_background,
    blurred_original,
    cast_shadow,
    extract_shadow,
    fit_background,
    multiply_layer,
)
from birefnet.compositing import parse_color
from birefnet.filters import gaussian_blur, pixels
from birefnet.framing import frame_subject
from birefnet.regions import bounding_box

HEIGHT, WIDTH = 96, 144


def stored(tensor):
    """(1, C, H, W) as it comes back from an 8-bit file."""
    return (tensor * 255).round().clamp(0, 255) / 255


def write(server, name, tensor):
    """As RGB: newer releases of ComfyUI read gray files only to about 1 / 50000."""
    values = (tensor.expand(1, 3, -1, -1)[0].permute(1, 2, 0) * 255).round().clamp(0, 255)
    server.picture(name, values.byte().numpy())


def ellipse(x, y, wide, high):
    rows = torch.arange(HEIGHT).view(-1, 1) + 0.5
    columns = torch.arange(WIDTH).view(1, -1) + 0.5
    inside = ((columns - x) / wide) ** 2 + ((rows - y) / high) ** 2 < 1
    return gaussian_blur(inside.float()[None, None], 1.0)


ALPHA = stored(ellipse(60, 45, 20, 30))
SECOND = stored(ellipse(100, 60, 15, 10))
DARK = 0.5 * gaussian_blur(ellipse(75, 75, 40, 8), 3.0)
PRODUCT = stored(over(torch.full((1, 3, HEIGHT, WIDTH), 0.3), ALPHA, 1 - DARK.expand(1, 3, -1, -1)))
OTHER = stored(torch.rand(1, 3, 70, 60, generator=torch.Generator().manual_seed(9)))


@pytest.fixture(scope="module")
def files(server, photograph):
    """Pictures and masks in the input folder, and as tensors."""
    for name, tensor in (
        ("mask.png", ALPHA),
        ("mask2.png", SECOND),
        ("empty.png", torch.zeros_like(ALPHA)),
        ("product.png", PRODUCT),
        ("other.png", OTHER),
        ("second.png", photograph.flip(3)),
    ):
        write(server, name, tensor)
    return photograph


def load(name):
    return {"class_type": "LoadImage", "inputs": {"image": name}}


def load_mask(name):
    return {"class_type": "LoadImageMask", "inputs": {"image": name, "channel": "red"}}


def save(source):
    return {"class_type": "SaveImage", "inputs": {"images": source, "filename_prefix": "backdrop"}}


def inspect(source):
    return {"class_type": "TestInspect", "inputs": {"value": source}}


def batch(first, second):
    return {"class_type": "ImageBatch", "inputs": {"image1": first, "image2": second}}


def masks(server_masks):
    """Two masks as a batch: loaded as pictures, because there is no older node for masks."""
    return {"class_type": "ImageToMask", "inputs": {"image": server_masks, "channel": "red"}}


def replacing(image="photograph.png", mask="mask.png", other=None, **inputs):
    """A graph with the node as "3", its picture saved as "4", its mask shown as "5"."""
    graph = {
        "1": load(image),
        "2": load_mask(mask),
        "3": {
            "class_type": "BiRefNet_ReplaceBackground",
            "inputs": {"image": ["1", 0], "mask": ["2", 0], **inputs},
        },
        "4": save(["3", 0]),
        "5": inspect(["3", 1]),
    }
    if other is not None:
        graph["7"] = load(other)
        graph["3"]["inputs"]["background_image"] = ["7", 0]
    return graph


def ran(server, graph):
    result = server.run(graph)
    assert result.status == "success", result.error
    return result


def report(result, node):
    return json.loads(result.outputs[node]["text"][0])


def to_bytes(picture):
    """As ComfyUI's Save Image does: (1, C, H, W) to uint8 (H, W, C)."""
    return (255 * picture[0].permute(1, 2, 0).double()).clamp(0, 255).to(torch.uint8).numpy()


def assert_same(actual, expected):
    expected = to_bytes(expected)
    assert actual.shape == expected.shape
    difference = np.abs(actual.astype(int) - expected.astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.02  # only where rounding falls on the other side


def percent(value):
    return pixels(value, "percent", (HEIGHT, WIDTH))


def test_a_fresh_node_gives_the_cutout(server, files):
    graph = replacing()
    graph["6"] = inspect(["3", 2])
    graph["8"] = inspect(["3", 3])
    result = ran(server, graph)
    (saved,) = result.pictures("4")
    assert_same(saved, cutout(estimate_foreground(files, ALPHA), ALPHA))
    mask, layer, behind = (report(result, node) for node in ("5", "6", "8"))
    assert mask["shape"] == [1, HEIGHT, WIDTH]
    assert mask["mean"] == pytest.approx(float(ALPHA.mean()), abs=1e-5)
    assert layer["shape"] == [1, HEIGHT, WIDTH, 3]
    assert layer["least"] == layer["largest"] == 1
    assert behind["shape"] == [1, HEIGHT, WIDTH, 4]
    assert behind["largest"] == 0


def test_only_the_picture_and_the_mask_are_needed(server, files):
    graph = replacing()
    assert set(graph["3"]["inputs"]) == {"image", "mask"}
    ran(server, graph)


def test_a_color_makes_an_opaque_picture_of_three_channels(server, files):
    (saved,) = ran(server, replacing(background="color", color="#3b7dd8")).pictures("4")
    backdrop = torch.tensor(parse_color("#3b7dd8")).view(3, 1, 1)
    assert_same(saved, over(estimate_foreground(files, ALPHA), ALPHA, backdrop))


@pytest.mark.parametrize("fit", ["cover", "contain", "stretch", "tile"])
def test_another_picture_of_any_size(server, files, fit):
    graph = replacing(
        other="other.png", background="image", background_fit=fit, color="red", foreground="off"
    )
    (saved,) = ran(server, graph).pictures("4")
    behind = fit_background(OTHER, (HEIGHT, WIDTH), fit=fit, color=(1.0, 0.0, 0.0))
    assert_same(saved, over(files, ALPHA, behind))


@pytest.mark.parametrize("linear", [False, True])
def test_a_blurred_picture(server, files, linear):
    graph = replacing(
        other="other.png",
        background="blurred image",
        blur=3.0,
        linear_light=linear,
        foreground="off",
    )
    (saved,) = ran(server, graph).pictures("4")
    behind = fit_background(OTHER, (HEIGHT, WIDTH))
    behind = blur_background(behind, percent(3), linear=linear)
    assert_same(saved, over(files, ALPHA, behind, linear=linear))


def test_the_own_background_blurred_without_the_subject(server, files):
    graph = replacing(background="blurred original", blur=5.0, unit="pixels", foreground="off")
    graph["6"] = save(["3", 3])
    result = ran(server, graph)
    behind = blurred_original(files, ALPHA, blur=5.0)
    assert_same(result.pictures("6")[0], behind)
    assert_same(result.pictures("4")[0], over(files, ALPHA, behind))


def test_light_wrap(server, files):
    graph = replacing(background="color", light_wrap=0.8, light_wrap_width=3.0, foreground="off")
    (saved,) = ran(server, graph).pictures("4")
    white = torch.ones(1, 3, 1, 1)
    expected = replace_background(
        files, ALPHA, white, foreground="off", wrap=0.8, wrap_width=percent(3)
    )
    assert_same(saved, expected)
    assert np.abs(saved.astype(int) - to_bytes(over(files, ALPHA, white))).max() > 20


def test_a_synthetic_shadow_and_its_layer(server, files):
    changes = {
        "shadow_opacity": 0.7,
        "shadow_x": 3.0,
        "shadow_y": 2.0,
        "shadow_blur": 2.5,
        "shadow_height": 0.4,
        "shadow_lean": 30.0,
        "contact_shadow": 0.4,
        "contact_size": 1.5,
        "shadow_color": "#200040",
    }
    graph = replacing(shadow="synthetic", foreground="off", **changes)
    graph["6"] = save(["3", 2])
    result = ran(server, graph)
    shadow = cast_shadow(
        ALPHA,
        offset=(percent(3), percent(2)),
        blur=percent(2.5),
        opacity=0.7,
        height=0.4,
        lean=30.0,
        contact=0.4,
        contact_size=percent(1.5),
    )
    color = parse_color("#200040")
    expected = replace_background(files, ALPHA, foreground="off", shadow=shadow, shadow_color=color)
    assert_same(result.pictures("4")[0], expected)
    assert_same(result.pictures("6")[0], multiply_layer(shadow, color))
    assert report(result, "5")["mean"] == pytest.approx(float(ALPHA.mean()), abs=1e-5)


def test_a_real_shadow_on_a_new_background(server, files):
    graph = replacing(image="product.png", background="color", shadow="extracted", foreground="off")
    graph["6"] = save(["3", 2])
    result = ran(server, graph)
    shadow = extract_shadow(PRODUCT, ALPHA)
    white = torch.ones(1, 3, 1, 1)
    expected = replace_background(PRODUCT, ALPHA, white, foreground="off", shadow=shadow)
    (saved,) = result.pictures("4")
    assert_same(saved, expected)
    outside = ((ALPHA == 0) & (DARK < 0.004))[0, 0].numpy()
    assert (saved[outside] == 255).all()
    assert saved[80, 75].max() < 200  # and the shadow is there
    stronger = replacing(
        image="product.png",
        background="color",
        shadow="extracted",
        foreground="off",
        extracted_strength=1.5,
        extracted_floor=0.1,
    )
    (saved,) = ran(server, stronger).pictures("4")
    shadow = (1.5 * extract_shadow(PRODUCT, ALPHA, floor=0.1)).clamp(max=1)
    assert_same(saved, replace_background(PRODUCT, ALPHA, white, foreground="off", shadow=shadow))


def test_a_textured_background_is_reported(server, files):
    start = len(server.text())
    ran(server, replacing(background="color", shadow="extracted"))
    assert "The background is not plain" in server.text()[start:]


def test_batches(server, files):
    """Several pictures with one mask each, and one background for all."""
    graph = replacing(other="other.png", background="image", foreground="off")
    graph["10"], graph["11"] = load("second.png"), batch(["1", 0], ["10", 0])
    graph["12"], graph["13"] = load("mask.png"), load("mask2.png")
    graph["14"], graph["15"] = batch(["12", 0], ["13", 0]), masks(["14", 0])
    graph["3"]["inputs"] |= {"image": ["11", 0], "mask": ["15", 0]}
    saved = ran(server, graph).pictures("4")
    behind = fit_background(OTHER, (HEIGHT, WIDTH))
    assert_same(saved[0], over(files, ALPHA, behind))
    assert_same(saved[1], over(files.flip(3), SECOND, behind))


def test_one_subject_in_front_of_several_backgrounds(server, files):
    graph = replacing(background="image", foreground="off")
    graph["10"], graph["11"] = load("second.png"), load("product.png")
    graph["12"] = batch(["10", 0], ["11", 0])
    graph["3"]["inputs"]["background_image"] = ["12", 0]
    saved = ran(server, graph).pictures("4")
    assert_same(saved[0], over(files, ALPHA, files.flip(3)))
    assert_same(saved[1], over(files, ALPHA, PRODUCT))


def test_cutouts_need_no_mask_and_keep_their_colors(server, files):
    graph = replacing(background="color", color="#000000")
    graph["6"] = {"class_type": "TestValue", "inputs": {"kind": "transparent"}}
    graph["3"]["inputs"]["image"] = ["6", 0]
    del graph["3"]["inputs"]["mask"]
    graph["8"], graph["9"] = save(["6", 0]), inspect(["3", 1])
    result = ran(server, graph)
    picture = torch.from_numpy(result.pictures("8")[0]).permute(2, 0, 1)[None] / 255
    (saved,) = result.pictures("4")
    expected = to_bytes(over(picture[:, :3], picture[:, 3:], torch.zeros(3, 1, 1)))
    assert np.abs(saved.astype(int) - expected).max() <= 2  # the input was cut off to 8 bits
    assert report(result, "9")["mean"] == pytest.approx(0.5, abs=0.01)


def test_a_transparent_background_picture_stays_transparent(server, files):
    graph = replacing(background="image", foreground="off")
    graph["6"] = {"class_type": "TestValue", "inputs": {"kind": "transparent"}}
    graph["3"]["inputs"]["background_image"] = ["6", 0]
    (saved,) = ran(server, graph).pictures("4")
    assert saved.shape == (HEIGHT, WIDTH, 4)
    assert saved[0, :, 3].max() < 60
    assert saved[-1, :, 3].min() > 195
    assert saved[45, 60, 3] == 255


@pytest.mark.parametrize("kind", ["gray", "one pixel", "transparent"])
def test_pictures_of_any_kind(server, kind):
    graph = replacing(background="color", shadow="synthetic", light_wrap=0.5)
    graph["1"] = {"class_type": "TestValue", "inputs": {"kind": kind}}
    graph["2"] = {"class_type": "SolidMask", "inputs": {"value": 1.0, "width": 64, "height": 64}}
    if kind == "gray":
        graph["2"]["inputs"] |= {"width": 48}
    (saved,) = ran(server, graph).pictures("4")
    assert saved.shape[2] == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"background": "image"}, "nothing is connected there"),
        ({"background": "blurred image"}, "nothing is connected there"),
        ({"color": "no color"}, "#ffffff, 255,255,255 or white"),
        ({"on_empty": "fallback", "mask": "empty.png"}, "needs a fallback mask"),
        ({"on_empty": "error", "mask": "empty.png"}, "every mask must show a subject"),
        ({"mask": "other.png"}, "must have the picture's proportions"),
    ],
)
def test_what_cannot_work_is_explained(server, files, changes, words):
    assert words in server.refusal(replacing(**changes))


def test_pictures_without_any_mask_are_refused(server, files):
    graph = replacing()
    del graph["3"]["inputs"]["mask"]
    assert "needs a mask, or pictures with a fourth channel" in server.refusal(graph)


@pytest.mark.parametrize("change", [{"background": "blurred original"}, {"shadow": "extracted"}])
def test_a_cutout_has_no_background_to_work_with(server, files, change):
    graph = replacing(**change)
    graph["1"] = {"class_type": "TestValue", "inputs": {"kind": "transparent"}}
    del graph["3"]["inputs"]["mask"]
    assert "connect the original picture" in server.refusal(graph)


def test_numbers_of_backgrounds_that_do_not_fit(server, files):
    graph = replacing(background="image", other="other.png")
    graph["10"] = {"class_type": "RepeatImageBatch", "inputs": {"image": ["1", 0], "amount": 3}}
    graph["11"] = {"class_type": "RepeatImageBatch", "inputs": {"image": ["7", 0], "amount": 2}}
    graph["3"]["inputs"] |= {"image": ["10", 0], "background_image": ["11", 0]}
    assert "one background_image, or as many as pictures" in server.refusal(graph)


def test_empty_masks_pass_with_a_warning_or_use_the_fallback(server, files):
    start = len(server.text())
    graph = replacing(mask="empty.png", background="color", color="#102030")
    graph["6"] = inspect(["3", 1])
    result = ran(server, graph)
    (saved,) = result.pictures("4")
    assert (saved == [0x10, 0x20, 0x30]).all()
    assert "No subject in mask 0" in server.text()[start:]
    graph = replacing(mask="empty.png", on_empty="fallback", foreground="off")
    graph["8"] = load_mask("mask2.png")
    graph["3"]["inputs"]["fallback_mask"] = ["8", 0]
    (saved,) = ran(server, graph).pictures("4")
    assert_same(saved, cutout(files, SECOND))


def test_an_unused_background_picture_is_mentioned(server, files):
    start = len(server.text())
    ran(server, replacing(other="other.png"))
    assert "background_image is not used" in server.text()[start:]


def framing(image="photograph.png", mask="mask.png", **inputs):
    graph = replacing(image, mask)
    graph["3"] = {
        "class_type": "BiRefNet_FrameSubject",
        "inputs": {"image": ["1", 0], "mask": ["2", 0], **inputs},
    }
    return graph


def framed(picture, alpha, **options):
    color = estimate_foreground(picture, alpha)
    return frame_subject(cutout(color, alpha), alpha, **options)


def test_a_fresh_frame_keeps_size_and_only_moves_the_subject(server, files):
    (saved,) = ran(server, framing()).pictures("4")
    canvas, _ = framed(files, ALPHA)
    assert_same(saved, canvas)
    (box,), (before,) = bounding_box(canvas[:, 3:], 0.05), bounding_box(ALPHA, 0.05)
    assert box.size == before.size
    assert abs(box.left + box.right - WIDTH) <= 1
    assert abs(box.top + box.bottom - HEIGHT) <= 1


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 200, "height": 120, "margin": 10.0, "upscale": True},
        {"width": 40, "height": 40, "margin": 5.0, "position": "bottom left"},
        {"width": 300, "position": "centroid"},
        {"height": 50, "position": "top", "threshold": 0.5},
    ],
)
def test_frames_mean_what_they_mean_in_the_library(server, files, changes):
    result = ran(server, framing(**changes))
    (saved,) = result.pictures("4")
    options = dict(changes)
    size = (options.pop("height", HEIGHT), options.pop("width", WIDTH))
    canvas, mask = framed(files, ALPHA, size=size, **options)
    assert_same(saved, canvas)
    assert report(result, "5")["mean"] == pytest.approx(float(mask.mean()), abs=1e-4)


def test_a_color_fills_the_canvas(server, files):
    (saved,) = ran(server, framing(background="color", color="#ffffff", width=200)).pictures("4")
    canvas, _ = framed(files, ALPHA, size=(HEIGHT, 200))
    assert_same(saved, over(canvas[:, :3], canvas[:, 3:], torch.ones(3, 1, 1)))
    assert (saved[:, :20] == 255).all()


def test_each_picture_of_a_batch_is_framed_by_its_own_mask(server, files):
    graph = framing(margin=10.0, upscale=True, foreground="off", width=80, height=80)
    graph["10"], graph["11"] = load("second.png"), batch(["1", 0], ["10", 0])
    graph["12"], graph["13"] = load("mask.png"), load("mask2.png")
    graph["14"], graph["15"] = batch(["12", 0], ["13", 0]), masks(["14", 0])
    graph["3"]["inputs"] |= {"image": ["11", 0], "mask": ["15", 0]}
    saved = ran(server, graph).pictures("4")
    for picture, image, alpha in (
        (saved[0], files, ALPHA),
        (saved[1], files.flip(3), SECOND),
    ):
        options = {"size": (80, 80), "margin": 10.0, "upscale": True}
        assert_same(picture, frame_subject(cutout(image, alpha), alpha, **options)[0])
        (box,) = bounding_box(torch.from_numpy(picture[..., 3])[None, None] / 255, 0.05)
        assert max(box.size) == pytest.approx(64, abs=3)  # soft edges


@pytest.mark.parametrize("keep", [False, True])
def test_a_shadow_comes_along_if_wanted(server, files, keep):
    graph = replacing(shadow="synthetic", shadow_x=12.0, foreground="off")
    graph["8"] = {
        "class_type": "BiRefNet_FrameSubject",
        "inputs": {"image": ["3", 0], "mask": ["3", 1], "width": 200, "keep_outside": keep},
    }
    graph["9"], graph["10"] = save(["8", 0]), save(["3", 0])
    result = ran(server, graph)
    shadow = cast_shadow(ALPHA, offset=(percent(12), percent(1)), blur=percent(1.5))
    scene = replace_background(files, ALPHA, foreground="off", shadow=shadow)
    visible = scene[:, 3:] if keep else ALPHA
    canvas, _ = frame_subject(cutout(scene[:, :3], visible), ALPHA, size=(HEIGHT, 200))
    assert_same(result.pictures("9")[0], canvas)


def test_frames_of_empty_masks(server, files):
    graph = framing(mask="empty.png", width=50, height=40)
    graph["6"] = {"class_type": "PreviewAny", "inputs": {"source": ["3", 2]}}
    result = ran(server, graph)
    (saved,) = result.pictures("4")
    assert saved.shape == (40, 50, 4)
    assert saved[..., 3].max() == 0
    assert result.outputs["6"]["text"] == ["True"]
    assert "every mask must show" in server.refusal(framing(mask="empty.png", on_empty="error"))


def test_both_nodes_show_their_result(server, files):
    for graph, size in (
        (replacing(background="color"), (HEIGHT, WIDTH)),
        (framing(width=60), None),
    ):
        result = ran(server, graph)
        (shown,) = result.pictures("3")
        assert shown.shape[:2] == (size or (HEIGHT, 60))
