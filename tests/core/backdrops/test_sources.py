"""Backgrounds of other sizes, and a picture's own background without its subject."""

from __future__ import annotations

import pytest
import torch

from birefnet import ConfigError, ShapeError
from birefnet.backdrops import blur_background, blurred_original, fit_background, remove_subject
from birefnet.compositing import from_linear, to_linear
from birefnet.filters import gaussian_blur


def ramp(height: int, width: int) -> torch.Tensor:
    """Red grows to the right, green downwards, from 0 to 1."""
    image = torch.zeros(1, 3, height, width)
    image[:, 0] = torch.linspace(0, 1, width)
    image[:, 1] = torch.linspace(0, 1, height)[:, None]
    return image


def test_cover_keeps_proportions_and_the_middle() -> None:
    fitted = fit_background(ramp(40, 80), (40, 40), fit="cover")
    torch.testing.assert_close(fitted, ramp(40, 80)[..., 20:60])
    larger = fit_background(ramp(40, 80), (80, 80), fit="cover")
    assert float(larger[0, 0, 40, 0]) == pytest.approx(0.25, abs=0.01)
    assert float(larger[0, 0, 40, -1]) == pytest.approx(0.75, abs=0.01)
    assert float(larger[0, 1, 0, 40]) < 0.02
    assert float(larger[0, 1, -1, 40]) > 0.98


def test_contain_shows_all_and_fills_the_rest() -> None:
    fitted = fit_background(ramp(40, 80), (80, 80), fit="contain", color=(1.0, 0.5, 0.25))
    torch.testing.assert_close(fitted[:, :, 20:60], ramp(40, 80))
    for rest in (fitted[:, :, :20], fitted[:, :, 60:]):
        assert torch.equal(rest, torch.tensor([1.0, 0.5, 0.25]).view(1, 3, 1, 1).expand_as(rest))


def test_stretch_ignores_proportions() -> None:
    fitted = fit_background(ramp(40, 80), (80, 40), fit="stretch")
    assert (fitted - ramp(80, 40)).abs().max() < 0.02


def test_tile_repeats_in_its_own_size() -> None:
    image = torch.rand(2, 3, 5, 7)
    fitted = fit_background(image, (12, 15), fit="tile")
    for y, x in ((0, 0), (4, 6), (5, 7), (11, 14)):
        assert torch.equal(fitted[:, :, y, x], image[:, :, y % 5, x % 7])


@pytest.mark.parametrize("fit", ["cover", "contain", "stretch", "tile"])
def test_the_right_size_is_left_alone(fit: str) -> None:
    image = torch.rand(1, 3, 9, 8)
    assert fit_background(image, (9, 8), fit=fit) is image
    assert fit_background(image, (31, 17), fit=fit).shape == (1, 3, 31, 17)


