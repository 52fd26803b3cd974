"""The built-in starter model: one command trains it from nothing, on generated scenes, on a CPU.

`python -m birefnet.training.starter` runs the recipe below. It can be stopped at any time; the
same command continues exactly where the last saved state was.
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from ..errors import CheckpointError, ConfigError
from ..losses import binary_cross_entropy, soft_iou_loss
from ..model.architecture import PRESETS, Architecture
from ..model.network import BiRefNet, TrainingOutputs, build
from ..preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess
from ..weights.load import build_network, read_checkpoint, save_checkpoint
from .initialize import initialize
from .scenes import Scene, held_out_set, training_scene, unseen_set

logger = logging.getLogger(__name__)

STATE_FILE = "state.pt"
CURVE_FILE = "curve.jsonl"
CANDIDATE_FILE = "starter.safetensors"

NORMALIZED = (("conv_in", "norm_in"), ("conv_out", "norm_out"), ("conv", "norm"))
"""Attributes of a convolution and of the batch normalization that follows it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """A stretch of training at one resolution."""

    side: int
    """Height and width of the scenes, in pixels; a multiple of 32."""

    batch: int
    """Scenes per step."""

    steps: int
    """Changes of the weights."""

    def __post_init__(self) -> None:
        if min(self.side, self.batch, self.steps) < 1 or self.side % 32:
            raise ConfigError(
                "a phase needs a side that is a multiple of 32 and at least one step of at least "
                f"one scene, got side={self.side}, batch={self.batch}, steps={self.steps}."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Cycle:
    """Phases that share one rise and fall of the step size."""

    phases: tuple[Phase, ...]
    """Low resolutions first: small scenes are cheap, and most is learned from many of them."""

    learning_rate: float = 1.5e-3
    """Highest step size, reached after the warm-up; falls along half a cosine to zero."""

    def __post_init__(self) -> None:
        if not self.phases:
            raise ConfigError("a cycle needs at least one phase, got none.")

    @property
    def steps(self) -> int:
        """Steps of all phases."""
        return sum(phase.steps for phase in self.phases)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """Everything that decides what the trained weights will be.

    Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017.
    """

    architecture: Architecture
    """What is trained."""

    cycles: tuple[Cycle, ...]
    """Each begins with the averaged weights of the one before, and with a new optimizer."""

    seed: int = 20_261_120
    """Of the initial weights, and with a scene's number of the scene."""

    warmup: float = 0.03
    """Share of a cycle's steps in which the step size rises from zero."""

    weight_decay: float = 0.05
    """Of AdamW, on weights of two or more dimensions."""

    momentum: tuple[float, float] = (0.9, 0.98)
    """Of AdamW; the second one is short because the run is."""

    clip: float = 1.0
    """Largest norm of all gradients together."""

    average: float = 0.998
    """Decay per step of the running mean of the weights, which is what gets exported."""

    side_weight: float = 0.3
    """Weight of each coarse output's loss beside the final one's."""

    bfloat16: bool = True
    """Whether convolutions and products are computed in bfloat16."""

    def __post_init__(self) -> None:
        if not self.cycles:
            raise ConfigError("a recipe needs at least one cycle, got none.")
        if not 0 < self.average < 1 or not 0 <= self.warmup < 1:
            raise ConfigError(
                "average must lie in (0, 1) and warmup in [0, 1), got "
                f"{self.average} and {self.warmup}."
            )

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Those of all cycles."""
        return tuple(phase for cycle in self.cycles for phase in cycle.phases)

    @property
    def steps(self) -> int:
        """Steps of all cycles."""
        return sum(cycle.steps for cycle in self.cycles)

    @property
    def preprocess(self) -> Preprocess:
        """What the trained network expects: the last phase's resolution."""
        sides = [phase.side for phase in self.phases]
        last = sides[-1]
        return Preprocess(height=last, width=last, min_side=min(sides), max_side=max(sides))

    def at(self, step: int) -> tuple[Phase, int]:
        """The phase of a step and the number of scenes seen before it."""
        first = 0
        seen = 0
        for phase in self.phases:
            if step < first + phase.steps:
                break
            first += phase.steps
            seen += phase.steps * phase.batch
        else:
            return self.phases[-1], seen
        return phase, seen + (step - first) * phase.batch

    def start(self, cycle: int) -> int:
        """First step of a cycle, counted from 0."""
        return sum(each.steps for each in self.cycles[:cycle])

    def within(self, step: int) -> tuple[Cycle, int]:
        """The cycle of a step and the number of steps it has done before."""
        for cycle in self.cycles:
            if step < cycle.steps:
                return cycle, step
            step -= cycle.steps
        return self.cycles[-1], self.cycles[-1].steps + step

    def rate(self, step: int) -> float:
        """Step size of one step."""
        cycle, done = self.within(step)
        progress = (done + 1) / (cycle.steps + 1)
        if progress < self.warmup:
            return cycle.learning_rate * progress / self.warmup
        rest = (progress - self.warmup) / (1 - self.warmup)
        return cycle.learning_rate * (1 + math.cos(math.pi * rest)) / 2


STARTER = Recipe(
    architecture=PRESETS["starter"],
    cycles=(
        Cycle(
            phases=(
                Phase(side=128, batch=16, steps=2500),
                Phase(side=192, batch=16, steps=850),
                Phase(side=256, batch=16, steps=150),
            ),
        ),
        Cycle(
            phases=(
                Phase(side=128, batch=16, steps=3800),
                Phase(side=192, batch=16, steps=1000),
                Phase(side=256, batch=16, steps=350),
            ),
            learning_rate=1.2e-3,
        ),
        Cycle(
            phases=(
                Phase(side=160, batch=16, steps=600),
                Phase(side=224, batch=16, steps=550),
            ),
            learning_rate=6e-4,
        ),
    ),
)
"""The recipe of the weights in the package."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One line of the training curve."""

    step: int
    """Finished steps."""

    scenes: int
    """Scenes seen so far."""

    side: int
    """Resolution it was trained and is measured at, in pixels."""

    loss: float
    """Mean training loss since the last point."""

    unseen_iou: float
    """Mean over the checked scenes of the unseen set, of the averaged weights."""

    held_out_iou: float
    """Mean over the checked scenes of the held-out kinds."""

    seconds: float
    """Time spent training since the run began, without pauses between sessions."""


class Scenes(Dataset[tuple[Tensor, Tensor]]):
    """Training scenes by number, as tensors."""

    def __init__(self, seed: int, side: int) -> None:
        self.seed = seed
        self.side = side

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Image (3, S, S) uint8 and alpha (1, S, S) float32 in [0, 1]."""
        return scene_tensors(training_scene(self.seed, index, (self.side, self.side)))


def scene_tensors(scene: Scene) -> tuple[Tensor, Tensor]:
    """Image (3, H, W) uint8 and alpha (1, H, W) float32 in [0, 1] of a scene."""
    image = torch.from_numpy(np.moveaxis(scene.image, 2, 0).copy())
    return image, torch.from_numpy(scene.alpha.copy())[None]


def normalize(images: Tensor) -> Tensor:
    """(B, 3, H, W) uint8 -> float32 as the network expects, channels last in memory."""
    mean = torch.tensor(IMAGENET_MEAN, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=images.device).view(1, 3, 1, 1)
    pixels = images.contiguous(memory_format=torch.channels_last)
    return (pixels.float() / 255 - mean) / std


def starter_loss(outputs: TrainingOutputs, alpha: Tensor, *, side_weight: float) -> Tensor:
    """Cross-entropy and overlap of the final logits, and less of each coarse output's.

    A coarse output is compared with the mean opacity of the pixels below each of its own, which
    costs nothing compared with enlarging it.

    Args:
        outputs: Of the network.
        alpha: (B, 1, H, W) in [0, 1].
        side_weight: Of each coarse output.

    Returns:
        A scalar.
    """
    total = (
        binary_cross_entropy(outputs.logits, alpha) + soft_iou_loss(outputs.logits, alpha)
    ).mean()
    for logits in outputs.side_logits:
        coarse = F.adaptive_avg_pool2d(alpha, (logits.shape[2], logits.shape[3]))
        both = binary_cross_entropy(logits, coarse) + soft_iou_loss(logits, coarse)
        total = total + side_weight * both.mean()
    return total


class Run:
    """A training run that can be saved and continued.

    Args:
        recipe: What to do.
        device: Where to do it.
    """

    def __init__(self, recipe: Recipe, *, device: torch.device | str = "cpu") -> None:
        self.recipe = recipe
        self.device = torch.device(device)
        self.step = 0
        self.seconds = 0.0
        self.curve: list[Point] = []
        self.losses: list[float] = []  # since the last point of the curve
        self.recent = 0.0  # loss, averaged over about 20 steps
        self.network = build(recipe.architecture, training_heads=True)
        initialize(self.network, torch.Generator().manual_seed(recipe.seed))
        self.network.to(self.device)
        self.network.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network)
        self.network.train()
        self.optimizer = self._new_optimizer()

    def _new_optimizer(self) -> torch.optim.Optimizer:
        recipe = self.recipe
        wide = [p for p in self.network.parameters() if p.ndim > 1]
        flat = [p for p in self.network.parameters() if p.ndim <= 1]
        groups: list[dict[str, Any]] = [{"params": wide}, {"params": flat, "weight_decay": 0.0}]
        return torch.optim.AdamW(
            groups, lr=0.0, betas=recipe.momentum, weight_decay=recipe.weight_decay
        )

    def begin(self, cycle: int, weights: Path) -> None:
        """Start at a later cycle, from what the cycles before it gave.

        Args:
            cycle: Counted from 0.
            weights: A checkpoint that a run exported after the cycle before.

        Raises:
            ConfigError: If the recipe has no such cycle.
            CheckpointError: If its network is another one.
        """
        if not 0 < cycle < len(self.recipe.cycles):
            raise ConfigError(
                f"the recipe has cycles 1 to {len(self.recipe.cycles)}, of which the second is the "
                f"first to begin with weights, got cycle {cycle + 1}."
            )
        checkpoint = read_checkpoint(weights)
        if checkpoint.architecture != self.recipe.architecture:
            raise CheckpointError(
                f"{weights} holds another network than the recipe trains; take the file that "
                "the cycle before gave."
            )
        self.average.load_state_dict(build_network(checkpoint).state_dict(), strict=False)
        self.step = self.recipe.start(cycle)

    def learn(self, images: Tensor, alpha: Tensor) -> None:
        """One step on a batch: images (B, 3, S, S) uint8, alpha (B, 1, S, S) in [0, 1]."""
        recipe = self.recipe
        if self.step and recipe.within(self.step)[1] == 0:
            self.network.load_state_dict(self.average.state_dict())
            self.optimizer = self._new_optimizer()
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.rate(self.step)
        images, alpha = images.to(self.device), alpha.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=recipe.bfloat16):
            outputs = self.network.training_outputs(normalize(images))
        loss = starter_loss(outputs, alpha, side_weight=recipe.side_weight)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), recipe.clip)
        self.optimizer.step()
        self.step += 1
        self.losses.append(loss.item())
        self.recent += (self.losses[-1] - self.recent) * max(0.05, 1 / self.step)
        self._follow()

    @torch.no_grad()
    def _follow(self) -> None:
        """Let the averaged weights follow; faster at first, when all weights are young."""
        done = self.recipe.within(self.step)[1]
        weight = 1 - min(self.recipe.average, done / (done + 10))
        mine, theirs = self.average.state_dict(), self.network.state_dict()
        for name, tensor in mine.items():
            if tensor.is_floating_point():
                tensor.lerp_(theirs[name], weight)
            else:
                tensor.copy_(theirs[name])

    def state(self) -> dict[str, Any]:
        """Everything needed to continue as if nothing had happened."""
        return {
            "recipe": _fingerprint(self.recipe),
            "step": self.step,
            "seconds": self.seconds,
            "curve": [asdict(point) for point in self.curve],
            "losses": list(self.losses),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned.

        Raises:
            CheckpointError: If it belongs to another recipe.
        """
        if state["recipe"] != _fingerprint(self.recipe):
            raise CheckpointError(
                "the saved state belongs to another recipe, and mixing two gives a model that "
                "no recipe describes; choose another folder, or delete the state."
            )
        self.step = state["step"]
        self.seconds = state["seconds"]
        self.curve = [Point(**point) for point in state["curve"]]
        self.losses = list(state["losses"])
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])

    def export(self, path: Path) -> Path:
        """Write the averaged weights as a checkpoint that every part of the package can load."""
        last = self.curve[-1:]
        figures = {name: str(value) for point in last for name, value in asdict(point).items()}
        network = copy.deepcopy(self.average).cpu()
        fit_half_precision(network)
        return save_checkpoint(
            path,
            inference_state(network),
            architecture=self.recipe.architecture,
            preprocess=self.recipe.preprocess,
            id="starter",
            purpose="trying things out",
            license="MIT",
            source="trained by BiRefNet Studio on scenes it generates (birefnet.training.starter)",
            extra=figures,
        )


