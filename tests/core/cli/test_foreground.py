"""`birefnet foreground` from the command line to the files on disk."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from birefnet.cli import main
from birefnet.foreground import refine_foreground


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def opened(path):
    with Image.open(path) as picture:
        picture.load()
        return picture


def tensor(path):
    pixels = np.array(opened(path))
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:30, :40]
    disc = np.clip((11 - np.hypot(rows - 15, columns - 20)) / 5, 0, 1)
    green = np.array([30, 180, 60])
    noise = random.integers(0, 256, (30, 40, 3))
    picture = disc[..., None] * (0.5 * noise + 0.5 * green) + (1 - disc[..., None]) * green
    save(tmp_path / "a.png", picture.astype(np.uint8))
    save(tmp_path / "a_mask.png", (disc * 255).round().astype(np.uint8))
    return tmp_path


def expected(**options):
    return refine_foreground(tensor("a.png"), tensor("a_mask.png"), **options)


def assert_saved(path, colors, alpha=None):
    actual = tensor(path)
    assert (actual[:, :3] - colors).abs().max() < 0.51 / 255
    if alpha is not None:
        assert torch.equal(actual[:, 3:], alpha)


def test_a_picture_and_its_mask_become_a_cutout(desk, capsys):
    assert main(["foreground", "a.png", "a_mask.png", "-o", "out"]) == 0
    assert [path.name for path in (desk / "out").iterdir()] == ["a_cutout.png"]
    assert_saved("out/a_cutout.png", expected(), tensor("a_mask.png"))
    assert "1 of 1 pictures done" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ("--method multi-level", {"method": "multi-level"}),
        ("--method off", {"method": "off"}),
        ("--method blur-fusion --blur-size 21", {"method": "blur-fusion", "sizes": (21, 6)}),
        (
            "--method blur-fusion --fine-blur-size 3",
            {"method": "blur-fusion", "sizes": (90, 3)},
        ),
        (
            "--method blur-fusion --blur-size 50 --fine-blur-size 20 --unit percent",
            {"method": "blur-fusion", "sizes": (15, 6)},
        ),
        ("--despill green", {"despill_key": "green"}),
        ("--despill blue", {"despill_key": "blue"}),
        (
            "--despill green --despill-strength 0.4",
            {"despill_key": "green", "despill_strength": 0.4},
        ),
        (
            "--despill key-color --key-color #00ff80",
            {"despill_key": "key color", "key_color": (0.0, 1.0, 128 / 255)},
        ),
        ("--under-alpha keep", {"under_alpha": "keep"}),
        ("--under-alpha zero", {"under_alpha": "zero"}),
        (
            "--under-alpha fill --fill-color 255,0,51",
            {"under_alpha": "fill", "fill_color": (1.0, 0.0, 0.2)},
        ),
    ],
)
def test_each_option_reaches_the_library(desk, arguments, options):
    command = ["foreground", "a.png", "a_mask.png", "-o", "out", *arguments.split()]
    assert main(command) == 0
    assert_saved("out/a_cutout.png", expected(**options), tensor("a_mask.png"))


def test_the_foreground_is_opaque_and_premultiplied_changes_the_cutout_alone(desk):
    options = ("--save", "cutout,foreground", "--alpha-type", "premultiplied")
    assert main(["foreground", "a.png", "a_mask.png", "-o", "out", *options]) == 0
    assert tensor("out/a_foreground.png").shape[1] == 3
    assert_saved("out/a_foreground.png", expected())
    alpha = tensor("a_mask.png")
    assert_saved("out/a_cutout.png", expected() * alpha, alpha)


def test_folders_are_paired_by_name_with_and_without_mask_at_the_end(desk, capsys):
    for name in ("photos/a.png", "photos/sub/b.png", "photos/c.png", "masks/c.png"):
        save(desk / name, np.array(opened("a.png" if "photos" in name else "a_mask.png")))
    save(desk / "masks/a_mask.png", np.array(opened("a_mask.png")))
    assert main(["foreground", "photos", "masks", "-o", "out"]) == 1
    made = sorted(p.relative_to(desk / "out").as_posix() for p in (desk / "out").rglob("*.png"))
    assert made == ["a_cutout.png", "c_cutout.png"]
    said = capsys.readouterr()
    assert "2 of 2 pictures done" in said.out
    assert "there is no mask for it" in said.err
    assert "b_mask" in said.err


def test_masks_of_another_size_and_cutouts_as_masks(desk):
    mask = opened("a_mask.png")
    mask.resize((80, 60), Image.Resampling.BILINEAR).save("large.png")
    assert main(["foreground", "a.png", "large.png", "-o", "out"]) == 0
    assert (tensor("out/a_cutout.png")[:, 3:] - tensor("a_mask.png")).abs().mean() < 0.02
    cutout = Image.new("RGBA", mask.size, (255, 255, 255, 0))
    cutout.putalpha(mask)
    cutout.save("transparent.png")
    assert main(["foreground", "a.png", "transparent.png", "-o", "again"]) == 0
    assert_saved("again/a_cutout.png", expected(), tensor("a_mask.png"))


def test_a_mask_of_other_proportions_is_refused(desk, capsys):
    save(desk / "wide.png", np.zeros((10, 40), np.uint8))
    assert main(["foreground", "a.png", "wide.png", "-o", "out"]) == 1
    assert "must have the picture's proportions" in capsys.readouterr().err


def test_existing_transparency_limits_the_mask(desk):
    picture = opened("a.png").convert("RGBA")
    picture.putalpha(100)
    picture.save("faint.png")
    assert main(["foreground", "faint.png", "a_mask.png", "-o", "out"]) == 0
    alpha = tensor("out/faint_cutout.png")[:, 3:]
    assert torch.equal(alpha, tensor("a_mask.png").clamp(max=100 / 255))


def test_empty_masks(desk, capsys):
    save(desk / "empty.png", np.zeros((30, 40), np.uint8))
    command = ["foreground", "a.png", "empty.png", "-o", "out"]
    assert main(command) == 0
    assert "shows no subject" in capsys.readouterr().err
    assert main([*command, "--on-empty", "error"]) == 1
    assert main([*command, "--on-empty", "fallback", "--fallback-mask", "a_mask.png"]) == 0
    assert_saved("out/a_cutout.png", expected(), tensor("a_mask.png"))


def test_the_color_profile_is_kept(desk):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    opened("a.png").save("p.png", icc_profile=profile)
    assert main(["foreground", "p.png", "a_mask.png", "-o", "out"]) == 0
    assert opened("out/p_cutout.png").info["icc_profile"] == profile


def test_a_result_never_replaces_a_picture_or_a_mask(desk, capsys):
    for folder, image, mask in (
        ("one", "*.png", "../a_mask.png"),
        ("two", "a.png", "a_cutout.png"),
    ):
        (desk / folder).mkdir()
        opened("a.png").save(desk / folder / "a.png")
        opened("a_mask.png").save(desk / folder / "a_cutout.png")
        before = (desk / folder / "a_cutout.png").read_bytes()
        image, mask = str(desk / folder / image), str(desk / folder / mask)
        assert main(["foreground", image, mask, "-o", folder]) == 1
        assert "would overwrite" in capsys.readouterr().err
        assert (desk / folder / "a_cutout.png").read_bytes() == before


def test_words_that_make_no_sense_are_refused(desk, capsys):
    for option in (("--save", "mask"), ("--key-color", "greenish"), ("--despill", "pink")):
        with pytest.raises(SystemExit):
            main(["foreground", "a.png", "a_mask.png", "-o", "out", *option])
    wrong = ("--despill", "green", "--despill-strength", "2")
    assert main(["foreground", "a.png", "a_mask.png", "-o", "out", *wrong]) == 1
    assert "[0, 1]" in capsys.readouterr().err
