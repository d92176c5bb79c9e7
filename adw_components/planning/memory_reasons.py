"""Why patch and batch have their size: sentences with the estimate of memory."""

from __future__ import annotations

import math

from .geometry import Geometry, by
from .patch import FIRST_EDGE, MAX_COVERED, MIN_BATCH, feature_map_voxels, voxel_budget


def why_patch(geometry: Geometry, *, out_channels: int, memory_gb: float) -> str:
    """Whether memory, the image or neither set the patch."""
    network = geometry.patch.topology
    needed = feature_map_voxels(network.patch_size, network.strides, out_channels)
    budget = voxel_budget(memory_gb)
    estimate = f"{_millions(needed)} feature-map voxels, where {memory_gb:g} GB hold {_millions(budget)} at batch 2"
    if needed > budget:
        return f"smallest patch of a U-Net with two stages; it exceeds the memory: {estimate}; give more memory_gb"
    divisible = f"divisible by {by(network.divisor)}"
    if geometry.patch.shrunk:
        return f"the largest part of the median image that fits the memory ({estimate}), {divisible}"
    return (
        f"the median image, at most the volume of a cube of {FIRST_EDGE} voxels an edge, padded to be {divisible}; "
        f"it fits the memory ({estimate})"
    )


def why_batch(geometry: Geometry, *, out_channels: int, memory_gb: float) -> str:
    """Whether memory, the dataset's size or the minimum set the batch."""
    network = geometry.patch.topology
    fitting = (
        MIN_BATCH * voxel_budget(memory_gb) / feature_map_voxels(network.patch_size, network.strides, out_channels)
    )
    covering = MAX_COVERED * geometry.dataset_voxels / math.prod(network.patch_size)
    limits = (
        f"{memory_gb:g} GB hold {fitting:.1f} patches, and {MAX_COVERED:.0%} of the voxels of all training images are "
        f"{covering:.1f} patches"
    )
    chosen = "the least" if geometry.patch.batch_rule == "minimum" else "the smaller of two limits, rounded"
    return f"{chosen}: {limits}"


def _millions(voxels: float) -> str:
    return f"{voxels / 1e6:.3g} million"
