"""From images of any kind to alpha."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import birefnet
from birefnet import (
    Architecture,
    ConfigError,
    NonFiniteError,
    OutOfMemoryError,
    Predictor,
    Preprocess,
    ShapeError,
    build,
)
from birefnet import predict as module
from birefnet.memory import DeviceMemory
from birefnet.model.architecture import SwinConfig
from birefnet.predict import cpu_has_bf16, resolve_device, resolve_dtype
from birefnet.weights.load import save_checkpoint

TINY = Architecture(
    encoder=SwinConfig(width=16, depths=(1, 1, 1, 1), heads=(1, 2, 2, 4), window=4),
    inner_width=8,
    aspp_width=8,
    patch_width=4,
)
SMALL = Preprocess(height=64, width=64, min_side=32, max_side=128)


def lively() -> birefnet.BiRefNet:
    """A network whose output follows the image."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build(TINY)
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        fan_in = parameter[0].numel() if parameter.ndim > 1 else 10
        parameter.data.add_(torch.randn(parameter.shape, generator=generator) / fan_in**0.5)
    return network.requires_grad_(False)


def predictor(**options: object) -> Predictor:
    return Predictor(lively(), SMALL, name="tiny", **options)


def photographs(
    batch: int = 1, channels: int = 3, height: int = 50, width: int = 70
) -> torch.Tensor:
    generator = torch.Generator().manual_seed(batch)
    return torch.rand(batch, channels, height, width, generator=generator)


def test_alpha_has_the_size_of_the_image_and_stays_in_range() -> None:
    alpha = predictor()(photographs(2))
    assert alpha.shape == (2, 1, 50, 70)
    assert alpha.min() >= 0
    assert alpha.max() <= 1
    assert alpha.std() > 0.01
    assert not alpha.requires_grad


def test_items_of_a_batch_are_independent() -> None:
    images = photographs(3)
    together = predictor()(images)
    for item in range(3):
        alone = predictor()(images[item : item + 1])[0]
        torch.testing.assert_close(alone, together[item], atol=1e-5, rtol=0)


def test_it_is_the_network_between_resizes() -> None:
    tool = predictor()
    image = photographs(height=64, width=64)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (SMALL.mean, SMALL.std))
    expected = torch.sigmoid(tool.network((image - mean) / std))
    torch.testing.assert_close(tool(image), expected)


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2), (33, 31)])
def test_any_size_is_accepted(size: tuple[int, int]) -> None:
    assert predictor()(photographs(height=size[0], width=size[1])).shape == (1, 1, *size)


def test_gray_counts_as_three_equal_channels() -> None:
    gray = photographs(channels=1)
    tool = predictor()
    torch.testing.assert_close(tool(gray), tool(gray.expand(-1, 3, -1, -1)))


@pytest.mark.parametrize("channels", [2, 4])
def test_opacity_of_the_image_limits_the_result(channels: int) -> None:
    image = photographs(channels=channels)
    image[:, -1, :, :35] = 0
    tool = predictor()
    alpha = tool(image)
    assert alpha[..., :35].abs().max() == 0
    torch.testing.assert_close(alpha, tool(image[:, :-1]) * image[:, -1:])


def test_every_option_matters() -> None:
    tool, image = predictor(), photographs(width=120)
    plain = tool(image)
    for options in (
        {"size": "native"},
        {"size": 96},
        {"size": (32, 128)},
        {"longest_side": 128},
        {"fit": "letterbox"},
        {"resampling": "official"},
    ):
        assert (tool(image, **options) - plain).abs().max() > 1e-4, options


