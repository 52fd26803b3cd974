"""How much finer is detail mode, does it invent anything, and how much memory does it need?

    python benchmarks/detail.py
    python benchmarks/detail.py --model general --side 1024
    python benchmarks/detail.py --memory 16384

Generated scenes get strands as thin as hair at the image's own resolution. An oracle, which knows
the truth but only at the size at which it looks, shows what the method itself does; then a model is
measured on plain scenes. `--memory` runs one image of that side with the oracle and prints the peak
of the process beyond image and result.

Boundary IoU: intersection over union of the two mattes' rims, 3 pixels wide, both cut at one half
(Cheng et al., "Boundary IoU", CVPR 2021, with a width in pixels). Invented: share of pixels that
the result shows (alpha above one half) although the truth is transparent within 8 pixels around.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

import birefnet
from birefnet.detail import DETAILS, predict_in_detail
from birefnet.filters import box_mean
from birefnet.predict import Predicts, Progress, Sight
from birefnet.preprocess import resize
from birefnet.training.scenes import unseen_set

RIM = 3
SCENE_SIDE = 1024


class Oracle:
    """Knows the truth, the first channel of the image, at the size at which it looks."""

    def __init__(self, side: int) -> None:
        self.side = side

    def network_size(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """Always the same square."""
        return (self.side, self.side)

    def __call__(
        self,
        image: Tensor,
        *,
        size: tuple[int, int] | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """The truth, averaged down to what is seen and enlarged as logits."""
        seen = resize(image[:, :1].float(), size or (self.side, self.side)).clamp(1e-3, 1 - 1e-3)
        height, width = image.shape[2:]
        return torch.sigmoid(resize(torch.logit(seen), (height, width)))


def extreme(mask: Tensor, radius: int) -> Tensor:
    """The largest value in a square around each pixel."""
    for kernel in ((2 * radius + 1, 1), (1, 2 * radius + 1)):
        mask = F.max_pool2d(mask, kernel, 1, [side // 2 for side in kernel])
    return mask


def rim(alpha: Tensor) -> Tensor:
    """Pixels of a matte within RIM of its outline, (1, 1, H, W) bool."""
    outside = F.pad((alpha < 0.5).float(), (1, 1, 1, 1), value=1.0)  # the border is outline too
    return (alpha >= 0.5) & (extreme(outside, RIM)[..., 1:-1, 1:-1] > 0)


def boundary_iou(alpha: Tensor, truth: Tensor) -> float:
    """Intersection over union of two mattes' rims."""
    one, other = rim(alpha), rim(truth)
    return float((one & other).sum() / (one | other).sum().clamp_min(1))


def iou(alpha: Tensor, truth: Tensor) -> float:
    """Intersection over union of two mattes."""
    one, other = alpha >= 0.5, truth >= 0.5
    return float((one & other).sum() / (one | other).sum().clamp_min(1))


def invented(alpha: Tensor, truth: Tensor) -> float:
    """Share of pixels that only the result shows."""
    return float(((alpha > 0.5) & (extreme(truth, 8) < 0.05)).float().mean())


