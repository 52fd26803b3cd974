"""Picture files to tensors and back: orientation, color profile, depth, and never half a file."""

from __future__ import annotations

import struct
import uuid
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import torch
from torch import Tensor

from ..errors import ImageFileError, ShapeError

if TYPE_CHECKING:
    from PIL import Image

FORMATS = (
    *("AVIF", "BMP", "DIB", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "QOI", "TGA", "TIFF"),
    "WEBP",
)
"""What is recognized, by content and not by file name. Formats that start other programs
(EPS, WMF) are left out on purpose."""

UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, KeyError, struct.error, zlib.error)
"""What Pillow raises for damaged files, depending on the format."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """One picture as read from a file."""

    pixels: Tensor
    """(1, 3, H, W), or (1, 4, H, W) with straight opacity, float32 in [0, 1], upright."""

    icc_profile: bytes | None
    """Profile that the colors refer to; None is sRGB."""

    note: str | None = None
    """What a user should know about how it was read."""


def read_picture(path: Path) -> Picture:
    """Read a picture of any common kind as RGB or RGBA.

    EXIF orientation is applied. RGB profiles are kept, colors untouched; profiles of other color
    spaces (CMYK, gray, Lab) are converted to sRGB. Gray of 16 bits keeps its depth; Pillow reads
    16-bit RGB with 8 bits per channel. Of an animation the first frame is read. Source: our own,
    over Pillow.

    Args:
        path: The file; its content decides about its format, not its name.

    Returns:
        The picture.

    Raises:
        ImageFileError: If it is missing, empty, damaged, no picture, or has so many pixels that
            it looks like an attack on memory (more than twice Pillow's MAX_IMAGE_PIXELS).
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.init()
    formats = [name for name in FORMATS if name in Image.OPEN]
    try:
        with _without_size_warning(), Image.open(path, formats=formats) as image:
            frames = getattr(image, "n_frames", 1) if image.format != "MPO" else 1
            profile = image.info.get("icc_profile")
            upright = ImageOps.exif_transpose(image)
            pixels, profile = _to_tensor(upright, profile)
    except Image.DecompressionBombError as error:
        raise ImageFileError(
            f"{path} has more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels, which is refused "
            "as a possible attack on memory; scale it down first."
        ) from error
    except UnidentifiedImageError as error:
        if path.stat().st_size == 0:
            raise ImageFileError(f"{path} is empty (0 bytes); copy it from its source.") from error
        raise ImageFileError(
            f"{path} is not a picture that can be read here; readable are {', '.join(FORMATS)}."
        ) from error
    except UNREADABLE as error:
        raise ImageFileError(
            f"{path} cannot be read ({error}); if other programs show it, save it anew as PNG."
        ) from error
    note = f"has {frames} frames, of which only the first is used" if frames > 1 else None
    return Picture(pixels=pixels, icc_profile=profile, note=note)


def write_picture(path: Path, pixels: Tensor, *, icc_profile: bytes | None = None) -> None:
    """Save a PNG with 8 bits per channel, complete or not at all.

    Folders are made as needed. An existing file is replaced in one step.

    Args:
        path: Where to; should end in ".png".
        pixels: (C, H, W) in [0, 1] with C = 1 (gray), 3 (RGB) or 4 (RGB and straight opacity);
            values outside are clamped.
        icc_profile: Embedded as it is; must fit the channels.

    Raises:
        ImageFileError: If the file cannot be written.
        ShapeError: If pixels has another shape.
    """
    image = to_image(pixels)
    with write_atomically(path) as file:
        image.save(file, format="PNG", icc_profile=icc_profile)


def to_image(pixels: Tensor) -> Image.Image:
    """A tensor as a Pillow image with 8 bits per channel, rounded to nearest.

    Args:
        pixels: (C, H, W) in [0, 1] with C = 1, 3 or 4; values outside are clamped.

    Returns:
        An image of mode L, RGB or RGBA.

    Raises:
        ShapeError: If pixels has another shape.
    """
    from PIL import Image

    if pixels.ndim != 3 or pixels.shape[0] not in (1, 3, 4):
        raise ShapeError(
            f"pixels must be (1, 3 or 4, height, width), got {tuple(pixels.shape)}; "
            "pick one image of a batch and put its channels first."
        )
    array = (pixels.detach().float().clamp(0, 1) * 255).round().byte().cpu()
    array = array[0] if array.shape[0] == 1 else array.permute(1, 2, 0)
    return Image.fromarray(np.ascontiguousarray(array.numpy()))


@contextmanager
def write_atomically(path: Path) -> Iterator[BinaryIO]:
    """Open a file that appears under its name only when it was written to the end.

    The bytes go to a neighbor with a name of its own, which then takes the place of `path`, and
    which is removed when anything interrupts, Ctrl-C included.

    Args:
        path: The name to appear; missing folders are made.

    Yields:
        The file, open for writing bytes.

    Raises:
        ImageFileError: If the disk or the permissions do not allow it.
    """
    partial = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("xb") as file:
                yield file
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise ImageFileError(
            f"{path} cannot be written ({error.strerror or error}); check the free space and the "
            "permissions of the folder."
        ) from error


@contextmanager
def _without_size_warning() -> Iterator[None]:
    """Silence Pillow's warning about large pictures; from twice that size on it refuses them."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _to_tensor(image: Image.Image, profile: bytes | None) -> tuple[Tensor, bytes | None]:
    """Pixels (1, 3 or 4, H, W) in [0, 1] and the profile that still fits them."""
    deep = _deep_gray(image)
    if deep is not None:
        return deep.expand(1, 3, -1, -1).contiguous(), None
    if profile is not None:
        image, profile = _to_rgb_profile(image, profile)
    transparent = "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa")
    array = np.array(image.convert("RGBA" if transparent else "RGB"))
    return torch.from_numpy(array).permute(2, 0, 1)[None].float() / 255, profile


def _deep_gray(image: Image.Image) -> Tensor | None:
    """(1, 1, H, W) in [0, 1] of gray pictures with more than 8 bits, None for all others."""
    if image.mode == "F":
        scale = 1.0  # floating point TIFF: taken as values in [0, 1]
    elif image.mode == "I" or image.mode.startswith("I;16"):
        scale = 65535.0  # older Pillow reads 16-bit PNG as 32-bit integers
    else:
        return None
    values = torch.from_numpy(np.asarray(image).astype(np.float32)) / scale
    if not bool(torch.isfinite(values).all()):
        raise ValueError("it holds values that are not finite")
    return values.clamp(0, 1)[None, None]


def _to_rgb_profile(image: Image.Image, profile: bytes) -> tuple[Image.Image, bytes | None]:
    """Keep RGB profiles; convert what has a profile of another color space to sRGB."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if space == "RGB":
            return image, profile
        if (space, image.mode) in (("CMYK", "CMYK"), ("GRAY", "L"), ("Lab", "LAB")):
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
            return converted or image, None
    except (ImageCms.PyCMSError, OSError, ImportError):
        return image, None  # a broken profile: show the colors as every viewer would without it
    return image, None
