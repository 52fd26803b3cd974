"""Which estimate of the foreground's color is nearest to the truth, and how long does it take?

    python benchmarks/foreground.py                     the error table
    python benchmarks/foreground.py --time              seconds at 1024 and 4096 pixels

Known foregrounds with known soft alpha are put in front of known backgrounds and stored with 8
bits; each method gets the picture and alpha, once the true one and once one that was blurred by
1.5 pixels and noised by 0.02. The error is the mean of |alpha (F - F_true)| over the pixels with
0.01 < alpha < 0.99, times 1000.

pymatting is needed (`pip install pymatting`; its first run compiles). The official program is
found through BIREFNET_OFFICIAL, a checkout of the ZhengPeng7/BiRefNet repository (it needs opencv
and torchvision); without it, both of its formulations are stood in for by our own blur fusion with
its borders and anchors, which tests/core/foreground proves equal.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional as F

from birefnet.filters import gaussian_blur
from birefnet.filters.fill import fill
from birefnet.foreground import METHODS, blur_fusion, estimate_foreground
from birefnet.training.scenes import unseen_set

ROOT = Path(__file__).parents[1]
Layer = tuple[Tensor, Tensor]
"""Color (1, 3, H, W) and opacity (1, 1, H, W), in [0, 1]."""


# ---------------------------------------------------------------------------- subjects


def place(side: int) -> tuple[Tensor, Tensor]:
    """Rows and columns of pixel centers, (1, 1, side, side), from -1 to 1."""
    line = (torch.arange(side) + 0.5) / side * 2 - 1
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    return rows[None, None], columns[None, None]


def noise(side: int, cells: int, seed: int, channels: int = 1) -> Tensor:
    """Smooth noise (1, channels, side, side) in [0, 1], about `cells` bumps a side."""
    generator = torch.Generator().manual_seed(seed)
    small = torch.rand(1, channels, cells + 3, cells + 3, generator=generator)
    large = F.interpolate(small, size=(side, side), mode="bicubic", align_corners=False)
    return large.clamp(0, 1)


def photograph(name: str, side: int, *, top: float = 0.5, left: float = 0.5) -> Tensor:
    """The largest square of an example picture, (1, 3, side, side)."""
    picture = Image.open(ROOT / "examples" / name).convert("RGB")
    least = min(picture.size)
    x, y = round((picture.width - least) * left), round((picture.height - least) * top)
    square = picture.crop((x, y, x + least, y + least)).resize(
        (side, side), Image.Resampling.BICUBIC
    )
    return torch.from_numpy(np.array(square)).permute(2, 0, 1)[None].float() / 255


def divided(premultiplied: Tensor, alpha: Tensor) -> Layer:
    """Straight color; where there is nothing, the nearest color."""
    color = premultiplied / alpha.clamp_min(1e-4)
    return fill(color, (alpha > 1e-3).float()).clamp(0, 1), alpha


def hair(side: int, seed: int) -> Layer:
    """A head with thin, shaded strands of many shades that stand away from it."""
    fine = 4 if side <= 1024 else 2
    large = side * fine
    random = np.random.default_rng(seed)
    base = np.array([[92, 58, 34], [196, 160, 104], [38, 34, 40], [150, 62, 30]][seed % 4])
    color = Image.new("RGB", (large, large), tuple(base.tolist()))
    alpha = Image.new("L", (large, large))
    draw, mask = ImageDraw.Draw(color), ImageDraw.Draw(alpha)
    center, radius = np.array([0.5, 0.62]) * large, 0.27 * large
    mask.ellipse([*(center - radius), *(center + radius)], fill=255)
    turns = np.linspace(0, 1, 24)
    for _ in range(520):
        angle = random.uniform(0, 2 * np.pi)
        start = center + radius * random.uniform(0.3, 1.0) * np.array(
            [np.cos(angle), np.sin(angle)]
        )
        bend, reach = random.normal(0, 1.1), radius * random.uniform(0.25, 1.1)
        heading = angle + bend * turns
        steps = np.stack([np.cos(heading), np.sin(heading)], 1) * reach / len(turns)
        points = np.concatenate([start[None], start + steps.cumsum(0)])
        shade = base * random.uniform(0.55, 1.5) + random.normal(0, 8, 3)
        width = max(1, round(fine * random.uniform(0.5, 2.2) * (side / 512) ** 0.6))
        mask.line([tuple(p) for p in points], fill=255, width=width)
        sheen = 0.8 + 0.5 * np.exp(-((turns - random.uniform(0.1, 0.7)) ** 2) / 0.02)
        for here, there, light in zip(points[:-1], points[1:], sheen, strict=True):
            tone = tuple(int(v) for v in np.clip(shade * light, 0, 255))
            draw.line([tuple(here), tuple(there)], fill=tone, width=width + 1)
    pixels = torch.from_numpy(np.array(color)).permute(2, 0, 1)[None].float() / 255
    opacity = torch.from_numpy(np.array(alpha))[None, None].float() / 255
    return divided(F.avg_pool2d(pixels * opacity, fine), F.avg_pool2d(opacity, fine))


def disc(side: int, seed: int) -> Layer:
    """A patterned, hard-edged thing that other subjects blur."""
    rows, columns = place(side)
    wobble = 0.12 * (noise(side, 5, seed) - 0.5)
    alpha = ((0.5 + wobble - (rows**2 + columns**2).sqrt()) * side / 2 + 0.5).clamp(0, 1)
    tint = torch.tensor([[0.75, 0.2, 0.15], [0.2, 0.35, 0.7]][seed % 2]).view(1, 3, 1, 1)
    color = (
        tint + 0.5 * (noise(side, 9, seed + 1, 3) - 0.5) + 0.15 * (noise(side, 60, seed + 2) - 0.5)
    )
    return color.clamp(0, 1), alpha


def defocused(side: int, seed: int) -> Layer:
    """Out of focus."""
    color, alpha = disc(side, seed)
    sigma = side * 0.02
    return divided(gaussian_blur(color * alpha, sigma), gaussian_blur(alpha, sigma))


def moving(side: int, seed: int) -> Layer:
    """Moved during the exposure."""
    color, alpha = disc(side, seed)
    both = torch.cat([color * alpha, alpha], 1)
    reach = round(side * 0.06)
    shifts = [torch.roll(both, (step // 3, step), (2, 3)) for step in range(-reach, reach + 1)]
    mean = torch.stack(shifts).mean(0)
    return divided(mean[:, :3], mean[:, 3:])


def fur(side: int, seed: int) -> Layer:
    """A real coat, with a ragged edge."""
    color = photograph("red_panda.jpg", side, left=0.45)
    rows, columns = place(side)
    depth = 0.62 - (rows**2 + columns**2).sqrt()
    ragged = 0.24 * (noise(side, 70, seed) - 0.5) + 0.12 * (noise(side, 160, seed + 1) - 0.5)
    return color, ((depth + ragged) * 9 + 0.5).clamp(0, 1)


def glass(side: int, seed: int) -> Layer:
    """A tinted vessel: faint inside, stronger at its walls, with opaque highlights."""
    rows, columns = place(side)
    width = 0.42 + 0.1 * torch.sin(rows * 3 + seed)
    inside = ((width - columns.abs()) * side / 4 + 0.5).clamp(0, 1)
    inside = inside * ((0.8 - rows.abs()) * side / 4 + 0.5).clamp(0, 1)
    wall = torch.exp(-((width - columns.abs()).clamp_min(0) / 0.05))
    light = torch.exp(-(((columns + 0.22) / 0.03) ** 2)) * (0.4 + 0.6 * noise(side, 4, seed))
    alpha = inside * (0.12 + 0.55 * wall + 0.6 * light).clamp(0, 0.97)
    tint = torch.tensor([[0.55, 0.75, 0.6], [0.45, 0.55, 0.8]][seed % 2]).view(1, 3, 1, 1)
    color = tint * (0.75 + 0.3 * noise(side, 3, seed + 1)) - 0.25 * wall
    return torch.lerp(color, torch.ones(3, 1, 1), light.clamp(0, 1)).clamp(0, 1), alpha


def veil(side: int, seed: int) -> Layer:
    """A thin cloth in folds, woven finely, in front of everything."""
    rows, columns = place(side)
    fold = torch.sin(columns * 14 + 3 * noise(side, 3, seed) * 3) * 0.5 + 0.5
    weave = torch.sin(columns * side / 2.6) * torch.sin(rows * side / 2.6)
    edge = ((0.75 - columns.abs() + 0.1 * (noise(side, 4, seed + 1) - 0.5)) * 12).clamp(0, 1)
    alpha = edge * (0.22 + 0.5 * fold + 0.1 * weave).clamp(0, 0.98)
    tint = torch.tensor([[0.93, 0.9, 0.86], [0.55, 0.2, 0.35]][seed % 2]).view(1, 3, 1, 1)
    return (tint * (0.7 + 0.3 * fold + 0.05 * weave)).clamp(0, 1), alpha


def real(side: int, seed: int) -> Layer:
    """An example picture with its mask; the color of its opaque part is spread outward."""
    name = ("dog", "red_panda", "astronaut")[seed % 3]
    color = photograph(f"{name}.jpg", side)
    alpha = photograph(f"{name}_mask.png", side)[:, :1]
    return fill(color, (alpha > 0.99).float()), alpha


def drawn(side: int, seed: int) -> Layer:
    """A subject of the training scenes, whose edges are about a pixel wide."""
    scene = unseen_set((side, side))[seed]
    color = torch.from_numpy(np.array(scene.foreground)).permute(2, 0, 1)[None].float() / 255
    return color, torch.from_numpy(np.array(scene.alpha))[None, None].float()


SUBJECTS: dict[str, Callable[[int, int], Layer]] = {
    "hair": hair,
    "fur": fur,
    "defocused": defocused,
    "moving": moving,
    "glass": glass,
    "veil": veil,
    "real": real,
    "drawn": drawn,
}


# ---------------------------------------------------------------------------- backgrounds


def plain(side: int, color: tuple[float, float, float], seed: int) -> Tensor:
    """A wall that is lit a little unevenly."""
    light = 0.92 + 0.08 * noise(side, 2, seed)
    return (torch.tensor(color).view(1, 3, 1, 1) * light).clamp(0, 1)


def sky(side: int) -> Tensor:
    """Blue above, pale below."""
    rows, _ = place(side)
    above, below = torch.tensor([0.25, 0.45, 0.8]), torch.tensor([0.9, 0.85, 0.75])
    return torch.lerp(above.view(1, 3, 1, 1), below.view(1, 3, 1, 1), (rows + 1) / 2).expand(
        -1, -1, -1, side
    )


def checks(side: int) -> Tensor:
    """Hard, saturated contrasts."""
    rows, columns = place(side)
    odd = ((rows * 7).floor() + (columns * 7).floor()) % 2
    one, other = torch.tensor([0.85, 0.75, 0.1]), torch.tensor([0.1, 0.2, 0.45])
    return torch.lerp(one.view(1, 3, 1, 1), other.view(1, 3, 1, 1), odd)


def lights(side: int) -> Tensor:
    """Colored lights out of focus."""
    bright = noise(side, 12, 31, 3)
    return (bright**3 * 1.6).clamp(0, 1)


BACKGROUNDS: dict[str, Callable[[int], Tensor]] = {
    "white": lambda side: plain(side, (1.0, 1.0, 1.0), 1),
    "green screen": lambda side: plain(side, (0.1, 0.7, 0.25), 2),
    "dark": lambda side: plain(side, (0.08, 0.07, 0.1), 3),
    "sky": sky,
    "lights": lights,
    "checks": checks,
    "meadow": lambda side: photograph("sheep.jpg", side, left=0.0),
    "cafe": lambda side: photograph("coffee.jpg", side),
}


# ---------------------------------------------------------------------------- methods


def load_pymatting() -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Pymatting's multi-level estimation; its other modules would compile for minutes."""
    spec = importlib.util.find_spec("pymatting")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("pymatting is missing: pip install pymatting")
    path = Path(spec.submodule_search_locations[0]) / "foreground" / "estimate_foreground_ml.py"
    module_spec = importlib.util.spec_from_file_location("estimate_foreground_ml", path)
    assert module_spec is not None
    assert module_spec.loader is not None
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    function: Callable[[np.ndarray, np.ndarray], np.ndarray] = module.estimate_foreground_ml
    return function


