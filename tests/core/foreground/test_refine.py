"""Refined colors, and what lies under full transparency."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from birefnet import ConfigError, estimate_foreground, refine_foreground
from birefnet.foreground import UNDER_ALPHA, despill

RED = torch.tensor([0.8, 0.1, 0.1]).view(1, 3, 1, 1)
GREEN = torch.tensor([0.1, 0.7, 0.2]).view(1, 3, 1, 1)


def scene(side: int = 96) -> tuple[torch.Tensor, torch.Tensor]:
    """A red disc with a soft edge in front of green: photograph and alpha."""
    place = torch.arange(side) - side / 2
    distance = (place[:, None] ** 2 + place[None] ** 2).sqrt()
    alpha = ((side / 4 - distance) / 6).clamp(0, 1)[None, None]
    wide = RED.expand(1, 3, side, side)
    return torch.lerp(GREEN.expand_as(wide), wide, alpha), alpha


IMAGE, ALPHA = scene()
HIDDEN = ALPHA < 1 / 255


def under(result: torch.Tensor) -> torch.Tensor:
    return result[HIDDEN.expand_as(result)].view(3, -1)


def test_visible_colors_are_the_same_for_every_policy() -> None:
    results = [refine_foreground(IMAGE, ALPHA, under_alpha=policy) for policy in UNDER_ALPHA]
    visible = ~HIDDEN.expand_as(IMAGE)
    for result in results:
        assert torch.equal(result[visible], estimate_foreground(IMAGE, ALPHA)[visible])


def test_each_policy_says_what_lies_under_transparency() -> None:
    def hidden(policy: str, **options: object) -> torch.Tensor:
        return under(refine_foreground(IMAGE, ALPHA, under_alpha=policy, **options))

    torch.testing.assert_close(hidden("keep"), under(IMAGE))
    assert hidden("zero").max() == 0
    filled = hidden("fill", fill_color=(0.25, 0.5, 0.75))
    assert torch.equal(filled, torch.tensor([[0.25], [0.5], [0.75]]).expand_as(filled))
    assert (hidden("bleed") - RED.view(3, 1)).abs().max() < 0.1  # everywhere, also in the corners


@pytest.mark.parametrize("scale", [0.25, 0.37])
def test_scaling_a_bled_cutout_brings_no_background_back(scale: float) -> None:
    bled = refine_foreground(IMAGE, ALPHA)
    kept = refine_foreground(IMAGE, ALPHA, under_alpha="keep")

    def scaled(color: torch.Tensor) -> torch.Tensor:
        """As programs do that scale the four channels of a straight cutout independently."""
        rgba = torch.cat([color, ALPHA], 1)
        small = F.interpolate(rgba, scale_factor=scale, mode="bicubic", antialias=True)
        seen = small[:, 3:] > 0.02
        return (small[:, :3] - RED).abs()[seen.expand(-1, 3, -1, -1)].max()

    assert scaled(bled) < 0.1
    assert scaled(kept) > 0.2


def test_bleeding_costs_the_same_for_any_distance_and_has_no_seam() -> None:
    image, alpha = torch.rand(1, 3, 40, 400), torch.zeros(1, 1, 40, 400)
    image[..., :20], alpha[..., :20] = RED, 1
    result = refine_foreground(image, alpha)
    assert (result - RED).abs().max() < 1e-3  # 380 pixels away


def test_method_and_sizes_reach_the_estimate() -> None:
    off = refine_foreground(IMAGE, ALPHA, method="off", under_alpha="keep")
    assert torch.equal(off, IMAGE)
    for options in ({"method": "multi-level"}, {"method": "blur-fusion", "sizes": (20, 3)}):
        visible = ~HIDDEN.expand_as(IMAGE)
        expected = estimate_foreground(IMAGE, ALPHA, **options)
        assert torch.equal(refine_foreground(IMAGE, ALPHA, **options)[visible], expected[visible])


def test_despill_options_are_connected() -> None:
    image, alpha = GREEN.expand(1, 3, 8, 8) + 0, torch.ones(1, 1, 8, 8)

    def run(**options: object) -> torch.Tensor:
        return refine_foreground(image, alpha, **options)

    torch.testing.assert_close(run(), image)
    torch.testing.assert_close(run(despill_key="green"), despill(image))
    torch.testing.assert_close(run(despill_key="blue"), image)
    weak = run(despill_key="green", despill_strength=0.3)
    torch.testing.assert_close(weak, despill(image, strength=0.3))
    teal = run(despill_key="key color", key_color=(0.0, 0.6, 0.4))
    torch.testing.assert_close(teal, despill(image, key=(0.0, 0.6, 0.4)))
    assert (teal - run(despill_key="green")).abs().max() > 0.005
    torch.testing.assert_close(run(key_color=(0.0, 0.6, 0.4)), image)


def test_a_mask_without_a_subject_gives_finite_colors() -> None:
    for policy in UNDER_ALPHA:
        result = refine_foreground(IMAGE, torch.zeros_like(ALPHA), under_alpha=policy)
        assert result.isfinite().all()


def test_items_of_a_batch_are_independent() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(2, 3, 20, 30, generator=generator)
    alphas = torch.rand(2, 1, 20, 30, generator=generator)
    alphas[0, :, :, 15:] = 0
    together = refine_foreground(images, alphas, despill_key="green")
    for item in (0, 1):
        one = slice(item, item + 1)
        alone = refine_foreground(images[one], alphas[one], despill_key="green")
        torch.testing.assert_close(alone, together[one], atol=1e-6, rtol=0)


def test_half_precision_keeps_its_type() -> None:
    for policy in UNDER_ALPHA:
        result = refine_foreground(IMAGE.half(), ALPHA.half(), under_alpha=policy)
        assert result.dtype == torch.float16


def test_unknown_options_are_refused_before_any_work() -> None:
    with pytest.raises(ConfigError, match="green, blue, key color"):
        refine_foreground(IMAGE, ALPHA, despill_key="pink")
    with pytest.raises(ConfigError, match="bleed, keep, zero, fill"):
        refine_foreground(IMAGE, ALPHA, under_alpha="spread")
    with pytest.raises(ConfigError, match="must have a hue"):
        refine_foreground(IMAGE, ALPHA, despill_key="key color", key_color=(0.5, 0.5, 0.5))
