"""The layers of both networks: convolution, instance norm, Leaky ReLU; upsampling and head."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.layers.factories import Conv, Norm
from torch import nn
from torch.nn import functional as F

NEGATIVE_SLOPE = 0.01
NORM_EPS = 1e-5


class ConvLayer(nn.Module):
    """AwBlock of the paper (section 3.2): convolution with bias, affine instance norm, Leaky ReLU.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: per axis, odd; the padding keeps the resolution.
        stride: per axis.
    """

    def __init__(
        self,
        *,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        kernel_size: Sequence[int],
        stride: Sequence[int] | int = 1,
    ) -> None:
        super().__init__()
        padding = tuple(size // 2 for size in kernel_size)
        self.conv = Conv[Conv.CONV, spatial_dims](in_channels, out_channels, tuple(kernel_size), stride, padding)
        self.norm = Norm[Norm.INSTANCE, spatial_dims](out_channels, eps=NORM_EPS, affine=True)
        self.activation = nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)
        initialize(self.conv)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (N, in_channels, *spatial) -> (N, out_channels, *spatial / stride)."""
        x = self.conv(x)
        if self.training:
            return normalized_and_activated(x, self.norm.weight, self.norm.bias)
        return self.activation(self.norm(x))


def normalized_and_activated(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float = NORM_EPS, slope: float = NEGATIVE_SLOPE
) -> torch.Tensor:
    """leaky_relu(instance_norm(x)), for training: same values and gradients, bit for bit, in less time.

    `F.instance_norm` is a batch norm over N * C channels that gives a view of its result, and behind an activation in
    place on a view autograd copies the gradient several times. Here the view is taken after the activation.

    Args:
        x: (N, C, *spatial).
        weight: scale of the norm, (C,).
        bias: shift of the norm, (C,).
        eps: of the norm; an argument, as the next, since TorchScript takes no constant of a module.
        slope: of the activation.
    """
    cases = x.shape[0]
    flat = x.flatten(0, 1).unsqueeze(0)
    flat = F.batch_norm(flat, None, None, weight.repeat(cases), bias.repeat(cases), training=True, eps=eps)
    return F.leaky_relu(flat, slope, inplace=True).view_as(x)


def upsampling(*, spatial_dims: int, in_channels: int, out_channels: int, stride: Sequence[int]) -> nn.Module:
    """Transposed convolution with kernel = stride and no bias."""
    conv = Conv[Conv.CONVTRANS, spatial_dims](in_channels, out_channels, tuple(stride), tuple(stride), bias=False)
    initialize(conv)
    return conv


def head(*, spatial_dims: int, in_channels: int, out_channels: int) -> nn.Module:
    """Segmentation head: 1x1x1 convolution without bias."""
    conv = Conv[Conv.CONV, spatial_dims](in_channels, out_channels, 1, bias=False)
    initialize(conv)
    return conv


def initialize(conv: nn.Module) -> None:
    """He initialization for the Leaky ReLU, zero bias, as in nnU-Net."""
    nn.init.kaiming_normal_(conv.weight, a=NEGATIVE_SLOPE)  # type: ignore[arg-type]
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)  # type: ignore[arg-type]


def block_layers(
    layer: type[ConvLayer],
    *,
    spatial_dims: int,
    in_channels: int,
    widths: Sequence[int],
    kernel_size: Sequence[int],
    stride: Sequence[int] | int = 1,
) -> nn.ModuleList:
    """The convolutions of one block; only the first one has a stride."""
    channels = [in_channels, *widths]
    return nn.ModuleList(
        layer(
            spatial_dims=spatial_dims,
            in_channels=channels[index],
            out_channels=width,
            kernel_size=kernel_size,
            stride=stride if index == 0 else 1,
        )
        for index, width in enumerate(widths)
    )