def to_rows(image: Tensor) -> np.ndarray:
    """(1, C, H, W) to (H, W, C), or (H, W) for one channel."""
    array: np.ndarray = np.ascontiguousarray(image[0].permute(1, 2, 0).numpy())
    return array[..., 0] if array.shape[2] == 1 else array


def from_rows(array: np.ndarray) -> Tensor:
    """(H, W, C) to (1, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(array)).permute(2, 0, 1)[None].float()


def multiplied(image: Tensor, alpha: Tensor) -> Tensor:
    """What RMBG calls refining: the picture times its mask."""
    return image * alpha


def methods() -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """Every candidate by name: image and alpha to foreground, all (1, C, H, W)."""
    estimate_ml = load_pymatting()
    table: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "official, CPU": lambda i, a: blur_fusion(i, a, border="reflect", anchor="before")[0],
        "official, GPU": lambda i, a: blur_fusion(i, a, border="replicate", anchor="after")[0],
        "pymatting": lambda i, a: from_rows(estimate_ml(to_rows(i), to_rows(a))),
    }
    for name in METHODS[:2]:  # blur fusion of our own is as the official one
        table[name] = partial(estimate_foreground, method=name)
    table["picture as it is"] = lambda i, a: i
    table[CONTROL] = multiplied
    return table


# ---------------------------------------------------------------------------- errors


SETS: dict[int, tuple[dict[str, int], tuple[str, ...]]] = {
    512: (dict.fromkeys(SUBJECTS, 0) | {"hair": 1, "veil": 1}, tuple(BACKGROUNDS)),
    2048: ({"hair": 0, "glass": 1, "veil": 0}, ("white", "checks", "meadow")),
}
"""Subjects with their seeds, and backgrounds, by side of the picture."""

KINDS = ("true alpha", "degraded alpha")
RIVALS = ("official, CPU", "official, GPU", "pymatting")
CONTROL = "times mask (RMBG)"


def degraded(alpha: Tensor, seed: int) -> Tensor:
    """Blurred by 1.5 pixels, noised by 0.02."""
    generator = torch.Generator().manual_seed(seed)
    wrong = gaussian_blur(alpha, 1.5) + 0.02 * torch.randn(alpha.shape, generator=generator)
    return wrong.clamp(0, 1)


def error(estimate: Tensor, truth: Tensor, alpha: Tensor) -> float:
    """Mean of |alpha (F - F_true)| where alpha is soft, times 1000."""
    soft = ((alpha > 0.01) & (alpha < 0.99)).expand_as(truth)
    return float((alpha * (estimate - truth)).abs()[soft].mean()) * 1000


Errors = dict[tuple[str, str, str, str], float]
"""By kind of alpha, subject, background and method."""


def measure(side: int, candidates: dict[str, Callable[[Tensor, Tensor], Tensor]]) -> Errors:
    """Every method on every scene of one size."""
    subjects, names = SETS[side]
    backgrounds = {name: BACKGROUNDS[name](side) for name in names}
    errors: Errors = {}
    for name, seed in subjects.items():
        color, alpha = SUBJECTS[name](side, seed)
        for kind in KINDS:
            given = alpha if kind == KINDS[0] else degraded(alpha, seed)
            for place_name, background in backgrounds.items():
                blend = torch.lerp(background.expand_as(color), color, alpha)
                image = (blend * 255).round() / 255
                for method, estimate in candidates.items():
                    key = (kind, name, place_name, method)
                    errors[key] = error(estimate(image, given), color, alpha)
        print(f"{side} px: {name}", file=sys.stderr, flush=True)
    return errors


def table(errors: Errors, names: list[str], column: int | None) -> None:
    """Print means by background (column 2), by subject (column 1), or over all (None)."""
    for kind in KINDS:
        groups = dict.fromkeys("all" if column is None else key[column] for key in errors)
        for group in groups:
            row = []
            for method in names:
                row.append(
                    statistics.mean(
                        value
                        for key, value in errors.items()
                        if key[0] == kind
                        and key[3] == method
                        and (column is None or key[column] == group)
                    )
                )
            best = min(value for value, name in zip(row, names, strict=True) if name in RIVALS)
            ours = row[names.index(METHODS[0])] / best - 1
            print(
                f"| {kind}, {group} | " + " | ".join(f"{v:.2f}" for v in row) + f" | {ours:+.0%} |"
            )


def print_errors(sides: list[int]) -> None:
    """Measure and print one table a size."""
    candidates = methods()
    for side in sides:
        if side > 1024:  # what matters; the others follow the same rules
            kept = (*RIVALS, METHODS[0], CONTROL)
            candidates = {name: candidates[name] for name in kept}
        names = list(candidates)
        errors = measure(side, candidates)
        print(f"\n{side} x {side}, mean |alpha (F - F_true)| x 1000\n")
        print("| | " + " | ".join(names) + f" | {METHODS[0]} against the best rival |")
        print("|---" * (len(names) + 2) + "|")
        for column in (None, 2, 1):
            table(errors, names, column)


# ---------------------------------------------------------------------------- seconds


def official() -> Callable[[np.ndarray, np.ndarray], np.ndarray] | None:
    """The official program's CPU path, two passes of 90 and 6; None if it is not there."""
    folder = os.environ.get("BIREFNET_OFFICIAL")
    if not folder:
        return None
    sys.path.insert(0, folder)
    from image_proc import FB_blur_fusion_foreground_estimator_cpu_2 as estimate

    function: Callable[[np.ndarray, np.ndarray], np.ndarray] = estimate
    return function


