"""A real ComfyUI server with the pack inside, for every test of this folder.

Where ComfyUI is: $COMFYUI_PATH, or the ComfyUI whose custom_nodes this checkout lies in, or
~/comfy/ComfyUI. Its Python: $COMFYUI_PYTHON, or .venv or venv in that folder, or this one if it
has what ComfyUI needs. The oldest supported release, for the slow runs: $COMFYUI_FLOOR_PATH or
~/comfy/ComfyUI-0.21.0.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from birefnet.model.architecture import Architecture, SwinConfig
from birefnet.model.network import build

ROOT = Path(__file__).parents[2]
AWKWARD = "BiRefNet Studio ü-x"  # a space, a letter outside ASCII and a hyphen, all in one
PLAIN = "birefnet-studio"
NEEDED = "import aiohttp, av, einops, safetensors, sqlalchemy, torch, transformers, yaml"
START_SECONDS = 600
RUN_SECONDS = 1200

TINY = Architecture(
    encoder=SwinConfig(width=12, depths=(1, 1, 2, 1), heads=(1, 2, 3, 6), window=4),
    inner_width=8,
    aspp_width=8,
    patch_width=8,
)


@dataclass(frozen=True)
class Installation:
    """A ComfyUI checkout and the Python that runs it."""

    path: Path
    python: str


def _folder(variable: str, *usual: Path) -> Path | None:
    """The first of the usual places that is a ComfyUI, unless the variable names one."""
    named = os.environ.get(variable)
    places = [Path(named)] if named else list(usual)
    found = next((place for place in places if (place / "comfy" / "ops.py").is_file()), None)
    if named and found is None:
        pytest.fail(f"{variable}={named} is not a ComfyUI folder: it has no comfy/ops.py")
    return found


def _main_folder() -> Path | None:
    usual = [Path.home() / "comfy" / "ComfyUI"]
    if ROOT.parent.name == "custom_nodes":
        usual.insert(0, ROOT.parents[1])
    return _folder("COMFYUI_PATH", *usual)


@lru_cache(maxsize=2)
def _python_of(path: Path) -> str | None:
    """A Python that can run the checkout."""
    named = os.environ.get("COMFYUI_PYTHON")
    if named:
        return named
    for folder in (".venv", "venv"):
        for program in ("bin/python", "Scripts/python.exe"):
            if (path / folder / program).exists():
                return str(path / folder / program)
    able = subprocess.run([sys.executable, "-c", NEEDED], capture_output=True, check=False)
    return sys.executable if able.returncode == 0 else None


def _installation(version: str) -> Installation:
    """Find one, or skip with the reason."""
    main = _main_folder()
    path = main
    if version == "floor":
        path = _folder("COMFYUI_FLOOR_PATH", Path.home() / "comfy" / "ComfyUI-0.21.0")
        if path is None:
            pytest.skip("no ComfyUI 0.21.0: set COMFYUI_FLOOR_PATH to a checkout of it")
    if path is None:
        pytest.skip("no ComfyUI: set COMFYUI_PATH to a checkout of it")
    python = _python_of(path) or (_python_of(main) if main else None)
    if python is None:
        pytest.skip(f"no Python that can run {path}: set COMFYUI_PYTHON")
    return Installation(path, python)


@pytest.fixture(scope="session", params=["newest", pytest.param("floor", marks=pytest.mark.slow)])
def comfyui(request: pytest.FixtureRequest) -> Installation:
    """Each ComfyUI release the pack is tested with."""
    return _installation(request.param)


def copy_pack(target: Path) -> None:
    """Copy what a user gets: the checkout without what .comfyignore names."""
    listed = (ROOT / ".comfyignore").read_text(encoding="utf-8").split()
    left_out = {line.strip("/") for line in listed}

    def ignore(folder: str, names: list[str]) -> set[str]:
        hidden = {name for name in names if name.startswith(".") or name == "__pycache__"}
        return hidden | (left_out & set(names) if Path(folder) == ROOT else set())

    shutil.copytree(ROOT, target, ignore=ignore)


def random_network(architecture: Architecture = TINY, seed: int = 0) -> torch.nn.Module:
    """Random weights whose logits vary by a few units over a picture, so that masks are soft."""
    torch.manual_seed(seed)
    network = build(architecture)
    state = network.state_dict()
    for value in state.values():
        if value.is_floating_point() and value.ndim >= 2:
            fan_in = value[0].numel()
            value.copy_(torch.randn(value.shape) * (2 / fan_in) ** 0.5)
    with torch.no_grad():
        probe = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(seed)) - 0.5
        logits = network(probe)
        scale = 2 / float(logits.std())
        network.decoder.output.weight.mul_(scale)
        network.decoder.output.bias.copy_(-float(logits.mean()) * scale)
    return network


@dataclass
class Listener:
    """The server's web socket, read with the standard library only."""

    port: int
    client: str
    connection: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=RUN_SECONDS)
        key = base64.b64encode(os.urandom(16)).decode()
        self.connection.sendall(
            f"GET /ws?clientId={self.client} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        reply = b""
        while not reply.endswith(b"\r\n\r\n"):
            reply += self._exactly(1)
        assert reply.startswith(b"HTTP/1.1 101"), reply

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.connection.recv(count - len(data))
            assert piece, "the server closed the web socket"
            data += piece
        return data

    def messages(self) -> Iterator[dict]:
        """Every JSON message, as it comes; binary previews are passed over."""
        while True:
            first, length = self._exactly(2)
            if length == 126:
                (length,) = struct.unpack(">H", self._exactly(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", self._exactly(8))
            data = self._exactly(length)
            if first & 0x0F == 1:
                yield json.loads(data)

    def close(self) -> None:
        """Hang up."""
        self.connection.close()


@dataclass
class Refused(Exception):
    """What the server answered instead of accepting a request."""

    status: int
    body: dict

    @property
    def messages(self) -> str:
        """All that the user is told."""
        errors = self.body.get("node_errors") or {}
        details = [error["details"] for node in errors.values() for error in node["errors"]]
        return "\n".join([self.body["error"]["message"], *details])


@dataclass
class Result:
    """What became of one prompt."""

    status: str
    outputs: dict
    messages: list
    server: Server

    @property
    def error(self) -> str:
        """The message the failing node shows, with its type; empty if none failed."""
        for kind, content in self.messages:
            if kind == "execution_error":
                return f"{content['exception_type']}: {content['exception_message']}"
        return ""

    @property
    def ran(self) -> list[str]:
        """Ids of nodes whose results were not cached."""
        cached: set[str] = set()
        for kind, content in self.messages:
            if kind == "execution_cached":
                cached = set(content["nodes"])
        return sorted(set(self.outputs) - cached)

    def pictures(self, node: str) -> list[np.ndarray]:
        """The pictures a node saved or previewed, as they are in the files."""
        return [self.server.view(entry) for entry in self.outputs[node]["images"]]


@dataclass
class Server:
    """A running ComfyUI."""

    installation: Installation
    base: Path
    port: int
    log: Path
    process: subprocess.Popen
    pack: str

    @property
    def version(self) -> tuple[int, ...]:
        """ComfyUI's own."""
        text = self.json("/system_stats")["system"]["comfyui_version"]
        return tuple(int(part) for part in text.split(".")[:3])

    def get(self, path: str) -> bytes:
        """Fetch a page; parts of `path` must be quoted already."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as reply:
            return reply.read()

    def json(self, path: str) -> dict:
        """Fetch a JSON page."""
        return json.loads(self.get(path))

    def post(self, path: str, content: dict) -> dict:
        """Send JSON and return the answer, if there is one."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=json.dumps(content).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request) as reply:  # noqa: S310
                return json.loads(reply.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, json.loads(error.read())) from None

    def queue(self, prompt: dict, client: str = "test") -> str:
        """Queue a graph in API form; returns its id."""
        content = {"prompt": prompt, "client_id": client, "prompt_id": str(uuid.uuid4())}
        return self.post("/prompt", content)["prompt_id"]

    def wait(self, prompt_id: str) -> Result:
        """Wait until a queued graph is done, whichever way."""
        limit = time.monotonic() + RUN_SECONDS
        while time.monotonic() < limit:
            entry = self.json(f"/history/{prompt_id}").get(prompt_id)
            if entry:
                status = entry["status"]
                return Result(status["status_str"], entry["outputs"], status["messages"], self)
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")[-4000:]
            time.sleep(0.05)
        pytest.fail(f"the graph did not finish in {RUN_SECONDS} s")

    def run(self, prompt: dict) -> Result:
        """Queue a graph and wait for it."""
        return self.wait(self.queue(prompt))

    def refusal(self, prompt: dict) -> str:
        """What the user is told about a graph that cannot work, before or during the run."""
        try:
            result = self.run(prompt)
        except Refused as answer:
            return answer.messages
        assert result.status == "error", "it worked"
        return result.error

    def view(self, entry: dict) -> np.ndarray:
        """The pixels of a saved or previewed picture, uint8 (H, W) or (H, W, C)."""
        data = self.get(f"/view?{urllib.parse.urlencode(entry)}")
        with Image.open(io.BytesIO(data)) as picture:
            return np.array(picture)

    def listen(self, client: str) -> contextlib.closing[Listener]:
        """Open the web socket of a client."""
        return contextlib.closing(Listener(self.port, client))

    def picture(self, name: str, pixels: np.ndarray) -> str:
        """Put uint8 pixels into the input folder; returns the name LoadImage takes."""
        Image.fromarray(pixels).save(self.base / "input" / name)
        return name

    def model(self, name: str, **options: object) -> Path:
        """Put a random-weight checkpoint into models/background_removal."""
        return save_model(self.base / "models" / "background_removal" / name, **options)

    def text(self) -> str:
        """All the server printed, without colors."""
        return re.sub(r"\x1b\[\d*m", "", self.log.read_text(encoding="utf-8", errors="replace"))


def save_model(
    path: Path,
    *,
    architecture: Architecture = TINY,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    **preprocess: object,
) -> Path:
    """Write a random-weight checkpoint the way the library does."""
    from birefnet.preprocess import Preprocess
    from birefnet.weights.load import save_checkpoint

    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"height": 128, "width": 128, **preprocess}
    save_checkpoint(
        path,
        random_network(architecture, seed).state_dict(),
        architecture=architecture,
        preprocess=Preprocess(**options),
        dtype=dtype,
    )
    return path


@contextlib.contextmanager
def _serve(
    installation: Installation, base: Path, pack: str, *options: str, hub: str | None = None
) -> Iterator[Server]:
    """Run ComfyUI on the CPU with the pack in `base`/custom_nodes; offline, or with a test hub."""
    for folder in ("custom_nodes", "input", "models", "output", "temp", "user"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).with_name("helper_nodes.py"), base / "custom_nodes")
    copy_pack(base / "custom_nodes" / pack)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = base / "server.log"
    command = [installation.python, str(installation.path / "main.py"), "--cpu"]
    command += ["--listen", "127.0.0.1", "--port", str(port), "--base-directory", str(base)]
    command += ["--disable-api-nodes", "--disable-auto-launch"]
    command += ["--database-url", "sqlite:///:memory:", *options]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    environment |= {"HF_ENDPOINT": hub} if hub else {"HF_HUB_OFFLINE": "1"}
    # Nothing of the desk this runs on may be found.
    environment |= {"BIREFNET_HOME": str(base / "home"), "HF_HOME": str(base / "hub")}
    environment.pop("BIREFNET_MODELS", None)
    environment.pop("COMFYUI_PATH", None)
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=installation.path, stdout=stream, stderr=stream, env=environment
        )
    server = Server(installation, base, port, log, process, pack)
    try:
        limit = time.monotonic() + START_SECONDS
        while True:
            assert process.poll() is None, server.text()[-6000:]
            assert time.monotonic() < limit, f"no server after {START_SECONDS} s: {server.text()}"
            with contextlib.suppress(OSError):
                server.get("/system_stats")
                break
            time.sleep(0.2)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def server(comfyui: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server per ComfyUI release, with models in all the places they can be in."""
    base = tmp_path_factory.mktemp("comfyui")
    save_model(base / "models" / "background_removal" / "tiny.safetensors")
    save_model(base / "models" / "BiRefNet" / "own" / "other.safetensors", seed=1)
    save_model(base / "elsewhere" / "from yaml.safetensors", seed=2)
    (base / "paths.yaml").write_text(
        f"mine:\n    base_path: {base.as_posix()}\n    background_removal: elsewhere\n",
        encoding="utf-8",
    )
    paths = ("--extra-model-paths-config", str(base / "paths.yaml"))
    with _serve(comfyui, base, AWKWARD, *paths) as server:
        yield server


@pytest.fixture(scope="session")
def plain_server(
    comfyui: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The pack in a folder as the registry names it.

    ComfyUI's web server does not find help pages, scripts and thumbnails in a folder whose name
    has to be quoted in an address.
    """
    with _serve(comfyui, tmp_path_factory.mktemp("plain"), PLAIN) as server:
        yield server


@pytest.fixture(scope="session")
def photograph(server: Server) -> torch.Tensor:
    """(1, 3, 96, 144) in 8-bit steps; the server has it as photograph.png."""
    generator = torch.Generator().manual_seed(7)
    small = torch.rand(1, 3, 6, 9, generator=generator)
    smooth = torch.nn.functional.interpolate(small, (96, 144), mode="bicubic").clamp(0, 1)
    pixels = (smooth[0].permute(1, 2, 0) * 255).round().byte()
    server.picture("photograph.png", pixels.numpy())
    return pixels.permute(2, 0, 1)[None].float() / 255


@pytest.fixture
def serve(comfyui: Installation) -> Iterator[Callable[..., Server]]:
    """Starts further servers: serve(base, name of the pack's folder, *options, hub=None)."""
    with contextlib.ExitStack() as stack:

        def start(base: Path, pack: str, *options: str, hub: str | None = None) -> Server:
            return stack.enter_context(_serve(comfyui, base, pack, *options, hub=hub))

        yield start
