"""Colors of the subject alone, by every method."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from birefnet import ConfigError, ShapeError, estimate_foreground
from birefnet.foreground import METHODS


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def soft_disc(side: int = 96) -> torch.Tensor:
    place = torch.arange(side) - side / 2
    distance = (place[:, None] ** 2 + place[None] ** 2).sqrt()
    return ((side / 3 - distance) / 8).clamp(0, 1)[None, None]


def color(*values: float) -> torch.Tensor:
    return torch.tensor(values).view(1, 3, 1, 1)


def soft_error(estimate: torch.Tensor, truth: torch.Tensor, alpha: torch.Tensor) -> float:
    soft = ((alpha > 0.01) & (alpha < 0.99)).expand_as(estimate)
    return float((alpha * (estimate - truth)).abs()[soft].mean())


@pytest.mark.parametrize("method", METHODS)
def test_a_soft_edge_loses_the_old_background(method: str) -> None:
    alpha = soft_disc()
    subject = color(0.8, 0.2, 0.1).expand(1, 3, 96, 96)
    photograph = torch.lerp(color(0.1, 0.9, 0.2).expand_as(subject), subject, alpha)
    before = soft_error(photograph, subject, alpha)
    assert soft_error(estimate_foreground(photograph, alpha, method=method), subject, alpha) < (
        0.15 * before
    )


@pytest.mark.parametrize("method", METHODS)
def test_opaque_pixels_keep_their_color_exactly(method: str) -> None:
    alpha, image = soft_disc(), random(1, 3, 96, 96)
    opaque = (alpha == 1).expand_as(image)
    assert torch.equal(estimate_foreground(image, alpha, method=method)[opaque], image[opaque])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (5, 1), (5, 7)])
def test_any_size_and_masks_without_edges(method: str, size: tuple[int, int]) -> None:
    image = random(1, 3, *size)
    assert torch.equal(estimate_foreground(image, torch.ones(1, 1, *size), method=method), image)
    for alpha in (torch.zeros(1, 1, *size), random(1, 1, *size, seed=1)):
        result = estimate_foreground(image, alpha, method=method)
        assert result.isfinite().all()
        assert 0 <= result.min() <= result.max() <= 1


@pytest.mark.parametrize("method", METHODS)
def test_items_of_a_batch_are_independent(method: str) -> None:
    images, alphas = random(3, 3, 20, 30), random(3, 1, 20, 30, seed=1)
    alphas[1] = 0  # neither an empty mask nor a full one may matter to the others
    alphas[2] = 1
    together = estimate_foreground(images, alphas, method=method)
    for item in range(3):
        one = slice(item, item + 1)
        alone = estimate_foreground(images[one], alphas[one], method=method)
        torch.testing.assert_close(alone, together[one], atol=1e-6, rtol=0)


@pytest.mark.parametrize("method", METHODS)
def test_half_precision_is_computed_in_float32(method: str) -> None:
    image, alpha = random(1, 3, 20, 30).half(), random(1, 1, 20, 30, seed=1).half()
    result = estimate_foreground(image, alpha, method=method)
    assert result.dtype == torch.float16
    wide = estimate_foreground(image.float(), alpha.float(), method=method)
    assert (result.float() - wide).abs().max() < 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_written_to_what_was_given(method: str) -> None:
    image, alpha = random(1, 3, 20, 30), random(1, 1, 20, 30, seed=1)
    before = image.clone(), alpha.clone()
    estimate_foreground(image, alpha, method=method)
    assert torch.equal(image, before[0])
    assert torch.equal(alpha, before[1])


def test_every_method_is_another_one() -> None:
    image, alpha = random(1, 3, 40, 50), soft_disc(50)[:, :, :40]
    results = [estimate_foreground(image, alpha, method=method) for method in METHODS]
    for number, one in enumerate(results):
        for other in results[:number]:
            assert (one - other).abs().max() > 0.01


def test_sizes_reach_blur_fusion_and_one_pass_uses_the_first() -> None:
    image, alpha = random(1, 3, 40, 50), soft_disc(50)[:, :, :40]

    def run(method: str, *sizes: float) -> torch.Tensor:
        return estimate_foreground(image, alpha, method=method, sizes=sizes)

    assert (run("blur-fusion", 30, 6) - run("blur-fusion", 10, 6)).abs().max() > 0.005
    assert (run("blur-fusion", 30, 6) - run("blur-fusion", 30, 12)).abs().max() > 0.005
    assert (run("blur-fusion-once", 30, 6) - run("blur-fusion-once", 10, 6)).abs().max() > 0.005
    assert torch.equal(run("blur-fusion-once", 30, 6), run("blur-fusion-once", 30, 12))
    assert torch.equal(run("blur-fusion-once", 30, 6), run("blur-fusion", 30))


def scene(textured: str) -> tuple[torch.Tensor, torch.Tensor]:
    """A subject and a background, one of them full of texture."""
    plain = color(0.75, 0.5, 0.2).expand(1, 3, 128, 128)
    rough = F.interpolate(random(1, 3, 32, 32, seed=3), size=(128, 128), mode="bilinear")
    return (rough, plain) if textured == "subject" else (plain, rough)


@pytest.mark.parametrize("textured", ["subject", "background"])
@pytest.mark.parametrize("wrong_mask", [False, True])
def test_the_default_is_better_than_all_others(textured: str, wrong_mask: bool) -> None:
    subject, background = scene(textured)
    alpha = soft_disc(128)
    photograph = (torch.lerp(background, subject, alpha) * 255).round() / 255
    given = alpha
    if wrong_mask:
        noise = torch.randn(alpha.shape, generator=torch.Generator().manual_seed(4))
        given = (F.avg_pool2d(alpha, 5, 1, 2) + 0.02 * noise).clamp(0, 1)
    errors = {
        method: soft_error(estimate_foreground(photograph, given, method=method), subject, alpha)
        for method in METHODS
    }
    default = errors.pop(METHODS[0])
    assert default < 0.98 * min(errors.values()), (default, errors)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ShapeError, match="resize it to the image"):
        estimate_foreground(torch.rand(1, 3, 4, 4), torch.rand(1, 1, 4, 5))
    with pytest.raises(ShapeError, match="channels come second"):
        estimate_foreground(torch.rand(1, 4, 4, 3), torch.rand(1, 1, 4, 4))
    with pytest.raises(ConfigError, match="blur-fusion"):
        estimate_foreground(torch.rand(1, 3, 4, 4), torch.rand(1, 1, 4, 4), method="magic")
