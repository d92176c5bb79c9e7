"""Cost of an architecture: parameters, forward FLOPs and activations, exact, from the record alone."""

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
    positions = _positions(architecture, patch_size)
    all_layers = layers(architecture, in_channels=in_channels, out_channels=out_channels)
    return sum(2 * layer.n_weights * positions[layer.stage] for layer in all_layers)


def count_activation_bytes(
    architecture: Architecture,
    *,
    in_channels: int,
    out_channels: int,
    patch_size: Sequence[int],
    batch_size: int = 1,
    bytes_per_value: int = 4,
) -> int:
    """Bytes that one training forward of `AdwUNet`, all heads included, keeps for its backward pass.

    Every storage counts once, parameters do not. What the loss keeps, gradients and the convolutions' workspace come on
    top.

    Args:
        architecture: of the network.
        in_channels: channels of the image.
        out_channels: classes; they do not matter, since a head keeps its input, which its block keeps anyway.
        patch_size: voxels per axis.
        batch_size: patches of the batch.
        bytes_per_value: of an activation: 4 in float32, 2 in half precision.

    Raises:
        UserError: `patch_size` is not divisible by the strides.
    """
    positions = _positions(architecture, patch_size)
    kept = ((0, in_channels), *_kept_channels(architecture))
    values = sum(channels * positions[stage] for stage, channels in kept)
    # An instance norm keeps mean, deviation and scale of every channel of every patch, in float32 at least.
    statistics = 3 * sum(map(sum, architecture.blocks))
    return batch_size * (values * bytes_per_value + statistics * max(bytes_per_value, 4))


def _kept_channels(architecture: Architecture) -> Iterator[tuple[int, int]]:
    """Stage and channels of what every block keeps.

    A convolution keeps its input, an instance norm the convolution's output, and a Leaky ReLU, which works in place,
    its output, which is the input of whatever comes next: convolution, transposed convolution or head. A concatenation
    is a copy of its parts, of which the transposed convolution's output is kept nowhere else.
    """
    for stage, widths in enumerate(architecture.encoder_widths):
        yield stage, 2 * sum(widths)
    for index, widths in enumerate(architecture.decoder_widths):
        stage = architecture.n_stages - 2 - index
        yield stage, 2 * architecture.encoder_widths[stage][-1] + 2 * sum(widths)


def _positions(architecture: Architecture, patch_size: Sequence[int]) -> list[int]:
    """Positions of a patch at the resolution of every stage."""
    positions = [math.prod(check_patch_size(patch_size, architecture.strides))]
    for stride in architecture.strides[1:]:
        positions.append(positions[-1] // math.prod(stride))
    return positions
