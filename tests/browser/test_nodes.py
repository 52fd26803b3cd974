"""Our nodes as their users meet them: search, boxes, previews, help, languages."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOTS = os.environ.get("BIREFNET_SCREENSHOTS")
"""A folder to keep pictures of the page in, made with the starter model."""

GUIDED, REMOVE = "BiRefNet_GuidedRemove", "BiRefNet_RemoveBackground"
MODEL = "auto" if SHOTS else "tiny.safetensors"


def graph_of(kind, *, model=MODEL, **inputs):
    """A picture, a node that works on it, and a second node that shows its first output."""
    return {
        "1": {"class_type": "BiRefNet_Load", "inputs": {"model": model}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "crab.jpg"}},
        "3": {"class_type": kind, "inputs": {"model": ["1", 0], "image": ["2", 0], **inputs}},
        "4": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}},
    }


def shoot(desk, request, name):
    """Keep a picture of the page for the documentation."""
    if SHOTS:
        renderer = request.node.callspec.params["desk"].replace(" ", "-").replace(".0", "")
        desk.picture(Path(SHOTS) / f"{name}-{renderer}.png")


def percents(text):
    return [[float(word) for word in box.replace("%", "").split(",")] for box in text.split(";")]


def drawn(desk):
    return desk.node(GUIDED)["values"]["drawn_boxes"]


@pytest.fixture
def editor(desk):
    """The picture on Guided Remove, on which boxes are drawn."""
    desk.load(graph_of(GUIDED, drawn_boxes=""))  # the page remembers values by the node's number
    desk.look_at(GUIDED)
    desk.page.wait_for_function(
        "() => document.querySelector('.birefnet_boxes img')?.naturalWidth === 1024"
    )
    return desk.page.locator(".birefnet_boxes > div")


def test_a_box_is_drawn_and_the_graph_shows_what_it_marks(desk, editor, request):
    desk.drag(editor, (0.05, 0.2), (0.95, 0.85))
    (box,) = percents(drawn(desk))
    assert box == pytest.approx([5, 20, 90, 65], abs=0.5)
    outputs = desk.run()
    (entry,) = outputs["3"]["images"]
    shown = desk.page.locator(".birefnet_wipe img").first
    shown.wait_for()
    assert entry["filename"] in shown.get_attribute("src")
    desk.look_at(GUIDED, 0.8)
    shoot(desk, request, "boxes")
    values = desk.node(GUIDED)["saved"]
    assert values[0] == drawn(desk)
    assert "" not in values[3:], "our widgets must not be saved"
    desk.server.view(entry)


@pytest.mark.slow
def test_boxes_are_moved_resized_and_removed(desk, editor):
    desk.drag(editor, (0.1, 0.1), (0.3, 0.3))
    desk.drag(editor, (0.5, 0.5), (0.9, 0.9))
    assert len(percents(drawn(desk))) == 2
    desk.drag(editor, (0.2, 0.2), (0.3, 0.4))  # the first one, by its inside
    first, second = percents(drawn(desk))
    assert first == pytest.approx([20, 30, 20, 20], abs=0.5)
    assert second == pytest.approx([50, 50, 40, 40], abs=0.5)
    desk.drag(editor, (0.4, 0.5), (0.45, 0.6))  # its corner, now that it is chosen
    assert percents(drawn(desk))[0] == pytest.approx([20, 30, 25, 30], abs=0.5)
    desk.drag(editor, (0.3, 0.4), (0.0, 0.0))  # not beyond the picture's edge
    assert percents(drawn(desk))[0] == pytest.approx([0, 0, 25, 30], abs=0.5)
    desk.page.keyboard.press("Delete")
    assert percents(drawn(desk)) == [pytest.approx([50, 50, 40, 40], abs=0.5)]
    desk.drag(editor, (0.6, 0.6), (0.6, 0.6))  # a click chooses
    desk.page.locator(".birefnet-remove").click()
    assert drawn(desk) == ""
    desk.drag(editor, (0.6, 0.6), (0.601, 0.601))  # a slip of the hand
    assert drawn(desk) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10%, 20%, 30%, 40%", [[10, 20, 30, 40]]),
        ("102.4,57.6,512,288", [[10, 10, 50, 50]]),
        ("0 0 50% 50%; 512, 288, 512, 288", [[0, 0, 50, 50], [50, 50, 50, 50]]),
        ("1, 2, three", []),
    ],
)
def test_typed_boxes_are_shown(desk, editor, text, expected):
    desk.page.evaluate(
        """text => {
            const node = app.graph.nodes.find((node) => node.type === "BiRefNet_GuidedRemove");
            node.widgets.find((widget) => widget.name === "drawn_boxes").value = text;
        }""",
        text,
    )
    desk.page.wait_for_timeout(1200)
    whole = editor.bounding_box()
    boxes = [box.bounding_box() for box in desk.page.locator(".birefnet-box").all()]
    shares = [
        [
            100 * (box["x"] - whole["x"]) / whole["width"],
            100 * (box["y"] - whole["y"]) / whole["height"],
            100 * box["width"] / whole["width"],
            100 * box["height"] / whole["height"],
        ]
        for box in boxes
    ]
    assert shares == [pytest.approx(box, abs=0.5) for box in expected]
    assert drawn(desk) == text, "typed text stays as it is"


@pytest.mark.slow
def test_the_wipe_follows_the_pointer(desk, request):
    desk.load(graph_of(REMOVE))
    outputs = desk.run()
    desk.look_at(REMOVE)
    after, before = (desk.page.locator(".birefnet_wipe img").nth(number) for number in (0, 1))
    before.wait_for()
    assert outputs["3"]["images"][0]["filename"] in after.get_attribute("src")
    assert outputs["3"]["birefnet_before"][0]["filename"] in before.get_attribute("src")
    place = desk.settled(after)
    assert place["width"] / place["height"] == pytest.approx(1024 / 576, rel=0.02)
    assert place == before.bounding_box()
    for share in (0.25, 0.6):
        desk.page.mouse.move(place["x"] + share * place["width"], place["y"] + place["height"] / 2)
        cut = re.search(r"inset\(0(?:px)? ([\d.]+)% ", before.get_attribute("style"))
        assert float(cut[1]) == pytest.approx(100 * (1 - share), abs=1)
    shoot(desk, request, "wipe")
    shown = desk.page.locator(".birefnet_wipe")
    assert shown.get_attribute("role") == "slider"
    shown.focus()
    desk.page.keyboard.press("ArrowRight")
    assert float(shown.get_attribute("aria-valuenow")) == pytest.approx(65, abs=1)
    pictures = desk.page.evaluate(
        """() => app.graph.nodes.find((node) => node.type === "BiRefNet_RemoveBackground").imgs
            .map((picture) => picture.naturalWidth)"""
    )
    assert pictures == [1024], "the node's menu can open and save it"


@pytest.mark.slow
def test_one_picture_of_many_is_looked_at(desk):
    graph = graph_of(REMOVE)
    graph["5"] = {"class_type": "RepeatImageBatch", "inputs": {"image": ["2", 0], "amount": 3}}
    graph["3"]["inputs"]["image"] = ["5", 0]
    desk.load(graph)
    images = [entry["filename"] for entry in desk.run()["3"]["images"]]
    desk.look_at(REMOVE)
    shown = desk.page.locator(".birefnet_wipe")
    for number, button in ((0, None), (1, "▶"), (2, "▶"), (0, "▶"), (2, "◀")):
        if button:
            shown.get_by_text(button).click()
        assert shown.get_by_text(f"{number + 1}/3").is_visible()
        assert images[number] in shown.locator("img").first.get_attribute("src")


@pytest.mark.slow
def test_what_is_cached_is_shown_again(desk):
    """On a page that is opened anew: the server computes nothing and still sends the pictures."""
    graph = graph_of(REMOVE, black_point=0.125)
    desk.load(graph)
    shown = desk.run()["3"]["images"]
    desk.open()
    desk.load(graph)
    assert desk.page.locator(".birefnet_wipe").count() == 0
    assert desk.run()["3"]["images"] == shown
    desk.page.locator(".birefnet_wipe img").first.wait_for()


@pytest.mark.slow
def test_all_our_nodes_are_found_by_the_name_of_the_pack(desk, request):
    titles = json.loads((ROOT / "locales" / "en" / "nodeDefs.json").read_text(encoding="utf-8"))
    desk.page.evaluate("() => app.graph.clear()")
    for _ in range(20):  # a page that was just opened may not listen yet
        desk.page.mouse.dblclick(700, 500)
        desk.page.wait_for_timeout(1500)
        if desk.page.evaluate("() => document.activeElement?.tagName === 'INPUT'"):
            break
    desk.page.keyboard.type("birefnet")
    for node in titles.values():
        desk.page.get_by_text(node["display_name"]).first.wait_for(state="attached")
    shoot(desk, request, "search")
    desk.page.keyboard.press("Control+A")
    desk.page.keyboard.type("refine foreground")
    desk.page.get_by_text("Refine Foreground (BiRefNet)").first.click()
    desk.page.wait_for_function("() => app.graph.nodes.length === 1")
    desk.page.mouse.move(600, 400, steps=5)  # newer pages let it hang on the pointer first
    desk.page.mouse.click(600, 400)
    assert desk.node("BiRefNet_RefineForeground")["title"] == "Refine Foreground (BiRefNet)"


@pytest.mark.slow
def test_the_help_page_opens_with_its_picture(desk, request):
    desk.load({"3": graph_of(REMOVE)["3"] | {"inputs": {}}})
    desk.look_at(REMOVE)
    desk.select(REMOVE)
    desk.page.get_by_test_id("info-button").click()
    page = (ROOT / "web" / "docs" / f"{REMOVE}.md").read_text(encoding="utf-8")
    heading = re.search(r"^## (.+)$", page, re.MULTILINE)[1]
    desk.page.get_by_role("heading", name=heading).first.wait_for()
    (name,) = re.findall(r"!\[[^]]*\]\(([^)]+)\)", page)
    picture = desk.page.locator(f"img[src*='{Path(name).name}']")
    picture.scroll_into_view_if_needed()
    desk.page.wait_for_function(
        "name => document.querySelector(`img[src*='${name}']`).naturalWidth > 100",
        arg=Path(name).name,
    )
    shoot(desk, request, "help")


@pytest.mark.slow
def test_nodes_speak_the_users_language(desk, request):
    folder = ROOT / "locales" / "ja" / "nodeDefs.json"
    texts = json.loads(folder.read_text(encoding="utf-8"))[GUIDED]
    desk.choose(Locale="ja", RightSidePanel_IsOpen=False)
    try:
        desk.open()
        desk.load(graph_of(GUIDED))
        node = desk.node(GUIDED)
        assert node["title"] == texts["display_name"]
        assert texts["inputs"]["drawn_boxes"]["name"] in node["labels"]
        desk.look_at(GUIDED)
        desk.page.locator(".birefnet_boxes").wait_for()
        shoot(desk, request, "japanese")
    finally:
        desk.choose(Locale="en")
        desk.open()


@pytest.mark.slow
def test_without_our_scripts_pictures_are_shown_and_boxes_are_typed(desk):
    desk.page.route(re.compile(r"/extensions/[^/]+/js/"), lambda route: route.abort())
    try:
        desk.open()
        desk.load(graph_of(GUIDED, drawn_boxes="20%, 20%, 60%, 60%"))
        outputs = desk.run()
        assert desk.page.locator(".birefnet-stage").count() == 0
        desk.look_at(GUIDED, 0.8)
        name = outputs["3"]["images"][0]["filename"]
        desk.page.wait_for_function(
            """name => app.graph.nodes
                .find((node) => node.type === "BiRefNet_GuidedRemove").imgs
                ?.some((picture) => picture.src.includes(name))""",
            arg=name,
        )
    finally:
        desk.page.unroute_all()
        desk.errors.clear()
        desk.open()


@pytest.mark.slow
def test_the_view_can_be_moved_over_our_pictures(desk, editor):
    place = desk.settled(editor)
    desk.page.mouse.move(place["x"] + 20, place["y"] + 20)
    before = desk.page.evaluate("() => app.canvas.ds.scale")
    desk.page.mouse.wheel(0, -240)
    desk.page.wait_for_function("before => app.canvas.ds.scale > before", arg=before)
    left = desk.page.evaluate("() => app.canvas.ds.offset[0]")
    desk.page.mouse.down(button="middle")
    desk.page.mouse.move(place["x"] + 120, place["y"] + 20, steps=5)
    desk.page.mouse.up(button="middle")
    moved = desk.page.evaluate("() => app.canvas.ds.offset[0]") - left
    assert moved > 20
    assert drawn(desk) == ""
