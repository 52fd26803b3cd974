"""Where weighted layers come from: a namespace that a host may replace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, cast

import torch
from torch import Tensor, nn

LayerFactory = Callable[..., nn.Module]


class Operations(Protocol):
    """A namespace with the constructors of `torch.nn`, such as `torch.nn` itself.

    ComfyUI passes its own, whose layers cast and move their weights at the moment of use. For
    that to work no other part of the network may hold a weight of its own.
    """

    @property
    def Linear(self) -> LayerFactory:
        """Constructor of `torch.nn.Linear` or a subclass."""

    @property
    def Conv2d(self) -> type[nn.Conv2d]:
        """Class `torch.nn.Conv2d` or a subclass that keeps `_conv_forward`."""

    @property
    def LayerNorm(self) -> LayerFactory:
        """Constructor of `torch.nn.LayerNorm` or a subclass."""

    @property
    def BatchNorm2d(self) -> LayerFactory:
        """Constructor of `torch.nn.BatchNorm2d` or a subclass."""

    @property
    def Embedding(self) -> LayerFactory:
        """Constructor of `torch.nn.Embedding` or a subclass."""


def kernel_layer(conv2d: type[nn.Conv2d]) -> type[nn.Conv2d]:
    """A convolution class whose layers hand out their weight instead of convolving.

    A host may keep a layer's weight anywhere and in any dtype, and brings it along only when the
    layer is called. Called with features, this one returns (in * k * k + 1, out) in their dtype
    and on their device: the kernel as a matrix, taps outer and channels inner, and the bias (zero
    if there is none) as the last row.
    """

    class Kernel(conv2d):  # type: ignore[valid-type,misc]
        """Called with any tensor, gives weight and bias as one matrix."""

        def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
            matrix = weight.permute(2, 3, 1, 0).flatten(0, 2)
            last = matrix.new_zeros(1, matrix.shape[1]) if bias is None else bias[None]
            return torch.cat([matrix, last])  # a copy: a host may reuse the buffer it cast into

    return cast("type[nn.Conv2d]", Kernel)
