"""The training recipe of the starter model, on a tiny network."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from birefnet.errors import CheckpointError, ConfigError
from birefnet.model.architecture import PRESETS, SwinConfig
from birefnet.model.network import build
from birefnet.training.initialize import initialize
from birefnet.training.scenes import training_scene, unseen_set
from birefnet.training.starter import (
    CANDIDATE_FILE,
    CURVE_FILE,
    STARTER,
    STATE_FILE,
    Cycle,
    Phase,
    Recipe,
    Run,
    batches,
    fit_half_precision,
    inference_state,
    mean_iou,
    normalize,
    starter_loss,
    train,
)
from birefnet.weights.load import build_network, read_checkpoint

TINY = replace(
    PRESETS["starter"],
    encoder=SwinConfig(width=8, depths=(1, 1, 1, 1), heads=(1, 1, 2, 2), window=4),
    inner_width=8,
    aspp_width=8,
    patch_width=8,
)
RECIPE = Recipe(
    architecture=TINY,
    cycles=(Cycle(phases=(Phase(side=32, batch=3, steps=3), Phase(side=64, batch=2, steps=3))),),
    bfloat16=False,
)


TWO = replace(
    RECIPE,
    cycles=(*RECIPE.cycles, Cycle(phases=(Phase(side=64, batch=2, steps=2),), learning_rate=1e-4)),
)


class StoppedError(Exception):
    """Stands for the user's Ctrl-C."""


def stop_after(step: int):
    def check(run: Run) -> None:
        if run.step == step:
            raise StoppedError

    return check


def test_a_stopped_run_continues_to_the_same_weights(tmp_path: Path) -> None:
    whole = train(RECIPE, tmp_path / "whole", workers=0, checked=0)
    for step in (2, 4):  # inside the first phase, then inside the second
        with pytest.raises(StoppedError):
            train(
                RECIPE,
                tmp_path / "parts",
                workers=0,
                checked=0,
                save_every=0,
                on_step=stop_after(step),
            )
    torch.manual_seed(99)  # whatever happened to the random numbers in between
    parts = train(RECIPE, tmp_path / "parts", workers=0, checked=0)
    assert parts.step == whole.step == 6
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, parts.network.state_dict()[name]), name
    for name, tensor in whole.average.state_dict().items():
        assert torch.equal(tensor, parts.average.state_dict()[name]), name


def test_a_finished_run_is_left_alone(tmp_path: Path) -> None:
    train(RECIPE, tmp_path, workers=0, checked=0)
    seen: list[int] = []
    again = train(RECIPE, tmp_path, workers=0, checked=0, on_step=lambda run: seen.append(run.step))
    assert not seen
    assert again.step == RECIPE.steps


def test_the_state_of_another_recipe_is_refused(tmp_path: Path) -> None:
    train(RECIPE, tmp_path, workers=0, checked=0)
    with pytest.raises(CheckpointError, match="another recipe"):
        train(replace(RECIPE, seed=1), tmp_path, workers=0, checked=0)


def test_curve_and_candidate_are_written(tmp_path: Path) -> None:
    run = train(RECIPE, tmp_path, workers=0, check_every=3, checked=2)
    lines = (tmp_path / CURVE_FILE).read_text(encoding="utf-8").splitlines()
    points = [json.loads(line) for line in lines]
    assert [point["scenes"] for point in points] == [9, 15]
    assert [point["side"] for point in points] == [32, 64]
    assert all(0 <= point["unseen_iou"] <= 1 for point in points)
    assert (tmp_path / STATE_FILE).exists()

    checkpoint = read_checkpoint(tmp_path / CANDIDATE_FILE)
    assert checkpoint.architecture == TINY
    assert (checkpoint.preprocess.height, checkpoint.preprocess.width) == (64, 64)
    image = normalize(torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8))
    torch.testing.assert_close(
        build_network(checkpoint)(image), run.average.eval()(image), atol=2e-2, rtol=2e-2
    )


def test_exported_weights_are_those_of_inference_alone() -> None:
    names = inference_state(build(TINY, training_heads=True)).keys()
    assert names == build(TINY).state_dict().keys()


def test_large_variances_are_made_to_fit_half_precision() -> None:
    network = build(TINY)
    generator = torch.Generator().manual_seed(7)
    initialize(network, generator)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 30, generator=generator)
            module.running_var.uniform_(0.01, 2e5, generator=generator)
    images = torch.randn(1, 3, 64, 64, generator=generator)
    before = network(images)
    fit_half_precision(network)
    for name, tensor in network.state_dict().items():
        assert tensor.half().isfinite().all(), name
    torch.testing.assert_close(network(images), before, atol=1e-4, rtol=1e-4)


def test_training_lowers_the_loss_on_what_it_sees() -> None:
    cycle = Cycle(phases=(Phase(side=64, batch=2, steps=60),), learning_rate=5e-3)
    recipe = replace(RECIPE, cycles=(cycle,), warmup=0.0)
    run = Run(recipe)
    images, alpha = next(batches(recipe, 0, workers=0))
    for _ in range(30):
        run.learn(images, alpha)
    assert run.losses[-1] < 0.75 * run.losses[0]


