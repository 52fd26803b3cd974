"""Example workflows: they open, fit the nodes, run, and do what their notes say."""

from __future__ import annotations

import io
import itertools
import json
import re
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import distance_transform_edt

import birefnet
from birefnet.compositing import parse_color
from birefnet.detail import predict_in_detail
from birefnet.foreground import estimate_foreground
from birefnet.guided import parse_boxes

ROOT = Path(__file__).parents[2]
FORMS = Path(__file__).with_name("workflows")
EXAMPLES = sorted(path.stem for path in ROOT.glob("example_workflows/*.json"))
BLUEPRINTS = sorted(path.stem for path in ROOT.glob("subgraphs/*.json"))
TINY = "tiny.safetensors"
NOTES = ("MarkdownNote", "Note")
WIDGETS = {"BOOLEAN", "COLOR", "COMBO", "FLOAT", "INT", "STRING"}
TITLE_BAR = 30  # above a node's place
CHECKPOINT = "512-inpainting-ema.safetensors"


def form_of(name):
    return name.lower().replace(" ", "_")


def example(name):
    return json.loads((ROOT / "example_workflows" / f"{name}.json").read_text(encoding="utf-8"))


def blueprint(name):
    """The node that a blueprint adds, and the graph inside it."""
    graph = json.loads((ROOT / "subgraphs" / f"{name}.json").read_text(encoding="utf-8"))
    (node,), (inner,) = graph["nodes"], graph["definitions"]["subgraphs"]
    return node, inner


def nodes_of(name):
    return blueprint(name)[1]["nodes"] if name in BLUEPRINTS else example(name)["nodes"]


def api_form(name, *, image="photograph.png"):
    """What the frontend sends for an example, with a tiny model in fp32 and another picture."""
    graph = json.loads((FORMS / f"{form_of(name)}.json").read_text(encoding="utf-8"))
    graph["1"]["inputs"] |= {"model": TINY, "dtype": "fp32"}
    graph["2"]["inputs"]["image"] = image
    return graph


def with_saved(graph, **outputs):
    """The graph with further outputs saved, each by a node of the given name."""
    for name, (source, number, is_mask) in outputs.items():
        if is_mask:
            graph[f"{name} image"] = {
                "class_type": "MaskToImage",
                "inputs": {"mask": [source, number]},
            }
            source, number = f"{name} image", 0
        graph[name] = {
            "class_type": "SaveImage",
            "inputs": {"images": [source, number], "filename_prefix": name},
        }
    return graph


def run(server, graph):
    result = server.run(graph)
    assert result.status == "success", result.error
    return result


def saved(result, node):
    """The only picture a node saved, as floats (H, W, C) or (H, W) in 8-bit steps."""
    (picture,) = result.pictures(node)
    return picture.astype(np.float64)


def mask_of(result, node):
    return saved(result, node)[..., 0]


def to_bytes(picture):
    """As ComfyUI's Save Image does: (1, C, H, W) to (H, W, C)."""
    pixels = (255 * picture[0].permute(1, 2, 0).double()).clamp(0, 255).to(torch.uint8)
    return pixels.numpy().astype(np.float64)


def described(server, kind):
    return server.json(f"/object_info/{quote(kind)}")[kind]


def sockets_of(info):
    """(name, type, options) of each input, in the schema's order."""
    for part in ("required", "optional"):
        for name, (kind, *rest) in info["input"].get(part, {}).items():
            yield name, "COMBO" if isinstance(kind, list) else kind, rest[0] if rest else {}


def widgets_of(info):
    """Those that have a widget: (name, type, options, values it stores beside its own)."""
    for name, kind, options in sockets_of(info):
        if kind in WIDGETS and not options.get("forceInput"):
            beside = bool(options.get("control_after_generate")) + bool(options.get("image_upload"))
            yield name, kind, options, beside


def options_of(info, name, options):
    """What a combo offers; releases differ in where they say it."""
    for part in ("required", "optional"):
        kind = info["input"].get(part, {}).get(name, [None])[0]
        if isinstance(kind, list):
            return kind
    return options["options"]


def rectangle(node):
    (x, y), (width, height) = node["pos"], node["size"]
    return (x, y - TITLE_BAR, x + width, y + height)


