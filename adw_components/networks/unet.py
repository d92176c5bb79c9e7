"""The one U-Net skeleton: where blocks, upsampling and heads sit, for both networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from ..record_fields import PerStage
from .layers import head, upsampling


class UNetSkeleton(nn.Module):
    """U-Net of `S` encoder and `S - 1` decoder blocks with skip concatenation.

    A stage begins with a strided convolution; there is no pooling. Every decoder level has a head.

    Args:
        in_channels: channels of the image.
        out_channels: classes, background included.
        strides: per stage, as in `Architecture`.
        encoder_widths: channels that each encoder block gives, shallow to deep.
        decoder_widths: channels that each decoder block gives, deep to shallow.
        build_block: makes a block from its index (encoder first), stage, input channels and stride.
        deep_supervision: whether the training forward gives the outputs of all levels.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        strides: PerStage,
        encoder_widths: Sequence[int],
        decoder_widths: Sequence[int],
        build_block: Callable[[int, int, int, Sequence[int] | int], nn.Module],
        deep_supervision: bool,
    ) -> None:
        super().__init__()
        spatial_dims, n_stages = len(strides[0]), len(strides)
        inputs = [in_channels, *encoder_widths[:-1]]
        self.in_channels, self.out_channels = in_channels, out_channels
        self.deep_supervision = deep_supervision
        self.encoder = nn.ModuleList(build_block(s, s, inputs[s], strides[s]) for s in range(n_stages))
        self.upsamplings, self.decoder, self.heads = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        deeper = encoder_widths[-1]
        for index, width in enumerate(decoder_widths):
            stage = n_stages - 2 - index
            skip = encoder_widths[stage]
            self.upsamplings.append(
                upsampling(spatial_dims=spatial_dims, in_channels=deeper, out_channels=skip, stride=strides[stage + 1])
            )
            self.decoder.append(build_block(n_stages + index, stage, 2 * skip, 1))
            self.heads.append(head(spatial_dims=spatial_dims, in_channels=width, out_channels=out_channels))
            deeper = width

    def forward(self, x: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        """Segment a batch of patches.

        Args:
            x: (N, in_channels, *spatial), every axis divisible by the product of its strides.

        Returns:
            Logits (N, out_channels, *spatial). In training with deep supervision a list of them, full
            resolution first, one a decoder level.
        """
        skips: list[torch.Tensor] = []
        for block in self.encoder:
            x = block(x)
            skips.append(x)
        skips.pop()
        outputs: list[torch.Tensor] = []
        for up, block, level_head in zip(self.upsamplings, self.decoder, self.heads, strict=True):
            x = block(torch.cat([up(x), skips.pop()], dim=1))
            outputs.append(level_head(x))
        if self.training and self.deep_supervision:
            return outputs[::-1]
        return outputs[-1]
