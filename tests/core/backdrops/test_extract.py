"""The real shadow of a subject in front of a plain background, against a known truth."""

from __future__ import annotations

import pytest
import torch

from birefnet import ConfigError, ShapeError, over
from birefnet.backdrops import PLAIN, extract_shadow, lit_share, multiply_layer, plain_backdrop
from birefnet.filters import gaussian_blur

HEIGHT, WIDTH = 180, 240
Y = torch.linspace(-1, 1, HEIGHT).view(1, 1, -1, 1)
X = torch.linspace(-1, 1, WIDTH).view(1, 1, 1, -1)

BACKDROPS = {
    "white": torch.ones(1, 3, HEIGHT, WIDTH),
    "gray": torch.full((1, 3, HEIGHT, WIDTH), 0.6),
    "tinted": torch.tensor([0.85, 0.8, 0.7]).view(1, 3, 1, 1).expand(1, 3, HEIGHT, WIDTH),
    "gradient": (0.7 + 0.2 * Y - 0.05 * X).expand(1, 3, -1, -1),
    "vignette": (0.95 - 0.15 * (X**2 + Y**2)).expand(1, 3, -1, -1),
    "sweep": (0.75 + 0.15 * torch.tanh(2 * Y) + 0 * X).expand(1, 3, -1, -1),
}


def ellipse(x: float, y: float, wide: float, high: float) -> torch.Tensor:
    return ((((X - x) / wide) ** 2 + ((Y - y) / high) ** 2) < 1).float()


ALPHA = gaussian_blur(ellipse(-0.1, -0.1, 0.3, 0.5), 1.0)
SHADOW = (
    0.5 * gaussian_blur(ellipse(0.1, 0.4, 0.5, 0.15), 6.0)
    + 0.3 * gaussian_blur(ellipse(-0.1, 0.4, 0.2, 0.06), 2.0)
).clamp(0, 1)
SUBJECT = torch.tensor([0.7, 0.2, 0.1]).view(1, 3, 1, 1)


def photograph(name: str, *, noise: float = 0.004) -> torch.Tensor:
    """An 8-bit picture of the subject and its shadow in front of a plain background."""
    lit = BACKDROPS[name] * multiply_layer(SHADOW)
    image = over(SUBJECT.expand_as(lit), ALPHA, lit)
    grain = torch.randn(image.shape, generator=torch.Generator().manual_seed(3))
    return ((image + noise * grain).clamp(0, 1) * 255).round() / 255


OUTSIDE = ALPHA == 0
FAR = OUTSIDE & (SHADOW < 0.004)


@pytest.mark.parametrize("name", BACKDROPS)
def test_the_shadow_is_found_and_the_rest_is_exactly_none(name: str) -> None:
    found = extract_shadow(photograph(name), ALPHA)
    error = (found - SHADOW).abs()
    assert error[OUTSIDE].mean() < 0.005
    assert error[OUTSIDE & (SHADOW > 0.1)].mean() < 0.02
    assert (found[FAR] == 0).float().mean() > 0.995


def test_white_stays_255_outside_the_shadow() -> None:
    found = extract_shadow(photograph("white"), ALPHA)
    image = BACKDROPS["white"] * multiply_layer(found)
    in_bytes = (255 * image).clamp(0, 255).to(torch.uint8)  # cut off, as Save Image does
    assert (in_bytes[FAR.expand_as(in_bytes)] == 255).all()
    assert in_bytes.min() < 150


@pytest.mark.parametrize("name", BACKDROPS)
def test_the_backdrop_is_seen_through_the_shadow(name: str) -> None:
    error = (plain_backdrop(photograph(name), ALPHA) - BACKDROPS[name]).abs()
    assert error.mean() < 0.006
    assert error.max() < 0.04


def test_under_the_subject_the_shadow_goes_on_smoothly() -> None:
    found = extract_shadow(photograph("gray"), ALPHA)
    jumps = torch.maximum(found.diff(dim=2).abs()[..., 1:], found.diff(dim=3).abs()[:, :, 1:])
    truth = torch.maximum(SHADOW.diff(dim=2).abs()[..., 1:], SHADOW.diff(dim=3).abs()[:, :, 1:])
    assert jumps.max() < 1.5 * truth.max()
    hidden = (ALPHA > 0.99) & (SHADOW > 0.2)
    assert hidden.sum() > 100
    assert found[hidden].min() > 0.05


def test_the_floor_takes_noise_away_and_zero_keeps_everything() -> None:
    image = photograph("gray", noise=0.02)
    kept = [
        float((extract_shadow(image, ALPHA, floor=f)[FAR] > 0).float().mean()) for f in (0, 0.04)
    ]
    assert kept[0] > 0.2
    assert kept[1] < 0.01


def test_without_subject_and_shadow_nothing_is_found() -> None:
    empty = torch.zeros(1, 1, HEIGHT, WIDTH)
    assert extract_shadow(BACKDROPS["gradient"], empty).max() == 0
    assert extract_shadow(BACKDROPS["white"], torch.ones_like(empty)).isfinite().all()
    assert extract_shadow(torch.zeros(1, 3, 9, 9), torch.zeros(1, 1, 9, 9)).isfinite().all()
    assert extract_shadow(torch.rand(1, 3, 1, 1), torch.zeros(1, 1, 1, 1)).max() == 0


def test_a_textured_background_is_recognized() -> None:
    generator = torch.Generator().manual_seed(2)
    texture = gaussian_blur(torch.rand(1, 3, HEIGHT, WIDTH, generator=generator), 1.5)
    texture = (texture - 0.5) * 4 + 0.5
    share = lit_share(
        torch.cat([photograph("gray"), texture.clamp(0, 1)]), ALPHA.expand(2, -1, -1, -1)
    )
    assert share[0] > 0.7
    assert share[1] < PLAIN


def test_items_of_a_batch_are_independent() -> None:
    images = torch.cat(
        [photograph("white"), photograph("gradient"), torch.rand(1, 3, HEIGHT, WIDTH)]
    )
    alphas = torch.cat([ALPHA, ALPHA.flip(3), ALPHA])
    together = extract_shadow(images, alphas)
    for item in range(3):
        one = slice(item, item + 1)
        torch.testing.assert_close(extract_shadow(images[one], alphas[one]), together[one])


def test_half_precision_stays_half_precision() -> None:
    found = extract_shadow(photograph("gray").half(), ALPHA.half())
    assert found.dtype == torch.float16
    assert (found.float() - extract_shadow(photograph("gray"), ALPHA)).abs().mean() < 2e-3


def test_bad_input_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"floor must lie in \[0, 0.5\]"):
        extract_shadow(photograph("gray"), ALPHA, floor=0.7)
    with pytest.raises(ShapeError, match="resize it to the image"):
        extract_shadow(photograph("gray"), ALPHA[..., 1:])
