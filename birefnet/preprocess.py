"""From an image to what a network reads, and from its logits to an alpha of the image's size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from .errors import ConfigError

STRIDE = 32  # the deepest encoder stage sees 1/32 of the input

Fit = Literal["stretch", "letterbox"]
Resampling = Literal["antialiased", "official"]
Upsampling = Literal["logits", "alpha"]
PatchOrder = Literal["current", "legacy"]
Size = Literal["auto", "native"] | int | tuple[int, int]

FITS: tuple[Fit, ...] = ("stretch", "letterbox")
PATCH_ORDERS: tuple[PatchOrder, ...] = ("current", "legacy")

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True, slots=True)
class Preprocess:
    """What one checkpoint expects that its tensors do not tell; part of its registry entry."""

    height: int = 1024
    """Rows fed to the network, in pixels; a multiple of 32."""

    width: int = 1024
    """Columns fed to the network, in pixels; a multiple of 32."""

    dynamic: bool = False
    """Whether it was trained at many sizes, so that an image's own size is the best one."""

    min_side: int | None = None
    """Smallest side it was trained at, in pixels; None for the smaller of height and width."""

    max_side: int | None = None
    """Largest side it was trained at, in pixels; None for the larger of height and width."""

    mean: tuple[float, float, float] = IMAGENET_MEAN
    """Subtracted per RGB channel from values in [0, 1]."""

    std: tuple[float, float, float] = IMAGENET_STD
    """Divisor per RGB channel after subtracting the mean."""

    patch_order: PatchOrder = "current"
    """How its image patches were stacked in training: "legacy" before November 2024."""

    upsample: Upsampling = "logits"
    """What is enlarged to the image's size; logits keep edges hard and hair dense."""

    def __post_init__(self) -> None:
        sides = {"height": self.height, "width": self.width}
        sides |= {"min_side": self.smallest, "max_side": self.largest}
        for name, side in sides.items():
            if side <= 0 or side % STRIDE:
                raise ConfigError(
                    f"{name} must be a positive multiple of {STRIDE}, got {side}; "
                    f"try {round_side(side)}."
                )
        if self.smallest > self.largest:
            raise ConfigError(
                f"min_side must not exceed max_side, got {self.smallest} and {self.largest}."
            )
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ConfigError(
                "mean and std need three values each and every std must be positive, "
                f"got mean={self.mean} and std={self.std}."
            )
        if self.patch_order not in PATCH_ORDERS:
            raise ConfigError(
                f"patch_order must be one of {', '.join(PATCH_ORDERS)}, got {self.patch_order!r}."
            )
        if self.upsample not in ("logits", "alpha"):
            raise ConfigError(f"upsample must be logits or alpha, got {self.upsample!r}.")

    @property
    def smallest(self) -> int:
        """Smallest side it was trained at, in pixels."""
        return self.min_side or min(self.height, self.width)

    @property
    def largest(self) -> int:
        """Largest side it was trained at, in pixels."""
        return self.max_side or max(self.height, self.width)


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """Where the image lies inside the network's input, in pixels."""

    top: int
    left: int
    height: int
    width: int


def round_side(side: float) -> int:
    """Nearest multiple of 32 that is at least 32."""
    return max(STRIDE, round(side / STRIDE) * STRIDE)


def network_size(
    image_size: tuple[int, int],
    preprocess: Preprocess,
    *,
    size: Size = "auto",
    longest_side: int | None = None,
) -> tuple[int, int]:
    """Choose the size at which the network sees an image.

    Args:
        image_size: Height and width of the image, in pixels.
        preprocess: What the checkpoint expects.
        size: "auto" for the checkpoint's own size (the image's, if it was trained at many);
            "native" for the image's size, clamped to what the checkpoint was trained at; a side;
            or (height, width). Everything is rounded to multiples of 32.
        longest_side: Instead of `size`: length of the image's longer side, the other one in
            proportion.

    Returns:
        Height and width, multiples of 32.

    Raises:
        ConfigError: If both are given, or one of them makes no sense.
    """
    if longest_side is not None:
        if size != "auto":
            raise ConfigError(
                f"give size or longest_side, not both; got {size!r} and {longest_side}."
            )
        _check_side("longest_side", longest_side)
        scale = longest_side / max(image_size)
        return (round_side(image_size[0] * scale), round_side(image_size[1] * scale))
    if size == "native" or (size == "auto" and preprocess.dynamic):
        low, high = preprocess.smallest, preprocess.largest
        height, width = (min(max(round_side(side), low), high) for side in image_size)
        return (height, width)
    if size == "auto":
        return (preprocess.height, preprocess.width)
    if isinstance(size, bool) or not isinstance(size, (int, tuple)):
        raise ConfigError(
            f"size must be 'auto', 'native', a side or (height, width) in pixels, got {size!r}."
        )
    height, width = (size, size) if isinstance(size, int) else size
    _check_side("height", height)
    _check_side("width", width)
    return (round_side(height), round_side(width))


