"""AdwUNet: the derived network, built from an architecture record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from ..architecture import Architecture
from ..errors import UserError
from .layers import ConvLayer, block_layers
from .record_buffer import register_record
from .unet import UNetSkeleton


class ConvBlock(nn.Module):
    """The convolutions of one block, one after the other."""

    def __init__(
        self,
        *,
        spatial_dims: int,
        in_channels: int,
        widths: Sequence[int],
        kernel_size: Sequence[int],
        stride: Sequence[int] | int,
    ) -> None:
        super().__init__()
        self.layers = block_layers(
            ConvLayer,
            spatial_dims=spatial_dims,
            in_channels=in_channels,
            widths=widths,
            kernel_size=kernel_size,
            stride=stride,
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (N, in_channels, *spatial) -> (N, widths[-1], *spatial / stride)."""
        for layer in self.layers:
            x = layer(x)
        return x


class AdwUNet(UNetSkeleton):
    """The network that an `Architecture` describes.

    Input (N, in_channels, *spatial), output logits (N, out_channels, *spatial); every spatial axis
    divisible by `architecture.total_stride`. See `UNetSkeleton.forward` for deep supervision.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        out_channels: classes, background included.
        architecture: the record, or the path of its JSON file.
        deep_supervision: whether the training forward gives the outputs of all decoder levels.

    Raises:
        UserError: the record is malformed or is not `spatial_dims`-dimensional.
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        architecture: Architecture | str | Path,
        deep_supervision: bool = True,
    ) -> None:
        if not isinstance(architecture, Architecture):
            architecture = Architecture.load(architecture)
        require_spatial_dims("architecture", architecture.spatial_dims, spatial_dims)
        blocks = architecture.blocks

        def build_block(index: int, stage: int, channels: int, stride: Sequence[int] | int) -> nn.Module:
            return ConvBlock(
                spatial_dims=spatial_dims,
                in_channels=channels,
                widths=blocks[index],
                kernel_size=architecture.kernel_sizes[stage],
                stride=stride,
            )

        super().__init__(
            in_channels=in_channels,
            out_channels=out_channels,
            strides=architecture.strides,
            encoder_widths=[widths[-1] for widths in architecture.encoder_widths],
            decoder_widths=[widths[-1] for widths in architecture.decoder_widths],
            build_block=build_block,
            deep_supervision=deep_supervision,
        )
        register_record(self, "architecture", architecture.structure())


def require_spatial_dims(what: str, actual: int, expected: int) -> None:
    """Raise a `UserError` unless a record fits the number of spatial axes."""
    if actual != expected:
        raise UserError(f"{what} has {actual} spatial axes, spatial_dims is {expected}; they must be equal")
