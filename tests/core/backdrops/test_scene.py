"""All choices at once: each of them does something, and impossible ones are refused early."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch

from birefnet import ConfigError
from birefnet.backdrops import (
    BACKGROUNDS,
    Scene,
    blurred_original,
    cast_shadow,
    extract_shadow,
    replace_background,
)
from birefnet.filters import gaussian_blur

SIDE = 96
ALPHA = torch.zeros(1, 1, SIDE, SIDE)
ALPHA[..., 20:70, 40:60] = 1
ALPHA = gaussian_blur(ALPHA, 1.0)
SHADOW = torch.zeros(1, 1, SIDE, SIDE)
SHADOW[..., 60:75, 30:85] = 0.5
SHADOW = gaussian_blur(SHADOW, 3.0)
IMAGE = ALPHA * torch.tensor([0.6, 0.3, 0.2]).view(1, 3, 1, 1) + (1 - ALPHA) * 0.9 * (1 - SHADOW)
OTHER = torch.rand(1, 3, 50, 120, generator=torch.Generator().manual_seed(6))

DARK = Scene(background="color", shadow="synthetic", shadow_blur=2, contact=0.3, contact_size=2)
REAL = Scene(background="color", shadow="extracted")
PHOTO = Scene(background="blurred image", blur=1, wrap=0.5, wrap_width=2)
CHANGES = [
    *((replace(PHOTO, background="color"), {"background": name}) for name in BACKGROUNDS[2:]),
    (Scene(background="color"), {"background": "transparent"}),
    (PHOTO, {"fit": "contain"}),
    (PHOTO, {"blur": 3.0}),
    (PHOTO, {"wrap": 1.0}),
    (PHOTO, {"wrap_width": 4.0}),
    (PHOTO, {"linear": True}),
    (PHOTO, {"foreground": "off"}),
    (replace(PHOTO, fit="contain"), {"color": (0.0, 1.0, 0.0)}),
    (DARK, {"color": (0.0, 1.0, 0.0)}),
    (DARK, {"shadow": "off"}),
    (DARK, {"shadow": "extracted"}),
    (DARK, {"shadow_color": (0.3, 0.0, 0.0)}),
    (DARK, {"shadow_opacity": 0.9}),
    (DARK, {"shadow_offset": (3.0, 0.0)}),
    (DARK, {"shadow_blur": 4.0}),
    (DARK, {"shadow_height": 0.5}),
    (DARK, {"shadow_lean": 20.0}),
    (DARK, {"contact": 0.8}),
    (DARK, {"contact_size": 5.0}),
    (REAL, {"strength": 0.5}),
    (REAL, {"floor": 0.3}),
    (REAL, {"shadow_color": (0.3, 0.0, 0.0)}),
]


@pytest.mark.parametrize(("scene", "change"), CHANGES)
def test_every_choice_changes_the_result(scene: Scene, change: dict) -> None:
    before = scene.place(IMAGE, ALPHA, OTHER)[0]
    after = replace(scene, **change).place(IMAGE, ALPHA, OTHER)[0]
    assert before.shape != after.shape or (before - after).abs().max() > 0.01


def test_every_choice_is_tried() -> None:
    assert {name for _, change in CHANGES for name in change} == {f.name for f in fields(Scene)}


def test_a_fresh_scene_is_the_cutout() -> None:
    result, shadow, behind = Scene().place(IMAGE, ALPHA)
    assert torch.equal(result, replace_background(IMAGE, ALPHA))
    assert shadow.max() == 0
    assert behind.shape == (1, 4, SIDE, SIDE)
    assert behind.max() == 0


def test_shadow_and_background_come_out_as_they_were_used() -> None:
    result, shadow, behind = DARK.place(IMAGE, ALPHA)
    expected = cast_shadow(ALPHA, blur=2, contact=0.3, contact_size=2)
    assert torch.equal(shadow, expected)
    assert torch.equal(behind, torch.ones(1, 3, SIDE, SIDE))
    assert torch.equal(result, replace_background(IMAGE, ALPHA, behind, shadow=shadow))


def test_strength_scales_an_extracted_shadow() -> None:
    found = extract_shadow(IMAGE, ALPHA)
    assert torch.equal(REAL.place(IMAGE, ALPHA)[1], found)
    twice = replace(REAL, strength=2.0).place(IMAGE, ALPHA)[1]
    torch.testing.assert_close(twice, (2 * found).clamp(max=1))


def test_an_extracted_shadow_is_not_there_twice() -> None:
    scene = Scene(background="blurred original", blur=0, shadow="extracted")
    result, shadow, behind = scene.place(IMAGE, ALPHA)
    away = (ALPHA < 1e-6) & (shadow > 0)
    plain = blurred_original(IMAGE, ALPHA, blur=0)
    assert (plain - 0.9).abs()[away.expand_as(plain)].max() > 0.3  # the shadow is part of it
    assert (behind - 0.9).abs()[away.expand_as(behind)].max() < 0.05
    assert (result - IMAGE).abs()[away.expand_as(result)].max() < 0.05


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"background": "blurry"}, "background must be one of transparent, color, image"),
        ({"shadow": "soft"}, "shadow must be one of off, synthetic, extracted"),
        ({"foreground": "magic"}, "foreground must be one of"),
        ({"fit": "fill"}, "fit must be one of cover"),
        ({"blur": -1.0}, "blur must be at least 0, got -1"),
        ({"shadow_blur": float("inf")}, "shadow_blur must be at least 0"),
        ({"contact_size": -1.0}, "contact_size must be at least 0"),
        ({"wrap_width": -1.0}, "wrap_width must be at least 0"),
        ({"wrap": 1.5}, r"wrap must lie in \[0, 1\]"),
        ({"strength": -0.5}, "strength must be at least 0"),
        ({"floor": 0.6}, "floor must lie in"),
        ({"shadow_opacity": 2.0}, "opacity of a shadow"),
        ({"contact": 2.0}, "contact of a shadow"),
        ({"shadow_height": 0.0}, "height of a shadow"),
        ({"shadow_lean": 91.0}, "lean must lie"),
        ({"color": (2.0, 0.0, 0.0)}, "color must be three values in"),
        ({"shadow_color": (0.0, 0.0)}, "shadow_color must be three values in"),
        ({"shadow_offset": (float("nan"), 0.0)}, "shadow_offset must be two finite"),
    ],
)
def test_impossible_choices_are_refused_before_any_work(options: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Scene(**options)


def test_a_missing_image_is_named() -> None:
    with pytest.raises(ConfigError, match="needs another image, and there is none"):
        Scene(background="image").place(IMAGE, ALPHA)


def test_a_batch_equals_its_items() -> None:
    images, alphas = torch.cat([IMAGE, IMAGE.flip(3)]), torch.cat([ALPHA, ALPHA.flip(3)])
    for scene in (DARK, REAL, PHOTO, Scene(background="blurred original", blur=3)):
        together = scene.place(images, alphas, OTHER)
        for item in range(2):
            one = slice(item, item + 1)
            for alone, whole in zip(
                scene.place(images[one], alphas[one], OTHER), together, strict=True
            ):
                torch.testing.assert_close(alone, whole[one])
