"""ComfyUI's real page in Chromium, in front of the servers of `tests/pack`.

The browser: $CHROMIUM, or what the system calls chromium or google-chrome. Without it, without
Playwright, or without ComfyUI and its frontend, these tests are skipped with a reason.
$COMFYUI_FRONTEND names the `static` folder of another release of comfyui-frontend-package.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

ROOT = Path(__file__).parents[2]
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
RENDERERS = {"classic": False, "nodes 2.0": True}
LOAD_SECONDS = 120
STEADY = 4  # looks at an element, a tenth of a second apart, that find it in one place
SIZE = {"width": 1400, "height": 900}
SETTINGS = {
    "TutorialCompleted": True,  # else the template browser covers the page
    "Workflow_Persist": False,  # else it fetches what was there before
    "Locale": "en",
    "Graph_CanvasInfo": False,
    "Minimap_Visible": False,
    "RightSidePanel_IsOpen": False,
}
READY = """() => {
    const manager = window.app?.extensionManager;
    return manager && !manager.spinner && manager.workflow?.activeWorkflow
        && "BiRefNet_Load" in window.LiteGraph.registered_node_types;
}"""

FRAMES = """() => new Promise((done) => {
    let left = 5;
    const draw = () => (left-- ? requestAnimationFrame(draw) : done());
    draw();
})"""


def _pack_fixtures():
    """The servers of tests/pack, which has no name that could be imported."""
    spec = importlib.util.spec_from_file_location(
        "pack_servers", ROOT / "tests" / "pack" / "conftest.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


pack = _pack_fixtures()
comfyui = pack.comfyui


@dataclass
class Desk:
    """The page of one user."""

    page: Page
    server: pack.Server
    errors: list[str] = field(default_factory=list)

    def note(self, message: str) -> None:
        """Remember what the page complains about if it concerns us."""
        if "BiRefNet Studio:" in message or f"/extensions/{pack.PLAIN}/js/" in message:
            self.errors.append(message)

    def open(self) -> None:
        """Load the page and wait until nodes can be made."""
        self.page.goto(f"http://127.0.0.1:{self.server.port}/", wait_until="domcontentloaded")
        self.page.wait_for_function(READY, timeout=1000 * LOAD_SECONDS)

    def choose(self, **settings: object) -> None:
        """Change settings, which the page reads when it is opened."""
        for name, value in settings.items():
            self.server.post(f"/settings/Comfy.{name.replace('_', '.')}", value)

    def load(self, graph: dict) -> None:
        """Put a graph in API form on the canvas."""
        self.page.evaluate("graph => app.loadApiJson(graph, 'test')", graph)
        self.page.wait_for_function("count => app.graph.nodes.length === count", arg=len(graph))

    def run(self) -> dict:
        """Queue what is on the canvas; returns its outputs."""
        before = set(self.server.json("/history"))
        self.page.evaluate("() => app.queuePrompt(0)")
        limit = time.monotonic() + pack.RUN_SECONDS
        while time.monotonic() < limit:
            for number, entry in self.server.json("/history").items():
                if number not in before:
                    assert entry["status"]["status_str"] == "success", entry["status"]
                    return entry["outputs"]
            self.page.wait_for_timeout(100)
        pytest.fail("the graph did not finish")

    def node(self, kind: str) -> dict:
        """What the page knows about the only node of a type."""
        return self.page.evaluate(
            """kind => {
                const node = app.graph.nodes.find((node) => node.type === kind);
                return {
                    title: node.title,
                    size: [...node.size],
                    labels: (node.widgets ?? []).map((widget) => widget.label),
                    values: Object.fromEntries((node.widgets ?? []).map((w) => [w.name, w.value])),
                    saved: node.serialize().widgets_values,
                };
            }""",
            kind,
        )

    def look_at(self, kind: str, scale: float = 1.0) -> None:
        """Bring a node into the middle of the page."""
        self.page.evaluate(
            """([kind, scale]) => {
                const node = app.graph.nodes.find((node) => node.type === kind);
                const { ds, canvas } = app.canvas;
                ds.scale = scale;
                const { width, height } = canvas.getBoundingClientRect();
                ds.offset[0] = width / 2 / scale - node.pos[0] - node.size[0] / 2;
                ds.offset[1] = height / 2 / scale - node.pos[1] - node.size[1] / 2;
                app.canvas.setDirty(true, true);
            }""",
            [kind, scale],
        )
        self.page.wait_for_timeout(500)

    def select(self, kind: str) -> None:
        """Click on a node's title until its toolbox appears."""
        place = """kind => {
            const node = app.graph.nodes.find((node) => node.type === kind);
            const { ds, canvas } = app.canvas;
            const { left, top } = canvas.getBoundingClientRect();
            const x = left + (node.pos[0] + node.size[0] / 2 + ds.offset[0]) * ds.scale;
            return [x, top + (node.pos[1] - 12 + ds.offset[1]) * ds.scale];
        }"""
        toolbox = self.page.get_by_test_id("info-button")
        for _ in range(20):
            self.page.mouse.click(*self.page.evaluate(place, kind))
            self.page.wait_for_timeout(700)
            if toolbox.count():
                return
        pytest.fail("the node could not be selected")

    def settled(self, target: Locator) -> dict[str, float]:
        """Where an element is in the end: nodes grow and move while pictures arrive."""
        target.wait_for()
        places = [target.bounding_box()]
        while len(places) < STEADY or places[-STEADY:].count(places[-1]) < STEADY:
            self.page.wait_for_timeout(100)
            self.page.evaluate(FRAMES)
            places.append(target.bounding_box())
        return places[-1]

    def drag(self, target: Locator, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw a line with the left button; places are shares of the target's size."""
        box = self.settled(target)
        places = [
            (box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)
        ]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        self.page.mouse.move(*places[1], steps=5)
        self.page.mouse.up()

    def picture(self, path: Path) -> None:
        """Save what the page shows as a small PNG."""
        self.page.screenshot(path=path)
        with Image.open(path) as shot:
            shot.convert("RGB").quantize(256, kmeans=1).save(path, optimize=True)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser."""
    name = os.environ.get("CHROMIUM") or next(filter(shutil.which, PROGRAMS), None)
    if not name or not shutil.which(name):
        pytest.skip("no browser: install chromium, or set CHROMIUM to one")
    api = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install playwright")
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which(name), args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def front_server(
    chromium: Browser, comfyui: pack.Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[pack.Server]:
    """A server that has a page, a small model and an example picture."""
    frontend = os.environ.get("COMFYUI_FRONTEND")
    options = ("--front-end-root", frontend) if frontend else ()
    base = tmp_path_factory.mktemp("browser")
    with pack._serve(comfyui, base, pack.PLAIN, *options) as server:
        if b"<html" not in server.get("/").lower():
            pytest.skip("ComfyUI has no frontend: install comfyui-frontend-package beside it")
        server.model("tiny.safetensors")
        shutil.copy(ROOT / "examples" / "crab.jpg", base / "input")
        yield server


@pytest.fixture(
    scope="module", params=["classic", pytest.param("nodes 2.0", marks=pytest.mark.slow)]
)
def desk(
    request: pytest.FixtureRequest, chromium: Browser, front_server: pack.Server
) -> Iterator[Desk]:
    """A user of each renderer; its page stays open for all tests of a file."""
    context = chromium.new_context(viewport=SIZE)
    desk = Desk(context.new_page(), front_server)
    desk.page.set_default_timeout(1000 * LOAD_SECONDS)
    desk.page.on("pageerror", lambda error: desk.note(error.stack or error.message))
    desk.page.on("console", lambda message: desk.note(message.text))
    desk.choose(**SETTINGS, VueNodes_Enabled=RENDERERS[request.param])
    desk.open()
    yield desk
    context.close()
    assert not desk.errors