def test_batches_do_not_depend_on_where_a_run_resumes() -> None:
    whole = [images for images, _ in batches(RECIPE, 0, workers=0)]
    rest = [images for images, _ in batches(RECIPE, 2, workers=0)]
    assert len(whole) == 6
    assert len(rest) == 4
    for one, other in zip(whole[2:], rest, strict=True):
        assert torch.equal(one, other)
    expected = training_scene(RECIPE.seed, 9, (64, 64)).image  # 3 x 3 scenes came before
    assert (whole[3][0].permute(1, 2, 0).numpy() == expected).all()


def test_worker_processes_make_the_same_batches() -> None:
    here = [alpha for _, alpha in batches(RECIPE, 3, workers=0)]
    there = [alpha for _, alpha in batches(RECIPE, 3, workers=1)]
    assert all(torch.equal(one, other) for one, other in zip(here, there, strict=True))


@pytest.mark.parametrize("number", range(len(STARTER.cycles)))
def test_the_step_size_rises_and_falls_in_each_cycle(number: int) -> None:
    cycle, start = STARTER.cycles[number], STARTER.start(number)
    rates = [STARTER.rate(step) for step in range(start, start + cycle.steps)]
    peak = rates.index(max(rates))
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert peak == pytest.approx(STARTER.warmup * cycle.steps, abs=2)
    assert max(rates) == pytest.approx(cycle.learning_rate, rel=1e-3)
    assert rates[-1] < 1e-4 * cycle.learning_rate


def test_a_cycle_begins_with_the_averaged_weights_and_a_new_optimizer(tmp_path: Path) -> None:
    run = train(replace(TWO, cycles=TWO.cycles[:1]), tmp_path, workers=0, checked=0)
    assert len(run.optimizer.state) > 0
    run.recipe = TWO
    averaged = {name: tensor.clone() for name, tensor in run.average.state_dict().items()}
    assert not torch.equal(
        averaged["decoder.output.weight"], run.network.state_dict()["decoder.output.weight"]
    )
    before = run.optimizer
    run.learn(*next(batches(TWO, run.step, workers=0)))
    assert run.optimizer is not before
    change = run.network.state_dict()["decoder.output.weight"] - averaged["decoder.output.weight"]
    assert 0 < change.abs().max() < 2 * TWO.rate(TWO.start(1))


def test_the_second_cycle_can_begin_with_what_the_first_one_exported(tmp_path: Path) -> None:
    first = train(replace(TWO, cycles=TWO.cycles[:1]), tmp_path / "first", workers=0, checked=0)
    weights = first.export(tmp_path / "first.safetensors")
    steps: list[int] = []
    run = train(
        TWO,
        tmp_path / "second",
        begin=(1, weights),
        workers=0,
        checked=0,
        on_step=lambda run: steps.append(run.step),
    )
    assert steps == [7, 8]
    whole = train(TWO, tmp_path / "whole", workers=0, checked=0)
    for name, tensor in inference_state(whole.average).items():
        if tensor.is_floating_point() and not name.endswith(("running_mean", "running_var")):
            torch.testing.assert_close(
                run.average.state_dict()[name], tensor, atol=2e-2, rtol=5e-2, msg=name
            )


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    other = Run(replace(RECIPE, architecture=replace(TINY, inner_width=16)))
    weights = other.export(tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="another network"):
        Run(TWO).begin(1, weights)
    for cycle in (-1, 0, 2):
        with pytest.raises(ConfigError, match="cycles 1 to 2"):
            Run(TWO).begin(cycle, weights)


def test_every_step_sees_new_scenes() -> None:
    seen = 0
    for step in range(STARTER.steps):
        phase, before = STARTER.at(step)
        assert before == seen
        seen += phase.batch
    assert STARTER.at(STARTER.steps)[1] == seen


def test_coarse_outputs_count_as_much_as_asked() -> None:
    network = build(TINY, training_heads=True)
    initialize(network, torch.Generator().manual_seed(1))
    outputs = network.train().training_outputs(torch.randn(2, 3, 64, 64))
    alpha = (torch.rand(2, 1, 64, 64) > 0.5).float()
    none, one, two = (starter_loss(outputs, alpha, side_weight=w) for w in (0.0, 1.0, 2.0))
    assert one > none
    torch.testing.assert_close(two - one, one - none)


def test_mean_iou_of_networks_that_say_all_or_nothing() -> None:
    network = build(TINY)
    scenes = list(unseen_set()[:3])
    torch.nn.init.zeros_(network.decoder.output.weight)
    bias = network.decoder.output.bias
    assert isinstance(bias, torch.Tensor)
    torch.nn.init.constant_(bias, 1.0)
    share = sum(float((scene.alpha > 0.5).mean()) for scene in scenes) / 3
    assert mean_iou(network, scenes, side=64) == pytest.approx(share, abs=1e-5)
    torch.nn.init.constant_(bias, -1.0)
    assert mean_iou(network, scenes, side=64, batch=2) == 0


def test_impossible_recipes_are_refused() -> None:
    with pytest.raises(ConfigError, match="multiple of 32"):
        Phase(side=100, batch=1, steps=1)
    with pytest.raises(ConfigError, match="at least one cycle"):
        replace(RECIPE, cycles=())
    with pytest.raises(ConfigError, match="at least one phase"):
        Cycle(phases=())
    with pytest.raises(ConfigError, match="average"):
        replace(RECIPE, average=1.0)


def test_the_starter_fits_into_the_repository() -> None:
    tensors = inference_state(build(STARTER.architecture, training_heads=True)).values()
    assert sum(2 * tensor.numel() for tensor in tensors) < 10_000_000
