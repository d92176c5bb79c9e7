"""Whether nnU-Net would add a network at low resolution, which decides its Dice loss; axes in any order."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .patch import plan_patch

# A patch with a smaller share of the median image than this sees too little of it.
COVERED = 0.25
# The spacing grows by this factor until the patch covers that share.
STEP = 1.03


def needs_low_resolution(
    spacing: Sequence[float],
    shape: Sequence[float],
    patch_size: Sequence[int],
    *,
    out_channels: int,
    memory_gb: float,
    dataset_voxels: float,
) -> bool:
    """Whether the patch covers under a quarter of the median image, and a coarser image has at most half its voxels.

    nnU-Net then takes the Dice loss over the batch instead of per patch, since a small patch often lacks a class.

    Args:
        spacing: target spacing, mm per axis.
        shape: median shape at that spacing.
        patch_size: the plan's patch.
        out_channels: as in `plan_patch`.
        memory_gb: as in `plan_patch`.
        dataset_voxels: as in `plan_patch`.
    """
    coarser, patch = list(spacing), math.prod(patch_size)
    all_voxels = voxels = math.prod(shape)
    while patch / voxels < COVERED:
        coarser = _coarser(coarser)
        sizes = [fine / coarse * size for fine, coarse, size in zip(spacing, coarser, shape, strict=True)]
        voxels = math.prod(sizes)
        # The dataset's voxels stay those of the full resolution, as in nnU-Net; they bear on the batch only.
        plan = plan_patch(
            coarser,
            [max(round(size), 1) for size in sizes],
            out_channels=out_channels,
            memory_gb=memory_gb,
            dataset_voxels=dataset_voxels,
        )
        patch = math.prod(plan.topology.patch_size)
    return all_voxels / voxels >= 2


def _coarser(spacing: Sequence[float]) -> list[float]:
    """Enlarge the axes that are finer than half the coarsest one; all axes once there are none."""
    coarsest = max(spacing)
    fine = [coarsest / size > 2 for size in spacing]
    return [size * STEP if chosen or not any(fine) else size for size, chosen in zip(spacing, fine, strict=True)]