def print_seconds(sides: list[int], rounds: int) -> None:
    """Time all methods in turn on one picture, and print medians.

    Processor time of one thread, which does not depend on what else the machine does.
    """
    function = official()
    estimate_ml = load_pymatting()
    torch.set_num_threads(1)
    print(f"\nseconds of processor time, median of {rounds}, one thread\n")
    for side in sides:
        color, alpha = real(side, 0)
        image = torch.lerp(sky(side), color, alpha)
        rows, opacity = to_rows(image), to_rows(alpha)
        runs: dict[str, Callable[[], Any]] = {
            name: partial(estimate_foreground, image, alpha, method=name) for name in METHODS[:3]
        }
        runs["pymatting"] = partial(estimate_ml, rows, opacity)
        if function is not None:
            runs["official, CPU"] = partial(function, rows, opacity)
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for turn in range(rounds + 1):
            for name, run in runs.items():
                started = time.process_time()
                run()
                if turn:
                    seconds[name].append(time.process_time() - started)
        for name, values in seconds.items():
            print(f"| {side} px | {name} | {statistics.median(values):.2f} |", flush=True)


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--side", type=int, nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--time", type=int, nargs="*", metavar="PIXELS")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with torch.inference_mode():
        if arguments.time is None:
            print_errors(arguments.side)
        else:
            print_seconds(arguments.time or [1024, 4096], arguments.rounds)


if __name__ == "__main__":
    main()
