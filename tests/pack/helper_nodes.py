"""Nodes that only the tests install: they make what no honest node makes, and look inside."""

from __future__ import annotations

import gc
import json
import sys
import weakref

import comfy.memory_management
import comfy.model_management
import torch

SEEN: weakref.WeakSet[torch.nn.Module] = weakref.WeakSet()


class Anything(str):
    """A socket type that fits every other one."""

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


ANYTHING = Anything("*")


class OldCoreModel:
    """Answers like the model of ComfyUI 0.21: a fourth axis, and one fixed size."""

    def encode_image(self, image):
        return image[..., :1].movedim(-1, 1)


VALUES = {
    "no pictures": lambda: torch.zeros(0, 8, 8, 3),
    "three axes": lambda: torch.zeros(8, 8, 3),
    "two channels": lambda: torch.zeros(1, 8, 8, 2),
    "text": lambda: "a text",
    "not a model": object,
    "no boxes": lambda: [[]],
    "old core model": OldCoreModel,
    "flat mask": lambda: torch.linspace(0, 1, 64 * 48).view(64, 48),
    "deep mask": lambda: torch.linspace(0, 1, 64 * 48).view(1, 1, 64, 48).repeat(2, 1, 1, 1),
    "half mask": lambda: torch.linspace(0, 1, 64 * 48).view(1, 64, 48).half(),
    "gray": lambda: torch.linspace(0, 1, 64 * 48).view(1, 64, 48, 1),
    "one pixel": lambda: torch.full((1, 1, 1, 3), 0.5),
    "panorama": lambda: torch.rand(1, 4, 900, 3, generator=torch.Generator().manual_seed(1)),
    "transparent": lambda: torch.cat(
        [torch.rand(1, 64, 64, 3), torch.linspace(0, 1, 64).view(1, 64, 1, 1).expand(1, 64, 64, 1)],
        dim=-1,
    ),
}


class Value:
    """Outputs one of VALUES on any socket."""

    RETURN_TYPES = (ANYTHING,)
    FUNCTION = "run"
    CATEGORY = "test"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"kind": (list(VALUES),)}}

    def run(self, kind):
        return (VALUES[kind](),)


class Inspect:
    """Reports what arrives on any socket."""

    RETURN_TYPES = ()
    FUNCTION = "run"
    CATEGORY = "test"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"value": (ANYTHING,)}}

    def run(self, value):
        report = {
            "shape": list(value.shape),
            "dtype": str(value.dtype),
            "device": str(value.device),
            "least": float(value.min()),
            "largest": float(value.max()),
            "mean": float(value.double().mean()),
        }
        return {"ui": {"text": [json.dumps(report)]}}


def _picture():
    return torch.rand(1, 96, 80, 3, generator=torch.Generator().manual_seed(5))


def _attributes(model):
    return {
        "image_size": model.image_size,
        "image_mean": model.image_mean,
        "image_std": model.image_std,
        "model_type": model.model_type,
        "config": model.config,
        "dtype": str(model.dtype),
        "load_device": str(model.load_device),
        "weights": len(model.get_sd()),
        "published_names": "bb.patch_embed.proj.weight" in model.get_sd(),
        "patcher": model.patcher.model is model.model,
        "size": model.patcher.model_size(),
    }


def _sizes(model):
    """Sizes the network saw for a number of requests of ComfyUI's own node."""
    seen = []
    hook = model.model.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape[2:]))
    try:
        model.encode_image(_picture())
        model.encode_image(_picture(), image_size=1024)
        model.encode_image(_picture(), image_size=None)
        model.encode_image(_picture(), image_size=256)
    finally:
        hook.remove()
    return [list(size) for size in seen]


def _casting(model):
    """Layers that ComfyUI cannot load piece by piece, and types of what layers compute on."""
    raw, kinds, hooks = [], set(), []
    for name, module in model.model.named_modules():
        if list(module.parameters(recurse=False)):
            if not hasattr(module, "comfy_cast_weights"):
                raw.append(name)
            hooks.append(
                module.register_forward_pre_hook(lambda _, args: kinds.add(str(args[0].dtype)))
            )
    try:
        model.encode_image(_picture())
    finally:
        for hook in hooks:
            hook.remove()
    return {"raw": raw, "kinds": sorted(kinds)}


