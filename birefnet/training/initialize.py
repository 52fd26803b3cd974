"""Weights to start from when there are no trained ones."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..model.network import BiRefNet


@torch.no_grad()
def initialize(network: BiRefNet, generator: torch.Generator, *, coverage: float = 0.3) -> None:
    """Fill a network with random weights that train well from scratch.

    Every layer keeps the variance of what it receives: the usual standard deviation of 0.02 for
    transformers assumes hundreds of channels and lets signals of a narrow network die out. The
    final layers start at the logarithmic odds of the average subject, so that the first steps
    are not spent on finding out that most pixels are background.

    Args:
        network: Changed in place.
        generator: Source of the random numbers, on the CPU.
        coverage: Expected share of pixels that belong to a subject, in (0, 1).

    Source: truncated normal with the variance 1 / inputs of LeCun et al., "Efficient BackProp",
        1998; the prior of Lin et al., "Focal Loss", 2017.
    """
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            inputs = module.weight[0].numel()
            _fill(module.weight, 1 / math.sqrt(inputs), generator)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.Embedding):  # relative position bias
            _fill(module.weight, 0.02, generator)
        elif isinstance(module, (nn.LayerNorm, nn.BatchNorm2d)):
            module.weight.fill_(1)
            module.bias.zero_()
    odds = math.log(coverage / (1 - coverage))
    for head in (network.decoder.output, *network.decoder.side_heads.values()):
        if isinstance(head, nn.Conv2d) and head.bias is not None:
            head.bias.fill_(odds)


def _fill(weight: Tensor, deviation: float, generator: torch.Generator) -> None:
    nn.init.trunc_normal_(
        weight, std=deviation, a=-2 * deviation, b=2 * deviation, generator=generator
    )