def test_resampling_never_leaves_the_range() -> None:
    checks = (torch.arange(40) // 4 % 2).float().view(1, 1, 1, 40).expand(1, 3, 40, 40)
    for size in ((100, 100), (23, 31)):
        fitted = fit_background(checks, size, fit="stretch")
        assert fitted.min() >= 0
        assert fitted.max() <= 1


def test_transparent_backgrounds_are_resized_without_dark_rims() -> None:
    image = torch.zeros(1, 4, 40, 40)  # white squares on black that nobody sees
    image[:, :, 10:30, 10:30] = 1
    fitted = fit_background(image, (90, 90), fit="stretch")
    seen = (fitted[:, 3:] > 0.02).expand(1, 3, 90, 90)
    assert fitted[:, :3][seen].min() > 0.999


def disc(side: int = 96, radius: float = 20, soft: float = 6) -> torch.Tensor:
    place = torch.arange(side) - side / 2 + 0.5
    distance = (place[:, None] ** 2 + place[None] ** 2).sqrt()
    return ((radius - distance) / soft + 0.5).clamp(0, 1)[None, None]


def red_on_gray(alpha: torch.Tensor) -> torch.Tensor:
    red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
    return alpha * red + (1 - alpha) * 0.5


def test_nothing_of_the_subject_is_left() -> None:
    plate = remove_subject(red_on_gray(disc()), disc())
    assert (plate - 0.5).abs().max() < 0.005


def test_pixels_away_from_the_subject_keep_every_bit() -> None:
    image, alpha = torch.rand(1, 3, 96, 96), disc()
    plate = remove_subject(image, alpha)
    far = (disc(radius=30) == 0).expand_as(image)
    assert torch.equal(plate[far], image[far])
    assert not torch.equal(plate, image)


def test_a_margin_keeps_smeared_color_out() -> None:
    image = red_on_gray(disc(radius=24))  # wider than the mask knows
    errors = [
        float((remove_subject(image, disc(), margin=margin) - 0.5).abs().max())
        for margin in (0.0, 4.0, 12.0)
    ]
    assert errors[0] > 0.3
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.005


def test_a_blurred_original_has_no_glow_of_its_subject() -> None:
    image, alpha = red_on_gray(disc()), disc()
    ours = blurred_original(image, alpha, blur=8)
    assert (ours - 0.5).abs().max() < 0.005
    assert (gaussian_blur(image, 8.0) - 0.5).abs().max() > 0.3  # what simple blurring does


def test_away_from_the_subject_it_is_a_plain_blur() -> None:
    image, alpha = torch.rand(1, 3, 160, 160), torch.zeros(1, 1, 160, 160)
    alpha[..., 70:90, :20] = 1
    blurred = blurred_original(image, alpha, blur=3)
    torch.testing.assert_close(blurred[..., 60:], gaussian_blur(image, 3.0)[..., 60:])


def test_a_picture_that_is_all_subject_gives_its_mean_color() -> None:
    image = torch.rand(1, 3, 32, 32)
    plate = remove_subject(image, torch.ones(1, 1, 32, 32))
    assert plate.isfinite().all()
    assert (plate - image.mean((2, 3), keepdim=True)).abs().max() < 0.2


def test_blurring_light_lets_bright_spots_shine() -> None:
    image = torch.zeros(1, 3, 41, 41)
    image[..., 20, 20] = 1
    light = blur_background(image, 3, linear=True)
    assert light[..., 20, 20].min() > 2 * gaussian_blur(image, 3.0)[..., 20, 20].max()
    torch.testing.assert_close(light, from_linear(gaussian_blur(to_linear(image), 3.0)))


def test_transparency_is_blurred_without_the_colors_nobody_sees() -> None:
    image = torch.zeros(1, 4, 40, 40)
    image[:, :, :, 20:] = 1
    image[:, 1:3] = 0  # red, next to invisible black
    blurred = blur_background(image, 3)
    seen = blurred[:, 3] > 0.01
    assert blurred[:, 0][seen].min() > 0.999
    torch.testing.assert_close(blurred[:, 3:], gaussian_blur(image[:, 3:], 3.0))


def test_no_blur_changes_nothing() -> None:
    image = torch.rand(1, 4, 9, 9)
    assert blur_background(image, 0) is image


def test_items_of_a_batch_are_independent() -> None:
    images, alphas = torch.rand(3, 3, 40, 30), torch.rand(3, 1, 40, 30).round()
    together = blurred_original(images, alphas, blur=2)
    for item in range(3):
        one = slice(item, item + 1)
        alone = blurred_original(images[one], alphas[one], blur=2)
        torch.testing.assert_close(alone, together[one])


def test_half_precision_stays_half_precision() -> None:
    image, alpha = torch.rand(1, 3, 40, 30), torch.rand(1, 1, 40, 30)
    result = blurred_original(image.half(), alpha.half(), blur=2)
    assert result.dtype == torch.float16
    assert (result.float() - blurred_original(image, alpha, blur=2)).abs().max() < 5e-3


def test_bad_input_is_refused() -> None:
    image, alpha = torch.rand(1, 3, 4, 4), torch.rand(1, 1, 4, 4)
    with pytest.raises(ConfigError, match="cover, contain, stretch, tile"):
        fit_background(image, (4, 4), fit="fill")
    with pytest.raises(ConfigError, match="at least 1 x 1"):
        fit_background(image, (0, 4))
    with pytest.raises(ShapeError):
        fit_background(torch.rand(1, 1, 4, 4), (4, 4))
    with pytest.raises(ConfigError, match="margin must be at least 0"):
        remove_subject(image, alpha, margin=-1)
    with pytest.raises(ConfigError, match="sigma must be at least 0"):
        blurred_original(image, alpha, blur=-1)
    with pytest.raises(ShapeError, match="resize it to the image"):
        remove_subject(image, torch.rand(1, 1, 5, 4))
