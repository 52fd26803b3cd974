"""Images to alpha: sizes, precision, batches and memory around one network."""

from __future__ import annotations

import functools
import logging
import platform
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import torch
from torch import Tensor

from .errors import ConfigError, NonFiniteError, OutOfMemoryError
from .memory import DeviceMemory
from .model.cost import activation_bytes
from .model.network import BiRefNet
from .preprocess import (
    Fit,
    PatchOrder,
    Placement,
    Preprocess,
    Resampling,
    Size,
    check_resizing,
    network_size,
    to_alpha,
    to_network,
)
from .regions import Box, grow_box
from .tensors import check_image
from .weights.find import resolve
from .weights.load import build_network, read_checkpoint

logger = logging.getLogger(__name__)

Dtype = Literal["auto", "fp32", "fp16", "bf16"]
DTYPES: tuple[Dtype, ...] = ("auto", "fp32", "fp16", "bf16")
_TORCH_DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}

LARGEST_CHUNK = 8
"""Images per forward at most; more gains nothing on any device measured."""

LONG_RUN = 10.0
"""Seconds from which a run on a CPU is announced."""

PROBE_SIDE = 256
"""Side of the square the speed of a CPU is measured on, in pixels."""

PROBE_WORK = 1e14
"""Parameters times pixels below which no CPU needs LONG_RUN, so that nothing is measured."""

MOST_DISTORTED = 2.0
"""By how much the proportions of a part of an image may differ from those the network sees."""

Progress = Callable[[float], None]


