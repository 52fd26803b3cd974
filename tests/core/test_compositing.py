"""Blending, and colors by name."""

from __future__ import annotations

import pytest
import torch

from birefnet import ConfigError, ShapeError, cutout, over, premultiply, unpremultiply
from birefnet.compositing import checkerboard, parse_color


def pixel(*values: float) -> torch.Tensor:
    return torch.tensor(values).view(1, -1, 1, 1)


def test_over_by_hand() -> None:
    result = over(pixel(1.0, 0.5, 0.0), pixel(0.25), pixel(0.0, 0.5, 1.0))
    assert result.flatten().tolist() == [0.25, 0.5, 0.75]


def test_a_background_may_be_one_color() -> None:
    foreground, alpha = torch.rand(2, 3, 4, 5), torch.zeros(2, 1, 4, 5)
    result = over(foreground, alpha, torch.tensor([1.0, 0.5, 0.25]).view(3, 1, 1))
    assert result[1, :, 3, 4].tolist() == [1.0, 0.5, 0.25]


def test_premultiplying_comes_back() -> None:
    color, alpha = torch.rand(1, 3, 4, 5), torch.rand(1, 1, 4, 5) * 0.9 + 0.1
    alpha[..., 0] = 0
    back = unpremultiply(premultiply(color, alpha), alpha)
    torch.testing.assert_close(back[..., 1:], color[..., 1:])
    assert back[..., 0].abs().max() == 0


def test_a_checkerboard_by_hand() -> None:
    light, dark = 1.0, pytest.approx(0.8)
    rows = checkerboard((3, 5), square=2)[0].tolist()
    assert rows[0] == rows[1] == [light, light, dark, dark, light]
    assert rows[2] == [dark, dark, light, light, dark]


def test_a_cutout_is_straight_color_and_alpha() -> None:
    color, alpha = torch.rand(1, 3, 4, 5), torch.rand(1, 1, 4, 5)
    result = cutout(color, alpha)
    assert torch.equal(result[:, :3], color)
    assert torch.equal(result[:, 3:], alpha)


def test_shapes_that_do_not_fit_are_refused() -> None:
    color, alpha = torch.rand(1, 3, 4, 5), torch.rand(1, 1, 4, 5)
    with pytest.raises(ShapeError, match="background must broadcast"):
        over(color, alpha, torch.rand(1, 3, 9, 9))
    with pytest.raises(ShapeError, match="alpha must be"):
        cutout(color, torch.rand(1, 1, 5, 4))


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("#ffffff", (1.0, 1.0, 1.0)),
        ("#F00", (1.0, 0.0, 0.0)),
        ("00ff00", (0.0, 1.0, 0.0)),
        ("0, 0, 255", (0.0, 0.0, 1.0)),
        (" white ", (1.0, 1.0, 1.0)),
        ("rgb(51, 102, 153)", (0.2, 0.4, 0.6)),
    ],
)
def test_colors_are_read(text: str, color: tuple[float, float, float]) -> None:
    assert parse_color(text) == pytest.approx(color)


@pytest.mark.parametrize("text", ["", "#12", "1,2", "no color", "#gggggg"])
def test_nonsense_is_no_color(text: str) -> None:
    with pytest.raises(ConfigError, match="#ffffff, 255,255,255 or white"):
        parse_color(text)
