"""Refine Foreground on a real server, compared with the library."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from birefnet.compositing import premultiply
from birefnet.foreground import refine_foreground


def to_bytes(picture):
    """As ComfyUI's Save Image does: (1, C, H, W) to uint8 (H, W, C)."""
    return (255 * picture[0].permute(1, 2, 0).double()).clamp(0, 255).to(torch.uint8).numpy()


def assert_same(actual, expected):
    difference = np.abs(actual.astype(int) - expected.astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01  # only where rounding falls on the other side


@pytest.fixture(scope="module")
def alpha(server, photograph):
    """(1, 1, 96, 144); the server has it as disc.png, in the red channel."""
    rows, columns = torch.meshgrid(torch.arange(96.0), torch.arange(144.0), indexing="ij")
    distance = ((rows - 48) ** 2 + (columns - 70) ** 2).sqrt()
    pixels = (((34 - distance) / 10).clamp(0, 1) * 255).round().byte()
    server.picture("disc.png", pixels[..., None].expand(-1, -1, 3).contiguous().numpy())
    return pixels[None, None].float() / 255


def graph_of(**changes):
    """Refine a picture with a mask; save cutout, foreground and mask."""
    inputs = {"image": ["1", 0], "mask": ["2", 0], **changes}
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": "photograph.png"}},
        "2": {"class_type": "LoadImageMask", "inputs": {"image": "disc.png", "channel": "red"}},
        "3": {"class_type": "BiRefNet_RefineForeground", "inputs": inputs},
        "4": saved("3", 0),
        "5": saved("3", 1),
        "6": {"class_type": "MaskToImage", "inputs": {"mask": ["3", 2]}},
        "7": saved("6", 0),
        "8": {"class_type": "PreviewAny", "inputs": {"source": ["3", 3]}},
    }


def saved(node, output):
    inputs = {"images": [node, output], "filename_prefix": "refined"}
    return {"class_type": "SaveImage", "inputs": inputs}


def pictures(result):
    assert result.status == "success", result.error
    return [result.pictures(node)[0] for node in "457"]


def test_the_defaults_are_the_librarys(server, photograph, alpha):
    result = server.run(graph_of())
    cutout, foreground, mask = pictures(result)
    expected = refine_foreground(photograph, alpha)
    assert cutout.shape == (96, 144, 4)
    assert foreground.shape == (96, 144, 3)
    assert_same(cutout[..., :3], to_bytes(expected))
    assert_same(foreground, to_bytes(expected))
    assert_same(cutout[..., 3:], to_bytes(alpha))
    assert_same(mask[..., :1], to_bytes(alpha))  # never changed
    assert "false" in result.outputs["8"]["text"][0].lower()
    assert result.outputs["3"]["images"], "the node shows what it made"


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({"method": "multi-level"}, {"method": "multi-level"}),
        ({"method": "off"}, {"method": "off"}),
        ({"method": "blur-fusion", "blur_size": 30.0}, {"method": "blur-fusion", "sizes": (30, 6)}),
        (
            {"method": "blur-fusion-once", "blur_size": 25.0, "unit": "percent"},
            {"method": "blur-fusion-once", "sizes": (24, 6)},
        ),
        (
            {"method": "blur-fusion", "fine_blur_size": 2.0},
            {"method": "blur-fusion", "sizes": (90, 2)},
        ),
        ({"despill": "green"}, {"despill_key": "green"}),
        (
            {"despill": "blue", "despill_strength": 0.5},
            {"despill_key": "blue", "despill_strength": 0.5},
        ),
        (
            {"despill": "key color", "key_color": "#ff8000"},
            {"despill_key": "key color", "key_color": (1.0, 128 / 255, 0.0)},
        ),
        ({"under_alpha": "keep"}, {"under_alpha": "keep"}),
        ({"under_alpha": "zero"}, {"under_alpha": "zero"}),
        (
            {"under_alpha": "fill", "fill_color": "#ff8000"},
            {"under_alpha": "fill", "fill_color": (1.0, 128 / 255, 0.0)},
        ),
    ],
)
def test_each_input_reaches_the_library(server, photograph, alpha, changes, options):
    cutout, foreground, _ = pictures(server.run(graph_of(**changes)))
    expected = to_bytes(refine_foreground(photograph, alpha, **options))
    assert_same(cutout[..., :3], expected)
    assert_same(foreground, expected)
    usual = to_bytes(refine_foreground(photograph, alpha))
    assert np.abs(expected.astype(int) - usual).max() > 3, "the option changes something"


