"""What should be enlarged to the image's size: logits or alpha, and with which kernel?

    python benchmarks/upsampling.py

Generated scenes have a known alpha at full resolution. A perfect network at a lower resolution is
imitated by averaging that alpha down; its logits are then enlarged in several ways and compared
with the truth: with the scenes' own edges, about a pixel wide, and with the soft ones that matting
models see. The mean absolute error is taken where the true alpha is not constant nearby.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from birefnet.filters import box_mean
from birefnet.preprocess import Placement, to_alpha
from birefnet.training.scenes import unseen_set

SURENESS = (1e-3, 1e-9)
"""How near to 0 and 1 a network goes: half trained, and saturated."""


def enlarge(kernel: str, what: str) -> Callable[[Tensor, int], Tensor]:
    """One way to enlarge (1, 1, h, w) logits to a side."""

    def run(logits: Tensor, side: int) -> Tensor:
        size = (side, side)
        if kernel == "bilinear":
            whole = Placement(top=0, left=0, height=logits.shape[2], width=logits.shape[3])
            return to_alpha(logits, size, whole, upsample=what)
        if what == "logits":
            return torch.sigmoid(F.interpolate(logits, size=size, mode=kernel))
        return F.interpolate(torch.sigmoid(logits), size=size, mode=kernel).clamp(0, 1)

    return run


WAYS = {
    f"{what}, {kernel}": enlarge(kernel, what)
    for what in ("logits", "alpha")
    for kernel in ("bilinear", "bicubic")
}


def gaussian(radius: int) -> Callable[[Tensor], Tensor]:
    """Edges blurred by three box means, close to a Gaussian: defocus."""

    def run(alpha: Tensor) -> Tensor:
        for _ in range(3):
            alpha = box_mean(alpha, 2 * radius + 1)
        return alpha

    return run


def ramp(length: int) -> Callable[[Tensor], Tensor]:
    """Edges that rise along a straight line: motion blur."""
    return lambda alpha: box_mean(alpha, length)


def strands(alpha: Tensor) -> Tensor:
    """A rim of strands thinner than the network's pixels, thinning out over 65 pixels: hair."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(alpha.shape, generator=generator)
    along = box_mean(noise, 3)
    for _ in range(2):
        along = F.avg_pool2d(along, (25, 1), stride=1, padding=(12, 0))
    along = (along - along.mean()) / along.std()
    density = box_mean(alpha, 65)
    threshold = torch.special.ndtri(1 - density.clamp(0.001, 0.999))
    return torch.maximum(alpha, ((along - threshold) * 2).clamp(0, 1) * (density > 0.01))


def veil(alpha: Tensor) -> Tensor:
    """An inside that is partly transparent everywhere: glass and cloth."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(1, 1, 12, 12, generator=generator)
    texture = F.interpolate(coarse, size=alpha.shape[2:], mode="bicubic").clamp(0, 1)
    return alpha * (0.15 + 0.6 * texture)


CASES: dict[str, Callable[[Tensor], Tensor]] = {
    "hard edges": lambda alpha: alpha,
    "defocus, 6 px": gaussian(6),
    "defocus, 16 px": gaussian(16),
    "motion, 33 px": ramp(33),
    "motion, 129 px": ramp(129),
    "hair": strands,
    "veil": veil,
}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--side", type=int, default=768)
    arguments = parser.parse_args()
    side = arguments.side
    scenes = unseen_set(size=(side, side))
    errors: dict[tuple[str, int, float, str], list[float]] = {}
    for number in range(arguments.scenes):
        truth = torch.from_numpy(scenes[number].alpha)[None, None].float()
        for case, change in CASES.items():
            alpha = change(truth)
            nearby = box_mean(alpha, 65)
            band = (nearby > 0.002) & (nearby < 0.998)
            if not band.any():
                continue
            for factor, rest in itertools.product((2, 4), SURENESS):
                small = F.interpolate(alpha, scale_factor=1 / factor, mode="area").double()
                logits = torch.logit(small.clamp(rest, 1 - rest)).float()
                for way, run in WAYS.items():
                    error = (run(logits, side) - alpha).abs()[band].mean().item()
                    errors.setdefault((case, factor, rest, way), []).append(error)
    print(f"{arguments.scenes} scenes of {side} x {side}; mean absolute error x 1000 near edges")
    print(f"{'':16s}{'times':>6s}{'sureness':>10s}" + "".join(f"{way:>19s}" for way in WAYS))
    for case, factor, rest in itertools.product(CASES, (2, 4), SURENESS):
        means = (1000 * statistics.mean(errors[case, factor, rest, way]) for way in WAYS)
        print(f"{case:16s}{factor:6d}{rest:10.0e}" + "".join(f"{mean:19.2f}" for mean in means))


if __name__ == "__main__":
    main()
