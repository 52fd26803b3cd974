"""Box means."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import torch
from torch.nn import functional as F

from birefnet import ConfigError
from birefnet.filters import box_mean

GOLDEN = numpy.load(Path(__file__).parents[2] / "golden" / "foreground.npz")


@pytest.mark.parametrize("size", [6, 7, 90])
def test_both_official_blurs(size: int) -> None:
    image = torch.from_numpy(GOLDEN["blur_in"])[None, None]
    cpu = box_mean(image, size, border="reflect", anchor="before")[0, 0].numpy()
    gpu = box_mean(image, size, anchor="after")[0, 0].numpy()
    assert numpy.abs(cpu - GOLDEN[f"cv2_blur_{size}"]).max() < 2e-5
    assert numpy.abs(gpu - GOLDEN[f"mean_blur_{size}"]).max() < 2e-5


@pytest.mark.parametrize("size", [1, 2, 3, 4, 11, 30])
def test_a_centered_square_weighs_its_rims_by_half_when_even(size: int) -> None:
    generator = torch.Generator().manual_seed(size)
    image = torch.rand(2, 3, 9, 12, generator=generator, dtype=torch.float64)
    reach = size // 2
    line = torch.ones(2 * reach + 1, dtype=torch.float64)
    if size % 2 == 0:
        line[0] = line[-1] = 0.5
    kernel = (line[:, None] * line[None] / size**2).expand(3, 1, -1, -1)
    padded = F.pad(image, (reach,) * 4, mode="replicate")
    expected = F.conv2d(padded, kernel, groups=3)
    torch.testing.assert_close(box_mean(image, size), expected, atol=1e-12, rtol=0)


def test_a_mirror_is_mirrored_again_when_the_square_is_larger_than_the_image() -> None:
    image = torch.tensor([[[[0.0, 1.0, 2.0]]]])
    # ... 2 1 0 1 2 1 0 1 2 1 0 ... : nine values around the first one
    expected = (0 + 1 + 2 + 1 + 0 + 1 + 2 + 1 + 0) / 9
    result = box_mean(image, 9, border="reflect")
    assert result[0, 0, 0, 0].item() == pytest.approx(expected)


def test_a_constant_stays_even_over_long_lines() -> None:
    image = torch.full((1, 1, 3, 20_000), 1 / 3)
    torch.testing.assert_close(box_mean(image, 501), image, atol=1e-7, rtol=0)


def test_half_precision_keeps_its_type() -> None:
    assert box_mean(torch.rand(1, 1, 5, 5).half(), 3).dtype == torch.float16


def test_a_size_below_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1 pixel, got 0"):
        box_mean(torch.rand(1, 1, 5, 5), 0)