def test_premultiplied_changes_the_cutout_alone(server, photograph, alpha):
    cutout, foreground, _ = pictures(server.run(graph_of(alpha_type="premultiplied")))
    expected = refine_foreground(photograph, alpha)
    assert_same(cutout[..., :3], to_bytes(premultiply(expected, alpha)))
    assert_same(foreground, to_bytes(expected))


def test_the_old_background_does_not_come_back_under_transparency(server, photograph, alpha):
    """What a VAE sees is the color without the mask (ComfyUI#15956)."""
    _, foreground, _ = pictures(server.run(graph_of()))
    hidden = to_bytes(alpha)[..., 0] == 0
    rim = (to_bytes(alpha)[..., 0] > 200) & ~hidden
    old = to_bytes(photograph)[hidden].astype(float)
    new = foreground[hidden].astype(float)
    assert np.abs(new - old).mean() > 10
    low, high = foreground[rim].min(0).astype(float) - 40, foreground[rim].max(0).astype(float) + 40
    assert ((new >= low) & (new <= high)).mean() > 0.9


def test_one_mask_serves_a_batch_and_a_batch_gives_what_its_pictures_give_alone(
    server, photograph, alpha
):
    flipped = server.picture("flipped.png", to_bytes(photograph.flip(3)))
    graph = graph_of(image=["11", 0])
    graph["10"] = {"class_type": "LoadImage", "inputs": {"image": flipped}}
    graph["11"] = {"class_type": "ImageBatch", "inputs": {"image1": ["1", 0], "image2": ["10", 0]}}
    result = server.run(graph)
    assert result.status == "success", result.error
    first, second = result.pictures("5")
    assert_same(first, to_bytes(refine_foreground(photograph, alpha)))
    assert_same(second, to_bytes(refine_foreground(photograph.flip(3), alpha)))


def test_existing_transparency_limits_the_mask(server, photograph, alpha):
    graph = graph_of()
    graph["1"] = {"class_type": "TestValue", "inputs": {"kind": "transparent"}}
    graph["2"] = {"class_type": "SolidMask", "inputs": {"value": 0.5, "width": 64, "height": 64}}
    graph["9"] = {"class_type": "TestInspect", "inputs": {"value": ["3", 2]}}
    result = server.run(graph)
    assert result.status == "success", result.error
    seen = json.loads(result.outputs["9"]["text"][0])
    assert seen["least"] == 0
    assert seen["largest"] == pytest.approx(0.5, abs=1e-3)


def test_empty_masks_pass_fail_or_fall_back(server, photograph, alpha):
    graph = graph_of()
    graph["2"] = {"class_type": "SolidMask", "inputs": {"value": 0, "width": 144, "height": 96}}
    result = server.run(graph)
    assert result.status == "success", result.error
    assert "true" in result.outputs["8"]["text"][0].lower()
    assert "mask 0 (from 0) is empty" in server.text()
    graph["3"]["inputs"] |= {"on_empty": "error"}
    assert "every mask must show a subject" in server.refusal(graph)
    graph["12"] = {
        "class_type": "LoadImageMask",
        "inputs": {"image": "disc.png", "channel": "red"},
    }
    graph["3"]["inputs"] |= {"on_empty": "fallback", "fallback_mask": ["12", 0]}
    _, foreground, mask = pictures(server.run(graph))
    assert_same(mask[..., :1], to_bytes(alpha))
    assert_same(foreground, to_bytes(refine_foreground(photograph, alpha)))


def test_a_mask_of_other_proportions_is_refused(server, photograph):
    graph = graph_of()
    graph["2"] = {"class_type": "SolidMask", "inputs": {"value": 1, "width": 64, "height": 64}}
    assert "must have the picture's proportions" in server.refusal(graph)


def test_a_gray_key_color_is_refused(server, photograph, alpha):
    message = server.refusal(graph_of(despill="key color", key_color="#808080"))
    assert "must have a hue" in message


def test_a_batch_can_be_stopped(server, photograph, alpha):
    graph = graph_of(image=["13", 0])
    graph["13"] = {"class_type": "RepeatImageBatch", "inputs": {"image": ["1", 0], "amount": 300}}
    with server.listen("refine") as listener:
        prompt_id = server.queue(graph, "refine")
        for message in listener.messages():
            data = message["data"]
            nodes = data.get("nodes", {}) if data.get("prompt_id") == prompt_id else {}
            if message["type"] == "progress_state" and nodes.get("3", {}).get("value", 0) > 0:
                break
        server.post("/interrupt", {"prompt_id": prompt_id})
        result = server.wait(prompt_id)
    assert "execution_interrupted" in [kind for kind, _ in result.messages]
    assert "5" not in result.outputs
