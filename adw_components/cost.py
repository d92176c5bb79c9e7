"""Cost of an architecture: parameters, forward FLOPs and activations, exact, from the record alone."""

from __future__ import annotations

from collections.abc import Sequence

from .architecture import Architecture
from .cost_terms import (
    COST_KINDS,
    CostKind,
    activation_bytes,
    contributions,
    exact_shapes,
    layers,
    parameters,
    stage_positions,
)

__all__ = ["COST_KINDS", "CostKind", "count", "count_activation_bytes", "count_flops", "count_parameters"]


def count(
    kind: CostKind, architecture: Architecture, *, in_channels: int, out_channels: int, patch_size: Sequence[int]
) -> int:
    """The exact count of one kind; see `cost_terms.contributions`."""
    channels = {"in_channels": in_channels, "out_channels": out_channels}
    return sum(contributions(kind, exact_shapes(architecture.blocks), architecture, **channels, patch_size=patch_size))


def count_parameters(architecture: Architecture, *, in_channels: int, out_channels: int) -> int:
    """Number of weights of the derived network."""
    shapes = exact_shapes(architecture.blocks)
    return sum(parameters(layers(shapes, architecture, in_channels=in_channels, out_channels=out_channels)))


def count_flops(architecture: Architecture, *, in_channels: int, out_channels: int, patch_size: Sequence[int]) -> int:
    """Floating point operations of one forward pass of one patch, all deep-supervision heads included.

    Counted like `torch.utils.flop_counter.FlopCounterMode`: convolutions only, a multiply-add is 2.

    Raises:
        UserError: `patch_size` is not divisible by the strides.
    """
    return count("flops", architecture, in_channels=in_channels, out_channels=out_channels, patch_size=patch_size)


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
    positions = stage_positions(architecture, patch_size)
    shapes = exact_shapes(architecture.blocks)
    return batch_size * sum(activation_bytes(shapes, positions, in_channels, bytes_per_value))
