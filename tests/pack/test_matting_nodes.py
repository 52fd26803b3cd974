"""Refine Mask, Trimap, Crop to Mask, Paste Back and Matte Report on a real server."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from birefnet.cropping import cut_out, paste_back, plan_crops
from birefnet.filters import gaussian_blur
from birefnet.masks.report import matte_report
from birefnet.masks.trimap import edge_band, stroke, trimap
from birefnet.matting import METHODS, refine_mask

HEIGHT, WIDTH = 96, 144
BOX = (40, 24, 96, 72)  # left, top, right, bottom of the subject


def to_bytes(picture):
    """As ComfyUI's Save Image does: (1, C, H, W) to uint8 (H, W, C)."""
    return (255 * picture[0].permute(1, 2, 0).double()).clamp(0, 255).to(torch.uint8).numpy()


def assert_same(actual, expected, most=1):
    assert actual.shape == expected.shape
    difference = np.abs(actual.astype(int) - expected.astype(int))
    assert difference.max() <= most
    assert (difference > 0).mean() < 0.02  # only where rounding falls on the other side


@pytest.fixture(scope="module")
def subject(server, photograph):
    """A soft mask (1, 1, H, W) in 8-bit steps; the server has it as the red of subject.png."""
    alpha = torch.zeros(1, 1, HEIGHT, WIDTH)
    alpha[..., BOX[1] : BOX[3], BOX[0] : BOX[2]] = 1
    pixels = (gaussian_blur(alpha, 2.0)[0, 0] * 255).round().byte().numpy()
    server.picture("subject.png", np.repeat(pixels[..., None], 3, axis=2))
    server.picture("nothing.png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    return torch.from_numpy(pixels).float()[None, None] / 255


def graph_of(kind, outputs=(), file="subject.png", **inputs):
    """A graph with one of our nodes as "5", whose named outputs are saved as pictures."""
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "photograph.png"}},
        "2": {"class_type": "LoadImageMask", "inputs": {"image": file, "channel": "red"}},
        "5": {"class_type": kind, "inputs": inputs},
    }
    for number, (output, is_mask) in enumerate(outputs):
        source = ["5", output]
        if is_mask:
            graph[f"7{number}"] = {"class_type": "MaskToImage", "inputs": {"mask": source}}
            source = [f"7{number}", 0]
        graph[f"8{number}"] = saved(source)
    return graph


def saved(source):
    return {"class_type": "SaveImage", "inputs": {"images": source, "filename_prefix": "m"}}


def inspected(graph, output, node="5"):
    graph["9"] = {"class_type": "TestInspect", "inputs": {"value": [node, output]}}
    return graph


def report_of(result):
    assert result.status == "success", result.error
    return json.loads(result.outputs["9"]["text"][0])


def run(server, graph):
    result = server.run(graph)
    assert result.status == "success", result.error
    return result


def value(kind):
    return {"class_type": "TestValue", "inputs": {"kind": kind}}


# Refine Mask


@pytest.mark.parametrize("method", METHODS)
def test_refined_masks_are_the_librarys(server, photograph, subject, method):
    graph = graph_of(
        "BiRefNet_RefineMask", [(0, True), (1, True)], image=["1", 0], mask=["2", 0], method=method
    )
    result = run(server, graph)
    expected = refine_mask(photograph, subject, method=method)
    assert_same(result.pictures("80")[0][..., :1], to_bytes(expected), most=2)
    unknown = (trimap(subject) == 0.5).float()
    assert_same(result.pictures("81")[0][..., :1], to_bytes(unknown))


def test_without_options_the_librarys_defaults_are_used(server, photograph, subject):
    graph = graph_of("BiRefNet_RefineMask", [(0, True)], image=["1", 0], mask=["2", 0])
    expected = refine_mask(photograph, subject)
    assert_same(run(server, graph).pictures("80")[0][..., :1], to_bytes(expected), most=2)


