"""One architecture of a supernet, computed alone through sliced weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import nn
from torch.func import functional_call

from ..architecture import Architecture
from .adw_unet import AdwUNet
from .slicing import sliced_weights

Outputs = torch.Tensor | list[torch.Tensor]


def single_path(supernet: nn.Module, twin: AdwUNet) -> Callable[[torch.Tensor], Outputs]:
    """The forward pass of `twin` on the leading channels of the supernet's weights, which get the gradients.

    Args:
        supernet: whose weights are used; it is not changed.
        twin: a derived network of any weights: `twin_of` gives one without.
    """
    twin.train(supernet.training)
    weights = dict(sliced_weights(supernet, twin))
    return lambda x: functional_call(twin, weights, (x,))


@lru_cache(maxsize=32)
def twin_of(
    spatial_dims: int, in_channels: int, out_channels: int, architecture: Architecture, deep_supervision: bool
) -> AdwUNet:
    """The derived network without memory for its weights: its structure alone."""
    with torch.device("meta"):
        return AdwUNet(spatial_dims, in_channels, out_channels, architecture, deep_supervision)