class Predicts(Protocol):
    """Anything that finds a subject and knows at which size it looks at an image."""

    def network_size(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """Height and width at which an image of such a height and width is seen."""

    def __call__(
        self,
        image: Tensor,
        *,
        size: tuple[int, int] | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """RGB (B, 3, H, W), in [0, 1], to alpha (B, 1, H, W), in [0, 1].

        Args:
            image: Of any size.
            size: At which it is seen; None for `network_size`'s answer.
            progress: Called with the finished fraction; what it raises stops the work.
        """


class Predictor:
    """Predicts the alpha of images with one network.

    It neither trains nor changes the network, whose weights stay on `device` in `dtype` unless a
    host owns them.
    """

    def __init__(
        self,
        network: BiRefNet,
        preprocess: Preprocess,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        name: str = "",
        memory: DeviceMemory | None = None,
        owns_network: bool = True,
    ) -> None:
        """Wrap a network that is on its device already.

        Args:
            network: In evaluation mode.
            preprocess: What its checkpoint expects.
            device: Where the network computes.
            dtype: In which precision.
            name: What to call the model in messages.
            memory: How much the device has left; None for the device's own answer.
            owns_network: Whether weights may be converted when half precision overflows. A host
                whose layers cast their weights themselves says no; its network then computes in
                the dtype of its input.
        """
        self.network = network
        self.preprocess = preprocess
        self.device = torch.device(device)
        self.dtype = dtype
        self.name = name
        self.memory = DeviceMemory(self.device) if memory is None else memory
        self.owns_network = owns_network
        self._seconds_per_pixel: float | None = None
        self._announced: set[tuple[int, int]] = set()

    def __call__(
        self,
        image: Tensor,
        *,
        size: Size = "auto",
        longest_side: int | None = None,
        fit: Fit = "stretch",
        resampling: Resampling = "antialiased",
        progress: Progress | None = None,
    ) -> Tensor:
        """Predict how opaque the subject is at each pixel.

        Args:
            image: RGB (B, 3, H, W), in [0, 1], of any size. One channel counts as gray; a second
                or fourth channel is opacity, which the result cannot exceed.
            size: What the network sees: "auto" for the checkpoint's own size, "native" for the
                image's within the trained range, a side, or (height, width), in pixels; rounded
                to multiples of 32.
            longest_side: Instead of `size`: the image's longer side, the other in proportion.
            fit: "stretch" to that size, or "letterbox" to keep the proportions.
            resampling: "official" resizes as the official command line does.
            progress: Called with the finished fraction, in (0, 1], also within one forward. An
                exception it raises stops the run.

        Returns:
            Alpha (B, 1, H, W), in [0, 1], in the image's dtype and on its device.

        Raises:
            ShapeError: If the image is not such a tensor.
            ConfigError: If an option is not possible.
            NonFiniteError: If the network's output is not finite even in float32.
            OutOfMemoryError: If a single image does not fit.
        """
        check_image(image, (1, 2, 3, 4))
        batch, channels, height, width = image.shape
        target = self.network_size((height, width), size=size, longest_side=longest_side)
        check_resizing(fit, resampling)
        self._announce(batch, target)
        alpha = torch.empty((batch, 1, height, width), dtype=image.dtype, device=image.device)
        start, chunk, retried = 0, 0, False
        while start < batch:
            if not chunk:
                chunk = self._first_chunk(batch, target)
            part = image[start : start + chunk]
            scaled = part_of(progress, start / batch, len(part) / batch)
            try:
                result = self._predict(part, target, fit, resampling, scaled)
            except Exception as error:
                if not self.memory.is_out_of_memory(error):
                    raise
                # A host may have made room for the second attempt by evicting other models.
                if len(part) == 1 and retried:
                    raise OutOfMemoryError(self._too_large(target)) from error
                result = None
            if result is None:  # outside the handler, so that its traceback frees its tensors
                retried = len(part) == 1
                chunk = max(1, len(part) // 2)
                logger.warning(
                    "Out of memory with %d image(s) at once; trying %d.", len(part), chunk
                )
                self.memory.release()
                self.memory.prepare(self.memory_required(chunk, *target))
                continue
            if channels in (2, 4):
                result = result * part[:, -1:].to(result)
            alpha[start : start + len(part)] = result
            start += len(part)
            retried = False
        return alpha

    def network_size(
        self,
        image_size: tuple[int, int],
        *,
        size: Size = "auto",
        longest_side: int | None = None,
    ) -> tuple[int, int]:
        """At which size the network sees an image.

        Args:
            image_size: Height and width, in pixels.
            size: As in a call.
            longest_side: As in a call.

        Returns:
            Height and width, multiples of 32.

        Raises:
            ConfigError: If an option is not possible.
        """
        target = network_size(image_size, self.preprocess, size=size, longest_side=longest_side)
        least = self.network.architecture.minimum_side
        return (max(target[0], least), max(target[1], least))

    def memory_required(self, batch: int, height: int, width: int) -> int:
        """Bytes of activations that `batch` network inputs of a size need at once."""
        return activation_bytes(
            self.network.architecture, batch=batch, height=height, width=width, dtype=self.dtype
        )

    def estimate_seconds(
        self,
        image_size: tuple[int, int],
        *,
        count: int = 1,
        size: Size = "auto",
        longest_side: int | None = None,
    ) -> float | None:
        """How long images would take on this CPU, from a short measurement made once.

        Args:
            image_size: Height and width, in pixels.
            count: How many images.
            size: As in a call.
            longest_side: As in a call.

        Returns:
            Seconds, accurate to perhaps a third; None on accelerators.
        """
        target = self.network_size(image_size, size=size, longest_side=longest_side)
        return self._seconds(count, target)

    def _predict(
        self,
        image: Tensor,
        size: tuple[int, int],
        fit: Fit,
        resampling: Resampling,
        progress: Progress | None,
    ) -> Tensor:
        color = image.to(self.device, torch.float32)
        color = color[:, :3] if color.shape[1] >= 3 else color[:, :1].expand(-1, 3, -1, -1)
        inputs, placement = to_network(color, size, self.preprocess, fit=fit, resampling=resampling)
        started = time.perf_counter()
        with torch.no_grad():
            logits = self._finite_logits(inputs, progress)
        if self.device.type == "cpu":
            elapsed = time.perf_counter() - started
            self._seconds_per_pixel = elapsed / (inputs.shape[0] * size[0] * size[1])
        return self._to_alpha(logits, image, placement, resampling)

    def _to_alpha(
        self, logits: Tensor, image: Tensor, placement: Placement, resampling: Resampling
    ) -> Tensor:
        size = (image.shape[2], image.shape[3])
        alpha = to_alpha(
            logits, size, placement, upsample=self.preprocess.upsample, resampling=resampling
        )
        return alpha.to(image.device)

    def _finite_logits(self, inputs: Tensor, progress: Progress | None) -> Tensor:
        logits: Tensor = self.network(inputs.to(self.dtype), progress=progress)
        if torch.isfinite(logits).all():
            return logits
        if self.dtype != torch.float32:
            warnings.warn(
                f"{self._title()} overflows in {_short(self.dtype)}; computing again in float32, "
                "which takes longer. Choose fp32 to avoid the first attempt.",
                stacklevel=2,
            )
            if self.owns_network:
                self.network.float()
            try:
                logits = self.network(inputs, progress=progress)
            finally:
                if self.owns_network:
                    self.network.to(self.dtype)
            if torch.isfinite(logits).all():
                return logits
        cause = "its weights are damaged; get the file again"
        if not torch.isfinite(inputs).all():
            cause = "the image has values that are not finite; repair it"
        raise NonFiniteError(f"{self._title()} gave values that are not finite: {cause}.")

    def _first_chunk(self, batch: int, size: tuple[int, int]) -> int:
        """Images per forward: as many as fit, one where the memory sets no limit."""
        one = self.memory_required(1, *size)
        self.memory.prepare(one)
        free = self.memory.free()
        if free is None or batch == 1:
            return 1
        chunk = max(1, min(batch, LARGEST_CHUNK, free // one))
        if chunk > 1:
            self.memory.prepare(self.memory_required(chunk, *size))
        return chunk

    def _seconds(self, count: int, size: tuple[int, int]) -> float | None:
        if self.device.type != "cpu":
            return None
        if self._seconds_per_pixel is None:
            self.memory.prepare(self.memory_required(1, PROBE_SIDE, PROBE_SIDE))
            probe = torch.zeros(1, 3, PROBE_SIDE, PROBE_SIDE, dtype=self.dtype)
            times = []
            for _ in range(2):  # the first run also sets up the library's kernels
                started = time.perf_counter()
                self.network(probe)
                times.append(time.perf_counter() - started)
            self._seconds_per_pixel = min(times) / PROBE_SIDE**2
        return self._seconds_per_pixel * count * size[0] * size[1]

    def _announce(self, count: int, size: tuple[int, int]) -> None:
        parameters = sum(parameter.numel() for parameter in self.network.parameters())
        work = parameters * count * size[0] * size[1]
        if self.device.type != "cpu" or size in self._announced or work < PROBE_WORK:
            return
        self._announced.add(size)
        seconds = self._seconds(count, size)
        if seconds is not None and seconds > LONG_RUN:
            logger.info(
                "%s needs about %.0f s on this CPU for %d image(s) at %d x %d.",
                self._title(),
                seconds,
                count,
                *size,
            )

    def _title(self) -> str:
        return f"The model {self.name}" if self.name else "The model"

    def _too_large(self, size: tuple[int, int]) -> str:
        mib = self.memory_required(1, *size) / 2**20
        smaller = max(256, (max(size) // 2) // 32 * 32)
        return (
            f"one image at {size[0]} x {size[1]} needs about {mib:.0f} MiB beside the weights, "
            f"which {self.device} does not have; use a smaller size such as {smaller}, a lighter "
            "model, half precision, or close other programs."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """A predictor together with how it looks at images, for what predicts parts of them."""

    predictor: Predictor
    """The model."""

    size: Size = "auto"
    """What the network sees, as in a call of `Predictor`."""

    longest_side: int | None = None
    """Instead of `size`, likewise."""

    fit: Fit = "stretch"
    """How an image is brought to that size, likewise."""

    def network_size(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """As in `Predicts`."""
        return self.predictor.network_size(
            image_size, size=self.size, longest_side=self.longest_side
        )

    def __call__(
        self,
        image: Tensor,
        *,
        size: tuple[int, int] | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """As in `Predicts`; raises what `Predictor` raises."""
        seen = size or self.network_size((image.shape[2], image.shape[3]))
        return self.predictor(image, size=seen, fit=self.fit, progress=progress)


def box_to_look_at(
    subject: Box, image_size: tuple[int, int], seen: tuple[int, int], *, context: float
) -> Box:
    """What a network should see of a subject.

    Args:
        subject: Its box; the part outside the image does not count.
        image_size: Height and width of the image.
        seen: Height and width of what the network sees.
        context: Sides of the result as a multiple of the subject's, at least 1.

    Returns:
        A box inside the image that holds the subject, the image's borders permitting in the
        middle, of proportions that the network's differ from at most by MOST_DISTORTED.

    Raises:
        ConfigError: If no part of the subject is inside, or the context is below 1.
    """
    natural = seen[1] / seen[0]
    shape = subject.width / subject.height
    aspect = min(max(shape, natural / MOST_DISTORTED), natural * MOST_DISTORTED)
    grown = grow_box(subject, context=context, inside=image_size)
    if aspect != shape:
        grown = grow_box(grown, aspect=aspect, inside=image_size)
    return grown.clip(image_size) or grown


def load(
    name_or_path: str | Path = "auto",
    *,
    device: torch.device | str = "auto",
    dtype: Dtype | torch.dtype = "auto",
    patch_order: PatchOrder | None = None,
    mean: tuple[float, float, float] | None = None,
    std: tuple[float, float, float] | None = None,
    folders: Iterable[Path | str] | None = None,
) -> Predictor:
    """Load a model that is on this machine; nothing is downloaded.

    Args:
        name_or_path: A published checkpoint's id such as "general", a file, "starter" for the
            built-in model, or "auto" for the best one found.
        device: A torch device, or "auto" for the first accelerator, else the CPU.
        dtype: Precision to compute in. "auto" takes fp16 on accelerators, bf16 on CPUs with bf16
            instructions, else fp32.
        patch_order: Overrides how the checkpoint's image patches are stacked.
        mean: Overrides the mean of its normalization.
        std: Overrides the divisor of its normalization.
        folders: Where to search for names; None for the usual folders.

    Raises:
        ModelNotFoundError: If there is no such file; the message says how to get it.
        CheckpointError: If the file is no usable checkpoint.
        ConfigError: If device or dtype is not known.
    """
    place = resolve_device(device)
    precision = resolve_dtype(dtype, place)
    path = resolve(name_or_path, folders)
    checkpoint = read_checkpoint(path, patch_order=patch_order, mean=mean, std=std)
    network = build_network(checkpoint, device=place, dtype=precision)
    name = checkpoint.entry.id if checkpoint.entry else path.name
    return Predictor(network, checkpoint.preprocess, device=place, dtype=precision, name=name)


def resolve_device(device: torch.device | str) -> torch.device:
    """A device by name, or for "auto" the first of CUDA (also ROCm), XPU, MPS and CPU.

    Raises:
        ConfigError: If there is no such device.
    """
    if device != "auto":
        try:
            chosen = torch.device(device)
        except RuntimeError as error:
            raise ConfigError(
                f"device must be auto, cpu, cuda, cuda:0, xpu or mps, got {device!r}."
            ) from error
        module = getattr(torch, chosen.type, None)
        if chosen.type != "cpu" and not (module is not None and module.is_available()):
            raise ConfigError(
                f"the device {chosen} is not available to this PyTorch ({torch.__version__}); "
                "use auto or cpu, or install the PyTorch build for it."
            )
        return chosen
    for name in ("cuda", "xpu", "mps"):
        if getattr(torch, name).is_available():
            return torch.device(name)
    return torch.device("cpu")


def resolve_dtype(dtype: Dtype | torch.dtype, device: torch.device) -> torch.dtype:
    """The precision to compute in.

    Args:
        dtype: One of DTYPES or a torch dtype. "auto" takes fp16 on accelerators (not on CUDA
            devices below compute capability 7.0, nor on GTX 16xx, whose fp16 gives NaN), bf16 on
            CPUs with bf16 instructions, else fp32. fp16 on a CPU is replaced, with a warning.
        device: Where it is computed.

    Raises:
        ConfigError: If it is not known.
    """
    if isinstance(dtype, torch.dtype):
        chosen = dtype
        if chosen not in _TORCH_DTYPES.values():
            raise ConfigError(f"dtype must be float32, float16 or bfloat16, got {dtype}.")
    elif dtype == "auto":
        if device.type == "cpu":
            return torch.bfloat16 if cpu_has_bf16() else torch.float32
        return torch.float16 if _has_good_fp16(device) else torch.float32
    elif dtype in _TORCH_DTYPES:
        chosen = _TORCH_DTYPES[dtype]
    else:
        raise ConfigError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}.")
    if chosen == torch.float16 and device.type == "cpu":
        replacement = torch.bfloat16 if cpu_has_bf16() else torch.float32
        warnings.warn(
            f"fp16 is far too slow on a CPU; computing in {_short(replacement)} instead.",
            stacklevel=2,
        )
        return replacement
    return chosen


@functools.cache
def cpu_has_bf16() -> bool:
    """Whether this processor multiplies bfloat16 matrices itself (AVX-512 BF16, AMX, ARM)."""
    ask = getattr(torch.cpu, "get_capabilities", None)
    if ask is not None:
        found = ask()
        if any(found.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16", "arm_bf16")):
            return True
    if platform.machine().lower() in ("aarch64", "arm64"):
        try:
            return "bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
        except OSError:
            return False
    return any(
        getattr(torch.cpu, name, bool)()
        for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    )


def _has_good_fp16(device: torch.device) -> bool:
    if device.type != "cuda" or torch.version.hip:
        return True
    properties = torch.cuda.get_device_properties(device)
    return properties.major >= 7 and "GTX 16" not in properties.name


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def part_of(progress: Progress | None, start: float, share: float) -> Progress | None:
    """A progress callback for a part of a longer run, both in fractions of it."""
    if progress is None:
        return None

    def part(fraction: float) -> None:
        progress(min(1.0, start + share * fraction))

    return part
