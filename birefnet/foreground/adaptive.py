"""Our own estimate: multi-level, with trust in smoothness and in alpha measured in the picture."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .relax import Model, Patch, Square, relax, squares

FLAT = 0.04
"""Weight of a neighbor with the same alpha; a difference of alpha adds to it."""

NOISE = 0.004
"""Of photographs, as a standard deviation: rounding to 8 bits and a little more."""

LEAST_TEXTURE = 0.013
"""Difference between neighboring pixels that is always possible."""

USUAL_TEXTURE = 0.05
"""The same for a foreground or background that is nowhere seen alone."""

ALONE = 0.95
"""Opacity above which a pixel shows the foreground alone; one minus it for the background."""

BLOCK = 8
"""Side of the squares over which the error of alpha is measured, in pixels of a level."""

MOST_DOUBT = 0.25
"""Largest variance of alpha."""

SWEEPS = 2
SMALL_SWEEPS = 10
SMALL = 32
"""Levels up to this side, in pixels, are cheap and get more sweeps."""

VISIBLE = 1 / 255
"""Alpha within this of 0 or 1 leaves nothing to estimate."""

SAMPLE = 2**20
"""Pixels that are looked at to measure textures; more are not needed."""


def adaptive(image: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Estimate foreground and background, whatever their textures and however good the mask.

    As in multi-level estimation the smoothest colors are sought that explain the photograph. But
    how smooth each of both is expected to be is measured where it is seen alone, on every level:
    in front of a plain wall all structure goes to the subject, in front of leaves a plain subject
    stays plain. And how wrong alpha is, is measured too: by as much as the photograph deviates
    from what is expected, along the line between both colors, more than textures explain. There
    the colors around count more than the pixel itself. Only squares with soft pixels are worked
    on.

    Args:
        image: (B, 3, H, W), in [0, 1].
        alpha: (B, 1, H, W), in [0, 1].

    Returns:
        Foreground and background in [0, 1], both (B, 3, H, W) and in the image's dtype. Where
        alpha is 1 the foreground is the image, where it is 0 the background is.

    Source: our own, after Germer et al., "Fast Multi-Level Foreground Estimation", ICPR 2020 (the
        pyramid) and Chuang et al., "A Bayesian Approach to Digital Matting", CVPR 2001 (variances
        of both colors). Measured in benchmarks/foreground.py.
    """
    wide, opacity = image.float(), alpha.float()
    items = [slice(item, item + 1) for item in range(len(image))]
    results = [_estimate(wide[one], opacity[one]) for one in items]
    foreground = torch.cat([one for one, _ in results]).to(image.dtype)
    return foreground, torch.cat([other for _, other in results]).to(image.dtype)


def _estimate(image: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Foreground and background of one image."""
    levels = [(image, alpha)]
    while max(levels[-1][1].shape[2:]) > 1:
        levels.append((_halve(levels[-1][0]), _halve(levels[-1][1])))
    colors = torch.cat([_mean(image, alpha**2), _mean(image, (1 - alpha) ** 2)], 1)
    for picture, opacity in reversed(levels):
        height, width = opacity.shape[2:]
        colors = F.interpolate(colors, size=(height, width), mode="bilinear")
        where = [s for s in squares(opacity) if _is_soft(opacity[(..., *s)])]
        if not where:
            continue
        model = Model(
            flat=FLAT,
            steep=1.0,
            foreground=_texture(picture, opacity) + LEAST_TEXTURE**2,
            background=_texture(picture, 1 - opacity) + LEAST_TEXTURE**2,
            noise=NOISE**2,
        )
        colors = relax(
            colors,
            picture,
            opacity,
            model,
            sweeps=SMALL_SWEEPS if max(height, width) <= SMALL else SWEEPS,
            doubt=_doubt(colors, picture, opacity, model, where),
            where=where,
        )
    foreground, background = colors.chunk(2, 1)
    foreground = torch.where(alpha > 1 - VISIBLE / 2, image, foreground)
    return foreground, torch.where(alpha < VISIBLE / 2, image, background)


def _halve(image: Tensor) -> Tensor:
    """Means of 2 x 2 pixels; at a border of odd length, of those that exist."""
    return F.avg_pool2d(image, 2, ceil_mode=True, count_include_pad=False)


def _mean(image: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean color, (1, 3, 1, 1)."""
    return (image * weight).sum((2, 3), keepdim=True) / (weight.sum((2, 3), keepdim=True) + 1e-6)


def _is_soft(alpha: Tensor) -> bool:
    return bool(((alpha > VISIBLE) & (alpha < 1 - VISIBLE)).any())


def _texture(image: Tensor, alpha: Tensor) -> float:
    """Mean squared difference of neighboring pixels where alpha says that they are seen alone."""
    step = -(-alpha.numel() // SAMPLE)  # every so many rows
    total, count = USUAL_TEXTURE**2 * 1e-3, 1e-3
    for first, second in (
        ((slice(0, -1, step), slice(None)), (slice(1, None, step), slice(None))),
        ((slice(0, None, step), slice(0, -1)), (slice(0, None, step), slice(1, None))),
    ):
        here, there = (..., *first), (..., *second)
        both = torch.minimum(alpha[here], alpha[there]) > ALONE
        difference = (image[there] - image[here]).square().mean(1, keepdim=True)
        total += float((difference * both).sum())
        count += float(both.sum())
    return total / count


def _doubt(
    colors: Tensor, image: Tensor, alpha: Tensor, model: Model, where: list[Square]
) -> Tensor:
    """Variance of alpha (1, 1, H, W) that the unexplained part of the photograph speaks for."""
    height, width = alpha.shape[2:]
    rows, columns = -(-height // BLOCK), -(-width // BLOCK)
    excess = alpha.new_zeros(1, 1, rows, columns)
    contrast = alpha.new_zeros(1, 1, rows, columns)
    for square in where:
        patch = Patch(colors, image, alpha, model, square, rim=2)
        predicted, rest = patch.predict()
        foreground, background = predicted.chunk(2, 1)
        line = foreground - background
        length = (line * line).sum(1, keepdim=True)
        along = (line * rest).sum(1, keepdim=True).square() / length.clamp_min(1e-6)
        opacity = patch.alpha
        soft = ((opacity > 0.02) & (opacity < 0.98)) * length
        place = [slice(part.start // BLOCK, -(-part.stop // BLOCK)) for part in square]
        excess[..., place[0], place[1]] = _pool(((along - patch.spread) * soft)[patch.inner])
        contrast[..., place[0], place[1]] = _pool(soft[patch.inner])
    variance = excess / contrast.clamp_min(1e-8)  # below 0 speaks for alpha, also in the next block
    variance = F.interpolate(variance, size=(height, width), mode="bilinear")
    # Where alpha is nearly 0 or 1 it is hardly wrong.
    return variance.clamp_(0, MOST_DOUBT).mul_(4 * alpha * (1 - alpha))


def _pool(image: Tensor) -> Tensor:
    return F.avg_pool2d(image, BLOCK, ceil_mode=True, count_include_pad=False)