def _half_loaded(model):
    """Masks with all weights on the device, and with half of them cast at the moment of use."""
    whole = model.encode_image(_picture())
    comfy.model_management.unload_all_models()
    requests = []
    original = comfy.model_management.load_models_gpu

    def scarce(models, *args, **kwargs):
        requests.append(kwargs.get("memory_required"))
        for patcher in models:
            patcher.load(patcher.load_device, lowvram_model_memory=patcher.model_size() // 2)

    comfy.model_management.load_models_gpu = scarce
    try:
        half = model.encode_image(_picture())
        cast = sum(hasattr(m, "prev_comfy_cast_weights") for m in model.model.modules())
    finally:
        comfy.model_management.load_models_gpu = original
    model.patcher.detach()
    return {
        "difference": float((whole - half).abs().max()),
        "cast": cast,
        "requests": requests,
        "estimate": model.predictor.memory_required(1, 128, 128),
    }


def _out_of_memory(model):
    """What happens when the device stays full, and when a second try succeeds."""
    forward, calls = model.model.forward, []

    def fail(*args, **kwargs):
        calls.append(args)
        if len(calls) <= allowed:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return forward(*args, **kwargs)

    model.model.forward = fail
    report = {}
    try:
        for name, allowed in (("once", 1), ("always", 99)):  # noqa: B007 - `fail` reads it
            calls.clear()
            try:
                report[name] = list(model.encode_image(_picture()).shape)
            except Exception as error:  # noqa: BLE001 - the test looks at it
                report[name] = f"{type(error).__name__}: {error}"
            report[f"loaded after {name}"] = len(comfy.model_management.current_loaded_models)
    finally:
        del model.model.forward
    return report


def _overflow(model):
    """Types of successive attempts when half precision overflows."""
    forward, kinds = model.model.forward, []

    def overflowing(images, **kwargs):
        kinds.append(str(images.dtype))
        logits = forward(images, **kwargs)
        return logits if images.dtype == torch.float32 else logits * float("nan")

    model.model.forward = overflowing
    try:
        mask = model.encode_image(_picture())
    finally:
        del model.model.forward
    return {"kinds": kinds, "finite": bool(mask.isfinite().all()), "largest": float(mask.max())}


def _lazy_weights(model):
    """How far masks differ when layers are made without weights, as dynamic VRAM makes them."""
    host = sys.modules[type(model).__module__]
    picture = torch.randn(1, 3, 128, 96, generator=torch.Generator().manual_seed(2))
    checkpoint = host.checkpoint_from_tensors(model.get_sd(), name="the same")
    comfy.memory_management.aimdo_enabled = True
    try:
        again = host.BackgroundRemovalModel(checkpoint, "fp32")
    finally:
        comfy.memory_management.aimdo_enabled = False
    meta = [name for name, parameter in again.model.named_parameters() if parameter.is_meta]
    difference = float((again.model(picture) - model.model(picture)).abs().max())
    return {"without weights": meta, "difference": difference}


def _remember(model):
    SEEN.add(model.model)
    return len(SEEN)


PROBES = {
    "attributes": _attributes,
    "sizes": _sizes,
    "casting": _casting,
    "half loaded": _half_loaded,
    "out of memory": _out_of_memory,
    "overflow": _overflow,
    "lazy weights": _lazy_weights,
    "remember": _remember,
}


class Probe:
    """Runs one of PROBES on a model."""

    RETURN_TYPES = ()
    FUNCTION = "run"
    CATEGORY = "test"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"model": (ANYTHING,), "probe": (list(PROBES),)}}

    def run(self, model, probe):
        return {"ui": {"text": [json.dumps(PROBES[probe](model))]}}


class Alive:
    """Counts remembered networks that still exist, and models that ComfyUI holds."""

    RETURN_TYPES = ()
    FUNCTION = "run"
    CATEGORY = "test"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"again": ("INT", {"default": 0})}}

    def run(self, again):
        gc.collect()
        report = {"networks": len(SEEN), "loaded": len(comfy.model_management.loaded_models())}
        return {"ui": {"text": [json.dumps(report)]}}


class OldPack:
    """Stands for an older BiRefNet pack that is installed: turns pictures upside down."""

    RETURN_TYPES = ("IMAGE", "MASK")
    FUNCTION = "run"
    CATEGORY = "test"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"model": (ANYTHING,), "images": ("IMAGE",)}}

    def run(self, model, images):
        return images.flip(1), images[..., 0]


NODE_CLASS_MAPPINGS = {
    "RembgByBiRefNet": OldPack,
    "TestValue": Value,
    "TestInspect": Inspect,
    "TestProbe": Probe,
    "TestAlive": Alive,
}
