"""Networks that the supernet is compared with: the plain one of its largest size, and less frugal supernets."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import nn

from adw_components.networks import AdwUNet, AdwUNetSupernet
from adw_components.networks.choice_block import ChoiceBlock, MaskedConvLayer
from adw_components.networks.layers import initialize
from adw_components.search_space import SearchSpace

CLASSES = 3


class ExplicitSupernet(AdwUNetSupernet):
    """The supernet that multiplies the activations themselves by masks and depth weights: same values, more memory."""

    def __init__(self, spatial_dims: int, in_channels: int, out_channels: int, search_space: SearchSpace) -> None:
        super().__init__(spatial_dims, in_channels, out_channels, search_space)
        for block in self.blocks:
            block.apply_masked, block.can_fold = multiply_activations, False


def multiply_activations(layer: MaskedConvLayer, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """mask * leaky_relu(norm(conv(x))), as the formula says."""
    return layer(x) * mask.view(1, -1, *(1,) * (x.ndim - 2))


class ParallelPathsSupernet(AdwUNetSupernet):
    """The supernet whose candidate depths share nothing: in every block each has convolutions of its own.

    Three depths so take six convolutions a block. Masks multiply the activations. The choices are those of
    `AdwUNetSupernet`: convolutions at one place of different paths have one alpha.
    """

    def __init__(self, spatial_dims: int, in_channels: int, out_channels: int, search_space: SearchSpace) -> None:
        super().__init__(spatial_dims, in_channels, out_channels, search_space)
        self.encoder = nn.ModuleList(ParallelPathsBlock(block) for block in self.encoder)
        self.decoder = nn.ModuleList(ParallelPathsBlock(block) for block in self.decoder)


class ParallelPathsBlock(nn.Module):
    """sum_l g_l p_l(x), where path p_l has l convolutions that no other path has.

    Args:
        block: whose geometry and choices it takes.
    """

    def __init__(self, block: ChoiceBlock) -> None:
        super().__init__()
        self.paths = nn.ModuleList(copy.deepcopy(block.layers[:depth]) for depth in block.choice.depths)
        for layer in (layer for path in self.paths for layer in path):
            initialize(layer.conv)
        self.choice, self.drawn = block.choice, block.drawn

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (N, in_channels, *spatial) -> (N, max(widths), *spatial / stride), with the choice `drawn`."""
        assert self.drawn is not None, "the supernet draws a choice before every pass"
        outputs = [run_path(path, x, self.drawn.masks) for path in self.paths]
        return torch.stack([g * output for g, output in zip(self.drawn.depth, outputs, strict=True)]).sum(0)


def run_path(path: nn.ModuleList, x: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """The convolutions of `path` one after the other, each times its mask."""
    for layer, mask in zip(path, masks, strict=False):
        x = multiply_activations(layer, x, mask)
    return x


def largest(search_space: SearchSpace) -> AdwUNet:
    """The plain network with the largest width and depth everywhere."""
    widest = search_space.uniform(width=len(search_space.base_widths) - 1, depth=search_space.max_depth)
    return AdwUNet(search_space.spatial_dims, 1, CLASSES, widest)


def supernet(kind: type[AdwUNetSupernet], search_space: SearchSpace) -> AdwUNetSupernet:
    """A supernet of one channel and `CLASSES` classes."""
    return kind(search_space.spatial_dims, 1, CLASSES, search_space)


VARIANTS: dict[str, Callable[[SearchSpace], nn.Module]] = {
    "plain": largest,
    "supernet": lambda space: supernet(AdwUNetSupernet, space),
    "explicit_masks": lambda space: supernet(ExplicitSupernet, space),
    "parallel_paths": lambda space: supernet(ParallelPathsSupernet, space),
}
