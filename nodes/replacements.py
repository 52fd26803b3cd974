"""Nodes of older BiRefNet packs that open as ours, in workflows of users who lack those packs."""

from __future__ import annotations

from dataclasses import dataclass, field

from comfy_api.v0_0_2 import io


@dataclass(frozen=True, kw_only=True, slots=True)
class Replacement:
    """What becomes of one node of another pack.

    Only inputs that its pack always required are taken over: ComfyUI's server fails on one that is
    not there. An output that keeps its number must mean the same; see `to_comfyui`.
    """

    old: str
    """Id of the other pack's node."""

    new: str
    """Id of the node that takes its place."""

    widgets: tuple[str, ...] = ()
    """Its widgets in their order, by which a saved workflow knows their values."""

    inputs: dict[str, str] = field(default_factory=dict)
    """Inputs that are taken over: ours to theirs."""

    values: dict[str, object] = field(default_factory=dict)
    """Inputs of ours that get a value."""

    outputs: tuple[int, ...] = (0,)
    """Number of our output for each of theirs."""

    def to_comfyui(self) -> io.NodeReplace:
        """For ComfyUI's own table.

        The browser connects only the outputs that are named. The server keeps all, and to move
        one it looks up the node behind it by the old name of that node's input: this fails if
        that node was replaced before, which is left to chance. So it is told only of outputs that
        move.
        """
        entry = io.NodeReplace(
            new_node_id=self.new,
            old_node_id=self.old,
            old_widget_ids=list(self.widgets),
            input_mapping=[
                *({"new_id": new, "old_id": old} for new, old in self.inputs.items()),
                *({"new_id": new, "set_value": value} for new, value in self.values.items()),
            ],
            output_mapping=[
                {"new_idx": new, "old_idx": old} for old, new in enumerate(self.outputs)
            ],
        )
        for_browser = entry.as_dict()
        entry.as_dict = lambda: for_browser
        moved = [pair for pair in entry.output_mapping if pair["new_idx"] != pair["old_idx"]]
        entry.output_mapping = moved or None
        return entry


SIZES = ("width", "height", "upscale_method")
COLORS = ("blur_size", "blur_size_two", "fill_color", "color")

LL = (  # lldacing/ComfyUI_BiRefNet_ll 1.1.4
    Replacement(
        old="AutoDownloadBiRefNetModel",
        new="BiRefNet_Load",
        widgets=("model_name", "device", "dtype"),
        inputs={"model": "model_name"},
        values={"download_if_missing": True},
    ),
    Replacement(
        old="LoadRembgByBiRefNetModel",
        new="BiRefNet_Load",
        widgets=("model", "device", "use_weight", "dtype"),
        inputs={"model": "model"},
    ),
    Replacement(
        # Not ours, whose mask is its second output: in front of BlurFusionForegroundEstimation,
        # where this node usually is, that output could not be moved (see `to_comfyui`).
        old="GetMaskByBiRefNet",
        new="RemoveBackground",
        widgets=(*SIZES, "mask_threshold"),
        inputs={"bg_removal_model": "model", "image": "images"},
    ),
    Replacement(
        old="BlurFusionForegroundEstimation",
        new="BiRefNet_RefineForeground",
        widgets=COLORS,
        inputs={
            "image": "images",
            "mask": "masks",
            "blur_size": "blur_size",
            "fine_blur_size": "blur_size_two",
        },
        values={"method": "blur-fusion"},
        outputs=(0, 2),
    ),
    Replacement(
        old="RembgByBiRefNetAdvanced",
        new="BiRefNet_RemoveBackground",
        widgets=(*SIZES, *COLORS, "mask_threshold"),
        inputs={
            "model": "model",
            "image": "images",
            "size": "width",
            "black_point": "mask_threshold",
        },
        values={"size_mode": "side", "foreground": "blur-fusion"},
        outputs=(0, 1),
    ),
    Replacement(
        old="RembgByBiRefNet",
        new="BiRefNet_RemoveBackground",
        inputs={"model": "model", "image": "images"},
        values={"foreground": "blur-fusion"},
        outputs=(0, 1),
    ),
)

ZHO = (  # ZHO-ZHO-ZHO/ComfyUI-BiRefNet-ZHO
    Replacement(
        old="BiRefNet_ModelLoader_Zho",
        new="BiRefNet_Load",
        widgets=("birefnet_model",),
        inputs={"model": "birefnet_model"},
    ),
    Replacement(
        old="BiRefNet_Zho",
        new="BiRefNet_RemoveBackground",
        inputs={"model": "birefnetmodel", "image": "image"},
        outputs=(0, 1),
    ),
)

LAYER_STYLE = (  # chflame163/ComfyUI_LayerStyle_Advance 2.0.37
    Replacement(
        old="LayerMask: LoadBiRefNetModel",
        new="BiRefNet_Load",
        widgets=("model",),
        inputs={"model": "model"},
    ),
    Replacement(
        old="LayerMask: LoadBiRefNetModelV2",
        new="BiRefNet_Load",
        widgets=("version",),
        inputs={"model": "version"},
    ),
    Replacement(
        old="LayerMask: BiRefNetUltraV2",
        new="BiRefNet_RemoveBackground",
        widgets=(
            *("detail_method", "detail_erode", "detail_dilate", "black_point", "white_point"),
            *("process_detail", "device", "max_megapixels"),
        ),
        inputs={"model": "birefnet_model", "image": "image"},
        outputs=(0, 1),
    ),
)

REPLACEMENTS = (*LL, *ZHO, *LAYER_STYLE)


async def register_replacements() -> None:
    """Tell ComfyUI all of `REPLACEMENTS`; it applies one only where the old pack is absent."""
    from comfy_api.v0_0_2 import ComfyAPI

    table = getattr(ComfyAPI(), "node_replacement", None)
    if table is None:  # a ComfyUI without this service
        return
    for replacement in REPLACEMENTS:
        await table.register(replacement.to_comfyui())
