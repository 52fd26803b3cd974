"""Backgrounds to put a subject in front of."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ..compositing import from_linear, resize_cutout, to_linear
from ..errors import ConfigError, ShapeError
from ..filters import fill, gaussian_blur
from ..regions import Box, crop
from ..tensors import check_alpha, check_image

Fit = Literal["cover", "contain", "stretch", "tile"]
FITS: tuple[Fit, ...] = ("cover", "contain", "stretch", "tile")

MARGIN_PERCENT = 0.5
"""How far from the subject an image is not trusted to show background, of the shorter side."""

LEAST_MARGIN = 2.0
"""The same in pixels, for small images."""

SUBJECT = 0.25
"""Opacity from which a pixel says nothing about the background."""

FAINTEST = 1e-6
"""Weight of such pixels, which decides only where no other pixel is left."""

WHITE = (1.0, 1.0, 1.0)


def fit_background(
    background: Tensor,
    size: tuple[int, int],
    *,
    fit: Fit = "cover",
    color: tuple[float, float, float] = WHITE,
) -> Tensor:
    """Bring a background to the size of the picture it goes behind.

    Args:
        background: (B, 3 or 4, H, W), in [0, 1]; a fourth channel is opacity.
        size: Height and width wanted, in pixels.
        fit: "cover" keeps the proportions and cuts off evenly what is too much, "contain" keeps
            them and fills the rest with `color`, "stretch" does not keep them, "tile" repeats the
            background in its own size from the upper left corner.
        color: Red, green and blue of the rest, in [0, 1].

    Returns:
        (B, 3 or 4, *size), in [0, 1] and the background's dtype; bicubic, antialiased. A background
        of that size is returned as it is.

    Raises:
        ShapeError: If the background has another shape.
        ConfigError: If the fit is not known or the size below 1.
    """
    check_image(background, (3, 4))
    check_fit(size, fit)
    height, width = background.shape[2:]
    if (height, width) == tuple(size):
        return background
    if fit == "tile":
        rows = torch.arange(size[0], device=background.device) % height
        columns = torch.arange(size[1], device=background.device) % width
        return background.index_select(2, rows).index_select(3, columns)
    if fit == "stretch":
        return _resize(background, size)
    scales = (size[0] / height, size[1] / width)
    scale = max(scales) if fit == "cover" else min(scales)
    inner = (max(1, round(height * scale)), max(1, round(width * scale)))
    resized = _resize(background, inner)
    box = Box((inner[1] - size[1]) // 2, (inner[0] - size[0]) // 2, size[1], size[0])
    if fit == "cover":
        return crop(resized, box)
    rest = torch.tensor((*color, 1.0)[: background.shape[1]]).to(background)
    canvas = rest.view(1, -1, 1, 1).repeat(len(background), 1, *size)
    canvas[:, :, -box.top : inner[0] - box.top, -box.left : inner[1] - box.left] = resized
    return canvas


def check_fit(size: tuple[int, int], fit: str) -> None:
    """Refuse options of `fit_background`, before any work was done.

    Raises:
        ConfigError: If the fit is not known or the size below 1.
    """
    if fit not in FITS:
        raise ConfigError(f"fit must be one of {', '.join(FITS)}, got {fit!r}.")
    if min(size) < 1:
        raise ConfigError(f"size must be at least 1 x 1 pixels, got {size[1]} x {size[0]}.")


def _resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    if image.shape[1] == 4:
        return resize_cutout(image, size)
    wide = F.interpolate(image.float(), size=size, mode="bicubic", antialias=True)
    return wide.clamp(0, 1).to(image.dtype)


def remove_subject(image: Tensor, alpha: Tensor, *, margin: float | None = None) -> Tensor:
    """Spread the background of a picture over its subject.

    Nothing is invented: the subject's place becomes a smooth blend of the colors around it, as a
    blurred background needs it.

    Args:
        image: (B, 3, H, W), in [0, 1].
        alpha: Opacity of the subject, (B, 1, H, W), in [0, 1].
        margin: How far around the subject pixels are replaced as well, in pixels, at least 0; None
            for half a percent of the shorter side, at least 2. It keeps reflected and smeared
            color of the subject out.

    Returns:
        (B, 3, H, W), in [0, 1] and the image's dtype; the image itself away from the subject.

    Raises:
        ShapeError: If the shapes do not fit.
        ConfigError: If the margin is negative.

    Source: pull-push, see `birefnet.filters.fill`.
    """
    check_image(image)
    check_alpha(alpha, image)
    return fill(image, background_weight(alpha, margin))


def background_weight(alpha: Tensor, margin: float | None = None) -> Tensor:
    """How far each pixel shows background alone, (B, 1, H, W) float32 in (0, 1].

    Args:
        alpha: Opacity of the subject, (B, 1, H, W), in [0, 1].
        margin: As in `remove_subject`.

    Raises:
        ConfigError: If the margin is negative.
    """
    if margin is None:
        margin = max(LEAST_MARGIN, MARGIN_PERCENT / 100 * min(alpha.shape[2:]))
    if not 0 <= margin < float("inf"):
        raise ConfigError(f"margin must be at least 0 pixels, got {margin}.")
    side = 2 * round(margin) + 1
    grown = F.max_pool2d(alpha.float(), (side, 1), stride=1, padding=(side // 2, 0))
    grown = F.max_pool2d(grown, (1, side), stride=1, padding=(0, side // 2))
    return (1 - grown / SUBJECT).clamp(FAINTEST, 1)


def blurred_original(
    image: Tensor,
    alpha: Tensor,
    *,
    blur: float,
    margin: float | None = None,
    linear: bool = False,
) -> Tensor:
    """Blur a picture's own background as if its subject had not been there.

    Blurring the whole picture would surround the subject with a glow of its own colors.

    Args:
        image: (B, 3, H, W), in [0, 1].
        alpha: Opacity of the subject, (B, 1, H, W), in [0, 1].
        blur: Standard deviation of the Gaussian in pixels, at least 0.
        margin: As in `remove_subject`.
        linear: Blur amounts of light instead of sRGB values, so that bright spots shine.

    Returns:
        (B, 3, H, W), in [0, 1] and the image's dtype.

    Raises:
        ShapeError: If the shapes do not fit.
        ConfigError: If the blur or the margin is negative.
    """
    plate = remove_subject(image, alpha, margin=margin)
    return blur_background(plate, blur, linear=linear)


def blur_background(background: Tensor, blur: float, *, linear: bool = False) -> Tensor:
    """Blur a background, transparent or not.

    Args:
        background: (B, 3 or 4, H, W), in [0, 1]; a fourth channel is opacity.
        blur: Standard deviation of the Gaussian in pixels, at least 0.
        linear: Blur amounts of light instead of sRGB values.

    Returns:
        The same shape, range and dtype.

    Raises:
        ShapeError: If the background has another shape.
        ConfigError: If the blur is negative.
    """
    check_image(background, (3, 4))
    if blur == 0:
        return background
    wide = background.float()
    color, alpha = wide[:, :3], wide[:, 3:]
    if linear:
        color = to_linear(color)
    if alpha.shape[1]:
        alpha_blurred = gaussian_blur(alpha, blur).clamp(0, 1)
        color = gaussian_blur(color * alpha, blur) / alpha_blurred.clamp_min(1e-4)
        alpha = alpha_blurred
    else:
        color = gaussian_blur(color, blur)
    color = color.clamp(0, 1)
    if linear:
        color = from_linear(color)
    return torch.cat([color, alpha], dim=1).to(background.dtype)


def check_opaque(background: Tensor) -> None:
    """Refuse a background that is not (B, 3, H, W).

    Raises:
        ShapeError: If it is something else.
    """
    if background.ndim != 4 or background.shape[1] != 3:
        raise ShapeError(f"background must be (B, 3, H, W), got {tuple(background.shape)}.")
