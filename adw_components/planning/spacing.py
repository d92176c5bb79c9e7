"""Target spacing and median shape, nnU-Net's rules; axes in any order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]

# From this ratio on, an axis counts as coarser than the others (nnU-Net's ANISO_THRESHOLD).
ANISOTROPY = 3.0


@dataclass(frozen=True, kw_only=True)
class TargetSpacing:
    """Spacing in mm to which all images are resampled, and whether the rule for anisotropic data set an axis of it."""

    spacing: tuple[float, ...]
    anisotropic_axis: int | None


def target_spacing(spacings: Rows, shapes: Rows) -> TargetSpacing:
    """The median spacing, but the 10th percentile on an axis that is coarse in both spacing and voxels.

    Isensee et al., Nature Methods 2021 (supplement, target spacing), and nnU-Net v2's default planner.

    Args:
        spacings: (cases, axes), mm.
        shapes: (cases, axes), voxels after cropping.
    """
    spacing, shape = np.percentile(spacings, 50, axis=0), np.percentile(shapes, 50, axis=0)
    coarse = int(np.argmax(spacing))
    others = [axis for axis in range(len(spacing)) if axis != coarse]
    finest_allowed = max(spacing[others])
    if spacing[coarse] <= ANISOTROPY * finest_allowed or shape[coarse] * ANISOTROPY >= min(shape[others]):
        return TargetSpacing(spacing=tuple(map(float, spacing)), anisotropic_axis=None)
    fine = np.percentile(spacings[:, coarse], 10)
    # The coarse axis stays the coarsest, by a hair.
    spacing[coarse] = fine if fine >= finest_allowed else finest_allowed + 1e-5
    return TargetSpacing(spacing=tuple(map(float, spacing)), anisotropic_axis=coarse)


def median_shape(spacings: Rows, shapes: Rows, target: tuple[float, ...]) -> tuple[float, ...]:
    """Median over the cases of the shape that each has at the target spacing, in voxels."""
    resampled = np.round(spacings / np.array(target) * shapes)
    return tuple(float(size) for size in np.median(resampled, axis=0))
