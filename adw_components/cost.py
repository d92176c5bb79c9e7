"""Cost of an architecture: parameters and forward FLOPs, exact, from the record alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .architecture import Architecture
from .record_fields import check_patch_size


@dataclass(frozen=True)
class Layer:
    """One convolution of the network.

    Args:
        n_weights: multiplications per output position (per input position of a transposed convolution).
        n_affine: further parameters: bias, and scale and shift of the norm.
        stage: resolution at which the multiplications happen.
    """

    n_weights: int
    n_affine: int
    stage: int


def layers(architecture: Architecture, *, in_channels: int, out_channels: int) -> Iterator[Layer]:
    """The layers that `AdwUNet` builds, in the order of its forward pass."""
    channels = in_channels
    for stage, widths in enumerate(architecture.encoder_widths):
        yield from _block(architecture, stage, channels, widths)
        channels = widths[-1]
    for index, widths in enumerate(architecture.decoder_widths):
        stage = architecture.n_stages - 2 - index
        skip = architecture.encoder_widths[stage][-1]
        # Kernel equals stride: the positions of the deeper stage are multiplied, once per kernel element.
        kernel = math.prod(architecture.strides[stage + 1])
        yield Layer(n_weights=channels * skip * kernel, n_affine=0, stage=stage + 1)
        yield from _block(architecture, stage, 2 * skip, widths)
        channels = widths[-1]
        yield Layer(n_weights=channels * out_channels, n_affine=0, stage=stage)


def _block(architecture: Architecture, stage: int, channels: int, widths: Sequence[int]) -> Iterator[Layer]:
    kernel = math.prod(architecture.kernel_sizes[stage])
    for width in widths:
        yield Layer(n_weights=channels * width * kernel, n_affine=3 * width, stage=stage)
        channels = width


def count_parameters(architecture: Architecture, *, in_channels: int, out_channels: int) -> int:
    """Number of weights of the derived network."""
    all_layers = layers(architecture, in_channels=in_channels, out_channels=out_channels)
    return sum(layer.n_weights + layer.n_affine for layer in all_layers)


def count_flops(architecture: Architecture, *, in_channels: int, out_channels: int, patch_size: Sequence[int]) -> int:
    """Floating point operations of one forward pass of one patch, all deep-supervision heads included.

    Counted like `torch.utils.flop_counter.FlopCounterMode`: convolutions only, a multiply-add is 2.

    Raises:
        UserError: `patch_size` is not divisible by the strides.
    """
    size = check_patch_size(patch_size, architecture.strides)
    positions = [math.prod(size)]
    for stride in architecture.strides[1:]:
        positions.append(positions[-1] // math.prod(stride))
    all_layers = layers(architecture, in_channels=in_channels, out_channels=out_channels)
    return sum(2 * layer.n_weights * positions[layer.stage] for layer in all_layers)
