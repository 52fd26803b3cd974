"""Remove Background on a real server, compared with the library."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import birefnet
from birefnet.compositing import over, parse_color

WORKFLOWS = Path(__file__).with_name("workflows")
TINY = "tiny.safetensors"


def workflow(name, *, model=TINY, image="photograph.png", **changes):
    """An API form of an example workflow with a model in fp32, and other inputs changed."""
    graph = json.loads((WORKFLOWS / f"{name}.json").read_text(encoding="utf-8"))
    graph["1"]["inputs"] |= {"model": model, "dtype": "fp32"}
    graph["2"]["inputs"]["image"] = image
    graph["3"]["inputs"] |= changes
    return graph


def inspected(graph, node, output):
    """The graph with a report about one output, as node "9"."""
    graph["9"] = {"class_type": "TestInspect", "inputs": {"value": [node, output]}}
    return graph


def report(result, node="9"):
    assert result.status == "success", result.error
    return json.loads(result.outputs[node]["text"][0])


def to_bytes(picture):
    """As ComfyUI's Save Image does: (1, C, H, W) to uint8 (H, W, C)."""
    return (255 * picture[0].permute(1, 2, 0).double()).clamp(0, 255).to(torch.uint8).numpy()


def assert_same(actual, expected):
    difference = np.abs(actual.astype(int) - expected.astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01  # only where rounding falls on the other side


@pytest.fixture(scope="module")
def predictor(server):
    path = server.base / "models" / "background_removal" / TINY
    return birefnet.load(path, device="cpu", dtype="fp32")


@pytest.fixture(scope="module")
def alpha(predictor, photograph):
    alpha = predictor(photograph)
    assert 0.05 < float(alpha.mean()) < 0.95, "the random model must give a soft mask"
    assert float(alpha.std()) > 0.1
    return alpha


def test_the_saved_picture_is_the_librarys_cutout(server, photograph, alpha):
    result = server.run(workflow("remove_background"))
    assert result.status == "success", result.error
    (saved,) = result.pictures("4")
    assert saved.shape == (96, 144, 4)
    foreground = birefnet.estimate_foreground(photograph, alpha)
    assert_same(saved[..., 3:], to_bytes(alpha))
    assert_same(saved[..., :3], to_bytes(foreground))


def test_a_graph_without_optional_inputs_uses_the_librarys_defaults(server, photograph):
    graph = workflow("remove_background")
    graph["1"]["inputs"] = {"model": TINY}
    graph["3"]["inputs"] = {"model": ["1", 0], "image": ["2", 0]}
    result = server.run(graph)
    assert result.status == "success", result.error
    path = server.base / "models" / "background_removal" / TINY
    automatic = birefnet.load(path, device="cpu", dtype="auto")
    (saved,) = result.pictures("4")
    assert_same(saved[..., 3:], to_bytes(automatic(photograph)))


def test_a_plain_color_lies_behind_the_subject(server, photograph, alpha):
    graph = workflow("remove_background", background="color", color="#3b7dd8", foreground="off")
    graph["5"] = {"class_type": "MaskToImage", "inputs": {"mask": ["3", 1]}}
    graph["6"] = {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "m"}}
    result = server.run(graph)
    assert result.status == "success", result.error
    (saved,) = result.pictures("4")
    assert saved.shape == (96, 144, 4)
    assert saved[..., 3].min() == 255
    backdrop = torch.tensor(parse_color("#3b7dd8")).view(3, 1, 1)
    assert_same(saved[..., :3], to_bytes(over(photograph, alpha, backdrop)))
    (mask,) = result.pictures("6")
    assert_same(mask[..., :1], to_bytes(alpha))


def test_off_keeps_the_colors_of_the_picture_and_the_same_mask(server, photograph, alpha):
    (saved,) = server.run(workflow("remove_background", foreground="off")).pictures("4")
    assert (saved[..., :3] == to_bytes(photograph)).all()
    assert_same(saved[..., 3:], to_bytes(alpha))


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({"size_mode": "side", "size": 160}, {"size": 160}),
        ({"size_mode": "longest side", "size": 160}, {"longest_side": 160}),
        ({"size_mode": "native"}, {"size": "native"}),
        ({"fit": "letterbox"}, {"fit": "letterbox"}),
    ],
)
def test_sizes_mean_what_they_mean_in_the_library(
    server, predictor, photograph, alpha, changes, options
):
    (saved,) = server.run(workflow("remove_background", **changes)).pictures("4")
    expected = predictor(photograph, **options)
    assert_same(saved[..., 3:], to_bytes(expected))
    if changes["size_mode" if "size_mode" in changes else "fit"] != "native":
        assert np.abs(to_bytes(expected).astype(int) - to_bytes(alpha)).max() > 8


