"""Load BiRefNet: a name -> a file -> a model for Remove Background."""

from __future__ import annotations

from pathlib import Path

from comfy_api.v0_0_2 import io, ui

from ..birefnet.errors import BiRefNetError, ModelNotFoundError
from ..birefnet.predict import DTYPES
from ..birefnet.preprocess import IMAGENET_MEAN, IMAGENET_STD, PATCH_ORDERS
from ..birefnet.weights.download import download
from ..birefnet.weights.find import AUTO, find_auto, list_models, resolve
from ..birefnet.weights.registry import REGISTRY, STARTER_PATH, by_name
from . import host
from .sockets import BackgroundRemoval

NORMALIZATIONS = {
    AUTO: (None, None),
    "imagenet": (IMAGENET_MEAN, IMAGENET_STD),
    "centered": ((0.5, 0.5, 0.5), (1.0, 1.0, 1.0)),
    "none": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
"""Mean and divisor by the name shown; None is the checkpoint's own."""

STARTER_ADVICE = (
    "This is the built-in starter, for trying things out. For real work choose general or another "
    "published checkpoint and switch on download_if_missing."
)


class LoadBiRefNet(io.ComfyNode):
    """Choose, fetch if asked to, and load a checkpoint."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        files = [model.name for model in list_models(host.model_folders())]
        return io.Schema(
            node_id="BiRefNet_Load",
            display_name="Load BiRefNet",
            category="model/loaders",
            description=(
                "Loads a BiRefNet checkpoint, a published one or your own, for Remove Background "
                "(BiRefNet) and for ComfyUI's own Remove Background."
            ),
            search_aliases=["background removal model", "rembg", "matting model", "cutout model"],
            has_intermediate_output=True,
            inputs=[
                io.Combo.Input(
                    "model",
                    options=[AUTO, *REGISTRY, *files],
                    default=AUTO,
                    tooltip="auto: the general model if it is on this machine, else another "
                    "published one that is, else the built-in starter, which is for trying "
                    "things out only: for real work choose general or another published "
                    "checkpoint. A name without an ending is a published checkpoint; a file name "
                    "is a file in models/background_removal, models/BiRefNet, models/RMBG or "
                    "a folder of extra_model_paths.yaml.",
                ),
                io.Boolean.Input(
                    "download_if_missing",
                    default=False,
                    optional=True,
                    tooltip="Fetch a published checkpoint that is not on this machine from its "
                    "publisher's Hugging Face page into models/background_removal. Off: an error "
                    "names its size and license, and nothing is downloaded.",
                ),
                io.Combo.Input(
                    "dtype",
                    options=list(DTYPES),
                    default=AUTO,
                    optional=True,
                    tooltip="Precision to compute in. auto: ComfyUI's choice on a graphics card "
                    "(mostly fp16); on a CPU bf16 if it has instructions for that, else fp32. "
                    "fp32 is slowest and most exact.",
                ),
                io.Combo.Input(
                    "patch_order",
                    options=[AUTO, *PATCH_ORDERS],
                    default=AUTO,
                    optional=True,
                    advanced=True,
                    tooltip="How the network stacks patches of the picture. auto: what the "
                    "checkpoint was trained with, as far as known. legacy: checkpoints from "
                    "before November 2024. Try the other one if masks of your own checkpoint "
                    "look blocky.",
                ),
                io.Combo.Input(
                    "normalization",
                    options=list(NORMALIZATIONS),
                    default=AUTO,
                    optional=True,
                    advanced=True,
                    tooltip="What is done to colors before the network sees them. auto: what the "
                    "checkpoint was trained with. imagenet: ImageNet's mean and deviation, nearly "
                    "all checkpoints. centered: minus 0.5. none: left in 0 to 1.",
                ),
            ],
            outputs=[
                BackgroundRemoval.Output(
                    "model",
                    tooltip="For Remove Background (BiRefNet), or for ComfyUI's own Remove "
                    "Background.",
                )
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(
        cls, model: str | None, download_if_missing: bool | None = False
    ) -> bool | str:
        if model is None:  # it comes from another node: `execute` will see it
            return True
        try:
            _find(model, download_if_missing is not False)
        except BiRefNetError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, model: str | None, **_others: object) -> str:
        """Changes when the file behind the name does."""
        try:
            path = _find(str(model), can_download=True)
        except BiRefNetError:
            path = None
        if path is None:
            return "missing"
        status = path.stat()
        return f"{path} {status.st_size} {status.st_mtime_ns}"

    @classmethod
    def execute(
        cls,
        model: str,
        download_if_missing: bool = False,
        dtype: str = "auto",
        patch_order: str = "auto",
        normalization: str = "auto",
    ) -> io.NodeOutput:
        path = _find(model, download_if_missing)
        if path is None:
            report = host.progress()
            path = download(
                model,
                folder=host.model_folders()[0],
                progress=lambda fraction, _received: report(fraction),
            )
        mean, std = NORMALIZATIONS[normalization]
        loaded = host.load_model(
            path,
            dtype=dtype,
            patch_order=None if patch_order == AUTO else patch_order,
            mean=mean,
            std=std,
        )
        text = loaded.description
        if path == STARTER_PATH:
            text += f"\n{STARTER_ADVICE}"
        elif model == AUTO:
            text += f"\n{find_auto(host.model_folders())[1]}"
        host.say(text, cls.hidden.unique_id)
        return io.NodeOutput(loaded, ui=ui.PreviewText(text))


def _find(model: str, can_download: bool) -> Path | None:
    """The file behind a name; None if there is none yet and it may be downloaded.

    Raises:
        ModelNotFoundError: If there is none; it says how to get it.
    """
    try:
        return resolve(model, host.model_folders(), paths=False)
    except ModelNotFoundError as error:
        entry = by_name(model)
        if entry is None:
            raise
        if can_download:
            return None
        raise ModelNotFoundError(f"{error} Or switch on download_if_missing.") from error
