"""One picture that shows inputs, masks and cutouts side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from .pictures import to_image

if TYPE_CHECKING:
    from PIL import Image, ImageFont

CELL = 220  # side of the square that holds one picture
GAP = 8
CAPTION = 22  # height of the line of text above a row
WIDE = 3  # pictures in a row
MOST_ROWS = 100  # a sheet with more is too tall for JPEG and for looking at
SQUARE = 11  # side of a square of the checkerboard
PAPER, INK = (250, 250, 250), (30, 30, 30)
LIGHT, DARK = (255, 255, 255), (204, 204, 204)


@dataclass(frozen=True, slots=True)
class Row:
    """One picture and what was made of it."""

    caption: str
    """The text above."""

    pictures: tuple[Image.Image, ...]
    """RGB, each small enough for a cell."""


def make_row(caption: str, pictures: Sequence[Tensor]) -> Row:
    """Shrink the pictures of one row at once, so that a long sheet needs little memory.

    Args:
        caption: The text above.
        pictures: WIDE tensors (C, H, W) in [0, 1]: gray, RGB, or RGBA, which is shown on a
            checkerboard.
    """
    images = [to_image(picture) for picture in pictures]
    for image in images:
        image.thumbnail((CELL, CELL))
    return Row(caption, tuple(_on_checkerboard(image) for image in images))


def draw_contact_sheet(rows: Sequence[Row], *, columns: int = 2) -> Image.Image:
    """Draw input, mask and cutout of each picture under its caption.

    Args:
        rows: At least one picture.
        columns: Pictures beside each other.

    Returns:
        An RGB image.

    Source: our own, over Pillow.
    """
    from PIL import Image, ImageDraw

    width, height = WIDE * (CELL + GAP), CELL + CAPTION + GAP
    lines = -(-len(rows) // columns)
    sheet = Image.new("RGB", (min(columns, len(rows)) * width + GAP, lines * height + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, row in enumerate(rows):
        left = GAP + (index % columns) * width
        top = GAP + (index // columns) * height
        draw.text((left, top + 2), row.caption, fill=INK, font=_font())
        for place, picture in enumerate(row.pictures):
            x = left + place * (CELL + GAP) + (CELL - picture.width) // 2
            y = top + CAPTION + (CELL - picture.height) // 2
            sheet.paste(picture, (x, y))
    return sheet


def _on_checkerboard(image: Image.Image) -> Image.Image:
    """An RGB picture; transparent parts show a checkerboard."""
    from PIL import Image, ImageDraw

    if image.mode != "RGBA":
        return image.convert("RGB")
    board = Image.new("RGB", image.size, LIGHT)
    draw = ImageDraw.Draw(board)
    for y in range(0, image.height, SQUARE):
        for x in range(y // SQUARE % 2 * SQUARE, image.width, 2 * SQUARE):
            draw.rectangle((x, y, x + SQUARE - 1, y + SQUARE - 1), fill=DARK)
    board.paste(image, mask=image.getchannel("A"))
    return board


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, in a readable size where this Pillow can scale it."""
    from PIL import ImageFont

    try:
        return ImageFont.load_default(size=14)
    except (TypeError, ImportError):  # before Pillow 10.1, or built without FreeType
        return ImageFont.load_default()