def test_levels_stretch_the_mask(server, alpha):
    graph = workflow("remove_background", black_point=0.25, white_point=0.75)
    (saved,) = server.run(graph).pictures("4")
    assert_same(saved[..., 3:], to_bytes(((alpha - 0.25) / 0.5).clamp(0, 1)))


def test_the_inverted_mask_suits_join_image_with_alpha(server, photograph, alpha):
    graph = workflow("remove_background")
    graph["5"] = {
        "class_type": "JoinImageWithAlpha",
        "inputs": {"image": ["2", 0], "alpha": ["3", 2]},
    }
    graph["6"] = {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "j"}}
    (joined,) = server.run(graph).pictures("6")
    assert_same(joined[..., 3:], to_bytes(alpha))
    assert (joined[..., :3] == to_bytes(photograph)).all()


def test_comfyuis_own_node_gets_the_same_mask_from_our_loader(server, alpha):
    graph = workflow("remove_background")
    graph["5"] = {
        "class_type": "RemoveBackground",
        "inputs": {"bg_removal_model": ["1", 0], "image": ["2", 0]},
    }
    graph["6"] = {"class_type": "MaskToImage", "inputs": {"mask": ["5", 0]}}
    graph["7"] = {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "c"}}
    result = server.run(graph)
    assert result.status == "success", result.error
    (theirs,) = result.pictures("7")
    assert_same(theirs[..., :1], to_bytes(alpha))


def test_a_model_of_an_early_release_feeds_our_node(server, photograph):
    graph = workflow("remove_background", model_="unused")
    del graph["3"]["inputs"]["model_"]
    graph["1"] = {"class_type": "TestValue", "inputs": {"kind": "old core model"}}
    result = server.run(graph)
    assert result.status == "success", result.error
    (saved,) = result.pictures("4")
    assert_same(saved[..., 3:], to_bytes(photograph[:, :1]))


def test_a_batch_gives_what_its_pictures_give_alone(server, predictor):
    generator = torch.Generator().manual_seed(11)
    pixels = torch.randint(0, 256, (3, 64, 64, 3), generator=generator, dtype=torch.uint8)
    graph = workflow("remove_background")
    for number, picture in enumerate(pixels):
        name = server.picture(f"batch {number}.png", picture.numpy())
        graph[f"2{number}"] = {"class_type": "LoadImage", "inputs": {"image": name}}
    for number, (first, second) in enumerate((("20", "21"), ("30", "22"))):
        graph[f"3{number}"] = {
            "class_type": "ImageBatch",
            "inputs": {"image1": [first, 0], "image2": [second, 0]},
        }
    graph["3"]["inputs"]["image"] = ["31", 0]
    saved = server.run(graph).pictures("4")
    assert len(saved) == 3
    for picture, expected in zip(saved, pixels, strict=True):
        alone = predictor(expected.permute(2, 0, 1)[None].float() / 255)
        assert_same(picture[..., 3:], to_bytes(alone))


@pytest.mark.parametrize("kind", ["gray", "one pixel", "panorama", "transparent"])
def test_unusual_pictures_work(server, kind):
    graph = workflow("remove_background")
    graph["2"] = {"class_type": "TestValue", "inputs": {"kind": kind}}
    result = server.run(inspected(graph, "3", 0))
    shape = {
        "gray": [1, 64, 48, 4],
        "one pixel": [1, 1, 1, 4],
        "panorama": [1, 4, 900, 4],
        "transparent": [1, 64, 64, 4],
    }[kind]
    described = report(result)
    assert described["shape"] == shape
    assert described["least"] >= 0
    assert described["largest"] <= 1
    if kind == "transparent":  # what is transparent already stays so
        (saved,) = result.pictures("4")
        assert saved[0, :, 3].max() == 0


def test_results_lie_where_comfyui_wants_them(server):
    for output, shape in ((0, [1, 96, 144, 4]), (1, [1, 96, 144]), (2, [1, 96, 144])):
        described = report(server.run(inspected(workflow("remove_background"), "3", output)))
        assert described["shape"] == shape
        assert described["dtype"] == "torch.float32"
        assert described["device"] == "cpu"


def test_nothing_runs_again_when_nothing_changed(server):
    graph = workflow("remove_background", black_point=0.125)
    first = server.run(graph)
    assert "3" in first.ran
    assert server.run(graph).ran == []


def test_a_replaced_file_is_loaded_again(server):
    server.model("changing.safetensors", seed=4)
    graph = workflow("remove_background", model="changing.safetensors")
    (before,) = server.run(graph).pictures("4")
    server.model("changing.safetensors", seed=5)
    (after,) = server.run(graph).pictures("4")
    assert np.abs(before[..., 3].astype(int) - after[..., 3]).max() > 8
