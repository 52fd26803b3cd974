"""The only module that imports ComfyUI's Python modules: folders, memory, progress, output."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.utils
import folder_paths
import torch
from server import PromptServer
from torch import Tensor

from ..birefnet.errors import ConfigError, OutOfMemoryError
from ..birefnet.memory import DeviceMemory
from ..birefnet.model.architecture import TimmConfig
from ..birefnet.predict import Predictor, Predicts, Progress, Sight, resolve_dtype
from ..birefnet.preprocess import Fit, Size
from ..birefnet.weights.detect import describe_architecture
from ..birefnet.weights.files import SAFETENSORS_SUFFIXES, read_header
from ..birefnet.weights.find import COMFYUI_FOLDERS, default_folders
from ..birefnet.weights.keys import to_published
from ..birefnet.weights.load import (
    Checkpoint,
    build_network,
    checkpoint_from_tensors,
    read_checkpoint,
)
from .convert import core_to_image, core_to_mask, image_to_core, rgb

CORE_SIZE = 1024
"""What newer releases of ComfyUI's own node send when nobody chose a size."""

FOLDER_KEYS = ("background_removal", "birefnet", "BiRefNet", "rmbg", "RMBG")
"""Names under which ComfyUI and other packs register model folders."""

PROGRESS_STEPS = 1000

logger = logging.getLogger(__name__)


def model_folders() -> list[Path]:
    """Where checkpoints may lie, first come first; changes nothing in ComfyUI's own list.

    Folders registered by ComfyUI, `extra_model_paths.yaml` or another pack come before the usual
    ones below `models`, and those before the folders of the command line.
    """
    registered = folder_paths.folder_names_and_paths
    folders = [
        Path(folder)
        for key in FOLDER_KEYS
        if key in registered
        for folder in folder_paths.get_folder_paths(key)
    ]
    folders += [Path(folder_paths.models_dir) / name for name in COMFYUI_FOLDERS]
    return list(dict.fromkeys([*folders, *default_folders()]))


def progress() -> Progress:
    """A callback for the node that runs now: shows a fraction, and stops when the user asks."""
    bar = comfy.utils.ProgressBar(PROGRESS_STEPS)

    def report(fraction: float) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        bar.update_absolute(round(fraction * PROGRESS_STEPS))

    return report


def say(text: str, node_id: str | None) -> None:
    """Show a line of text on a node, and write it to the log."""
    logger.info(text)
    server = getattr(PromptServer, "instance", None)
    if server is not None and node_id is not None:
        server.send_progress_text(text, node_id)


def deliver(result: Tensor) -> Tensor:
    """Move a result to where ComfyUI keeps what travels between nodes."""
    return result.to(_output_device(), _output_dtype())


def empty(shape: tuple[int, ...]) -> Tensor:
    """Room for a result, where ComfyUI keeps what travels between nodes."""
    return torch.empty(shape, device=_output_device(), dtype=_output_dtype())


def on_device(work: Callable[..., Tensor], *tensors: Tensor, **options: object) -> Tensor:
    """Call a function in float32 on the graphics card, or on the CPU if memory is short there."""
    comfy.model_management.throw_exception_if_processing_interrupted()
    device = comfy.model_management.get_torch_device()
    try:
        return work(*(tensor.to(device, torch.float32) for tensor in tensors), **options)
    except Exception as error:
        if device.type == "cpu" or not comfy.model_management.is_oom(error):
            raise
    comfy.model_management.soft_empty_cache()
    return work(*(tensor.to("cpu", torch.float32) for tensor in tensors), **options)


class ManagedMemory(DeviceMemory):
    """Lets ComfyUI decide what stays on the device; loads the network before it is used."""

    def __init__(self, patcher: comfy.model_patcher.ModelPatcher, *, whole: bool) -> None:
        """Wrap a patcher.

        Args:
            patcher: Of the network.
            whole: Whether its weights must be on the device all at once, because some of its
                layers cannot cast them at the moment of use.
        """
        super().__init__(patcher.load_device)
        self._patcher = patcher
        self._whole = whole

    def free(self) -> int | None:
        """Bytes that a forward may use; None on a CPU."""
        if self.device.type == "cpu":
            return None
        return int(comfy.model_management.get_free_memory(self.device))

    def prepare(self, needed: int) -> None:
        """Load the network and make other models leave room for `needed` bytes beside it."""
        comfy.model_management.load_models_gpu(
            [self._patcher], memory_required=needed, force_full_load=self._whole
        )

    def is_out_of_memory(self, error: Exception) -> bool:
        """Whether an error says that the device ran out of memory."""
        return comfy.model_management.is_oom(error) or super().is_out_of_memory(error)

    def release(self) -> None:
        """Make all models leave the device; `prepare` brings ours back."""
        comfy.model_management.unload_all_models()
        comfy.model_management.soft_empty_cache()


