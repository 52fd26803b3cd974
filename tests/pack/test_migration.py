"""Workflows of older BiRefNet packs run on our nodes, and give what ours give."""

from __future__ import annotations

import itertools
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest

from birefnet.weights.registry import by_name

ROOT = Path(__file__).parents[2]
TINY = "tiny.safetensors"
MODEL = "BACKGROUND_REMOVAL"
PERMUTATIONS = 6  # of node numbers; in which order nodes are replaced depends on them

# What the old nodes take and give, written down from the packs' own schemas: required inputs in
# their order (sockets with their type, then widgets with a usual value), optional widgets, outputs.
OLD = {
    "AutoDownloadBiRefNetModel": (
        {},
        {"model_name": "General", "device": "AUTO"},
        {"dtype": "float32"},
        [MODEL],
    ),
    "LoadRembgByBiRefNetModel": (
        {},
        {"model": TINY, "device": "AUTO"},
        {"use_weight": False, "dtype": "float32"},
        [MODEL],
    ),
    "GetMaskByBiRefNet": (
        {"model": MODEL, "images": "IMAGE"},
        {"width": 1024, "height": 1024, "upscale_method": "bilinear", "mask_threshold": 0.0},
        {},
        ["MASK"],
    ),
    "BlurFusionForegroundEstimation": (
        {"images": "IMAGE", "masks": "MASK"},
        {"blur_size": 90, "blur_size_two": 6, "fill_color": False, "color": 0},
        {},
        ["IMAGE", "MASK"],
    ),
    "RembgByBiRefNetAdvanced": (
        {"model": MODEL, "images": "IMAGE"},
        {
            "width": 1024,
            "height": 1024,
            "upscale_method": "bilinear",
            "blur_size": 90,
            "blur_size_two": 6,
            "fill_color": False,
            "color": 0,
            "mask_threshold": 0.0,
        },
        {},
        ["IMAGE", "MASK"],
    ),
    "RembgByBiRefNet": ({"model": MODEL, "images": "IMAGE"}, {}, {}, ["IMAGE", "MASK"]),
    "BiRefNet_ModelLoader_Zho": ({}, {"birefnet_model": TINY}, {}, [MODEL]),
    "BiRefNet_Zho": ({"birefnetmodel": MODEL, "image": "IMAGE"}, {}, {}, ["IMAGE", "MASK"]),
    "LayerMask: LoadBiRefNetModel": ({}, {"model": TINY}, {}, [MODEL]),
    "LayerMask: LoadBiRefNetModelV2": ({}, {"version": "BiRefNet-General"}, {}, [MODEL]),
    "LayerMask: BiRefNetUltraV2": (
        {"image": "IMAGE", "birefnet_model": MODEL},
        {
            "detail_method": "VITMatte",
            "detail_erode": 4,
            "detail_dilate": 2,
            "black_point": 0.01,
            "white_point": 0.99,
            "process_detail": False,
            "device": "cuda",
            "max_megapixels": 2.0,
        },
        {},
        ["IMAGE", "MASK"],
    ),
}
ALL_IN_ONE = ("BiRefNetRMBG", "RMBG", "BiRefNet", "BiRefNet_Hugo", "BiRefNetRMBG_Batched")
LL_MODELS = (
    *("General", "General-HR", "Matting-HR", "General-Lite", "General-Lite-2K"),
    *("General-reso_512", "Portrait", "Matting", "Matting-Lite", "DIS", "HRSOD", "COD"),
    *("DIS-TR_TEs", "General-legacy", "General-dynamic"),
)


def old(kind, **inputs):
    """A node of an old pack as ComfyUI exports it: its usual values, and what is given."""
    _, widgets, optional, _ = OLD[kind]
    return {
        "class_type": kind,
        "inputs": {**widgets, **optional, **inputs},
        "_meta": {"title": kind},
    }


def core(kind, **inputs):
    return {"class_type": kind, "inputs": inputs, "_meta": {"title": kind}}