def test_every_option_of_refine_mask_is_connected(server, photograph, subject):
    options = {"method": "closed-form", "inside": 6.25, "outside": 12.5, "unit": "percent"}
    options |= {"trust": 0.2, "contrast": 1.0, "max_megapixels": 100.0}
    graph = graph_of("BiRefNet_RefineMask", [(0, True)], image=["1", 0], mask=["2", 0], **options)
    expected = refine_mask(
        photograph,
        subject,
        trimap(subject, inside=6, outside=12),
        method="closed-form",
        trust=0.2,
        contrast=1.0,
    )
    assert_same(run(server, graph).pictures("80")[0][..., :1], to_bytes(expected), most=2)
    graph["5"]["inputs"] |= {"method": "guided filter", "radius": 3.125, "epsilon": 0.01}
    expected = refine_mask(
        photograph,
        subject,
        trimap(subject, inside=6, outside=12),
        radius=3,
        epsilon=0.01,
        contrast=1.0,
    )
    assert_same(run(server, graph).pictures("80")[0][..., :1], to_bytes(expected), most=2)


def test_a_trimap_takes_the_place_of_the_band(server, photograph, subject):
    graph = graph_of(
        "BiRefNet_RefineMask",
        [(0, True), (1, True)],
        image=["1", 0],
        mask=["2", 0],
        trimap=["6", 0],
    )
    graph["6"] = {"class_type": "BiRefNet_Trimap", "inputs": {"mask": ["2", 0], "inside": 3.0}}
    result = run(server, graph)
    band = trimap(subject, inside=3)
    assert_same(
        result.pictures("80")[0][..., :1], to_bytes(refine_mask(photograph, subject, band)), most=2
    )


def test_sizes_that_cannot_fit_are_an_error_not_a_pass_through(server, photograph):
    server.picture("wrong.png", np.zeros((50, 50, 3), np.uint8))
    graph = graph_of(
        "BiRefNet_RefineMask", [(0, True)], file="wrong.png", image=["1", 0], mask=["2", 0]
    )
    result = server.run(graph)
    assert result.status == "error"
    assert "ShapeError" in result.error
    assert "proportions" in result.error


# Trimap


def test_all_bands_are_the_librarys(server, subject):
    graph = graph_of(
        "BiRefNet_Trimap",
        [(number, True) for number in range(6)],
        mask=["2", 0],
        inside=5.0,
        outside=7.5,
        stroke_width=4.5,
        stroke_position="center",
    )
    result = run(server, graph)
    bands = trimap(subject, inside=5, outside=7.5)
    expected = [
        bands,
        (bands == 1).float(),
        (bands == 0).float(),
        (bands == 0.5).float(),
        edge_band(subject, inside=5, outside=7.5),
        stroke(subject, width=4.5, position="center"),
    ]
    for number, mask in enumerate(expected):
        assert_same(result.pictures(f"8{number}")[0][..., :1], to_bytes(mask))


# Crop to Mask and Paste Back


def crop_graph(*, edit=None, paste=None, file="subject.png", image=("1", 0), **options):
    """Crop, edit the crop with a core node, paste it back and save that as "80"."""
    graph = graph_of("BiRefNet_CropToMask", file=file)
    graph["5"]["inputs"] = {"image": list(image), "mask": ["2", 0], **options}
    graph["6"] = edit or {"class_type": "ImageInvert", "inputs": {"image": ["5", 0]}}
    inputs = {"image": list(image), "crop": ["6", 0], "region": ["5", 2], **(paste or {})}
    graph["7"] = {"class_type": "BiRefNet_PasteBack", "inputs": inputs}
    graph["80"] = saved(["7", 0])
    return graph


def test_an_edited_crop_comes_back_and_the_rest_keeps_every_bit(server, photograph, subject):
    result = run(server, crop_graph(context=1.25, multiple=16))
    region = plan_crops(subject, context=1.25, multiple=16)
    (box,) = region.boxes
    assert box.size == region.crop_size
    edited = 1 - cut_out(photograph, box, box.size)
    expected = paste_back(photograph, edited, box=box)
    (saved_picture,) = result.pictures("80")
    assert_same(saved_picture, to_bytes(expected))
    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[max(0, box.top) : box.bottom, max(0, box.left) : box.right] = False
    assert outside.mean() > 0.2
    original = to_bytes(photograph)
    assert (saved_picture[outside] == original[outside]).all()
    middle = (slice(44, 52), slice(64, 72))
    assert np.abs(saved_picture[middle].astype(int) - (255 - original[middle])).max() <= 1