class BackgroundRemovalModel:
    """A loaded checkpoint, as it travels between nodes.

    It has what ComfyUI's own background removal model has, so that ComfyUI's node and those of
    other packs can use it. Its weights belong to ComfyUI's memory manager. `description` says in
    one line what it is.
    """

    model_type = "birefnet"

    def __init__(self, checkpoint: Checkpoint, dtype: str) -> None:
        """Build the network of a checkpoint, off the graphics card.

        Args:
            checkpoint: What was read from a file.
            dtype: Precision to compute in, one of `birefnet.predict.DTYPES`; "auto" follows
                ComfyUI's policy and flags on graphics cards.
        """
        self.load_device = comfy.model_management.get_torch_device()
        offload_device = comfy.model_management.unet_offload_device()
        self.dtype = compute_dtype(dtype, self.load_device)
        casts = not isinstance(checkpoint.architecture.encoder, TimmConfig)
        self.model = build_network(
            checkpoint, device=offload_device, dtype=self.dtype, operations=comfy.ops.manual_cast
        )
        patcher_class = comfy.model_patcher.CoreModelPatcher  # main.py may have replaced it
        self.patcher = patcher_class(
            self.model, load_device=self.load_device, offload_device=offload_device
        )
        self.name = checkpoint.entry.id if checkpoint.entry else Path(checkpoint.name).name
        preprocess = checkpoint.preprocess
        self.predictor = Predictor(
            self.model,
            preprocess,
            device=self.load_device,
            dtype=self.dtype,
            name=self.name,
            memory=ManagedMemory(self.patcher, whole=not casts),
            owns_network=not casts,
        )
        size = f"{preprocess.height} x {preprocess.width}"
        kind = describe_architecture(checkpoint.architecture)
        self.description = f"{self.name}: {kind}, {size}, {_short(self.dtype)}"
        self.image_size = max(preprocess.height, preprocess.width)
        self.image_mean = list(preprocess.mean)
        self.image_std = list(preprocess.std)
        self.config = {
            "model_type": self.model_type,
            "image_size": self.image_size,
            "image_mean": self.image_mean,
            "image_std": self.image_std,
            "resize_to_original": True,
        }
        self._said_size = False

    def encode_image(self, image: Tensor, image_size: int | None = CORE_SIZE) -> Tensor:
        """Predict masks, the one method that ComfyUI's own node calls.

        Args:
            image: IMAGE (B, H, W, C).
            image_size: Side of the square the network sees, in pixels. 1024 and None stand for
                the checkpoint's own size, because newer releases of ComfyUI send 1024 always.

        Returns:
            MASK (B, H, W), 1 on the subject, on ComfyUI's device and in its dtype for results.
        """
        native = image_size in (None, CORE_SIZE)
        own = (self.predictor.preprocess.height, self.predictor.preprocess.width)
        if native and own != (CORE_SIZE, CORE_SIZE) and not self._said_size:
            self._said_size = True
            logger.info(
                "%s works at its own size, %d x %d; ask for another one than %d to change that.",
                self.name,
                *own,
                CORE_SIZE,
            )
        predicts = predictor(self, size="auto" if native else image_size)
        alpha = predicts(image_to_core(image), progress=progress())
        return deliver(core_to_mask(alpha))

    def get_sd(self) -> dict[str, Tensor]:
        """All weights under their published names."""
        return to_published(self.model.state_dict(), self.model.architecture)


class EncodesImages(Protocol):
    """What ComfyUI's own loader puts on a BACKGROUND_REMOVAL socket."""

    def encode_image(self, image: Tensor) -> Tensor:
        """IMAGE (B, H, W, C) to MASK (B, H, W)."""


def load_model(
    path: Path,
    *,
    dtype: str,
    patch_order: str | None,
    mean: tuple[float, float, float] | None,
    std: tuple[float, float, float] | None,
) -> BackgroundRemovalModel:
    """Read a checkpoint the way ComfyUI reads files, and put it under its memory manager.

    Args:
        path: The file.
        dtype: As in `BackgroundRemovalModel`.
        patch_order: Overrides how image patches are stacked; None for what the checkpoint says.
        mean: Overrides the mean of the normalization.
        std: Overrides its divisor.

    Raises:
        CheckpointError: If the file is no usable checkpoint.
    """
    overrides = {"patch_order": patch_order, "mean": mean, "std": std}
    if path.suffix.lower() in SAFETENSORS_SUFFIXES:
        read_header(path)  # its errors say what is wrong with a damaged file and what to do
        tensors, metadata = comfy.utils.load_torch_file(
            str(path), safe_load=True, return_metadata=True
        )
        checkpoint = checkpoint_from_tensors(
            tensors, metadata, name=path.name, path=path, **overrides
        )
    else:
        checkpoint = read_checkpoint(path, **overrides)
    return BackgroundRemovalModel(checkpoint, dtype)


