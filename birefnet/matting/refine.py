"""A given mask made better by its picture, along its edges only."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import ConfigError, ShapeError
from ..filters import gaussian_blur
from ..masks.trimap import BAND, trimap
from ..regions import Box, bounding_box, crop, paste
from ..tensors import check_alpha, check_image
from .closed_form import closed_form_rows
from .guided_filter import EPSILON, RADIUS, check_window, guided_upsample, learn
from .knn import knn_rows
from .rows import Band
from .solve import solve

Method = Literal["guided filter", "closed-form", "knn"]
METHODS: tuple[Method, ...] = ("guided filter", "closed-form", "knn")

TRUST = 0.5
"""How much the given mask counts within the band, in [0, 1]."""

MAX_MEGAPIXELS = 1.0
"""Bands with more pixels than this, in millions, are solved at a lower size."""

REACH = {"closed-form": 2, "knn": 12}
"""How many pixels around the band take part, as examples of what is known."""

WEIGHT = {"closed-form": 0.01, "knn": 0.5}
"""Weight of the given opacity at a trust of one half, against that of the picture."""

DOUBT = 1.5
"""Opacities are blurred by this many pixels to see how certain they are."""

CONTRAST = 1.3
"""Factor by which new opacities move away from one half; solutions are never quite clean."""

ENOUGH = 0.25
"""Share of a mask's variance that color must explain for the picture to be followed entirely;
below it the given mask counts, down to 0, where color tells nothing."""

PASSES = 2
"""How often the guided filter is applied: the second one learns from what the first found."""

SOFT_RADIUS, SOFT_EPSILON = 2.0, 1e-5  # bring a solution to the size of the picture


def find_band(alpha: Tensor, *, inside: float = BAND, outside: float = BAND) -> Tensor:
    """Where the edge of a mask may be found anew.

    Args:
        alpha: (B, 1, H, W), in [0, 1].
        inside: How far the band reaches into the opaque part, in pixels, at least 0.
        outside: How far it reaches into the transparent part, in pixels, at least 0.

    Returns:
        (B, 1, H, W): 0 on the background, 1 on the subject, 0.5 between.
    """
    return trimap(alpha, inside=inside, outside=outside)


def refine_mask(
    image: Tensor,
    alpha: Tensor,
    band: Tensor | None = None,
    *,
    method: Method = "guided filter",
    trust: float = TRUST,
    contrast: float = CONTRAST,
    radius: float = RADIUS,
    epsilon: float = EPSILON,
    max_megapixels: float = MAX_MEGAPIXELS,
    progress: Callable[[float], None] | None = None,
) -> Tensor:
    """Draw the edge of a mask where the picture has it.

    Args:
        image: RGB, (B, 3, H, W), in [0, 1].
        alpha: (B, 1, H, W), in [0, 1].
        band: Where the mask is found anew, (B, 1, H, W): everywhere above 0 and below 1. None for
            `find_band` of alpha.
        method: "guided filter" fits the mask to the colors in small windows, learning from the
            pixels that are certain; clean, and fast at any size. "closed-form" assumes that colors
            near an edge mix in a straight line; keeps finer tips. "knn" that pixels of like color
            and place have like opacity, also across gaps.
        trust: How much the given mask counts within the band for "closed-form" and "knn", in
            [0, 1]: 0 leaves the decision to the picture, 1 leaves the mask as it is. It counts
            less where it is half transparent.
        contrast: Factor by which the new opacities move away from one half, at least 1: more makes
            the edge crisper, 1 keeps the faintest hair, and haze.
        radius: Of the guided filter's windows, in which all methods judge what color tells; in
            pixels, at least 1.
        epsilon: As in `guided_filter`.
        max_megapixels: For "closed-form" and "knn": if more pixels than this, in millions, take
            part, the band is solved at a lower size and brought to the picture's edges by a guided
            filter. Above 0. A million takes seconds and about 1 GB.
        progress: Called with the finished fraction; may raise to stop.

    Returns:
        (B, 1, H, W), in [0, 1] and alpha's dtype. Outside the band it is `alpha`, to the last bit.

    Raises:
        ShapeError: If the shapes do not fit.
        ConfigError: If an option is out of its range.

    Source: Levin et al., TPAMI 2008; Chen et al., TPAMI 2013; He et al., TPAMI 2013. That the
        given mask pulls at the solution by how certain it is, and stays where color explains
        nothing of it, is our own.
    """
    check_image(image)
    check_alpha(alpha, image)
    _check_options(method, trust, contrast, max_megapixels)
    check_window(radius, epsilon)
    if band is None:
        band = find_band(alpha)
    elif band.shape != alpha.shape:
        raise ShapeError(
            f"the band must have the mask's shape {tuple(alpha.shape)}, got {tuple(band.shape)}; "
            "resize it first."
        )
    unknown = (band > 0) & (band < 1)
    result = alpha.clone()
    if method != "guided filter" and trust == 1:
        return result
    margin = PASSES * (2 * round(radius) + math.ceil(4 * DOUBT))  # farther nothing has influence
    for item, found in enumerate(bounding_box(unknown)):
        if found is None:
            continue
        one = slice(item, item + 1)
        box = _around(found, margin, (image.shape[2], image.shape[3]))
        part = crop(image[one], box).float()
        given, where = crop(alpha[one], box).float(), crop(unknown[one], box)
        new, told = learn(part, given, _certainty(given), radius=radius, epsilon=epsilon)
        if method == "guided filter":
            for _ in range(PASSES - 1):
                new = torch.where(where, _sharpen(new, contrast), given)
                new, _ = learn(part, new, _certainty(new), radius=radius, epsilon=epsilon)
        else:
            new = _solve_within(
                part,
                given,
                where,
                method=method,
                trust=trust,
                most=round(1e6 * max_megapixels),
                size=(image.shape[2], image.shape[3]),
                progress=None if progress is None else partial(_share, progress, item, len(alpha)),
            )
        new = torch.lerp(given, _sharpen(new, contrast), (told / ENOUGH).clamp(max=1))
        result[one] = paste(result[one], new, box, where.float())
    return result


def _share(progress: Callable[[float], None], item: int, count: int, fraction: float) -> None:
    """Report a part of one item as a part of all."""
    progress((item + fraction) / count)


def _sharpen(alpha: Tensor, contrast: float) -> Tensor:
    return ((alpha - 0.5) * contrast + 0.5).clamp(0, 1)


def _certainty(alpha: Tensor) -> Tensor:
    """How much the opacity of a pixel can be relied on, (B, 1, H, W), in [0, 1]."""
    return (2 * gaussian_blur(alpha, DOUBT) - 1).square()


def _around(box: Box, margin: int, size: tuple[int, int]) -> Box:
    wide = Box(box.left - margin, box.top - margin, box.width + 2 * margin, box.height + 2 * margin)
    return wide.clip(size) or wide


def _solve_within(
    image: Tensor,
    alpha: Tensor,
    unknown: Tensor,
    *,
    method: str,
    trust: float,
    most: int,
    size: tuple[int, int],
    progress: Callable[[float], None] | None,
) -> Tensor:
    """Solve one item, or a smaller copy of it if too many pixels take part.

    Args:
        image: The surroundings of the band, (1, 3, H, W), in [0, 1].
        alpha: (1, 1, H, W), in [0, 1].
        unknown: (1, 1, H, W), bool.
        method: "closed-form" or "knn".
        trust: As in `refine_mask`, below 1.
        most: Pixels that may take part.
        size: Height and width of the whole picture.
        progress: As in `solve`.

    Returns:
        Opacity, (1, 1, H, W), in [0, 1]; it holds where `unknown`.
    """
    band = Band(unknown[0, 0].cpu().numpy(), REACH[method])
    if len(band) > most:
        shrink = math.sqrt(most / len(band)) * 0.95
        height, width = (max(1, int(side * shrink)) for side in unknown.shape[2:])
        if (height, width) != tuple(unknown.shape[2:]):
            small = [
                F.interpolate(whole, size=(height, width), mode="bilinear", antialias=True)
                for whole in (image, alpha, unknown.float())
            ]
            solved = _solve_within(
                small[0],
                small[1],
                small[2] > 0,
                method=method,
                trust=trust,
                most=most,  # a thin band loses fewer pixels than its picture: try again
                size=(round(size[0] * shrink), round(size[1] * shrink)),
                progress=progress,
            )
            solved = torch.where(small[2] > 0, solved, small[1])
            return guided_upsample(
                small[0], solved, image, radius=SOFT_RADIUS, epsilon=SOFT_EPSILON
            )
    colors = image[0].permute(1, 2, 0).double().cpu().numpy()
    rows = (
        closed_form_rows(colors, band) if method == "closed-form" else knn_rows(colors, band, size)
    )
    opacity = alpha[0, 0].double().cpu().numpy()
    certain = _certainty(alpha)[0, 0].double().cpu().numpy()
    own = band.rows[: band.unknown], band.columns[: band.unknown]
    found = solve(
        rows,
        band,
        opacity[band.rows, band.columns],
        WEIGHT[method] * trust / (1 - trust) * certain[own],
        progress=progress,
    )
    opacity[own] = found
    return torch.from_numpy(opacity)[None, None].to(image)


def _check_options(method: str, trust: float, contrast: float, max_megapixels: float) -> None:
    if method not in METHODS:
        raise ConfigError(f"method must be one of {', '.join(METHODS)}, got {method!r}.")
    if not 0 <= trust <= 1:
        raise ConfigError(f"trust must lie in 0 to 1, got {trust}; 1 leaves the mask as it is.")
    if not (math.isfinite(contrast) and contrast >= 1):
        raise ConfigError(f"contrast must be at least 1, got {contrast}; 1 changes nothing.")
    if not (math.isfinite(max_megapixels) and max_megapixels > 0):
        raise ConfigError(f"max_megapixels must be above 0, got {max_megapixels}.")
