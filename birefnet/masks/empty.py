"""Masks without a subject, and what to do about them."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ..errors import ConfigError, ShapeError
from ..tensors import check_image

EmptyPolicy = Literal["pass", "error", "fallback"]
EMPTY_POLICIES: tuple[EmptyPolicy, ...] = ("pass", "error", "fallback")

FAINT = 0.05
"""A mask whose strongest opacity is at most this shows nothing but haze."""


def is_empty(alpha: Tensor, *, threshold: float = FAINT) -> list[bool]:
    """Whether masks show no subject.

    Args:
        alpha: (B, 1, H, W), in [0, 1].
        threshold: Opacity that something must exceed to count as a subject.

    Returns:
        One answer per item.

    Raises:
        ShapeError: If `alpha` is not floating (B, 1, H, W).
    """
    check_image(alpha, (1,))
    return [not bool(found) for found in (alpha > threshold).flatten(1).any(1).tolist()]


def settle_empty(
    alpha: Tensor,
    *,
    on_empty: EmptyPolicy = "pass",
    fallback: Tensor | None = None,
    threshold: float = FAINT,
) -> tuple[Tensor, list[bool]]:
    """Apply a policy for masks without a subject.

    Args:
        alpha: (B, 1, H, W), in [0, 1].
        on_empty: "pass" leaves empty masks as they are, "error" refuses them, "fallback" takes
            the mask of `fallback` instead.
        fallback: Masks for "fallback", (B, 1, H, W) or (1, 1, H, W), in [0, 1].
        threshold: As in `is_empty`.

    Returns:
        The masks, and for each whether it was empty when it came in.

    Raises:
        ConfigError: If the policy is not known, if it is "error" and a mask is empty, or if it is
            "fallback" and there is none.
        ShapeError: If the shapes do not fit.
    """
    if on_empty not in EMPTY_POLICIES:
        raise ConfigError(f"on_empty must be one of {', '.join(EMPTY_POLICIES)}, got {on_empty!r}.")
    empty = is_empty(alpha, threshold=threshold)
    if not any(empty) or on_empty == "pass":
        return alpha, empty
    if on_empty == "error":
        which = ", ".join(str(number) for number, one in enumerate(empty) if one)
        raise ConfigError(
            f"every mask must show a subject, but nothing in mask {which} (counted from 0) is more "
            f"opaque than {threshold:g}; choose on_empty = pass or fallback to go on."
        )
    spare = fit_fallback(fallback, alpha)
    swap = torch.tensor(empty, device=alpha.device).view(-1, 1, 1, 1)
    return torch.where(swap, spare.to(alpha), alpha), empty


def fit_fallback(fallback: Tensor | None, alpha: Tensor) -> Tensor:
    """The masks that stand for empty ones, as many as there are masks.

    Args:
        fallback: (B, 1, H, W) or (1, 1, H, W).
        alpha: (B, 1, H, W).

    Raises:
        ConfigError: If there is none.
        ShapeError: If the shapes do not fit.
    """
    if fallback is None:
        raise ConfigError(
            "on_empty = fallback needs a fallback mask, and there is none; give one, or choose "
            "pass or error."
        )
    if fallback.shape[1:] != alpha.shape[1:] or fallback.shape[0] not in (1, alpha.shape[0]):
        raise ShapeError(
            f"the fallback mask must have the masks' shape {tuple(alpha.shape)}, or be one for "
            f"all of them, got {tuple(fallback.shape)}; resize it first."
        )
    return fallback.expand(alpha.shape[0], -1, -1, -1)
