"""Smooth colors that explain a photograph: the equations both multi-level methods solve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

TILES = {"cpu": 256}
"""Side of the squares that are worked on at once, in pixels, by device; small ones stay in a
processor's cache."""

LARGE_TILE = 2048

TINY = 1e-9  # weight of what lies outside: enough for an image of one pixel


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """What is expected of foreground, background and alpha; variances of colors in [0, 1].

    A pixel's foreground is expected to be the weighted mean of its neighbors', within
    `foreground` / (sum of the weights); the background likewise. The weight of a neighbor is
    `flat` + `steep` * |difference of alpha|.
    """

    flat: float
    steep: float
    foreground: float
    background: float
    noise: float
    """Of the photograph."""


Square = tuple[slice, slice]


def squares(alpha: Tensor) -> Iterator[Square]:
    """Rows and columns of all squares of an image."""
    height, width = alpha.shape[2:]
    side = TILES.get(alpha.device.type, LARGE_TILE)
    for top in range(0, height, side):
        for left in range(0, width, side):
            yield (
                slice(top, min(top + side, height)),
                slice(left, min(left + side, width)),
            )


class Patch:
    """A square of an image with a rim around it, and all that stays the same while it is solved.

    Args:
        colors: Foreground and background, (1, 6, H, W).
        image: (1, 3, H, W).
        alpha: (1, 1, H, W).
        model: What is expected.
        square: Which part.
        rim: Pixels around it, an even number; beyond the image there is nothing.
    """

    def __init__(
        self,
        colors: Tensor,
        image: Tensor,
        alpha: Tensor,
        model: Model,
        square: Square,
        rim: int,
    ) -> None:
        limits = alpha.shape[2:]
        first = [max(0, part.start - rim) for part in square]
        last = [min(limit, part.stop + rim) for part, limit in zip(square, limits, strict=True)]
        whole = (..., slice(first[0], last[0]), slice(first[1], last[1]))
        self.inner = (
            ...,
            slice(square[0].start - first[0], square[0].stop - first[0]),
            slice(square[1].start - first[1], square[1].stop - first[1]),
        )
        self.whole = whole
        self.padded = F.pad(colors[whole], (1, 1, 1, 1), mode="replicate")
        self.image = image[whole]
        self.alpha = alpha[whole]
        self.model = model
        vertical = model.flat + model.steep * self.alpha.diff(dim=2).abs()
        horizontal = model.flat + model.steep * self.alpha.diff(dim=3).abs()
        vertical = F.pad(vertical, (0, 0, 1, 1), value=TINY)
        horizontal = F.pad(horizontal, (1, 1), value=TINY)
        above, below = vertical[:, :, :-1], vertical[:, :, 1:]
        before, after = horizontal[..., :-1], horizontal[..., 1:]
        total = above + below + before + after
        self.weights = (above / total, below / total, before / total, after / total)
        against = 1 - self.alpha
        self.to_foreground = self.alpha * model.foreground / total
        self.to_background = against * model.background / total
        self.spread = self.alpha * self.to_foreground + against * self.to_background + model.noise

    def predict(self) -> tuple[Tensor, Tensor]:
        """What the neighbors make of each pixel: colors, and what they leave unexplained.

        Returns:
            Foreground and background, (1, 6, h, w), and the rest of the photograph, (1, 3, h, w).
        """
        above, below, before, after = self.weights
        colors = self.padded[:, :, :-2, 1:-1] * above
        colors.addcmul_(self.padded[:, :, 2:, 1:-1], below)
        colors.addcmul_(self.padded[:, :, 1:-1, :-2], before)
        colors.addcmul_(self.padded[:, :, 1:-1, 2:], after)
        foreground, background = colors.chunk(2, 1)
        return colors, self.image - torch.lerp(background, foreground, self.alpha)

    def solve(self, sweeps: int, doubt: Tensor | None) -> Tensor:
        """Gauss-Seidel sweeps, the pixels of a checkerboard's two colors in turn.

        Args:
            sweeps: How often.
            doubt: Variance of alpha, (1, 1, H, W) of the whole image; None for none.

        Returns:
            Foreground and background of the square without its rim, (1, 6, h, w), in [0, 1].
        """
        here = self.padded[:, :, 1:-1, 1:-1]
        height, width = here.shape[2:]
        place = torch.arange(height, device=here.device)[:, None]
        odd = ((place + torch.arange(width, device=here.device)) % 2).bool()
        for turn in [odd, ~odd] * sweeps:
            colors, rest = self.predict()
            if doubt is not None:
                rest = without_doubt(colors, rest, self.spread, doubt[self.whole])
            rest = rest / self.spread
            foreground, background = colors.chunk(2, 1)
            foreground.addcmul_(rest, self.to_foreground)
            background.addcmul_(rest, self.to_background)
            here.copy_(torch.where(turn, colors.clamp_(0, 1), here))
        return here[self.inner]


def without_doubt(colors: Tensor, rest: Tensor, spread: Tensor, doubt: Tensor) -> Tensor:
    """Take that part off an unexplained rest that a wrong alpha may have made.

    A wrong alpha shifts a blend along the line from background to foreground, so only this
    component of the rest is reduced, the more the less alpha is to be trusted.

    Source: our own; the inverse of spread * 1 + doubt * d d^T (Sherman and Morrison, 1950), times
        spread, with d = foreground - background.
    """
    foreground, background = colors.chunk(2, 1)
    line = foreground - background
    along = (line * rest).sum(1, keepdim=True)
    length = (line * line).sum(1, keepdim=True)
    return torch.addcmul(rest, line, along * doubt / (spread + doubt * length), value=-1)


def relax(
    colors: Tensor,
    image: Tensor,
    alpha: Tensor,
    model: Model,
    *,
    sweeps: int,
    doubt: Tensor | None = None,
    where: list[Square] | None = None,
) -> Tensor:
    """Bring colors nearer to what a model expects.

    Args:
        colors: Foreground and background to start from, (1, 6, H, W), in [0, 1].
        image: (1, 3, H, W), in [0, 1].
        alpha: (1, 1, H, W), in [0, 1].
        model: What is expected.
        sweeps: How often every pixel is visited.
        doubt: Variance of alpha, (1, 1, H, W).
        where: Squares to work on, as `squares` gives them; all by default.

    Returns:
        (1, 6, H, W), in [0, 1]. The result does not depend on the size of the squares.
    """
    result = colors.clone()
    for square in squares(alpha) if where is None else where:
        # Each half sweep lets a pixel feel neighbors one step farther away.
        patch = Patch(colors, image, alpha, model, square, rim=2 * sweeps)
        result[(..., *square)] = patch.solve(sweeps, doubt)
    return result
