"""Lengths in pixels and percent."""

from __future__ import annotations

import pytest

from birefnet import ConfigError
from birefnet.filters import pixels


def test_percent_is_of_the_shorter_side():
    assert pixels(10, "percent", (200, 500)) == 20
    assert pixels(10, "percent", (500, 200)) == 20
    assert pixels(-2.5, "pixels", (200, 500)) == -2.5


def test_what_is_no_length_is_refused():
    with pytest.raises(ConfigError, match=r"pixels, percent, got 'inch'"):
        pixels(1, "inch", (10, 10))
    with pytest.raises(ConfigError, match="finite"):
        pixels(float("nan"), "pixels", (10, 10))
