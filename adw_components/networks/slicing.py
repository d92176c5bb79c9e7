"""A derived network takes the leading channels of the supernet's weights."""

from __future__ import annotations

import re

import torch
from torch import nn

# The first convolution of a decoder block sees the upsampled features, then the skip.
_AFTER_CONCATENATION = re.compile(r"decoder\.\d+\.layers\.0\.conv\.weight")


@torch.no_grad()
def slice_weights(supernet: nn.Module, network: nn.Module) -> None:
    """Copy into every parameter of `network` the leading part of the parameter of that name in `supernet`."""
    source = dict(supernet.named_parameters())
    for name, target in network.named_parameters():
        if _AFTER_CONCATENATION.fullmatch(name):
            target.copy_(_slice_concatenated(source[name], target.shape))
        else:
            target.copy_(_leading(source[name], target.shape))


def _leading(weight: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    return weight[tuple(slice(size) for size in shape)]


def _slice_concatenated(weight: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Both halves of the input channels keep their own leading channels."""
    half = (shape[0], shape[1] // 2, *shape[2:])
    return torch.cat([_leading(part, torch.Size(half)) for part in weight.chunk(2, dim=1)], dim=1)