def test_precision_and_device_of_the_image_are_kept() -> None:
    assert predictor()(photographs().half()).dtype == torch.float16
    assert predictor()(photographs().double()).dtype == torch.float64


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), r"float\(\) / 255"),
        (torch.zeros(3, 8, 8), r"image\[None\]"),
        (torch.zeros(1, 8, 8, 3), "channels come second"),
        (torch.zeros(1, 3, 0, 8), "none of them 0"),
        (torch.zeros(0, 3, 8, 8), "none of them 0"),
    ],
)
def test_other_tensors_are_refused(image: torch.Tensor, words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        predictor()(image)


def refuse_to_run(*_: object, **__: object) -> torch.Tensor:
    raise AssertionError("the network ran")


@pytest.mark.parametrize("options", [{"fit": "crop"}, {"size": 0}, {"resampling": "x"}])
def test_bad_options_are_refused_before_any_work(options: dict[str, object]) -> None:
    tool = predictor()
    tool.network.forward = refuse_to_run  # type: ignore[method-assign]
    with pytest.raises(ConfigError):
        tool(photographs(), **options)


def test_progress_rises_to_one_within_and_across_images() -> None:
    seen: list[float] = []
    predictor()(photographs(3), progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) > 20
    assert seen[-1] == pytest.approx(1)
    assert len([value for value in seen if value <= 1 / 3 + 1e-9]) == len(seen) // 3


def test_an_exception_from_progress_stops_the_run() -> None:
    class Stop(BaseException):
        pass

    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise Stop

    with pytest.raises(Stop):
        predictor()(photographs(3), progress=stop)


class Cramped(DeviceMemory):
    """Holds a number of images at once and counts what it is asked for."""

    def __init__(self, claimed: int, fits: int) -> None:
        super().__init__(torch.device("cpu"))
        self.claimed, self.fits = claimed, fits
        self.released = 0
        self.prepared: list[int] = []
        self.chunks: list[int] = []

    def free(self) -> int:
        return self.claimed

    def prepare(self, needed: int) -> None:
        self.prepared.append(needed)

    def release(self) -> None:
        self.released += 1

    def guard(self, network: birefnet.BiRefNet) -> None:
        forward: Callable[..., torch.Tensor] = network.forward

        def limited(images: torch.Tensor, **options: object) -> torch.Tensor:
            self.chunks.append(len(images))
            if len(images) > self.fits:
                raise torch.OutOfMemoryError("out of memory")
            return forward(images, **options)

        network.forward = limited  # type: ignore[method-assign]


def cramped(claimed_images: float, fits: int) -> tuple[Predictor, Cramped]:
    one = predictor().memory_required(1, 64, 64)
    memory = Cramped(int(claimed_images * one), fits)
    tool = predictor(memory=memory)
    memory.guard(tool.network)
    return tool, memory


def test_batches_run_in_chunks_that_fit() -> None:
    tool, memory = cramped(3.5, fits=3)
    expected = predictor()(photographs(7))
    torch.testing.assert_close(tool(photographs(7)), expected, atol=1e-5, rtol=0)
    assert memory.chunks == [3, 3, 1]
    assert memory.released == 0
    assert memory.prepared[-1] == tool.memory_required(3, 64, 64)


def test_a_chunk_that_does_not_fit_is_halved_and_nothing_is_lost() -> None:
    tool, memory = cramped(100, fits=2)
    expected = predictor()(photographs(7))
    torch.testing.assert_close(tool(photographs(7)), expected, atol=1e-5, rtol=0)
    assert memory.chunks == [7, 3, 1, 1, 1, 1, 1, 1, 1]
    assert memory.released == 2


def test_one_image_that_does_not_fit_is_an_error_that_says_what_to_do() -> None:
    tool, memory = cramped(100, fits=0)
    with pytest.raises(OutOfMemoryError, match=r"64 x 64 needs about \d+ MiB .* smaller size"):
        tool(photographs(4))
    assert memory.chunks == [4, 2, 1, 1]  # the last one after memory was released
    assert memory.released == 3


def test_other_errors_pass_through_at_once() -> None:
    tool, memory = cramped(100, fits=9)
    tool.network.forward = refuse_to_run  # type: ignore[method-assign]
    with pytest.raises(AssertionError, match="the network ran"):
        tool(photographs(4))
    assert memory.released == 0


def overflowing(tool: Predictor) -> list[torch.dtype]:
    """Make the network fail in half precision, and note in which precisions it ran."""
    forward: Callable[..., torch.Tensor] = tool.network.forward
    used: list[torch.dtype] = []

    def fail(images: torch.Tensor, **options: object) -> torch.Tensor:
        used.append(images.dtype)
        logits = forward(images, **options)
        return logits if images.dtype == torch.float32 else logits * float("inf")

    tool.network.forward = fail  # type: ignore[method-assign]
    return used


def test_an_overflow_in_half_precision_is_computed_again_in_float32() -> None:
    network = lively().bfloat16()
    tool = Predictor(network, SMALL, dtype=torch.bfloat16, name="tiny")
    used = overflowing(tool)
    with pytest.warns(UserWarning, match="overflows in bfloat16.*float32"):
        alpha = tool(photographs())
    assert used == [torch.bfloat16, torch.float32]
    assert alpha.isfinite().all()
    assert next(network.parameters()).dtype == torch.bfloat16


def test_a_host_keeps_its_weights_when_half_precision_overflows() -> None:
    tool = predictor(dtype=torch.bfloat16, owns_network=False)
    tool.network.float = refuse_to_run  # type: ignore[method-assign]

    def cast(images: torch.Tensor, **_: object) -> torch.Tensor:
        value = 0.5 if images.dtype == torch.float32 else float("nan")
        return torch.full_like(images[:, :1], value)

    tool.network.forward = cast  # type: ignore[method-assign]
    with pytest.warns(UserWarning, match="overflows"):
        assert tool(photographs()).isfinite().all()


def test_broken_weights_are_an_error_and_no_crash() -> None:
    tool = predictor()
    tool.network.decoder.stages["4"].conv_in.weight.data.fill_(float("nan"))
    with pytest.raises(NonFiniteError, match=r"The model tiny .* weights are damaged"):
        tool(photographs())


def test_a_broken_image_is_named_as_the_cause() -> None:
    image = photographs()
    image[0, 0, 3, 3] = float("nan")
    with pytest.raises(NonFiniteError, match="the image has values that are not finite"):
        predictor()(image)


def test_long_runs_on_a_cpu_are_announced_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PROBE_WORK", 0)
    monkeypatch.setattr(module, "LONG_RUN", 0)
    monkeypatch.setattr(module, "PROBE_SIDE", 64)
    tool = predictor()
    with caplog.at_level(logging.INFO):
        tool(photographs())
        tool(photographs())
    messages = [record.message for record in caplog.records]
    assert len(messages) == 1
    assert "tiny needs about 0 s on this CPU for 1 image(s) at 64 x 64" in messages[0]


def test_the_estimate_grows_with_pixels_and_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROBE_SIDE", 64)
    tool = predictor()
    one = tool.estimate_seconds((500, 500))
    assert one is not None
    assert tool.estimate_seconds((500, 500), count=6) == pytest.approx(6 * one)
    assert tool.estimate_seconds((500, 500), size=128) == pytest.approx(4 * one)


def test_load_takes_a_file_and_its_properties(tmp_path: Path) -> None:
    file = tmp_path / "own.safetensors"
    network = build(TINY, training_heads=True)
    save_checkpoint(file, network.state_dict(), architecture=TINY, preprocess=SMALL)
    tool = birefnet.load(file, dtype="fp32")
    assert tool.preprocess == SMALL
    assert tool.network.architecture == TINY
    assert tool.name == "own.safetensors"
    image = photographs()
    other = birefnet.load(str(file), dtype="fp32", patch_order="legacy", mean=(0.0, 0.0, 0.0))
    assert other.network.patch_order == "legacy"
    assert (other(image) - tool(image)).abs().max() > 0
    assert next(birefnet.load(file, dtype="bf16").network.parameters()).dtype == torch.bfloat16


def test_unknown_names_say_where_was_searched(tmp_path: Path) -> None:
    with pytest.raises(birefnet.ModelNotFoundError, match="nothing-like-it"):
        birefnet.load("nothing-like-it", folders=[tmp_path])


def test_precision_on_a_cpu() -> None:
    cpu = torch.device("cpu")
    best = torch.bfloat16 if cpu_has_bf16() else torch.float32
    assert resolve_dtype("auto", cpu) == best
    assert resolve_dtype("fp32", cpu) == torch.float32
    assert resolve_dtype(torch.bfloat16, cpu) == torch.bfloat16
    with pytest.warns(UserWarning, match="too slow on a CPU"):
        assert resolve_dtype("fp16", cpu) == best
    with pytest.raises(ConfigError, match="auto, fp32, fp16, bf16"):
        resolve_dtype("int8", cpu)
    with pytest.raises(ConfigError, match="float32, float16 or bfloat16"):
        resolve_dtype(torch.float64, cpu)


@pytest.mark.parametrize(
    ("name", "major", "expected"),
    [
        ("NVIDIA GeForce RTX 3060", 8, torch.float16),
        ("Tesla V100", 7, torch.float16),
        ("NVIDIA GeForce GTX 1660 Ti", 7, torch.float32),
        ("NVIDIA GeForce GTX 1080", 6, torch.float32),
    ],
)
def test_precision_on_cuda_cards(
    monkeypatch: pytest.MonkeyPatch, name: str, major: int, expected: torch.dtype
) -> None:
    card = type("Card", (), {"name": name, "major": major})
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: card)
    monkeypatch.setattr(torch.version, "hip", None)
    assert resolve_dtype("auto", torch.device("cuda")) == expected
    monkeypatch.setattr(torch.version, "hip", "6.0")
    assert resolve_dtype("auto", torch.device("cuda")) == torch.float16


def test_devices_are_checked() -> None:
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device("auto").type in ("cuda", "xpu", "mps", "cpu")
    with pytest.raises(ConfigError, match="auto, cpu, cuda"):
        resolve_device("gpu")
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="not available"):
            resolve_device("cuda")