@torch.no_grad()
def fit_half_precision(network: BiRefNet) -> None:
    """Rescale the channels before each batch normalization so that float16 can hold their variance.

    A variance beyond 65504 would become infinite in float16 and silence its channel without any
    other sign. Scaling a convolution's weights and the statistics behind it alike changes nothing
    that the network computes; powers of two do not even change the rounding of the weights.

    Args:
        network: In evaluation mode; changed in place.
    """
    for module in network.modules():
        for conv_name, norm_name in NORMALIZED:
            conv, norm = getattr(module, conv_name, None), getattr(module, norm_name, None)
            if not isinstance(conv, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
                continue
            mean, variance = norm.running_mean, norm.running_var
            if mean is None or variance is None:
                continue
            factor = torch.exp2(-(variance.clamp(min=1).log2() / 2).round())
            conv.weight.mul_(factor.view(-1, 1, 1, 1))
            if conv.bias is not None:
                conv.bias.mul_(factor)
            mean.mul_(factor)
            # the small constant that the normalization adds is part of what must scale
            variance.add_(norm.eps).mul_(factor.square()).sub_(norm.eps)


def inference_state(network: BiRefNet) -> dict[str, Tensor]:
    """The tensors of a network without those that only training uses."""
    wanted = build(network.architecture).state_dict().keys()
    return {name: tensor for name, tensor in network.state_dict().items() if name in wanted}


def _fingerprint(recipe: Recipe) -> str:
    return json.dumps(asdict(recipe), sort_keys=True)


@torch.inference_mode()
def mean_iou(network: BiRefNet, scenes: Sequence[Scene], *, side: int, batch: int = 10) -> float:
    """How well a network finds the subjects of scenes.

    Args:
        network: In evaluation mode.
        scenes: All of one size.
        side: Height and width at which the network sees them, in pixels.
        batch: Scenes per forward pass.

    Returns:
        Mean over the scenes of intersection over union at an opacity of one half, in [0, 1].
    """
    scores: list[float] = []
    device = next(network.parameters()).device
    for first in range(0, len(scenes), batch):
        pairs = [scene_tensors(scene) for scene in scenes[first : first + batch]]
        images = normalize(torch.stack([image for image, _ in pairs]).to(device))
        truth = torch.stack([alpha for _, alpha in pairs]).to(device) > 0.5
        small = F.interpolate(
            images, size=(side, side), mode="bilinear", antialias=True, align_corners=False
        )
        logits = network(small.contiguous(memory_format=torch.channels_last))
        found = F.interpolate(logits, size=truth.shape[2:], mode="bilinear") > 0
        union = (found | truth).sum((1, 2, 3)).clamp(min=1)
        scores += ((found & truth).sum((1, 2, 3)) / union).tolist()
    return sum(scores) / len(scores)


def batches(recipe: Recipe, step: int, *, workers: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches of all steps from `step` on; a step's batch is always the same.

    Args:
        recipe: What to draw.
        step: First step.
        workers: Processes that make scenes beside the training; 0 makes them in this one.
    """
    while step < recipe.steps:
        phase, _ = recipe.at(step)
        count = 0
        while step + count < recipe.steps and recipe.at(step + count)[0] is phase:
            count += 1
        starts = (recipe.at(step + offset)[1] for offset in range(count))
        loader = DataLoader(
            Scenes(recipe.seed, phase.side),
            batch_sampler=[list(range(start, start + phase.batch)) for start in starts],
            num_workers=workers,
            prefetch_factor=6 if workers else None,
            generator=torch.Generator(),  # or the loader would consume random numbers of the run
        )
        yield from loader
        step += count


def train(
    recipe: Recipe,
    folder: Path,
    *,
    device: torch.device | str = "cpu",
    begin: tuple[int, Path] | None = None,
    workers: int = 1,
    save_every: float = 180.0,
    check_every: int = 400,
    checked: int = 60,
    on_step: Callable[[Run], None] | None = None,
) -> Run:
    """Run a recipe to its end, continuing what the folder holds.

    Args:
        recipe: What to do.
        folder: Holds the state to continue from, the curve, and the newest exported candidate.
        device: Where the network computes.
        begin: Cycle to start at and the weights before it, where there is no state yet; None for
            the beginning.
        workers: Processes that make scenes.
        save_every: Seconds between saved states.
        check_every: Steps between points of the curve; each also exports a candidate.
        checked: Scenes of each set that a point looks at; 0 makes no points.
        on_step: Called after each step.

    Returns:
        The finished run.

    Raises:
        ConfigError: If there is no cycle to begin with.
        CheckpointError: If the folder holds the state of another recipe, or if the weights to
            begin with are those of another network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    run = Run(recipe, device=device)
    saved = folder / STATE_FILE
    if saved.exists():
        run.restore(torch.load(saved, weights_only=True))
        logger.info("continuing after step %d of %d", run.step, recipe.steps)
    elif begin is not None:
        run.begin(*begin)
    unseen = list(unseen_set()[:checked]) if checked else []
    held_out = list(held_out_set()[:checked]) if checked else []
    mark = time.perf_counter()
    last_save = mark

    def clock() -> None:
        nonlocal mark
        now = time.perf_counter()
        run.seconds += now - mark
        mark = now

    for images, alpha in batches(recipe, run.step, workers=workers):
        run.learn(images, alpha)
        clock()
        done = run.step == recipe.steps
        if checked and (done or run.step % check_every == 0):
            side = images.shape[-1]
            point = Point(
                step=run.step,
                scenes=recipe.at(run.step)[1],
                side=side,
                loss=round(sum(run.losses) / len(run.losses), 4),
                unseen_iou=round(mean_iou(run.average, unseen, side=side), 4),
                held_out_iou=round(mean_iou(run.average, held_out, side=side), 4),
                seconds=round(run.seconds),
            )
            run.curve.append(point)
            run.losses.clear()
            lines = [json.dumps(asdict(each)) for each in run.curve]
            (folder / CURVE_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
            run.export(folder / CANDIDATE_FILE)
            logger.info("%s", lines[-1])
            mark = time.perf_counter()
        if done or time.perf_counter() - last_save > save_every:
            _save(run.state(), saved)
            last_save = time.perf_counter()
        if on_step is not None:
            on_step(run)
    return run


def _save(state: dict[str, Any], path: Path) -> None:
    part = path.with_name(path.name + ".part")
    torch.save(state, part)
    part.replace(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of `python -m birefnet.training.starter`."""
    parser = argparse.ArgumentParser(
        prog="python -m birefnet.training.starter",
        description="Train the built-in starter model; the same command continues a stopped run.",
    )
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("runs/starter"), help="folder of the run"
    )
    parser.add_argument(
        "--threads", type=int, help="processor threads for the network (default: all)"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that make scenes")
    parser.add_argument("--device", default="cpu", help="where to train: cpu (default), cuda ...")
    parser.add_argument(
        "--begin",
        nargs=2,
        metavar=("CYCLE", "FILE"),
        help="skip the cycles before CYCLE (from 1), whose result FILE is",
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.threads:
        torch.set_num_threads(options.threads)
    begun = time.perf_counter()
    first: int | None = None

    def report(run: Run) -> None:
        nonlocal first
        if first is None:
            first = run.step - 1
        if run.step % 20 == 0:
            phase, scenes = STARTER.at(run.step)
            rate = (run.step - first) / (time.perf_counter() - begun)
            logger.info(
                "step %d of %d, %d scenes, side %d, loss %.3f, %.2f steps/s",
                run.step,
                STARTER.steps,
                scenes,
                phase.side,
                run.recent,
                rate,
            )

    run = train(
        STARTER,
        options.output,
        device=options.device,
        begin=(int(options.begin[0]) - 1, Path(options.begin[1])) if options.begin else None,
        workers=options.workers,
        on_step=report,
    )
    logger.info("done: %s", run.export(options.output / CANDIDATE_FILE))


if __name__ == "__main__":
    main()
