"""What every layer adds to the parameters, forward FLOPs and activations of a network. No torch here.

Every count is a sum of products of channels of different convolutions, and of whether a convolution is there. Choices
are drawn independently, so that the same sum over expected channels and probabilities is the expected count; a block
has a shape of its own for that (`BlockShape`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from .record_fields import PerStage, check_patch_size

CostKind = Literal["flops", "parameters", "memory"]
COST_KINDS: tuple[CostKind, ...] = ("flops", "parameters", "memory")

# An int where counts are exact; where they are expected a float, a scalar tensor, or whatever multiplies with numbers.
Value = Any


class Geometry(Protocol):
    """Strides and kernels of a U-Net: an `Architecture` or a `SearchSpace`."""

    @property
    def strides(self) -> PerStage:
        """Stride of every encoder stage."""

    @property
    def kernel_sizes(self) -> PerStage:
        """Kernel of every stage."""


@dataclass(frozen=True)
class BlockShape:
    """What the counts need to know of one block.

    Args:
        widths: (expected) output channels of every convolution.
        kept: probability that each convolution is there; 1 in an exact architecture.
        out: (expected) output channels of the block.
    """

    widths: tuple[Value, ...]
    kept: tuple[Value, ...]
    out: Value


@dataclass(frozen=True)
class Layer:
    """One convolution of the network.

    Args:
        n_weights: multiplications per output position (per input position of a transposed convolution).
        n_affine: further parameters: bias, and scale and shift of the norm.
        stage: resolution at which the multiplications happen.
    """

    n_weights: Value
    n_affine: Value
    stage: int


def exact_shapes(blocks: Sequence[Sequence[int]]) -> tuple[BlockShape, ...]:
    """Shapes of blocks of which nothing is open, from the widths of their convolutions."""
    return tuple(BlockShape(tuple(widths), (1,) * len(widths), widths[-1]) for widths in blocks)


def layers(shapes: Sequence[BlockShape], geometry: Geometry, *, in_channels: int, out_channels: int) -> Iterator[Layer]:
    """The layers that `AdwUNet` builds, in the order of its forward pass.

    Args:
        shapes: of the blocks, in the order of `Architecture.blocks`.
        geometry: strides and kernels.
        in_channels: channels of the image.
        out_channels: classes.
    """
    n_stages = len(geometry.strides)
    channels: Value = in_channels
    for stage, shape in enumerate(shapes[:n_stages]):
        yield from _block(geometry, stage, channels, shape)
        channels = shape.out
    for index, shape in enumerate(shapes[n_stages:]):
        stage = n_stages - 2 - index
        skip = shapes[stage].out
        # Kernel equals stride: the positions of the deeper stage are multiplied, once per kernel element.
        kernel = math.prod(geometry.strides[stage + 1])
        yield Layer(n_weights=channels * skip * kernel, n_affine=0, stage=stage + 1)
        yield from _block(geometry, stage, 2 * skip, shape)
        channels = shape.out
        yield Layer(n_weights=channels * out_channels, n_affine=0, stage=stage)


def _block(geometry: Geometry, stage: int, channels: Value, shape: BlockShape) -> Iterator[Layer]:
    kernel = math.prod(geometry.kernel_sizes[stage])
    for width, kept in zip(shape.widths, shape.kept, strict=True):
        there = kept * width
        yield Layer(n_weights=channels * there * kernel, n_affine=3 * there, stage=stage)
        channels = width


def contributions(
    kind: CostKind,
    shapes: Sequence[BlockShape],
    geometry: Geometry,
    *,
    in_channels: int,
    out_channels: int,
    patch_size: Sequence[int],
) -> Iterator[Value]:
    """What the layers add to a count: the sum is exact for exact shapes, and else its expectation.

    Args:
        kind: "flops" (as `cost.count_flops`), "parameters", or "memory" (as `cost.count_activation_bytes` for one patch
            in float32).
        shapes: of the blocks, in the order of `Architecture.blocks`.
        geometry: strides and kernels.
        in_channels: channels of the image.
        out_channels: classes.
        patch_size: voxels per axis.

    Raises:
        UserError: `patch_size` is not divisible by the strides.
    """
    all_layers = layers(shapes, geometry, in_channels=in_channels, out_channels=out_channels)
    positions = stage_positions(geometry, patch_size)
    if kind == "parameters":
        return parameters(all_layers)
    if kind == "flops":
        return (2 * positions[layer.stage] * layer.n_weights for layer in all_layers)
    return activation_bytes(shapes, positions, in_channels, bytes_per_value=4)


def parameters(all_layers: Iterator[Layer]) -> Iterator[Value]:
    """Weights, then the other parameters, of every layer."""
    for layer in all_layers:
        yield layer.n_weights
        yield layer.n_affine


def activation_bytes(
    shapes: Sequence[BlockShape], positions: Sequence[int], in_channels: int, bytes_per_value: int
) -> Iterator[Value]:
    """Bytes that the image and then the parts of every block keep.

    A convolution keeps its input, an instance norm the convolution's output, and a Leaky ReLU, which works in place,
    its output, which is the input of whatever comes next: convolution, transposed convolution or head. A concatenation
    is a copy of its parts, of which the transposed convolution's output is kept nowhere else.
    """
    n_stages = len(positions)
    # An instance norm keeps mean, deviation and scale of every channel of every patch, in float32 at least.
    statistics = 3 * max(bytes_per_value, 4)
    yield positions[0] * bytes_per_value * in_channels
    for index, shape in enumerate(shapes):
        stage = index if index < n_stages else 2 * n_stages - 2 - index
        bytes_per_channel = 2 * positions[stage] * bytes_per_value
        for width, kept in zip(shape.widths, shape.kept, strict=True):
            yield (bytes_per_channel + statistics) * (kept * width)
        if index >= n_stages:
            yield bytes_per_channel * shapes[stage].out


def stage_positions(geometry: Geometry, patch_size: Sequence[int]) -> list[int]:
    """Positions of a patch at the resolution of every stage."""
    positions = [math.prod(check_patch_size(patch_size, geometry.strides))]
    for stride in geometry.strides[1:]:
        positions.append(positions[-1] // math.prod(stride))
    return positions