def test_a_resized_crop_comes_back_too(server, photograph, subject):
    scale = {"class_type": "ImageScale", "inputs": {"image": ["5", 0], "upscale_method": "area"}}
    scale["inputs"] |= {"width": 96, "height": 96, "crop": "disabled"}
    graph = crop_graph(edit=scale, target=512, shape="square", multiple=64, paste={"blend": 4.0})
    inspected(graph, 0)
    result = run(server, graph)
    assert report_of(result)["shape"] == [1, 512, 512, 3]
    (saved_picture,) = result.pictures("80")
    original = to_bytes(photograph)
    (box,) = plan_crops(subject, target=512, shape="square", multiple=64).boxes
    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[max(0, box.top) : box.bottom, max(0, box.left) : box.right] = False
    assert (saved_picture[outside] == original[outside]).all()
    assert np.abs(saved_picture.astype(int) - original).mean() < 3, "colors must not drift"


@pytest.mark.parametrize("target", [0, 1024])
def test_a_crop_that_was_not_edited_changes_nothing_visible(server, photograph, subject, target):
    same = {"class_type": "ImageScaleBy", "inputs": {"image": ["5", 0], "scale_by": 1.0}}
    same["inputs"]["upscale_method"] = "nearest-exact"
    result = run(server, crop_graph(edit=same, target=target))
    (saved_picture,) = result.pictures("80")
    difference = np.abs(saved_picture.astype(int) - to_bytes(photograph))
    assert difference.max() <= (0 if target == 0 else 3)


@pytest.mark.parametrize("source", ["crop", "picture"])
def test_with_a_mask_only_its_surroundings_change(server, photograph, subject, source):
    mask = ["5", 1] if source == "crop" else ["2", 0]
    result = run(server, crop_graph(context=2.0, paste={"mask": mask, "blend": 3.0}))
    (saved_picture,) = result.pictures("80")
    original = to_bytes(photograph)
    far = np.ones((HEIGHT, WIDTH), bool)
    far[BOX[1] - 12 : BOX[3] + 12, BOX[0] - 12 : BOX[2] + 12] = False
    assert (saved_picture[far] == original[far]).all()
    inner = (slice(BOX[1] + 8, BOX[3] - 8), slice(BOX[0] + 8, BOX[2] - 8))
    assert np.abs(saved_picture[inner].astype(int) - (255 - original[inner])).max() <= 2


def test_a_picture_with_transparency_keeps_it(server, subject):
    graph = crop_graph(image=("3", 0), context=1.0)
    graph["3"] = value("transparent")
    graph["2"] = {"class_type": "SolidMask", "inputs": {"value": 1.0, "width": 64, "height": 64}}
    graph["6"] = {"class_type": "EmptyImage", "inputs": {"width": 32, "height": 32}}
    graph["6"]["inputs"] |= {"batch_size": 1, "color": 0xFF0000}
    (saved_picture,) = run(server, graph).pictures("80")
    assert saved_picture.shape == (64, 64, 4)
    ramp = (np.linspace(0, 1, 64) * 255).astype(int)
    assert np.abs(saved_picture[..., 3].astype(int) - ramp[:, None]).max() <= 1
    assert saved_picture[32, 32, :3].tolist() == [255, 0, 0]


def test_several_masks_of_one_picture_give_several_crops_and_come_back(server, subject):
    graph = crop_graph(multiple=1, context=1.0)
    shift = {"class_type": "CropMask", "inputs": {"mask": ["2", 0], "x": 20, "y": 10}}
    shift["inputs"] |= {"width": WIDTH - 20, "height": HEIGHT - 10}
    blank = {"class_type": "SolidMask", "inputs": {"value": 0.0, "width": WIDTH, "height": HEIGHT}}
    join = {"class_type": "MaskComposite", "inputs": {"destination": ["20", 0], "x": 0, "y": 0}}
    join["inputs"] |= {"source": ["21", 0], "operation": "add"}
    graph |= {"20": blank, "21": shift, "22": join}
    for number, mask in (("23", ["2", 0]), ("24", ["22", 0])):
        graph[number] = {"class_type": "MaskToImage", "inputs": {"mask": mask}}
    graph["25"] = {"class_type": "ImageBatch", "inputs": {"image1": ["23", 0], "image2": ["24", 0]}}
    graph["26"] = {"class_type": "ImageToMask", "inputs": {"image": ["25", 0], "channel": "red"}}
    graph["5"]["inputs"]["mask"] = ["26", 0]
    inspected(graph, 0)
    result = run(server, graph)
    shape = report_of(result)["shape"]
    assert shape[0] == 2
    first, second = result.pictures("80")
    changed = [np.argwhere((one != first).any(-1)).size for one in (first, second)]
    assert changed[0] == 0 < changed[1], "each crop goes back to its own place"


