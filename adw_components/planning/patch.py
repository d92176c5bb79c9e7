"""Patch and batch for a memory budget, nnU-Net's rules; axes in any order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..record_fields import PerStage
from .topology import Topology, topology

BASE_WIDTH, MAX_WIDTH = 32, 320
MIN_BATCH = 2
# Edge of the cube from which the patch is shrunk.
FIRST_EDGE = 256
# Feature-map voxels of a batch of 2 that fill 8 GB, as the nnU-Net v2 planner has it.
REFERENCE_VOXELS, REFERENCE_GB = 560_000_000, 8.0
# A batch covers at most this share of the voxels of the dataset.
MAX_COVERED = 0.05


@dataclass(frozen=True, kw_only=True)
class PatchPlan:
    """Patch, batch and topology, and which rule set the batch: "memory", "dataset" (its size) or "minimum"."""

    topology: Topology
    batch_size: int
    shrunk: bool
    batch_rule: str


def feature_map_voxels(patch_size: Sequence[int], strides: PerStage, out_channels: int) -> int:
    """Channels times voxels of all convolution outputs of nnU-Net's default network: its estimate of memory.

    Two convolutions a block, transposed convolutions, and the full-resolution head.
    """
    sizes, total = list(patch_size), 0
    last = len(strides) - 1
    for stage, stride in enumerate(strides):
        sizes = [size // step for size, step in zip(sizes, stride, strict=True)]
        width = min(BASE_WIDTH * 2**stage, MAX_WIDTH)
        outputs = 2 if stage == last else 2 + 2 + 1  # encoder, decoder, transposed convolution
        total += outputs * width * math.prod(sizes)
    return total + out_channels * math.prod(patch_size)


def voxel_budget(memory_gb: float) -> float:
    """Feature-map voxels, as `feature_map_voxels` counts them, of a patch of which a batch of 2 fills this memory."""
    return REFERENCE_VOXELS * memory_gb / REFERENCE_GB


def plan_patch(
    spacing: Sequence[float], shape: Sequence[float], *, out_channels: int, memory_gb: float, dataset_voxels: float
) -> PatchPlan:
    """The largest patch of the spacing's aspect that fits the budget at batch 2; what is left over enlarges the batch.

    Args:
        spacing: mm per axis.
        shape: median shape at that spacing, voxels.
        out_channels: classes, background included.
        memory_gb: GPU memory to aim at.
        dataset_voxels: voxels of all training images at that spacing.
    """
    found = topology(spacing, _first_patch(spacing, shape))
    reference = voxel_budget(memory_gb)
    tried = [found.patch_size]
    while (voxels := feature_map_voxels(found.patch_size, found.strides, out_channels)) > reference:
        smaller = _smaller(spacing, found, shape, tried)
        if smaller is None:
            break
        found = smaller
        tried.append(found.patch_size)
    fitting = round(reference / voxels * MIN_BATCH)
    covering = round(dataset_voxels * MAX_COVERED / math.prod(found.patch_size))
    batch = max(min(fitting, covering), MIN_BATCH)
    rule = "minimum" if min(fitting, covering) <= MIN_BATCH else "memory" if fitting <= covering else "dataset"
    return PatchPlan(topology=found, batch_size=batch, shrunk=len(tried) > 1, batch_rule=rule)


def _first_patch(spacing: Sequence[float], shape: Sequence[float]) -> list[float]:
    """A cube in mm of 256^3 voxels, no larger than the median image, whose median may be half a voxel."""
    edge = FIRST_EDGE * math.prod(spacing) ** (1 / len(spacing))
    return [min(max(round(edge / size), 1), length) for size, length in zip(spacing, shape, strict=True)]


def _smaller(
    spacing: Sequence[float], found: Topology, shape: Sequence[float], tried: Sequence[tuple[int, ...]]
) -> Topology | None:
    """Shorten the axis that is longest relative to the median image by one step of what divides it.

    The step is that of the shortened patch, since a patch one stage shallower has valid sizes in between. If that
    is padded back to a patch already tried, the next axis is shortened; none if there is no smaller patch.
    """
    ratios = [size / length for size, length in zip(found.patch_size, shape, strict=True)]
    for axis in sorted(range(len(ratios)), key=lambda index: (ratios[index], index), reverse=True):
        sizes, trial = list(found.patch_size), list(found.patch_size)
        trial[axis] -= found.divisor[axis]
        sizes[axis] -= topology(spacing, trial).divisor[axis]
        smaller = topology(spacing, sizes)
        # A U-Net has two stages.
        if smaller.patch_size not in tried and min(smaller.patch_size) >= 1 and len(smaller.strides) > 1:
            return smaller
    return None