def compute_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """The precision to compute in; on graphics cards "auto" is ComfyUI's decision.

    Args:
        dtype: One of `birefnet.predict.DTYPES`.
        device: Where it is computed.
    """
    if dtype != "auto" or device.type == "cpu":
        return resolve_dtype(dtype, device)
    if comfy.model_management.should_use_fp16(device):
        return torch.float16
    if comfy.model_management.should_use_bf16(device):
        return torch.bfloat16
    return torch.float32


def predictor(
    model: BackgroundRemovalModel | EncodesImages,
    *,
    size: Size = "auto",
    longest_side: int | None = None,
    fit: Fit = "stretch",
) -> Predicts:
    """What finds subjects with our model, or with one of ComfyUI's own loader.

    Args:
        model: From a BACKGROUND_REMOVAL socket.
        size: As in `birefnet.predict.Predictor`.
        longest_side: Likewise.
        fit: Likewise.

    Raises:
        ConfigError: If `model` cannot remove backgrounds, or cannot do it in that way.
    """
    if isinstance(model, BackgroundRemovalModel):
        return OwnPredictor(
            Sight(predictor=model.predictor, size=size, longest_side=longest_side, fit=fit)
        )
    _check_foreign(model, size, longest_side, fit)
    return ForeignPredictor(model, size)


class OwnPredictor:
    """Predicts with our model under ComfyUI's memory manager."""

    def __init__(self, sight: Sight) -> None:
        self._sight = sight

    def network_size(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """As in `Predicts`."""
        return self._sight.network_size(image_size)

    def __call__(
        self,
        image: Tensor,
        *,
        size: tuple[int, int] | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """As in `Predicts`.

        Raises:
            OutOfMemoryError: If a single image does not fit.
        """
        try:
            return self._sight(image, size=size, progress=progress)
        except OutOfMemoryError:
            # ComfyUI does this for errors of PyTorch, which ours hides.
            comfy.model_management.unload_all_models()
            raise


class ForeignPredictor:
    """Predicts with a model of ComfyUI's own loader."""

    def __init__(self, model: EncodesImages, size: Size) -> None:
        self._model = model
        self._options = {} if size == "auto" else {"image_size": size}
        side = getattr(model, "image_size", CORE_SIZE) if size == "auto" else size
        self._side = side if isinstance(side, int) else CORE_SIZE

    def network_size(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """Always the model's own square."""
        return (self._side, self._side)

    def __call__(
        self,
        image: Tensor,
        *,
        size: tuple[int, int] | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """As in `Predicts`, but always at the model's own size.

        One image at a time: early releases mix up larger batches, and the user can stop.
        """
        masks = []
        for number, one in enumerate(image.split(1)):
            mask = self._model.encode_image(core_to_image(rgb(one)), **self._options)
            mask = mask.reshape(1, 1, *one.shape[2:])  # release 0.21 returns (1, 1, H, W)
            opacity = one[:, 3:] if one.shape[1] == 4 else None
            masks.append(mask if opacity is None else mask * opacity.to(mask))
            if progress is not None:
                progress((number + 1) / len(image))
        return torch.cat(masks)


def _check_foreign(model: object, size: Size, longest_side: int | None, fit: Fit) -> None:
    encode = getattr(model, "encode_image", None)
    if not callable(encode):
        raise ConfigError(
            "model must be a background removal model with a method encode_image, got "
            f"{type(model).__name__}; connect the output of Load BiRefNet."
        )
    takes_size = "image_size" in inspect.signature(encode).parameters
    side_alone = longest_side is None and (size == "auto" or (takes_size and size != "native"))
    if not side_alone or fit != "stretch":
        raise ConfigError(
            f"a {type(model).__name__} of ComfyUI's own loader works at one size only; set "
            "size_mode to auto and fit to stretch, or load the file with Load BiRefNet."
        )


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _output_device() -> torch.device:
    return comfy.model_management.intermediate_device()


def _output_dtype() -> torch.dtype:
    return comfy.model_management.intermediate_dtype()
