"""Where weighted layers come from: a namespace that a host may replace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from torch import nn

LayerFactory = Callable[..., nn.Module]


class Operations(Protocol):
    """A namespace with the constructors of `torch.nn`, such as `torch.nn` itself.

    ComfyUI passes its own, whose layers cast and move their weights at the moment of use. For
    that to work no other part of the network may hold a weight of its own.
    """

    @property
    def Linear(self) -> LayerFactory:  # noqa: N802 - torch's name
        """Constructor of `torch.nn.Linear` or a subclass."""

    @property
    def Conv2d(self) -> type[nn.Conv2d]:  # noqa: N802 - torch's name
        """Class `torch.nn.Conv2d` or a subclass that keeps `_conv_forward`."""

    @property
    def LayerNorm(self) -> LayerFactory:  # noqa: N802 - torch's name
        """Constructor of `torch.nn.LayerNorm` or a subclass."""

    @property
    def BatchNorm2d(self) -> LayerFactory:  # noqa: N802 - torch's name
        """Constructor of `torch.nn.BatchNorm2d` or a subclass."""

    @property
    def Embedding(self) -> LayerFactory:  # noqa: N802 - torch's name
        """Constructor of `torch.nn.Embedding` or a subclass."""
