"""Shadows made from the shape of the subject."""

from __future__ import annotations

import pytest
import torch

from birefnet import ConfigError, ShapeError
from birefnet.backdrops import cast_shadow, contact_shadow, multiply_layer
from birefnet.filters import gaussian_blur


def block(top: int, bottom: int, left: int, right: int, side: int = 80) -> torch.Tensor:
    alpha = torch.zeros(1, 1, side, side)
    alpha[..., top:bottom, left:right] = 1
    return alpha


BOX = block(20, 60, 30, 50)


def test_an_offset_moves_the_shape() -> None:
    moved = cast_shadow(BOX, offset=(7, -4), opacity=1)
    torch.testing.assert_close(moved, block(16, 56, 37, 57))


def test_half_a_pixel_is_half_a_pixel() -> None:
    moved = cast_shadow(BOX, offset=(0.5, 0), opacity=1)[0, 0, 40]
    assert moved[29:32].tolist() == pytest.approx([0, 0.5, 1], abs=1e-4)


def test_blur_and_opacity_mean_what_they_say() -> None:
    soft = cast_shadow(BOX, blur=3, opacity=0.4)
    torch.testing.assert_close(soft, 0.4 * gaussian_blur(BOX, 3.0))


def test_the_foot_stays_and_the_height_shrinks() -> None:
    lying = cast_shadow(BOX, height=0.5, opacity=1)
    rows = (lying[0, 0, :, 40] > 0.5).nonzero().flatten().tolist()
    assert rows[-1] == 59
    assert rows[0] == pytest.approx(40, abs=1)


def test_it_leans_around_its_foot() -> None:
    leaning = cast_shadow(BOX, lean=45, opacity=1)[0, 0]
    columns = [(leaning[row] > 0.5).nonzero().flatten().tolist() for row in (59, 40)]
    assert columns[0][0] == pytest.approx(30, abs=1)
    assert columns[1][0] == pytest.approx(30 + 19, abs=1)
    left = cast_shadow(BOX, lean=-45, opacity=1)[0, 0]
    assert (left[40] > 0.5).nonzero()[0].item() == pytest.approx(30 - 19, abs=1)


def test_on_the_ground_it_is_sharper_where_the_subject_stands() -> None:
    lying = cast_shadow(BOX, height=0.8, blur=4, opacity=1)[0, 0]
    slope = lying.diff(dim=1).abs().amax(1)
    assert slope[56] > 2 * slope[32]


def test_a_subject_cut_off_by_the_border_goes_on_beyond_it() -> None:
    cut = block(20, 80, 0, 30)
    shadow = cast_shadow(cut, offset=(9, -9), opacity=1)
    assert shadow[0, 0, 40, :39].min() == 1  # nothing is missing on the left
    assert shadow[0, 0, 79, 20] == 1  # nor at the bottom


def test_above_the_upper_border_a_short_shadow_has_nothing() -> None:
    cut = block(0, 60, 30, 50)
    shadow = cast_shadow(cut, height=0.5, opacity=1)
    assert shadow[0, 0, :25].max() == 0
    assert cast_shadow(cut, offset=(0, 8), opacity=1)[0, 0, 0, 40] == 1


def test_no_subject_has_no_shadow() -> None:
    empty = torch.zeros(1, 1, 20, 30)
    assert cast_shadow(empty, blur=3, height=0.4, lean=30, contact=1, contact_size=2).max() == 0


def table() -> torch.Tensor:
    """A board on a long and on a short leg."""
    return torch.maximum(
        block(20, 30, 10, 70), torch.maximum(block(30, 60, 10, 16), block(30, 45, 60, 66))
    )


def test_a_contact_shadow_lies_where_the_subject_stands() -> None:
    shadow = contact_shadow(table(), size=3, opacity=0.8)[0, 0]
    assert float(shadow.max()) == pytest.approx(0.8)
    peak = divmod(int(shadow.argmax()), 80)
    assert peak[0] == pytest.approx(59, abs=1)
    assert 10 <= peak[1] <= 15
    assert shadow[:50].max() < 0.01  # not at the short leg, nor under the board
    assert shadow[59, 16:20].min() > 0.1  # a little beside the leg
    assert shadow[68:].max() < 0.01


def test_a_contact_shadow_is_flat() -> None:
    shadow = contact_shadow(block(20, 60, 38, 42), size=9, opacity=1)[0, 0]
    wide = int((shadow[59] > 0.5).sum())
    high = int((shadow[:, 40] > 0.5).sum())
    assert wide > 2 * high


def test_both_shadows_together_let_the_product_of_their_light_through() -> None:
    both = cast_shadow(table(), blur=2, opacity=0.5, contact=0.6, contact_size=3)
    one = cast_shadow(table(), blur=2, opacity=0.5)
    other = contact_shadow(table(), size=3, opacity=0.6)
    torch.testing.assert_close(1 - both, (1 - one) * (1 - other))


def test_items_of_a_batch_are_independent() -> None:
    alphas = torch.cat([BOX, table(), torch.zeros(1, 1, 80, 80)])
    options = {"blur": 2, "height": 0.4, "lean": 20, "contact": 0.5, "contact_size": 2}
    together = cast_shadow(alphas, **options)
    for item in range(3):
        alone = cast_shadow(alphas[item : item + 1], **options)
        torch.testing.assert_close(alone[0], together[item])


def test_half_precision_stays_half_precision() -> None:
    shadow = cast_shadow(BOX.half(), blur=3, lean=20)
    assert shadow.dtype == torch.float16
    assert (shadow.float() - cast_shadow(BOX, blur=3, lean=20)).abs().max() < 2e-3


def test_a_layer_is_exactly_white_without_shadow() -> None:
    shadow = torch.tensor([0.0, 0.5, 1.0]).view(1, 1, 1, 3)
    layer = multiply_layer(shadow, (0.2, 0.0, 1.0))
    assert layer[0, :, 0, 0].tolist() == [1, 1, 1]
    torch.testing.assert_close(layer[0, :, 0, 1], torch.tensor([0.6, 0.5, 1.0]))
    torch.testing.assert_close(layer[0, :, 0, 2], torch.tensor([0.2, 0.0, 1.0]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"opacity": 1.2}, r"opacity of a shadow must lie in \[0, 1\]"),
        ({"contact": -0.1}, r"contact of a shadow must lie in \[0, 1\]"),
        ({"height": 0}, "height of a shadow must be above 0"),
        ({"height": float("nan")}, "height of a shadow must be above 0"),
        ({"lean": 90}, "between -90 and 90"),
        ({"blur": -1}, "sigma must be at least 0"),
    ],
)
def test_impossible_options_are_refused(options: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        cast_shadow(BOX, **options)


def test_what_is_no_alpha_is_refused() -> None:
    with pytest.raises(ShapeError):
        cast_shadow(torch.rand(1, 3, 8, 8))
    with pytest.raises(ShapeError, match=r"shadow must be floating \(B, 1, H, W\)"):
        multiply_layer(torch.rand(1, 3, 8, 8))