def test_one_crop_and_many_edits_give_many_pictures(server, photograph, subject):
    repeat = {"class_type": "RepeatImageBatch", "inputs": {"image": ["5", 0], "amount": 3}}
    pictures = run(server, crop_graph(edit=repeat)).pictures("80")
    assert len(pictures) == 3
    assert all((one == to_bytes(photograph)).all() for one in pictures)


def test_numbers_that_cannot_fit_are_told(server, subject):
    graph = crop_graph(image=("4", 0))
    graph["4"] = {"class_type": "RepeatImageBatch", "inputs": {"image": ["1", 0], "amount": 2}}
    graph["6"] = {"class_type": "RepeatImageBatch", "inputs": {"image": ["5", 0], "amount": 2}}
    result = server.run(graph)
    assert result.status == "error"
    assert "2 pictures, 4 crops, 2 boxes" in result.error


# Empty masks


def test_an_empty_mask_does_not_stop_a_crop(server, photograph, subject):
    graph = crop_graph(file="nothing.png")
    inspected(graph, 0)
    result = run(server, graph)
    assert report_of(result)["shape"] == [1, HEIGHT, WIDTH, 3]
    assert "No subject in mask 0" in server.text()


def test_an_empty_mask_is_an_error_if_asked_for(server, subject):
    result = server.run(crop_graph(file="nothing.png", on_empty="error"))
    assert result.status == "error"
    assert "every mask must show a subject" in result.error


def test_a_fallback_mask_takes_its_place(server, subject):
    graph = crop_graph(file="nothing.png", on_empty="fallback", fallback_mask=["3", 0], context=1.0)
    graph["3"] = {"class_type": "LoadImageMask", "inputs": {"image": "subject.png"}}
    graph["3"]["inputs"]["channel"] = "red"
    inspected(graph, 0)
    size = plan_crops(subject, context=1.0).crop_size
    assert report_of(run(server, graph))["shape"] == [1, *size, 3]


# Matte Report


def measured(server, file="subject.png", **options):
    graph = graph_of("BiRefNet_MatteReport", file=file)
    graph["5"]["inputs"] = {"mask": ["2", 0], **options}
    result = run(server, graph)
    return json.loads(result.outputs["5"]["text"][0])


def test_the_report_is_the_librarys_and_runs_by_itself(server, subject):
    (entry,) = measured(server)
    (expected,) = matte_report(subject)
    assert entry["coverage"] == pytest.approx(expected.coverage, abs=1e-6)
    assert entry["edge_width"] == pytest.approx(expected.edge_width, abs=1e-4)
    assert entry["bounding_box"]["width"] == expected.bounding_box.width
    assert entry["parts"] == 1
    assert entry["needs_review"] is expected.needs_review


def test_an_empty_mask_is_measured_as_well(server, subject):
    (entry,) = measured(server, file="nothing.png")
    assert entry["is_empty"] is True
    assert entry["bounding_box"] is None
    assert entry["reasons"] == ["empty"]


def test_the_bounding_box_feeds_comfyuis_own_crop(server, subject):
    graph = graph_of("BiRefNet_MatteReport")
    graph["5"]["inputs"] = {"mask": ["2", 0]}
    graph["6"] = {
        "class_type": "ImageCropV2",
        "inputs": {"image": ["1", 0], "crop_region": ["5", 5]},
    }
    inspected(graph, 0, node="6")
    box = matte_report(subject)[0].bounding_box
    assert report_of(run(server, graph))["shape"] == [1, box.height, box.width, 3]


def test_nothing_runs_again_when_nothing_changed(server, subject):
    graph = crop_graph(context=1.75)
    assert "5" in run(server, graph).ran
    assert server.run(graph).ran == []
