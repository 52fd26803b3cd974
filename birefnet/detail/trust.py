"""Where a closer look counts: near what the wider look left open, and where both agree."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ..filters import box_mean, label
from .views import View, around, sample, whole

SURE = 1e-3
"""How far from 0 and 1 an alpha stays when it is turned into logits."""

UNSURE = (0.02, 0.98)
"""Opacities between which the wider look left something open."""

BAND = 6
"""How far beyond that a closer look may change something, in pixels the network saw before."""

SOFT = 2
"""Over how many of these pixels on either side the band fades."""

FAINT = 0.1
"""Opacity from which on something is visible."""

ALIKE = (0.1, 0.3)
"""Mean difference to the wider look's sure surroundings: below all is kept, above nothing."""

LIKELY = (0.2, 0.5)
"""The same for differences nearby that remain when fine detail is averaged away."""

COARSE = 1
"""Over how far it is averaged away on either side, in pixels the network saw before."""

NEARBY = 6
"""How far what remains is looked for on either side, in the same pixels."""

FEW = 0.02
"""Share of sure surroundings below which those of the whole view decide."""


def to_logits(alpha: Tensor) -> Tensor:
    """Opacity in [0, 1] to logits that stay finite."""
    return torch.logit(alpha.float() * (1 - 2 * SURE) + SURE)


def from_logits(logits: Tensor) -> Tensor:
    """The opposite of `to_logits`; 0 and 1 come back as 0 and 1."""
    slack = SURE * 1.001  # more than rounding takes away
    return logits.sigmoid().sub_(slack).div_(1 - 2 * slack).clamp_(0, 1)


def open_band(prior: Tensor, at: View, seen: float, view: View) -> tuple[Tensor, View]:
    """How much a closer look may change.

    Args:
        prior: Logits of the wider look, (1, 1, h, w).
        at: What it shows.
        seen: Side of a pixel that the network saw then, in pixels of the prior, at least 1.
        view: The closer look.

    Returns:
        A plane in [0, 1] of the prior's pixels below that view, and what it shows: 1 at and near
        edges and half-transparent pixels, 0 farther away.
    """
    reach, soft = math.ceil(BAND * seen), math.ceil(SOFT * seen)
    part, shown = around(prior, at, view, reach + 2 * soft + 2)
    alpha = from_logits(part)
    unsure = (alpha > UNSURE[0]) & (alpha < UNSURE[1])
    inside = F.max_pool2d((alpha > 0.5).float(), 3, stride=1, padding=1)
    outside = F.max_pool2d((alpha <= 0.5).float(), 3, stride=1, padding=1)
    band = (unsure | (inside * outside > 0)).float()
    side = 2 * (reach + soft) + 1
    for kernel in ((side, 1), (1, side)):
        band = F.max_pool2d(band, kernel, stride=1, padding=[k // 2 for k in kernel])
    return around(box_mean(band, 2 * soft + 1).clamp_(0, 1), shown, view, 1)


def agreement(alpha: Tensor, prior: Tensor, band: Tensor, seen: float) -> Tensor:
    """How far a closer look is to be believed at each pixel.

    It is where it finds the same as the wider look in the surroundings that this one is sure of,
    and where both are alike once fine detail is averaged away.

    Args:
        alpha: Of the closer look, (B, 1, h, w).
        prior: Alpha of the wider look at the same pixels.
        band: How much may change there, as `open_band` gives it.
        seen: Side of a pixel that the network saw in the wider look, in pixels of the closer one.

    Returns:
        (B, 1, h, w), in [0, 1].
    """
    shrink = max(1, int(seen))  # nothing below needs more
    difference = alpha - prior
    sure = (band == 0).float()
    parts = torch.cat([sure, (difference * sure).abs(), difference], dim=1)
    parts = F.avg_pool2d(parts, shrink, ceil_mode=True)
    sure, different, coarse = torch.split(parts, 1, dim=1)
    share = sure.mean(dim=(2, 3), keepdim=True).clamp_min(1e-6)
    overall = different.mean(dim=(2, 3), keepdim=True) / share
    side = max(parts.shape[2:]) // 4 | 1
    local = (box_mean(different, side) + FEW * overall) / (box_mean(sure, side) + FEW)
    remaining = box_mean(coarse, 2 * math.ceil(COARSE * seen / shrink) + 1).abs()
    remaining = box_mean(remaining, 2 * math.ceil(NEARBY * seen / shrink) + 1)
    trust = _falling(local, *ALIKE) * _falling(remaining, *LIKELY)
    height, width = alpha.shape[2:]
    size = (height, width)
    return sample(trust, whole(size, shrink), whole(size))


def _falling(value: Tensor, low: float, high: float) -> Tensor:
    return ((high - value) / (high - low)).clamp_(0, 1)


def drop_unknown(alpha: Tensor, prior: Tensor) -> Tensor:
    """Take out parts of which the wider look saw nothing.

    Args:
        alpha: Of the closer look, (B, 1, h, w).
        prior: Alpha of the wider look at the same pixels.

    Returns:
        (B, 1, h, w); a visible part below which the prior is invisible everywhere gets the
        prior's opacity.
    """
    visible = alpha > FAINT
    numbers, counts = label(visible)
    result = alpha
    for item, count in enumerate(counts):
        known = torch.zeros(count + 1, dtype=torch.bool, device=alpha.device)
        known[numbers[item][prior[item] > FAINT].long()] = True
        known[0] = True
        if not bool(known.all()):
            result = result.clone() if result is alpha else result
            kept = known[numbers[item].long()]
            result[item] = torch.where(kept, alpha[item], torch.minimum(alpha, prior)[item])
    return result
