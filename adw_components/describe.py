"""The facts of an architecture as plain text: its blocks, what it costs, where it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .architecture import Architecture
from .cost import count_flops, count_parameters
from .errors import UserError
from .record_fields import MOST_CHANNELS, check_patch_size, positive_integers
from .reference import nnunet_default


@dataclass(frozen=True, kw_only=True)
class NetworkShape:
    """What an architecture needs besides itself to have a cost.

    Args:
        in_channels: channels of the image.
        out_channels: number of classes, background included.
        patch_size: voxels of a patch, per axis.
    """

    in_channels: int
    out_channels: int
    patch_size: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Parameters of a network and floating point operations of the forward pass of one patch."""

    parameters: int
    flops: int


def block_names(n_stages: int) -> tuple[str, ...]:
    """Names of the blocks in the order of `Architecture.blocks`; the deepest encoder block is the bottleneck."""
    encoder = [f"encoder {stage}" for stage in range(n_stages - 1)]
    return (*encoder, "bottleneck", *(f"decoder {index}" for index in range(n_stages - 1)))


def block_stages(n_stages: int) -> tuple[int, ...]:
    """Stage whose resolution each block has, in the order of `Architecture.blocks`."""
    return (*range(n_stages), *range(n_stages - 2, -1, -1))


def resolution_strides(architecture: Architecture) -> tuple[tuple[int, ...], ...]:
    """Per stage, how many input voxels one position of it spans, per axis."""
    totals = [architecture.strides[0]]
    for stride in architecture.strides[1:]:
        totals.append(tuple(total * step for total, step in zip(totals[-1], stride, strict=True)))
    return tuple(totals)


def by(sizes: Sequence[int], sign: str = "x") -> str:
    """Sizes per axis as one word: 3x3x3."""
    return sign.join(map(str, sizes))


def network_cost(architecture: Architecture, shape: NetworkShape) -> Cost:
    """Exact cost of `architecture` with these channels and this patch."""
    channels = {"in_channels": shape.in_channels, "out_channels": shape.out_channels}
    return Cost(
        parameters=count_parameters(architecture, **channels),
        flops=count_flops(architecture, patch_size=shape.patch_size, **channels),
    )


def default_like(architecture: Architecture) -> Architecture:
    """nnU-Net's default network with the strides and kernels of `architecture`."""
    return nnunet_default(strides=architecture.strides, kernel_sizes=architecture.kernel_sizes)


def shape_of(architecture: Architecture, **given: Any) -> tuple[NetworkShape | None, tuple[str, ...]]:
    """The network's shape, from `given` or else its provenance, and the names that neither has.

    Raises:
        UserError: a value is no positive integer, or the patch is not divisible by the strides.
    """
    recorded = architecture.provenance.get("network")
    values = dict(recorded) if isinstance(recorded, Mapping) else {}
    values.update({name: value for name, value in given.items() if value is not None})
    missing = tuple(name for name in NetworkShape.__annotations__ if values.get(name) is None)
    if missing:
        return None, missing
    (in_channels,) = positive_integers("in_channels", [values["in_channels"]], high=MOST_CHANNELS, longest=1)
    (out_channels,) = positive_integers("out_channels", [values["out_channels"]], high=MOST_CHANNELS, longest=1)
    patch_size = check_patch_size(values["patch_size"], architecture.strides)
    return NetworkShape(in_channels=in_channels, out_channels=out_channels, patch_size=patch_size), ()


def describe(
    path: str | Path,
    *,
    in_channels: int | None = None,
    out_channels: int | None = None,
    patch_size: Sequence[int] | None = None,
) -> str:
    """The blocks, the cost and the provenance of the `architecture.json` at `path` as a plain-text table.

    Args:
        path: file that `Architecture.save` wrote.
        in_channels: channels of the image; `provenance["network"]` has the value if it is not given.
        out_channels: number of classes, background included; likewise.
        patch_size: voxels of the patch whose FLOPs are counted; likewise.

    Raises:
        UserError: the file is no architecture, or an argument does not fit it.
    """
    architecture = Architecture.load(path)
    try:
        shape, missing = shape_of(
            architecture, in_channels=in_channels, out_channels=out_channels, patch_size=patch_size
        )
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    costs = _cost_lines(architecture, shape) if shape else [f"For the costs give {' and '.join(missing)}."]
    return "\n".join([*_block_lines(architecture), "", *costs, "", *_provenance_lines(architecture.provenance)])


def _block_lines(architecture: Architecture) -> list[str]:
    strides = resolution_strides(architecture)
    names, stages = block_names(architecture.n_stages), block_stages(architecture.n_stages)
    rows = [("block", "resolution stride", "kernel", "depth", "widths")]
    for name, stage, widths in zip(names, stages, architecture.blocks, strict=True):
        kernel = by(architecture.kernel_sizes[stage])
        rows.append((name, by(strides[stage]), kernel, str(len(widths)), " ".join(map(str, widths))))
    return aligned(rows)


def _cost_lines(architecture: Architecture, shape: NetworkShape) -> list[str]:
    own, default = network_cost(architecture, shape), network_cost(default_like(architecture), shape)
    rows = [("", "this network", "nnU-Net default", "ratio")]
    for name, mine, theirs in (
        ("parameters", own.parameters, default.parameters),
        ("forward FLOPs of a patch", own.flops, default.flops),
    ):
        rows.append((name, str(mine), str(theirs), f"{mine / theirs:.3g}"))
    channels = f"{shape.in_channels} input and {shape.out_channels} output channels"
    return [*aligned(rows), f"({channels}, patch {by(shape.patch_size)}; a multiply-add is 2 FLOPs)"]


def _provenance_lines(provenance: Mapping[str, Any]) -> list[str]:
    if not provenance:
        return ["No provenance is recorded."]
    rows = [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in provenance.items()]
    return ["provenance", *(f"  {line}" for line in aligned(rows))]


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows of cells as lines whose columns begin at the same place, two spaces or more apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = (zip(row, widths, strict=True) for row in rows)
    return ["  ".join(cell.ljust(width) for cell, width in row).rstrip() for row in padded]
