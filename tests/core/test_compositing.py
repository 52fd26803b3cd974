"""Blending, and colors by name."""

from __future__ import annotations

import pytest
import torch

from birefnet import ConfigError, ShapeError, cutout, over, premultiply, unpremultiply
from birefnet.compositing import (
    checkerboard,
    from_linear,
    layer,
    parse_color,
    resize_cutout,
    to_linear,
)


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


def test_light_and_display_values() -> None:
    values = torch.tensor([0.0, 0.02, 0.5, 1.0])
    assert to_linear(values).tolist() == pytest.approx([0, 0.001548, 0.214041, 1], abs=1e-6)
    torch.testing.assert_close(from_linear(to_linear(values)), values)


def test_blending_light_by_hand() -> None:
    result = over(pixel(1.0, 0.0, 0.5), pixel(0.5), pixel(0.0, 1.0, 0.5), linear=True)
    assert result.flatten().tolist() == pytest.approx([0.735357, 0.735357, 0.5], abs=1e-5)


def test_blending_light_is_exact_at_both_ends() -> None:
    color, background = torch.rand(1, 3, 20, 30), torch.rand(1, 3, 20, 30)
    alpha = torch.rand(1, 1, 20, 30).round()
    assert torch.equal(
        over(color, alpha, background, linear=True), torch.where(alpha > 0, color, background)
    )


def test_a_layer_over_something_opaque_is_over() -> None:
    color, alpha, below = torch.rand(2, 3, 4, 5), torch.rand(2, 1, 4, 5), torch.rand(1, 3, 4, 5)
    result = layer(cutout(color, alpha), cutout(below, torch.ones(1, 1, 4, 5)))
    torch.testing.assert_close(result[:, :3], over(color, alpha, below))
    assert torch.equal(result[:, 3:], torch.ones(2, 1, 4, 5))


def test_layers_may_be_joined_in_any_order() -> None:
    a, b, c = torch.rand(3, 1, 4, 6, 7)
    torch.testing.assert_close(layer(layer(a, b), c), layer(a, layer(b, c)))


def test_nothing_over_or_under_a_layer_changes_nothing() -> None:
    a, nothing = torch.rand(1, 4, 6, 7), torch.zeros(1, 4, 6, 7)
    torch.testing.assert_close(layer(a, nothing), a)
    torch.testing.assert_close(layer(nothing, a), a)
    assert layer(nothing, nothing).max() == 0
    with pytest.raises(ShapeError, match="bottom must be"):
        layer(a, torch.rand(1, 4, 7, 6))


@pytest.mark.parametrize("size", [(13, 17), (90, 70), (3, 3)])
def test_resizing_a_cutout_leaves_no_rim(size: tuple[int, int]) -> None:
    picture = torch.zeros(1, 4, 40, 40)
    picture[:, :, 8:31, 11:33] = torch.tensor([0.9, 0.6, 0.3, 1.0]).view(1, 4, 1, 1)
    resized = resize_cutout(picture, size)
    seen = (resized[:, 3:] > 0.004).expand(1, 3, *size)
    color = torch.tensor([0.9, 0.6, 0.3]).view(1, 3, 1, 1).expand(1, 3, *size)
    assert (resized[:, :3] - color)[seen].abs().max() < 0.004
    # What nobody sees continues the edge, so that later resizing brings no rim either.
    assert (resized[:, :3] - color).abs().max() < 0.01
    assert float(resized[:, 3].mean()) == pytest.approx(23 * 22 / 1600, abs=0.04)
    assert resized.min() >= 0
    assert resized.max() <= 1


def test_resizing_a_cutout_to_its_size_is_free() -> None:
    picture = torch.rand(1, 4, 9, 8)
    assert resize_cutout(picture, (9, 8)) is picture
    with pytest.raises(ShapeError):
        resize_cutout(picture[:, :3], (4, 4))