def _check_side(name: str, side: int) -> None:
    if not 1 <= side <= 16384:
        raise ConfigError(f"{name} must lie in 1 to 16384 pixels, got {side}.")


def check_resizing(fit: str, resampling: str) -> None:
    """Refuse what `to_network` cannot do, before any work.

    Raises:
        ConfigError: If `fit` or `resampling` is not known.
    """
    if fit not in FITS:
        raise ConfigError(f"fit must be one of {', '.join(FITS)}, got {fit!r}.")
    if resampling not in ("antialiased", "official"):
        raise ConfigError(f"resampling must be antialiased or official, got {resampling!r}.")


def to_network(
    image: Tensor,
    size: tuple[int, int],
    preprocess: Preprocess,
    *,
    fit: Fit = "stretch",
    resampling: Resampling = "antialiased",
) -> tuple[Tensor, Placement]:
    """Resize and normalize images.

    Args:
        image: RGB, (B, 3, H, W), in [0, 1].
        size: Height and width of the result.
        preprocess: Normalization of the checkpoint.
        fit: "stretch" fills the result, "letterbox" keeps the proportions and pads with the
            mean color.
        resampling: "antialiased" averages when it shrinks, like Pillow's bilinear filter;
            "official" does not, and rounds to 8 bits, like the official command line (OpenCV).

    Returns:
        Normalized images (B, 3, *size) in float32, and where the image lies inside them.

    Raises:
        ConfigError: If `fit` or `resampling` is not known.
    """
    check_resizing(fit, resampling)
    placement = Placement(top=0, left=0, height=size[0], width=size[1])
    if fit == "letterbox":
        scale = min(size[0] / image.shape[2], size[1] / image.shape[3])
        height = min(size[0], max(1, round(image.shape[2] * scale)))
        width = min(size[1], max(1, round(image.shape[3] * scale)))
        placement = Placement(
            top=(size[0] - height) // 2, left=(size[1] - width) // 2, height=height, width=width
        )
    official = resampling == "official"
    inner = resize(
        image.float(), (placement.height, placement.width), antialiased=not official
    ).clamp(0, 1)
    if official:
        inner = inner.mul(255).round().div(255)
    mean = torch.tensor(preprocess.mean, device=image.device).view(3, 1, 1)
    std = torch.tensor(preprocess.std, device=image.device).view(3, 1, 1)
    inner = (inner - mean) / std
    below = size[0] - placement.top - placement.height
    right = size[1] - placement.left - placement.width
    return F.pad(inner, (placement.left, right, placement.top, below)), placement


def to_alpha(
    logits: Tensor,
    size: tuple[int, int],
    placement: Placement,
    *,
    upsample: Upsampling = "logits",
    resampling: Resampling = "antialiased",
) -> Tensor:
    """Turn logits into an alpha of the image's size.

    Args:
        logits: (B, 1, h, w), unbounded.
        size: Height and width of the image.
        placement: Where the image lies inside the logits.
        upsample: What is interpolated where the image is larger than the logits; where it is
            smaller, alpha is averaged in any case.
        resampling: "official" interpolates alpha with aligned corners, like the official
            command line.

    Returns:
        (B, 1, *size) float32, in [0, 1].
    """
    bottom, right = placement.top + placement.height, placement.left + placement.width
    logits = logits[:, :, placement.top : bottom, placement.left : right].float()
    if resampling == "official":
        alpha = torch.sigmoid(logits)
        return F.interpolate(alpha, size=size, mode="bilinear", align_corners=True)
    if size == tuple(logits.shape[2:]):
        return torch.sigmoid(logits)
    grows = size[0] >= logits.shape[2] and size[1] >= logits.shape[3]
    if upsample == "logits" and grows:
        return torch.sigmoid(resize(logits, size))
    return resize(torch.sigmoid(logits), size).clamp(0, 1)


def resize(image: Tensor, size: tuple[int, int], *, antialiased: bool = True) -> Tensor:
    """Bilinear with half-pixel centers; averages over the covered area when it shrinks.

    Args:
        image: (B, C, H, W).
        size: New height and width.
        antialiased: Whether to average when shrinking.

    Returns:
        (B, C, *size); the image itself if nothing changes.
    """
    if tuple(image.shape[2:]) == tuple(size):
        return image
    return F.interpolate(image, size=size, mode="bilinear", antialias=antialiased)