def saving(graph, picture, mask):
    """The graph with the picture saved by node "90", and the mask by "92"."""
    return graph | {
        "90": core("SaveImage", images=picture, filename_prefix="picture"),
        "91": core("MaskToImage", mask=mask),
        "92": core("SaveImage", images=["91", 0], filename_prefix="mask"),
    }


def renumbered(graph, numbers):
    """The same graph with other node numbers."""
    new = dict(zip(graph, numbers, strict=True))
    return {
        new[number]: {
            **node,
            "inputs": {
                name: [new[value[0]], value[1]] if isinstance(value, list) else value
                for name, value in node["inputs"].items()
            },
        }
        for number, node in graph.items()
    }


def pictures(server, graph, numbers=("90", "92")):
    result = server.run(graph)
    assert result.status == "success", result.error
    return [result.pictures(number)[0].astype(int) for number in numbers]


def assert_same(actual, expected):
    for one, other in zip(actual, expected, strict=True):
        assert one.shape == other.shape
        assert np.abs(one - other).max() <= 1


def photograph_node():
    return core("LoadImage", image="photograph.png")


def ours(**changes):
    """Load BiRefNet, Load Image, Remove Background, as nodes 1, 2 and 3."""
    return {
        "1": core("BiRefNet_Load", model=TINY),
        "2": photograph_node(),
        "3": core("BiRefNet_RemoveBackground", model=["1", 0], image=["2", 0], **changes),
    }


@pytest.fixture(scope="module")
def table(server):
    return server.json("/node_replacements")


def info_of(server, kind):
    return server.json(f"/object_info/{quote(kind)}")[kind]


@pytest.mark.parametrize("kind", OLD)
def test_a_replacement_fits_the_old_node_and_the_new_one(server, table, kind):
    (entry,) = table[kind]
    sockets, widgets, optional, outputs = OLD[kind]
    info = info_of(server, entry["new_node_id"])
    new = {**info["input"]["required"], **info["input"].get("optional", {})}
    assert entry["old_widget_ids"] == [*widgets, *optional]
    given = set()
    for pair in entry["input_mapping"]:
        name, (expected, *rest) = pair["new_id"], new[pair["new_id"]]
        given.add(name)
        if "set_value" in pair:
            choices = expected if isinstance(expected, list) else rest[0].get("options")
            assert isinstance(pair["set_value"], bool) or pair["set_value"] in choices
        elif pair["old_id"] in sockets:
            assert sockets[pair["old_id"]] == expected
        else:
            assert pair["old_id"] in widgets, "ComfyUI fails on an optional one that is not there"
    assert given >= set(info["input"]["required"]), "what ours cannot do without"
    assert [pair["old_idx"] for pair in entry["output_mapping"]] == [*range(len(outputs))]
    for pair, expected in zip(entry["output_mapping"], outputs, strict=True):
        assert info["output"][pair["new_idx"]] == expected


def test_nothing_else_is_replaced_by_ours(table):
    ours = {
        kind
        for kind, entries in table.items()
        if any(e["new_node_id"].startswith("BiRefNet_") for e in entries)
    }
    assert ours | {"GetMaskByBiRefNet"} == set(OLD)


@pytest.mark.usefixtures("photograph")
@pytest.mark.parametrize("kind", ALL_IN_ONE)
def test_nodes_that_load_and_remove_stay_missing(server, table, kind):
    """None of ours does both, and a graph with an open model socket would be a broken one."""
    assert kind not in table
    graph = {"2": photograph_node(), "3": core(kind, image=["2", 0])}
    assert kind in server.refusal(saving(graph, ["3", 0], ["3", 1]))


@pytest.mark.usefixtures("photograph")
@pytest.mark.parametrize("seed", range(PERMUTATIONS))
def test_the_three_nodes_of_ll_give_what_ours_give(server, seed):
    graph = {
        "1": old("LoadRembgByBiRefNetModel"),
        "2": photograph_node(),
        "3": old("GetMaskByBiRefNet", model=["1", 0], images=["2", 0]),
        "4": old("BlurFusionForegroundEstimation", images=["2", 0], masks=["3", 0], blur_size=31),
    }
    graph = saving(graph, ["4", 0], ["4", 1])
    order = np.random.default_rng(seed).permutation(100)[: len(graph)]
    numbers = [str(number) for number in order]
    graph = renumbered(graph, numbers)
    expected = ours()
    expected["4"] = core(
        "BiRefNet_RefineForeground",
        **{"image": ["2", 0], "mask": ["3", 1], "method": "blur-fusion", "blur_size": 31},
    )
    saved = (numbers[4], numbers[6])
    assert_same(
        pictures(server, graph, saved),
        pictures(server, saving(expected, ["4", 0], ["4", 2])),
    )


