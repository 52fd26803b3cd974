"""Shape and range checks that two or more modules need."""

from __future__ import annotations

from torch import Tensor

from .errors import ShapeError


def check_image(image: Tensor, channels: tuple[int, ...] = (3,)) -> None:
    """Refuse what is not a batch of floating images.

    Raises:
        ShapeError: If `image` is not (B, C, H, W) floating with B, H, W at least 1 and C one of
            `channels`.
    """
    wanted = f"(B, {' or '.join(map(str, channels))}, H, W)"
    if not image.is_floating_point():
        raise ShapeError(
            f"an image must be floating with values in [0, 1], got {image.dtype}; "
            "for 8-bit data use image.float() / 255."
        )
    if image.ndim != 4 or image.shape[1] not in channels or 0 in image.shape:
        raise ShapeError(
            f"an image must be {wanted}, none of them 0, got {tuple(image.shape)}; "
            "channels come second, and a single image needs image[None]."
        )


def check_alpha(alpha: Tensor, image: Tensor) -> None:
    """Refuse an alpha that does not belong to the image.

    Raises:
        ShapeError: If `alpha` is not floating (B, 1, H, W) with the image's B, H and W.
    """
    wanted = (image.shape[0], 1, *image.shape[2:])
    if not alpha.is_floating_point() or tuple(alpha.shape) != wanted:
        raise ShapeError(
            f"alpha must be floating and {wanted} to fit the image, got {alpha.dtype} "
            f"{tuple(alpha.shape)}; resize it to the image first."
        )
