"""Blocks of the supernet: the deepest, widest path, with masks folded in and depths mixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

from .choices import BlockChoice, Choice
from .layers import ConvLayer, block_layers, normalized_and_activated

MaskPlacement = Literal["after_norm", "before_norm"]


class MaskedConvLayer(ConvLayer):
    """`ConvLayer` whose output channels are scaled by a mask."""

    def masked_after_norm(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """mask * leaky_relu(norm(conv(x))), with the mask folded into the norm's affine vectors.

        The mask is not negative and Leaky ReLU is positively homogeneous, so that
        mask * lrelu(gamma * z + b) = lrelu((mask * gamma) * z + (mask * b)); no tensor of the size of the
        activations is stored for the mask (docs/decisions/001-mask-after-norm.md).
        """
        return normalized_and_activated(self.conv(x), self.norm.weight * mask, self.norm.bias * mask)

    def masked_before_norm(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """leaky_relu(norm(mask * conv(x))): the literal order of the authors' code."""
        shape = (1, -1) + (1,) * (x.ndim - 2)
        return normalized_and_activated(self.conv(x) * mask.view(shape), self.norm.weight, self.norm.bias)


class ChoiceBlock(nn.Module):
    """AdwBlock of the paper (section 3.3): sum_l g_l o_l over the outputs of the candidate depths.

    Args:
        widths: candidate widths; the convolutions have the largest.
        depths: candidate depths; there are as many convolutions as in the largest.
        mask_placement: where the width mask multiplies.
    """

    def __init__(
        self,
        *,
        spatial_dims: int,
        in_channels: int,
        widths: Sequence[int],
        depths: Sequence[int],
        kernel_size: Sequence[int],
        stride: Sequence[int] | int,
        mask_placement: MaskPlacement,
    ) -> None:
        super().__init__()
        self.layers = block_layers(
            MaskedConvLayer,
            spatial_dims=spatial_dims,
            in_channels=in_channels,
            widths=[widths[-1]] * depths[-1],
            kernel_size=kernel_size,
            stride=stride,
        )
        self.choice = BlockChoice(widths=widths, depths=depths)
        self.apply_masked = getattr(MaskedConvLayer, f"masked_{mask_placement}")
        # What multiplies before the norm, the norm divides out.
        self.can_fold = mask_placement == "after_norm"
        self.drawn: Choice | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (N, in_channels, *spatial) -> (N, max(widths), *spatial / stride), with the choice `drawn`."""
        assert self.drawn is not None, "the supernet draws a choice before every pass"
        weights = dict(zip(self.choice.depths, self.drawn.depth, strict=True))
        mixture: torch.Tensor | None = None
        for depth, (layer, mask) in enumerate(zip(self.layers, self.drawn.masks, strict=True), start=1):
            # Only the mixture reads the deepest output: its weight goes into its mask.
            folded = self.can_fold and depth == len(self.layers)
            x = self.apply_masked(layer, x, mask * weights[depth] if folded else mask)
            if depth in weights:
                term = x if folded else weights[depth] * x
                mixture = term if mixture is None else mixture.add_(term)
        assert mixture is not None
        return mixture


class MaskedUpsampling(nn.Module):
    """Transposed convolution whose output channels are scaled by the mask of the skip that they meet.

    The derived network's upsampling is as wide as that skip, so a one-hot supernet equals its derived twin
    only with the closed channels at zero. The mask multiplies the weight, which costs no activation memory.
    """

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.weight = conv.weight
        self.stride = conv.stride
        self.transposed = {2: F.conv_transpose2d, 3: F.conv_transpose3d}[len(conv.stride)]  # type: ignore[arg-type]
        self.mask: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (N, in_channels, *spatial) -> (N, out_channels, *spatial * stride)."""
        weight = self.weight
        if self.mask is not None:
            weight = weight * self.mask.view((1, -1) + (1,) * (x.ndim - 2))  # type: ignore[operator]
        return self.transposed(x, weight, stride=self.stride)  # type: ignore[arg-type]
