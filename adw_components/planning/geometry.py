"""From a fingerprint to spacing, patch, batch and stages: nnU-Net's rules in nnU-Net's order of axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from ..errors import UserError
from .fingerprint import Fingerprint
from .low_resolution import needs_low_resolution
from .patch import PatchPlan, plan_patch
from .spacing import TargetSpacing, median_shape, target_spacing
from .topology import MIN_EDGE, Topology

Value = TypeVar("Value")

AXES = "xyz"
# Our axes in the order of nnU-Net's.
_ZYX = (2, 1, 0)


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """What the rules give. Axes run x, y, z.

    Args:
        target: spacing, and the axis that is coarser than the others, if any.
        median_shape: voxels per axis at that spacing.
        patch: patch, batch and stages.
        dataset_voxels: of all training images at that spacing.
        low_resolution: whether nnU-Net would add a network at low resolution.
    """

    target: TargetSpacing
    median_shape: tuple[float, ...]
    patch: PatchPlan
    dataset_voxels: float
    low_resolution: bool


def plan_geometry(fingerprint: Fingerprint, *, num_training: int, out_channels: int, memory_gb: float) -> Geometry:
    """Apply the rules to a fingerprint.

    Args:
        fingerprint: of the dataset.
        num_training: its training cases.
        out_channels: classes, background included.
        memory_gb: GPU memory to aim at.

    Raises:
        UserError: the images are flat, or too small for a U-Net.
    """
    target, median = _target(fingerprint)
    _refuse_flat(np.median(fingerprint.shapes_after_crop, axis=0).tolist())
    _refuse_flat(median)
    order = _order(target.spacing)
    spacing, shape = (tuple(values[axis] for axis in order) for values in (target.spacing, median))
    voxels = math.prod(median) * num_training
    plan = plan_patch(spacing, shape, out_channels=out_channels, memory_gb=memory_gb, dataset_voxels=voxels)
    _refuse_small(plan, median)
    low_resolution = needs_low_resolution(
        spacing,
        shape,
        plan.topology.patch_size,
        out_channels=out_channels,
        memory_gb=memory_gb,
        dataset_voxels=voxels,
    )
    return Geometry(
        target=target,
        median_shape=median,
        patch=replace(plan, topology=_turned(plan.topology, order)),
        dataset_voxels=voxels,
        low_resolution=low_resolution,
    )


def _target(fingerprint: Fingerprint) -> tuple[TargetSpacing, tuple[float, ...]]:
    """Target spacing and median shape, computed z, y, x, since the first of equally coarse axes counts as coarsest."""
    spacings = np.array(fingerprint.spacings, dtype=np.float64)[:, _ZYX]
    shapes = np.array(fingerprint.shapes_after_crop, dtype=np.float64)[:, _ZYX]
    found = target_spacing(spacings, shapes)
    coarse = None if found.anisotropic_axis is None else _ZYX[found.anisotropic_axis]
    shape = median_shape(spacings, shapes, found.spacing)
    return TargetSpacing(spacing=found.spacing[::-1], anisotropic_axis=coarse), shape[::-1]


def _order(spacing: Sequence[float]) -> tuple[int, ...]:
    """Our axes in the order in which nnU-Net plans: the coarsest first, the others z before y before x."""
    coarsest = max(_ZYX, key=lambda axis: spacing[axis])
    return (coarsest, *(axis for axis in _ZYX if axis != coarsest))


def _turned(found: Topology, order: Sequence[int]) -> Topology:
    """A topology whose axes run in `order`, turned to x, y, z."""

    def back(values: Sequence[Value]) -> tuple[Value, ...]:
        return tuple(values[order.index(axis)] for axis in range(len(order)))

    return Topology(
        strides=tuple(back(row) for row in found.strides),
        kernel_sizes=tuple(back(row) for row in found.kernel_sizes),
        patch_size=back(found.patch_size),
    )


def _refuse_flat(shape: Sequence[float]) -> None:
    if min(shape) < 2:
        raise UserError(
            f"plans are made for 3D images, but these are flat: {by(shape)} voxels in the median; "
            "plan 2D images by hand"
        )


def _refuse_small(plan: PatchPlan, shape: Sequence[float]) -> None:
    if len(plan.topology.strides) < 2:
        raise UserError(
            f"a U-Net needs an axis of {2 * MIN_EDGE} voxels or more, {3 * MIN_EDGE} if it is one axis alone, "
            f"but the median shape at the target spacing is {by(shape)}; give larger images"
        )


def by(sizes: Sequence[float]) -> str:
    """Sizes per axis for a message: 512 x 512 x 90."""
    return " x ".join(f"{size:g}" for size in sizes)
