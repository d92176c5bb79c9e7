"""A derived network takes the leading channels of the supernet's weights."""

from __future__ import annotations

import re
from collections.abc import Iterator

import torch
from torch import nn

# The first convolution of a decoder block sees the upsampled features, then the skip.
_AFTER_CONCATENATION = re.compile(r"decoder\.\d+\.layers\.0\.conv\.weight")


def sliced_weights(supernet: nn.Module, network: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Name and leading part of the supernet's parameter for every parameter of `network`; gradients flow back."""
    source = dict(supernet.named_parameters())
    for name, target in network.named_parameters():
        part = _slice_concatenated if _AFTER_CONCATENATION.fullmatch(name) else _leading
        yield name, part(source[name], target.shape)


@torch.no_grad()
def slice_weights(supernet: nn.Module, network: nn.Module) -> None:
    """Copy into every parameter of `network` the leading part of the parameter of that name in `supernet`."""
    targets = dict(network.named_parameters())
    for name, weight in sliced_weights(supernet, network):
        targets[name].copy_(weight)


def _leading(weight: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    return weight[tuple(slice(size) for size in shape)]


def _slice_concatenated(weight: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Both halves of the input channels keep their own leading channels."""
    half = torch.Size((shape[0], shape[1] // 2, *shape[2:]))
    return torch.cat([_leading(part, half) for part in weight.chunk(2, dim=1)], dim=1)
