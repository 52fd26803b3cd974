"""Taking a screen's light off."""

from __future__ import annotations

import pytest
import torch

from birefnet import ConfigError
from birefnet.foreground import KEYS, despill
from birefnet.foreground.despill import LUMA


def pixel(*values: float) -> torch.Tensor:
    return torch.tensor(values).view(1, 3, 1, 1)


def luma(image: torch.Tensor) -> torch.Tensor:
    return (image * torch.tensor(LUMA).view(3, 1, 1)).sum(1)


def test_green_falls_to_the_larger_other_channel_and_all_rise_to_the_old_brightness() -> None:
    result = despill(pixel(0.4, 0.8, 0.2))
    red, green, blue = result.flatten().tolist()
    assert green == pytest.approx(red, abs=1e-6)
    assert red - blue == pytest.approx(0.2 + (0.8 - 0.4) * 0, abs=0.21)  # hue of what remains
    assert float(luma(result)) == pytest.approx(float(luma(pixel(0.4, 0.8, 0.2))), abs=1e-6)


@pytest.mark.parametrize(
    "key", [*KEYS.values(), (1.0, 0.0, 0.0), (0.0, 0.69, 0.25), (0.9, 0.1, 0.5), (0.0, 1.0, 1.0)]
)
def test_brightness_stays_for_any_key(key: tuple[float, float, float]) -> None:
    image = torch.rand(1, 3, 60, 60, generator=torch.Generator().manual_seed(0))
    result = despill(image, key=key)
    assert (luma(result) - luma(image)).abs().max() < 1e-5
    assert 0 <= result.min() <= result.max() <= 1
    changed = (result - image).abs().amax(1) > 1e-4
    assert 0.2 < changed.float().mean() < 0.5  # a third of all hues


@pytest.mark.parametrize(
    "color",
    [(0.5, 0.5, 0.5), (0.85, 0.62, 0.5), (0.9, 0.1, 0.1), (0.2, 0.3, 0.9), (0.9, 0.9, 0.1)],
)
def test_grays_skin_and_other_hues_are_not_touched_by_green(color: tuple) -> None:
    torch.testing.assert_close(despill(pixel(*color)), pixel(*color), atol=1e-6, rtol=0)


def test_keys_differ() -> None:
    green, blue = pixel(0.2, 0.7, 0.3), pixel(0.2, 0.3, 0.7)
    assert (despill(green) - green).abs().max() > 0.1
    assert torch.equal(despill(blue), blue)
    assert (despill(blue, key=KEYS["blue"]) - blue).abs().max() > 0.1
    purple = pixel(0.6, 0.2, 0.7)
    assert (despill(purple, key=(0.6, 0.2, 0.7)) - purple).abs().max() > 0.1


def test_only_the_keys_hue_counts() -> None:
    image = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    dark, pale = despill(image, key=(0.0, 0.2, 0.0)), despill(image, key=(0.6, 1.0, 0.6))
    torch.testing.assert_close(dark, pale, atol=1e-5, rtol=0)


def test_strength_goes_from_nothing_to_all() -> None:
    image = pixel(0.2, 0.8, 0.3)
    excess = [
        float(result[0, 1] - result[0, [0, 2]].max())
        for result in (despill(image, strength=s) for s in (0.0, 0.5, 1.0))
    ]
    assert torch.equal(despill(image, strength=0.0), image)
    assert excess[0] > excess[1] > excess[2]
    assert excess[1] == pytest.approx(excess[0] / 2, abs=1e-5)
    assert excess[2] == pytest.approx(0, abs=1e-6)


def test_half_precision_keeps_its_type() -> None:
    assert despill(torch.rand(1, 3, 4, 4).half()).dtype == torch.float16


def test_bad_options_are_refused() -> None:
    with pytest.raises(ConfigError, match="must have a hue"):
        despill(pixel(0.1, 0.2, 0.3), key=(0.5, 0.5, 0.51))
    with pytest.raises(ConfigError, match=r"\[0, 1\]"):
        despill(pixel(0.1, 0.2, 0.3), strength=1.5)
