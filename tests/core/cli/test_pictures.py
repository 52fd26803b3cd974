"""Picture files of many kinds, read and written without loss where none is needed."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from birefnet.cli.pictures import read_picture, write_atomically, write_picture
from birefnet.errors import ImageFileError, ShapeError


def png_chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png_header(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)


def srgb_profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_red_green_and_blue_are_where_they_belong(tmp_path):
    Image.fromarray(np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8)).save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    assert picture.pixels.tolist() == [[[[1, 0]], [[0, 1]], [[0, 0]]]]
    assert picture.icc_profile is None
    assert picture.note is None


@pytest.mark.parametrize(
    ("mode", "color", "expected"),
    [
        ("1", 1, [1, 1, 1]),
        ("L", 51, [0.2, 0.2, 0.2]),
        ("LA", (51, 102), [0.2, 0.2, 0.2, 0.4]),
        ("RGBA", (51, 102, 153, 204), [0.2, 0.4, 0.6, 0.8]),
        ("CMYK", (0, 255, 255, 0), [1, 0, 0]),
        ("I;16", 13107, [0.2, 0.2, 0.2]),
        ("F", 0.25, [0.25, 0.25, 0.25]),
    ],
)
def test_every_mode_becomes_rgb_or_rgba(tmp_path, mode, color, expected):
    Image.new(mode, (3, 2), color).save(tmp_path / "a.tif")
    pixels = read_picture(tmp_path / "a.tif").pixels
    assert pixels.shape == (1, len(expected), 2, 3)
    assert pixels[0, :, 1, 2].tolist() == pytest.approx(expected, abs=1e-6)


def test_sixteen_bit_gray_keeps_its_steps(tmp_path):
    Image.fromarray(np.array([[0, 1, 65535]], np.uint16)).save(tmp_path / "a.png")
    values = read_picture(tmp_path / "a.png").pixels[0, 0, 0] * 65535
    torch.testing.assert_close(values, torch.tensor([0.0, 1.0, 65535.0]))


def test_a_palette_with_a_transparent_entry_has_opacity(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 0])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "a.png", transparency=0)
    pixels = (read_picture(tmp_path / "a.png").pixels[0] * 255).round()
    assert pixels[:, 0, 0].tolist() == [10, 20, 30, 0]
    assert pixels[:, 0, 1].tolist() == [200, 100, 0, 255]


def test_the_cameras_orientation_is_applied(tmp_path):
    image = Image.new("RGB", (3, 2))
    image.putpixel((0, 0), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it rotated by 90 degrees clockwise
    image.save(tmp_path / "a.png", exif=exif)
    pixels = read_picture(tmp_path / "a.png").pixels
    assert pixels.shape == (1, 3, 3, 2)
    assert pixels[0, 0].nonzero().tolist() == [[0, 1]]


def test_an_rgb_profile_goes_from_file_to_file(tmp_path):
    profile = srgb_profile()
    Image.new("RGB", (2, 2), (9, 99, 199)).save(tmp_path / "a.jpg", icc_profile=profile)
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.icc_profile == profile
    write_picture(tmp_path / "b.png", picture.pixels[0], icc_profile=picture.icc_profile)
    with Image.open(tmp_path / "b.png") as written:
        assert written.info["icc_profile"] == profile


def test_a_profile_of_another_color_space_does_not_end_up_on_rgb(tmp_path):
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    Image.new("L", (2, 2), 128).save(tmp_path / "a.png", icc_profile=lab)
    picture = read_picture(tmp_path / "a.png")
    assert picture.icc_profile is None
    assert picture.pixels.unique().tolist() == [torch.tensor(128 / 255).item()]


def test_a_broken_profile_is_dropped(tmp_path):
    Image.new("RGB", (2, 2), (9, 99, 199)).save(tmp_path / "a.png", icc_profile=b"no profile")
    assert read_picture(tmp_path / "a.png").icc_profile is None


def test_the_content_counts_and_not_the_name(tmp_path):
    Image.new("RGB", (2, 2), (255, 0, 0)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert read_picture(tmp_path / "a.jpg").pixels[0, :, 0, 0].tolist() == [1, 0, 0]


def test_of_an_animation_the_first_frame_is_read_and_that_is_said(tmp_path):
    first, second = Image.new("RGB", (2, 2), "red"), Image.new("RGB", (2, 2), "blue")
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    picture = read_picture(tmp_path / "a.gif")
    assert picture.pixels[0, :3, 0, 0].tolist() == [1, 0, 0]
    assert "2 frames" in picture.note


def test_a_very_large_picture_is_read_without_a_warning(tmp_path, monkeypatch):
    Image.new("RGB", (30, 20), (255, 0, 0)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400)  # Pillow warns from here to twice as many
    assert read_picture(tmp_path / "a.png").pixels.shape == (1, 3, 20, 30)


def damaged(tmp_path, content):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    return path


def test_an_empty_file_is_named_as_such(tmp_path):
    with pytest.raises(ImageFileError, match="empty"):
        read_picture(damaged(tmp_path, b""))


@pytest.mark.parametrize("content", [b"just text", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_picture_is_refused(tmp_path, content):
    with pytest.raises(ImageFileError, match="not a picture"):
        read_picture(damaged(tmp_path, content))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP"])
def test_a_truncated_file_is_an_error_and_not_a_gray_half(tmp_path, kind):
    buffer = BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(buffer, kind)
    with pytest.raises(ImageFileError, match=r"cannot be read|not a picture"):
        read_picture(damaged(tmp_path, buffer.getvalue()[: len(buffer.getvalue()) // 2]))


def test_a_missing_file_is_an_image_file_error(tmp_path):
    with pytest.raises(ImageFileError, match="cannot be read"):
        read_picture(tmp_path / "none.png")


def test_a_decompression_bomb_is_refused_before_it_is_unpacked(tmp_path):
    bomb = png_header(60000, 60000) + png_chunk(b"IDAT", zlib.compress(bytes(1000)))
    with pytest.raises(ImageFileError, match=r"more than [\d,]+ pixels"):
        read_picture(damaged(tmp_path, bomb + png_chunk(b"IEND", b"")))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_what_is_written_is_read_back(tmp_path, channels):
    pixels = torch.arange(channels * 6).view(channels, 2, 3) / 255
    write_picture(tmp_path / "new" / "a.png", pixels)
    read = read_picture(tmp_path / "new" / "a.png").pixels[0]
    torch.testing.assert_close(read, pixels.expand(max(channels, 3), -1, -1))


def test_values_are_rounded_and_clamped(tmp_path):
    write_picture(tmp_path / "a.png", torch.tensor([[[-1.0, 0.4999 / 255, 1.5 / 255 + 1e-4, 2.0]]]))
    with Image.open(tmp_path / "a.png") as written:
        assert np.asarray(written).tolist() == [[0, 0, 2, 255]]


@pytest.mark.parametrize("shape", [(2, 3), (2, 4, 4), (1, 3, 4, 4)])
def test_other_shapes_are_refused(tmp_path, shape):
    with pytest.raises(ShapeError, match="pixels must be"):
        write_picture(tmp_path / "a.png", torch.zeros(shape))


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ValueError])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, interruption):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def write_half():
        with write_atomically(path) as file:
            file.write(b"half of the new")
            raise interruption

    with pytest.raises(interruption):
        write_half()
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
    assert path.read_bytes() == b"old"


def test_a_folder_that_cannot_be_made_is_an_image_file_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ImageFileError, match="cannot be written"):
        write_picture(tmp_path / "file" / "a.png", torch.zeros(1, 2, 2))
