"""Layers that are made to be filled from a file: those of torch.nn, without initial values.

Random initial values cost seconds on large networks, and on the meta device they make torch
import its compiler.
"""

from __future__ import annotations

from torch import nn


class Linear(nn.Linear):
    """`torch.nn.Linear` with undefined weights."""

    def reset_parameters(self) -> None:
        """Leave the weights to whoever loads them."""


class Conv2d(nn.Conv2d):
    """`torch.nn.Conv2d` with undefined weights."""

    def reset_parameters(self) -> None:
        """Leave the weights to whoever loads them."""


class LayerNorm(nn.LayerNorm):
    """`torch.nn.LayerNorm` with undefined weights."""

    def reset_parameters(self) -> None:
        """Leave the weights to whoever loads them."""


class BatchNorm2d(nn.BatchNorm2d):
    """`torch.nn.BatchNorm2d` with undefined weights and statistics."""

    def reset_parameters(self) -> None:
        """Leave the weights to whoever loads them."""


class Embedding(nn.Embedding):
    """`torch.nn.Embedding` with undefined weights."""

    def reset_parameters(self) -> None:
        """Leave the weights to whoever loads them."""
