"""Colors of the subject alone."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import torch

from birefnet import ConfigError, ShapeError, estimate_foreground
from birefnet.foreground import blur_fusion

GOLDEN = numpy.load(Path(__file__).parents[1] / "golden" / "foreground.npz")


def golden(name: str) -> torch.Tensor:
    return torch.from_numpy(GOLDEN[name]).float() / 255


IMAGE = golden("image").permute(2, 0, 1)[None]
ALPHA = golden("mask")[None, None]


@pytest.mark.parametrize(
    ("path", "border", "anchor"), [("cpu", "reflect", "before"), ("gpu", "replicate", "after")]
)
def test_both_official_formulations(path: str, border: str, anchor: str) -> None:
    name = "cpu_float" if path == "cpu" else "gpu_path_float"
    foreground, _ = blur_fusion(IMAGE, ALPHA, border=border, anchor=anchor)
    first, background = blur_fusion(IMAGE, ALPHA, radii=(90,), border=border, anchor=anchor)
    for result, key in (
        (foreground, name),
        (first, f"{path}_pass1_fg"),
        (background, f"{path}_pass1_bg"),
    ):
        # The official GPU blur sums 8100 values in float32; divided by a small mean alpha, its
        # own error reaches 5e-5 in the first pass.
        tolerance = 2e-5 if path == "cpu" or key == name else 1e-4
        assert numpy.abs(result[0].permute(1, 2, 0).numpy() - GOLDEN[key]).max() < tolerance
    truncated = (foreground[0].permute(1, 2, 0) * 255).byte().int()
    stored = GOLDEN["cpu_uint8" if path == "cpu" else "gpu_path_uint8"].astype(int)
    assert numpy.abs(truncated.numpy() - stored).max() <= 1


def test_another_radius() -> None:
    foreground, _ = blur_fusion(IMAGE, ALPHA, radii=(21, 6), border="reflect", anchor="before")
    truncated = (foreground[0].permute(1, 2, 0) * 255).byte().int().numpy()
    assert numpy.abs(truncated - GOLDEN["cpu_r21_uint8"].astype(int)).max() <= 1


def soft_disc(side: int = 96) -> torch.Tensor:
    place = torch.arange(side) - side / 2
    distance = (place[:, None] ** 2 + place[None] ** 2).sqrt()
    return ((side / 3 - distance) / 8).clamp(0, 1)[None, None]


def test_a_soft_edge_loses_the_old_background() -> None:
    alpha = soft_disc()
    subject = torch.tensor([0.8, 0.2, 0.1]).view(1, 3, 1, 1).expand(1, 3, 96, 96)
    old = torch.tensor([0.1, 0.9, 0.2]).view(1, 3, 1, 1)
    photograph = alpha * subject + (1 - alpha) * old
    edge = ((alpha > 0.05) & (alpha < 0.95)).expand(-1, 3, -1, -1)
    before = (photograph - subject).abs()[edge].mean()
    after = (estimate_foreground(photograph, alpha) - subject).abs()[edge].mean()
    assert after < 0.1 * before


def test_opaque_pixels_keep_their_color() -> None:
    alpha = soft_disc()
    image = torch.rand(1, 3, 96, 96)
    opaque = (alpha == 1).expand_as(image)
    torch.testing.assert_close(estimate_foreground(image, alpha)[opaque], image[opaque])


def test_alpha_of_one_returns_the_image_and_zero_something_finite() -> None:
    image = torch.rand(1, 3, 5, 7)
    torch.testing.assert_close(estimate_foreground(image, torch.ones(1, 1, 5, 7)), image)
    assert estimate_foreground(image, torch.zeros(1, 1, 5, 7)).isfinite().all()


def test_items_of_a_batch_are_independent() -> None:
    images, alphas = torch.rand(3, 3, 20, 30), torch.rand(3, 1, 20, 30)
    together = estimate_foreground(images, alphas)
    for item in range(3):
        alone = estimate_foreground(images[item : item + 1], alphas[item : item + 1])
        torch.testing.assert_close(alone[0], together[item])


def test_half_precision_is_computed_in_float32() -> None:
    images, alphas = torch.rand(1, 3, 20, 30), torch.rand(1, 1, 20, 30)
    result = estimate_foreground(images.half(), alphas.half())
    assert result.dtype == torch.float16
    expected = estimate_foreground(images, alphas)
    assert (result.float() - expected).abs().max() < 4e-3


def test_bad_input_is_refused() -> None:
    with pytest.raises(ShapeError, match="resize it to the image"):
        estimate_foreground(torch.rand(1, 3, 4, 4), torch.rand(1, 1, 4, 5))
    with pytest.raises(ShapeError, match="channels come second"):
        estimate_foreground(torch.rand(1, 4, 4, 3), torch.rand(1, 1, 4, 4))
    with pytest.raises(ConfigError, match="blur-fusion"):
        estimate_foreground(torch.rand(1, 3, 4, 4), torch.rand(1, 1, 4, 4), method="magic")