@pytest.mark.usefixtures("photograph")
def test_the_advanced_node_of_ll_keeps_its_size_and_threshold(server):
    graph = {
        "1": old("LoadRembgByBiRefNetModel"),
        "2": photograph_node(),
        "3": old(
            "RembgByBiRefNetAdvanced",
            **{"model": ["1", 0], "images": ["2", 0], "width": 160, "mask_threshold": 0.25},
        ),
    }
    expected = ours(size_mode="side", size=160, black_point=0.25, foreground="blur-fusion")
    actual = pictures(server, saving(graph, ["3", 0], ["3", 1]))
    assert_same(actual, pictures(server, saving(expected, ["3", 0], ["3", 1])))
    other = pictures(server, saving(ours(foreground="blur-fusion"), ["3", 0], ["3", 1]))
    assert np.abs(actual[1] - other[1]).max() > 8


@pytest.mark.usefixtures("photograph")
@pytest.mark.parametrize("seed", range(PERMUTATIONS))
@pytest.mark.parametrize(
    ("loader", "remover", "model", "image"),
    [
        ("BiRefNet_ModelLoader_Zho", "BiRefNet_Zho", "birefnetmodel", "image"),
        (
            *("LayerMask: LoadBiRefNetModel", "LayerMask: BiRefNetUltraV2"),
            *("birefnet_model", "image"),
        ),
    ],
)
def test_pairs_of_other_packs_give_what_ours_give(server, loader, remover, model, image, seed):
    graph = {
        "1": old(loader),
        "2": photograph_node(),
        "3": old(remover, **{model: ["1", 0], image: ["2", 0]}),
    }
    graph = saving(graph, ["3", 0], ["3", 1])
    order = np.random.default_rng(seed).permutation(100)[: len(graph)]
    numbers = [str(number) for number in order]
    saved = (numbers[3], numbers[5])
    assert_same(
        pictures(server, renumbered(graph, numbers), saved),
        pictures(server, saving(ours(), ["3", 0], ["3", 1])),
    )


def test_a_node_that_is_installed_is_never_replaced(server, photograph):
    """The test nodes bring their own RembgByBiRefNet, which turns pictures upside down."""
    graph = {
        "1": old("LoadRembgByBiRefNetModel"),
        "2": photograph_node(),
        "3": old("RembgByBiRefNet", model=["1", 0], images=["2", 0]),
    }
    graph["90"] = core("SaveImage", images=["3", 0], filename_prefix="picture")
    (picture,) = pictures(server, graph, ("90",))
    assert (picture == (photograph[0].permute(1, 2, 0).flip(0) * 255).round().numpy()).all()


@pytest.mark.parametrize("name", LL_MODELS)
def test_names_of_models_are_understood(name):
    assert by_name(name) is not None


def test_a_model_that_the_old_node_would_have_fetched_is_fetched(table):
    (entry,) = table["AutoDownloadBiRefNetModel"]
    assert {"new_id": "download_if_missing", "set_value": True} in entry["input_mapping"]
    others = [entries[0] for kind, entries in table.items() if kind in OLD]
    fetching = [
        entry["old_node_id"]
        for entry, pair in itertools.chain.from_iterable(
            ((e, p) for p in e["input_mapping"]) for e in others
        )
        if pair["new_id"] == "download_if_missing"
    ]
    assert fetching == ["AutoDownloadBiRefNetModel"]


def test_the_page_lists_every_replacement():
    text = (ROOT / "docs" / "migration.md").read_text(encoding="utf-8")
    for kind in (*OLD, *ALL_IN_ONE):
        assert f"`{kind}`" in text
