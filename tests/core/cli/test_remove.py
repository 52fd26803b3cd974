"""`birefnet remove` from the command line to the files on disk."""

from __future__ import annotations

import argparse

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from birefnet import predict
from birefnet.cli import main
from birefnet.cli.cutting import Recipe, make_results
from birefnet.cli.remove import background, kinds, size, threshold
from birefnet.foreground import estimate_foreground
from birefnet.model.architecture import Architecture, SwinConfig
from birefnet.model.network import build
from birefnet.preprocess import Preprocess
from birefnet.weights.load import save_checkpoint

TINY = Architecture(
    encoder=SwinConfig(width=8, depths=(1, 1, 1, 1), heads=(1, 1, 2, 2), window=4),
    attention="aspp",
    inner_width=8,
    aspp_width=8,
    patch_width=8,
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A checkpoint of a tiny network with random weights, whose masks are neither 0 nor 1."""
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = build(TINY, training_heads=True).state_dict()
    preprocess = Preprocess(height=64, width=64)
    return save_checkpoint(path, state, architecture=TINY, preprocess=preprocess)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for name in ("photos/a.png", "photos/sub/b.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(random.integers(0, 256, (30, 40, 3), np.uint8)).save(path)
    return tmp_path


@pytest.fixture
def remove(model, photos):
    def run(*arguments):
        shared = ["--model", str(model), "--device", "cpu", "--dtype", "fp32"]
        return main(["remove", *arguments, *shared])

    return run


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def test_a_folder_becomes_cutouts_and_masks_at_the_pictures_size(remove, photos, model, capsys):
    assert remove("photos", "-o", "out") == 0
    assert files(photos / "out") == [
        "a_cutout.png",
        "a_mask.png",
        "sub/b_cutout.png",
        "sub/b_mask.png",
    ]
    assert "2 of 2 pictures done" in capsys.readouterr().out

    image = torch.from_numpy(pixels(photos / "photos" / "a.png")).permute(2, 0, 1)[None] / 255
    alpha = predict.load(model, device="cpu", dtype="fp32")(image)
    mask = pixels(photos / "out" / "a_mask.png")
    assert np.abs(mask - alpha[0, 0].numpy() * 255).max() <= 0.51
    assert np.array_equal(pixels(photos / "out" / "a_cutout.png")[..., 3], mask)


def test_a_background_color_gives_an_opaque_picture(remove, photos):
    options = ("--background", "#ff8000", "--foreground", "off")
    assert remove("photos/a.png", "-o", "out", *options) == 0
    cutout = pixels(photos / "out" / "a_cutout.png")
    alpha = pixels(photos / "out" / "a_mask.png")[..., None] / 255
    image = pixels(photos / "photos" / "a.png")
    expected = alpha * image + (1 - alpha) * [255, 128, 0]
    assert cutout.shape == (30, 40, 3)
    assert np.abs(cutout - expected).max() <= 2  # the mask file has 8 bits


def test_a_threshold_makes_a_hard_mask(remove, photos):
    remove("photos/a.png", "-o", "soft", "--save", "mask")
    soft = pixels(photos / "soft" / "a_mask.png")
    middle = float(np.median(soft))
    remove("photos/a.png", "-o", "hard", "--save", "mask", "--threshold", str(middle / 255))
    hard = pixels(photos / "hard" / "a_mask.png")
    assert np.unique(hard).tolist() == [0, 255]
    assert np.array_equal(hard[soft > middle + 1] == 255, np.full((soft > middle + 1).sum(), True))
    assert hard[soft < middle - 1].max(initial=0) == 0


def test_only_what_is_asked_for_is_saved(remove, photos):
    assert remove("photos/a.png", "-o", "out", "--save", "foreground") == 0
    assert files(photos / "out") == ["a_foreground.png"]


def test_the_color_profile_goes_into_the_cutout_and_not_into_the_gray_mask(remove, photos):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (8, 8), "red").save("c.png", icc_profile=profile)
    assert remove("c.png", "-o", "out") == 0
    with Image.open("out/c_cutout.png") as cutout, Image.open("out/c_mask.png") as mask:
        assert cutout.info["icc_profile"] == profile
        assert "icc_profile" not in mask.info


def test_what_was_transparent_stays_transparent(remove, photos):
    image = Image.new("RGBA", (32, 32), (255, 0, 0, 255))
    image.paste((255, 0, 0, 0), (0, 0, 16, 32))
    image.save("d.png")
    assert remove("d.png", "-o", "out", "--save", "mask") == 0
    mask = pixels(photos / "out" / "d_mask.png")
    assert mask[:, :16].max() == 0
    assert mask[:, 16:].min() > 0


def test_size_and_fit_reach_the_predictor(remove, photos):
    Image.new("RGB", (200, 20), "red").save("wide.png")
    Image.open("photos/a.png").resize((200, 20)).save("wide.png")
    masks = {}
    for options in ([], ["--size", "128"], ["--longest-side", "96"], ["--fit", "letterbox"]):
        assert remove("wide.png", "-o", "out", "--save", "mask", *options) == 0
        masks[" ".join(options)] = pixels(photos / "out" / "wide_mask.png").tobytes()
    assert len(set(masks.values())) == 4


def test_unreadable_pictures_are_reported_and_the_others_done(remove, photos, capsys):
    (photos / "photos" / "empty.jpg").write_bytes(b"")
    (photos / "photos" / "text.png").write_text("text", encoding="utf-8")
    assert remove("photos", "nowhere.png", "-o", "out", "--save", "mask") == 1
    assert files(photos / "out") == ["a_mask.png", "sub/b_mask.png"]
    said = capsys.readouterr()
    assert "2 of 4 pictures done" in said.out
    failed = [line for line in said.err.splitlines() if line.startswith("failed:")]
    assert len(failed) == 3
    assert "nowhere.png: no such file" in failed[0]
    assert "empty.jpg is empty" in failed[1]
    assert "text.png is not a picture" in failed[2]


def test_a_picture_that_does_not_fit_into_memory_is_reported_too(remove, monkeypatch, capsys):
    def too_large(image, alpha, *, method):
        raise MemoryError("no room")

    monkeypatch.setattr("birefnet.cli.cutting.estimate_foreground", too_large)
    assert remove("photos/a.png", "-o", "out") == 1
    assert "a.png: no room" in capsys.readouterr().err.replace("\n", "")


def test_ctrl_c_leaves_whole_files_only(remove, photos, monkeypatch, capsys):
    saved = []

    def interrupted(self, file, *arguments, **options):
        file.write(b"half")
        saved.append(file)
        if len(saved) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Image.Image, "save", interrupted)
    assert remove("photos", "-o", "out") == 130
    assert files(photos / "out") == ["a_cutout.png"]
    assert "Stopped" in capsys.readouterr().err


def test_an_interrupted_run_can_be_continued(remove, photos, capsys):
    assert remove("photos/a.png", "-o", "out", "--skip-existing") == 0
    (photos / "out" / "a_mask.png").write_bytes(b"mine")
    assert remove("photos", "-o", "out", "--skip-existing") == 0
    assert "1 pictures left out" in capsys.readouterr().out
    assert (photos / "out" / "a_mask.png").read_bytes() == b"mine"
    assert (photos / "out" / "sub" / "b_mask.png").exists()
    assert remove("photos", "-o", "out") == 0
    assert (photos / "out" / "a_mask.png").read_bytes() != b"mine"


def test_inputs_are_never_written_to(remove, photos, capsys):
    before = (photos / "photos" / "a.png").read_bytes()
    (photos / "photos" / "a.png").rename(photos / "photos" / "b_mask.png")
    Image.new("RGB", (8, 8)).save("photos/b.png")
    assert remove("photos/b.png", "photos/b_mask.png", "-o", "photos") == 1
    assert (photos / "photos" / "b_mask.png").read_bytes() == before
    assert "would overwrite the input" in capsys.readouterr().err.replace("\n", " ")


def test_a_long_run_is_announced(remove, monkeypatch, capsys):
    monkeypatch.setattr(
        predict.Predictor, "estimate_seconds", lambda *_, count, **__: 150.0 * count
    )
    assert remove("photos", "-o", "out", "--save", "mask") == 0
    assert "2 pictures will take about 5 min" in capsys.readouterr().err


def test_options_that_make_no_sense_stop_before_any_work(remove, photos, capsys):
    assert remove("photos", "-o", "out", "--size", "64", "--longest-side", "64") == 1
    assert "not both" in capsys.readouterr().err
    off = ("--foreground", "off", "--save", "foreground")
    assert remove("photos", "-o", "out", *off) == 1
    assert "--save foreground needs" in capsys.readouterr().err
    assert not (photos / "out").exists()


def test_a_missing_model_says_how_to_get_it(photos, capsys):
    assert main(["remove", "photos", "-o", "out", "--model", "no such model"]) == 1
    assert "no such model" in capsys.readouterr().err


def test_hard_masks_and_soft_colors_agree_with_the_core():
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, 12, 9, generator=generator)
    alpha = torch.rand(1, 1, 12, 9, generator=generator)
    results = make_results(image, alpha, Recipe(kinds=("mask", "foreground", "cutout")))
    assert list(results) == ["mask", "foreground", "cutout"]
    assert torch.equal(results["mask"], alpha[0])
    assert torch.equal(results["foreground"], estimate_foreground(image, alpha)[0])
    assert torch.equal(results["cutout"], torch.cat((results["foreground"], alpha[0])))
    plain = make_results(image, alpha, Recipe(foreground=None, threshold=0.5))
    assert torch.equal(plain["cutout"][:3], image[0])
    assert torch.equal(plain["mask"], (alpha[0] >= 0.5).float())


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (kinds, "mask, cutout,mask", ("mask", "cutout")),
        (background, "Transparent", None),
        (background, "white", (1.0, 1.0, 1.0)),
        (threshold, "1", 1.0),
        (size, "auto", "auto"),
        (size, "native", "native"),
        (size, "640", 640),
        (size, "768x1024", (768, 1024)),
    ],
)
def test_values_are_understood(read, text, value):
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (kinds, "mask,matte"),
        (kinds, ""),
        (background, "no color"),
        (threshold, "0"),
        (threshold, "1.5"),
        (threshold, "nan"),
        (threshold, "half"),
        (size, "-5"),
        (size, "10x"),
        (size, "big"),
    ],
)
def test_nonsense_is_refused_with_an_explanation(read, text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"must|transparent"):
        read(text)


# --- which object, and how fine -------------------------------------------------------------------


def saved_mask(folder):
    with Image.open(folder / "a_mask.png") as picture:
        return np.asarray(picture)


def test_boxes_select_what_is_cut_out(remove, photos):
    assert remove("photos/a.png", "-o", "out", "--box", "4,4,20,20", "--save", "mask") == 0
    mask = saved_mask(photos / "out")
    assert mask[:, 34:].max() == 0  # beyond the box and its reach
    assert mask.shape == (30, 40)
    both = ("--box", "0,0,25%,100%", "--box", "75%,0,25%,100%")
    assert remove("photos/a.png", "-o", "both", *both, "--save", "mask") == 0
    assert saved_mask(photos / "both")[:, 15:25].max() == 0


def test_a_box_outside_one_picture_does_not_stop_the_others(remove, photos, capsys):
    Image.new("RGB", (200, 100), "red").save(photos / "photos" / "wide.png")
    assert remove("photos", "-o", "out", "--box", "150,10,40,40", "--save", "mask") == 1
    told = capsys.readouterr()
    assert "1 of 3 pictures done" in told.out
    assert told.err.count("a box must overlap the image of 40 x 30 pixels") == 2
    assert (photos / "out" / "wide_mask.png").exists()


@pytest.mark.parametrize("text", ["1,2,3", "here", "1,2,0,4", "1,2,3,4;5,6,7,8", ""])
def test_boxes_that_make_no_sense_are_refused(remove, capsys, text):
    with pytest.raises(SystemExit, match="2"):
        remove("photos/a.png", "-o", "out", "--box", text)
    assert "--box" in capsys.readouterr().err


def test_detail_changes_the_mask_of_a_large_picture(remove, photos):
    random = np.random.default_rng(1)
    small = Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8))
    small.resize((300, 260), Image.Resampling.BICUBIC).save(photos / "photos" / "a.png")
    for detail in ("off", "crop", "tiles"):
        folder = photos / detail
        options = ("-o", str(folder), "--save", "mask", "--detail", detail)
        assert remove("photos/a.png", *options) == 0
    assert (saved_mask(photos / "tiles") != saved_mask(photos / "off")).any()


def test_existing_alpha_is_kept_ignored_or_a_prior(remove, photos):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (30, 40, 4), np.uint8)
    pixels[..., 3] = 0
    pixels[5:25, 5:20, 3] = 255
    Image.fromarray(pixels).save(photos / "photos" / "a.png")
    masks = {}
    for existing in ("multiply", "ignore", "prior"):
        options = ("-o", existing, "--save", "mask", "--existing-alpha", existing)
        assert remove("photos/a.png", *options) == 0
        masks[existing] = saved_mask(photos / existing)
    clear = pixels[..., 3] == 0
    assert masks["multiply"][clear].max() == 0
    assert masks["ignore"][clear].max() > 0
    assert masks["prior"][:, 30:].max() == 0
    assert (masks["prior"] != masks["multiply"]).any()


def test_boxes_and_a_prior_exclude_each_other(remove, capsys):
    options = ("--box", "1,2,3,4", "--existing-alpha", "prior")
    assert remove("photos/a.png", "-o", "out", *options) == 1
    assert "leave one of them out" in capsys.readouterr().err