def hairy(index: int, side: int) -> Tensor:
    """A sharp scene with a rim of strands 3 to 6 pixels thin, alpha (1, 1, side, side)."""
    small = torch.from_numpy(unseen_set((SCENE_SIDE, SCENE_SIDE))[index].alpha)[None, None].float()
    small = small / small.max()
    alpha = F.interpolate(small, size=(side, side), mode="bicubic").clamp(0, 1)
    alpha = ((alpha - 0.5) * 8 + 0.5).clamp(0, 1)
    generator = torch.Generator().manual_seed(index)
    along = box_mean(torch.randn(alpha.shape, generator=generator), 3)
    for _ in range(2):
        along = F.avg_pool2d(along, (61, 1), 1, (30, 0), count_include_pad=False)
    along = (along - along.mean()) / along.std()
    density = box_mean(box_mean(alpha, side // 24 | 1), side // 48 | 1)
    threshold = torch.special.ndtri(1 - density.clamp(0.001, 0.999))
    return torch.maximum(alpha, ((along - threshold) * 2).clamp(0, 1) * (density > 0.01))


def compare(name: str, pairs: Iterable[tuple[Tensor, Tensor]], predictor: Predicts) -> None:
    """Print one line for each mode, means over (image, truth) pairs."""
    figures: dict[str, list[tuple[float, ...]]] = {detail: [] for detail in DETAILS}
    for image, truth in pairs:
        for detail in DETAILS:
            start = time.perf_counter()
            alpha = predict_in_detail(image, predictor, detail=detail)
            seconds = time.perf_counter() - start
            figures[detail].append(
                (
                    boundary_iou(alpha, truth),
                    iou(alpha, truth),
                    float((alpha - truth).abs().mean()) * 1e3,
                    invented(alpha, truth) * 1e3,
                    seconds,
                )
            )
    for detail, rows in figures.items():
        boundary, inner, error, more, seconds = (
            statistics.mean(column) for column in zip(*rows, strict=True)
        )
        print(
            f"| {name} | {detail} | {boundary:.3f} | {inner:.3f} | {error:.2f} | {more:.3f} "
            f"| {seconds:.1f} |",
            flush=True,
        )


def scene(index: int, side: int) -> tuple[Tensor, Tensor]:
    """An unseen scene and its alpha."""
    drawn = unseen_set((side, side))[index]
    image = torch.from_numpy(drawn.image.copy()).permute(2, 0, 1)[None].float() / 255
    alpha = torch.from_numpy(drawn.alpha)[None, None].float()
    return image, alpha / alpha.max().clamp_min(1)


def measure_memory(side: int, seen: int) -> None:
    """Print what one image needs beyond itself and the result."""
    predict_in_detail(torch.rand(1, 3, 512, 512), Oracle(128), detail="tiles")  # loads libraries
    image = torch.empty(1, 3, side, side)
    for top in range(0, side, 512):  # strands on a disc, strip by strip
        y = ((torch.arange(top, min(top + 512, side)) + 0.5) / side - 0.5)[:, None]
        x = ((torch.arange(side) + 0.5) / side - 0.5)[None]
        distance, angle = torch.hypot(y, x), torch.atan2(y, x)
        hair = (torch.sin(1500 * angle) > 0) & (distance < 0.4)
        image[:, :, top : top + 512] = (hair | (distance < 0.35)).float()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    alpha = predict_in_detail(image, Oracle(seen), detail="tiles")
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result = alpha.numel() * alpha.element_size() / 2**20
    error = sum(
        float((alpha[:, :, top : top + 512] - image[:, :1, top : top + 512]).abs().sum())
        for top in range(0, side, 512)
    )
    print(
        f"| {side} x {side} | {seen} | {image.numel() * 4 / 2**20:.0f} | {result:.0f} "
        f"| {peak - before - result:.0f} | {seconds:.0f} | {error / alpha.numel() * 1e3:.3f} |"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--side", type=int, default=4096, help="of the images of the oracle")
    parser.add_argument("--count", type=int, default=3, help="images of the oracle, or 0 for none")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--scenes", type=int, default=24, help="scenes for the model")
    parser.add_argument("--scene-side", type=int, default=1024)
    parser.add_argument("--memory", type=int, metavar="SIDE", help="measure memory only")
    parser.add_argument("--seen", type=int, default=1024, help="side of what the oracle sees")
    options = parser.parse_args()
    if options.memory:
        print("| image | seen | image MiB | result MiB | more MiB | seconds | error x 1000 |")
        print("|---|---|---|---|---|---|---|")
        measure_memory(options.memory, options.seen)
        return
    print("| predictor | detail | boundary IoU | IoU | error x 1000 | invented x 1000 | seconds |")
    print("|---|---|---|---|---|---|---|")
    for side in (options.seen, options.seen // 4) if options.count else ():
        truths = (hairy(index, options.side) for index in range(options.count))
        pairs = ((truth.expand(-1, 3, -1, -1), truth) for truth in truths)
        compare(f"oracle {side}, image {options.side}", pairs, Oracle(side))
    model = Sight(predictor=birefnet.load(options.model))
    pairs = (scene(index, options.scene_side) for index in range(options.scenes))
    compare(f"{options.model}, image {options.scene_side}", pairs, model)


if __name__ == "__main__":
    main()