def overlap(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.fixture(scope="module")
def predictor(server):
    path = server.base / "models" / "background_removal" / TINY
    return birefnet.load(path, device="cpu", dtype="fp32")


@pytest.fixture(scope="module")
def large(server):
    """(1, 3, 200, 270) in 8-bit steps, larger than what the model sees; large.png."""
    generator = torch.Generator().manual_seed(17)
    small = torch.rand(1, 3, 10, 13, generator=generator)
    smooth = torch.nn.functional.interpolate(small, (200, 270), mode="bicubic").clamp(0, 1)
    pixels = (smooth[0].permute(1, 2, 0) * 255).round().byte()
    server.picture("large.png", pixels.numpy())
    return pixels.permute(2, 0, 1)[None].float() / 255


def test_there_is_one_for_each_task():
    assert EXAMPLES == [
        "Detail Mode",
        "Inpaint the Background",
        "Pick an Object by Box",
        "Product Shot",
        "Refine Edges",
        "Remove Background",
        "Replace Background",
    ]
    assert sorted(path.stem for path in FORMS.glob("*.json")) == [form_of(n) for n in EXAMPLES]


def test_templates_are_offered_with_their_pictures(plain_server):
    server = plain_server
    templates = server.json("/api/workflow_templates")[server.pack]
    assert sorted(templates) == EXAMPLES
    folders = server.json("/models")
    for name in templates:
        place = f"/api/workflow_templates/{server.pack}/{quote(name)}"
        graph = server.json(f"{place}.json")
        assert graph == example(name)
        models = [m for node in graph["nodes"] for m in node["properties"].get("models", ())]
        assert models, name
        for model in models:
            assert model["directory"] in folders
            assert model["url"].startswith("https://huggingface.co/")
            assert model["url"].endswith(f"/{model['name']}")
        data = server.get(f"{place}.jpg")
        assert len(data) < 100_000
        with Image.open(io.BytesIO(data)) as thumbnail:
            assert thumbnail.format == "JPEG"
            assert min(thumbnail.size) >= 200


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_overlaps_and_everything_has_its_group(name):
    graph = example(name)
    notes = [node for node in graph["nodes"] if node["type"] in NOTES]
    others = [node for node in graph["nodes"] if node["type"] not in NOTES]
    for one, other in itertools.combinations(graph["nodes"], 2):
        assert not overlap(rectangle(one), rectangle(other)), (one["type"], other["type"])
    groups = []
    for group in graph["groups"]:
        x, y, width, height = group["bounding"]
        assert re.fullmatch(r"[A-Z][a-z ]+", group["title"])
        groups.append((x, y, x + width, y + height))
    for one, other in itertools.combinations(groups, 2):
        assert not overlap(one, other)
    for node in others:
        left, top, right, bottom = rectangle(node)
        inside = [g[0] <= left and g[1] <= top and right <= g[2] and bottom <= g[3] for g in groups]
        assert sum(inside) == 1, node["type"]
    (note,) = notes
    assert not any(overlap(rectangle(note), group) for group in groups)
    (text,) = note["widgets_values"]
    assert len(re.findall(r"[.!?](?:\s|$)", text.split("\n\n")[0])) == 2
    assert "starter model" in text


@pytest.mark.parametrize("name", EXAMPLES)
def test_links_are_known_at_both_ends(name):
    graph = example(name)
    nodes = {node["id"]: node for node in graph["nodes"]}
    assert len(nodes) == len(graph["nodes"])
    assert graph["last_node_id"] == max(nodes)
    numbers = [link[0] for link in graph["links"]]
    assert graph["last_link_id"] == max(numbers) == len(set(numbers))
    leaving, arriving = [], []
    for number, source, output, target, slot, kind in graph["links"]:
        assert number in nodes[source]["outputs"][output]["links"]
        assert nodes[source]["outputs"][output]["type"] == kind
        assert nodes[target]["inputs"][slot]["link"] == number
        assert nodes[target]["inputs"][slot]["type"] == kind
        assert nodes[source]["order"] < nodes[target]["order"]
    for node in nodes.values():
        leaving += [link for output in node["outputs"] for link in output["links"] or ()]
        arriving += [socket["link"] for socket in node["inputs"] if socket["link"] is not None]
    assert sorted(leaving) == sorted(arriving) == sorted(numbers)


@pytest.mark.parametrize("name", EXAMPLES + BLUEPRINTS)
def test_values_fit_the_widgets_they_land_in(server, name):
    """Widget values are stored by position, so a widget in between would shift them all."""
    for node in nodes_of(name):
        if node["type"] in NOTES:
            continue
        info = described(server, node["type"])
        values = iter(node["widgets_values"])
        for widget, kind, options, beside in widgets_of(info):
            value = next(values)
            if kind == "COMBO" and widget not in ("image", "ckpt_name"):  # of this desk's files
                assert value in options_of(info, widget, options), f"{node['type']}.{widget}"
            elif kind in ("INT", "FLOAT"):
                assert options["min"] <= value <= options["max"], f"{node['type']}.{widget}"
            elif kind in ("BOOLEAN", "STRING", "COLOR"):
                assert isinstance(value, bool if kind == "BOOLEAN" else str)
            for _ in range(beside):
                next(values)
        assert list(values) == [], node["type"]
        assert [socket["name"] for socket in node["inputs"] if "widget" in socket] == [
            widget for widget, *_ in widgets_of(info)
        ]
        if node["type"] != "SaveImage":  # newer releases gave it an output
            assert [output["name"] for output in node["outputs"]] == info["output_name"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_stored_api_forms_are_those_of_the_examples(server, name):
    """What the frontend would send, worked out from links, widgets and titles."""
    graph = example(name)
    links = {number: [str(node), slot] for number, node, slot, *_ in graph["links"]}
    expected = {}
    for node in graph["nodes"]:
        if node["type"] in NOTES:
            continue
        info = described(server, node["type"])
        inputs = {
            socket["name"]: links[socket["link"]]
            for socket in node["inputs"]
            if "widget" not in socket and socket["link"] is not None
        }
        values = iter(node["widgets_values"])
        for widget, _, _, beside in widgets_of(info):
            inputs[widget] = next(values)
            for _ in range(beside):
                next(values)
        title = node.get("title", info["display_name"])
        expected[str(node["id"])] = {
            "class_type": node["type"],
            "inputs": inputs,
            "_meta": {"title": title},
        }
    stored = json.loads((FORMS / f"{form_of(name)}.json").read_text(encoding="utf-8"))
    assert stored == expected


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_blueprints_are_offered_and_wired(server, name):
    offered = server.json("/api/global_subgraphs")
    (key,) = [key for key, value in offered.items() if value["name"] == name]
    node, inner = blueprint(name)
    found = json.loads(server.json(f"/api/global_subgraphs/{key}")["data"])
    assert found["definitions"]["subgraphs"] == [inner]
    assert node["type"] == inner["id"]
    assert node["title"] == inner["name"] == name
    for side, outer in (("inputs", node["inputs"]), ("outputs", node["outputs"])):
        assert [socket["name"] for socket in outer] == [socket["name"] for socket in inner[side]]
    inside = {one["id"]: one for one in inner["nodes"]}
    for number, link in enumerate(inner["links"], 1):
        assert link["id"] == number
        source, target = inside.get(link["origin_id"]), inside.get(link["target_id"])
        start = source["outputs"] if source else inner["inputs"]
        end = target["inputs"] if target else inner["outputs"]
        start, end = start[link["origin_slot"]], end[link["target_slot"]]
        assert start["type"] == end["type"] == link["type"]
        assert number in (start["links"] if source else start["linkIds"])
        assert (end["link"] == number) if target else (number in end["linkIds"])
    widgets = [[str(number), socket["name"]] for number, socket in exposed_widgets(inner)]
    assert node["properties"]["proxyWidgets"] == widgets


def exposed_widgets(inner):
    """(node, input) of each widget that the blueprint shows, in the order of its inputs."""
    inside = {one["id"]: one for one in inner["nodes"]}
    links = sorted(inner["links"], key=lambda link: link["origin_slot"])
    for link in links:
        if link["origin_id"] == -10:
            socket = inside[link["target_id"]]["inputs"][link["target_slot"]]
            if "widget" in socket:
                yield link["target_id"], socket


def test_remove_background_saves_a_transparent_picture(server, predictor, photograph):
    cutout = saved(run(server, api_form("Remove Background")), "4")
    alpha = predictor(photograph)
    assert np.abs(cutout[..., 3:] - to_bytes(alpha)).max() <= 1
    assert np.abs(cutout[..., :3] - to_bytes(estimate_foreground(photograph, alpha))).max() <= 2


def test_replace_background_blurs_only_the_background(server, photograph):
    graph = api_form("Replace Background")
    graph["3"]["inputs"] |= {"black_point": 0.4, "white_point": 0.6}
    graph = with_saved(graph, mask=("5", 1, True), behind=("5", 3, False))
    result = run(server, graph)
    picture, mask, behind = saved(result, "4"), mask_of(result, "mask"), saved(result, "behind")
    original = to_bytes(photograph)
    subject, background = mask == 255, mask == 0
    assert subject.mean() > 0.05
    assert background.mean() > 0.05
    assert np.abs(picture - original)[subject].max() <= 1
    assert np.abs(picture - behind)[background].max() <= 1
    assert roughness(behind) < 0.7 * roughness(original)


def roughness(picture):
    return np.abs(np.diff(picture, axis=0)).mean() + np.abs(np.diff(picture, axis=1)).mean()


def test_refine_edges_changes_only_the_edges(server, photograph):
    graph = api_form("Refine Edges")
    graph["3"]["inputs"] |= {"black_point": 0.45, "white_point": 0.55}
    graph["4"]["inputs"] |= {"inside": 4.0, "outside": 4.0}
    graph = with_saved(graph, unknown=("4", 1, True), color=("5", 1, False))
    result = run(server, graph)
    refined, first = saved(result, "6")[..., 3], saved(result, "7")[..., 3]
    unknown = mask_of(result, "unknown") > 0
    assert 0 < unknown.mean() < 1
    assert np.abs(refined - first)[~unknown].max() <= 1
    assert np.abs(refined - first)[unknown].max() > 8
    opaque = refined == 255
    assert np.abs(saved(result, "color") - to_bytes(photograph))[opaque].max() <= 1
    assert (saved(result, "7")[..., :3] == to_bytes(photograph)).all()


def test_pick_an_object_keeps_to_the_box(server, photograph):
    graph = api_form("Pick an Object by Box")
    text = graph["3"]["inputs"]["drawn_boxes"]
    size = tuple(photograph.shape[2:])
    (drawn,) = parse_boxes(text, size)
    assert 0 < drawn.left < drawn.right < size[1]
    graph["3"]["inputs"]["drawn_boxes"] = "50%, 10%, 30%, 40%"
    (box,) = parse_boxes("50%, 10%, 30%, 40%", size)
    alpha = saved(run(server, graph), "4")[..., 3]
    reach = graph["3"]["inputs"]["reach"] / 100
    rows, columns = np.nonzero(alpha)
    assert len(rows) > 50
    assert rows.min() >= box.top - reach * box.height - 1
    assert rows.max() <= box.bottom + reach * box.height + 1
    assert columns.min() >= box.left - reach * box.width - 1
    assert columns.max() <= box.right + reach * box.width + 1


def test_detail_mode_looks_again(server, predictor, large):
    result = run(server, api_form("Detail Mode", image="large.png"))
    detail, look = saved(result, "4")[..., 3:], saved(result, "6")[..., 3:]
    assert np.abs(look - to_bytes(predictor(large))).max() <= 1
    expected = predict_in_detail(large, predictor, detail="tiles")
    assert np.abs(detail - to_bytes(expected)).max() <= 2
    assert np.abs(detail - look).max() > 8


@pytest.mark.usefixtures("photograph")
def test_a_product_shot_has_its_margin_and_its_shadow(server):
    graph = api_form("Product Shot")
    graph["3"]["inputs"] |= {"black_point": 0.45, "white_point": 0.55}
    assert graph["4"]["inputs"]["width"] == graph["4"]["inputs"]["height"]
    size, margin = 400, graph["4"]["inputs"]["margin"]
    graph["4"]["inputs"] |= {"width": size, "height": size}
    graph = with_saved(graph, mask=("5", 1, True), shadow=("5", 2, False))
    result = run(server, graph)
    picture, mask, shadow = saved(result, "6"), mask_of(result, "mask"), saved(result, "shadow")
    assert picture.shape == (size, size, 3)
    rows, columns = np.nonzero(mask > 25)
    room = round(size * margin / 100)
    for places in (rows, columns):
        assert places.min() >= room - 2
        assert places.max() <= size - room + 1
    filled = max(np.ptp(rows), np.ptp(columns)) / (size - 2 * room)
    assert filled > 0.95, "the subject is enlarged to the margins"
    color = np.array(parse_color(graph["5"]["inputs"]["color"])) * 255
    empty = (mask == 0) & (shadow == 255).all(-1)
    assert np.abs(picture[empty] - color).max() <= 1
    fallen = (mask == 0) & (shadow < 230).all(-1)
    assert fallen.sum() > 100, "no shadow beside the subject"
    assert (picture[fallen] < color - 15).all()
    corner = picture[: room // 2]
    assert np.abs(corner - color).max() <= 1


@pytest.mark.usefixtures("photograph")
def test_the_product_blueprint_gives_what_the_example_gives(server):
    _, inner = blueprint("Product Shot (BiRefNet Studio)")
    links = {link["id"]: link for link in inner["links"]}
    graph = {"2": {"class_type": "LoadImage", "inputs": {"image": "photograph.png"}}}
    for node in inner["nodes"]:
        values, inputs = iter(node["widgets_values"]), {}
        for socket in node["inputs"]:
            link = links.get(socket["link"])
            if "widget" in socket:
                inputs[socket["name"]] = next(values)
            elif link:
                source = link["origin_id"]
                inputs[socket["name"]] = (
                    ["2", 0] if source == -10 else [str(source), link["origin_slot"]]
                )
        graph[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    expected = api_form("Product Shot")
    small = {"width": 200, "height": 200}
    for one, loader, frame in ((graph, "11", "13"), (expected, "1", "4")):
        one[loader]["inputs"] |= {"model": TINY, "dtype": "fp32"}
        one[frame]["inputs"] |= small
    (ending,) = [link for link in links.values() if link["target_id"] == -20][:1]
    source = (str(ending["origin_id"]), ending["origin_slot"], False)
    actual = saved(run(server, with_saved(graph, result=source)), "result")
    assert (actual == saved(run(server, expected), "6")).all()


def painting(server, graph):
    """The inpainting graph with a plain picture in place of what Stable Diffusion paints."""
    for number in ("6", "7", "8", "9", "10"):
        del graph[number]
    graph["11"] = {
        "class_type": "EmptyImage",
        "inputs": {"width": 640, "height": 424, "batch_size": 1, "color": 0x20C040},
    }
    return run(server, graph)


def test_inpainting_repaints_the_background_and_not_the_subject(server, photograph):
    graph = api_form("Inpaint the Background")
    assert graph["9"]["inputs"]["mask"] == ["4", 1], "1 where Stable Diffusion repaints"
    graph["3"]["inputs"] |= {"black_point": 0.45, "white_point": 0.55}
    graph["4"]["inputs"] |= {"grow": -3.0, "feather": 6.0, "unit": "pixels", "fill_holes": "off"}
    graph = with_saved(
        graph, repaint=("4", 1, True), subject=("3", 1, True), scaled=("5", 0, False)
    )
    result = painting(server, graph)
    repaint, subject = mask_of(result, "repaint"), mask_of(result, "subject")
    assert (repaint[subject == 0] == 255).all(), "all of the background"
    assert (repaint >= 255 - subject - 1).all(), "and the rim, where the old one shines through"
    deep = distance_transform_edt(subject == 255)
    assert (deep > 12).any()
    assert (repaint[deep > 12] == 0).all(), "but not the subject"
    rim = (subject == 255) & (distance_transform_edt(subject > 0) < 3)
    assert repaint[rim].mean() > 128, "the mask's edge lies inside the subject"
    assert np.unique(repaint).size > 20, "it is feathered"
    height, width, _ = saved(result, "scaled").shape
    assert height % 8 == width % 8 == 0
    assert height * width == pytest.approx(0.4 * 2**20, rel=0.02)
    assert width / height == pytest.approx(photograph.shape[3] / photograph.shape[2], rel=0.02)


def test_the_subject_keeps_its_pixels_on_the_inpainted_background(server, photograph):
    graph = api_form("Inpaint the Background")
    graph["3"]["inputs"] |= {"black_point": 0.45, "white_point": 0.55}
    graph["12"]["inputs"]["light_wrap"] = 0.0
    result = painting(server, with_saved(graph, subject=("3", 1, True)))
    picture, subject = saved(result, "13"), mask_of(result, "subject")
    assert picture.shape == (*photograph.shape[2:], 3)
    assert np.abs(picture - to_bytes(photograph))[subject == 255].max() <= 1
    assert np.abs(picture[subject == 0] - (0x20, 0xC0, 0x40)).max() <= 1


@pytest.mark.usefixtures("photograph")
def test_light_of_the_painted_background_falls_on_the_subject(server):
    graph = api_form("Inpaint the Background")
    assert graph["12"]["inputs"]["light_wrap"] > 0
    with_light = saved(painting(server, graph), "13")
    graph = api_form("Inpaint the Background")
    graph["12"]["inputs"]["light_wrap"] = 0.0
    without = saved(painting(server, graph), "13")
    assert (with_light >= without - 1).all()
    assert (with_light - without).max() > 4


@pytest.mark.usefixtures("photograph")
def test_inpainting_lacks_nothing_but_its_checkpoint(server):
    graph = api_form("Inpaint the Background")
    with pytest.raises(Exception, match="prompt_outputs_failed_validation") as caught:
        server.queue(graph)
    ((number, problems),) = caught.value.body["node_errors"].items()
    (error,) = problems["errors"]
    assert (number, error["type"]) == ("6", "value_not_in_list")
    assert error["extra_info"]["received_value"] == CHECKPOINT
    models = [
        model
        for node in example("Inpaint the Background")["nodes"]
        for model in node["properties"].get("models", ())
    ]
    assert CHECKPOINT in [model["name"] for model in models]
