"""Why a plan has its values: a sentence for each, with the numbers that decided."""

from __future__ import annotations

import math

import numpy as np

from ..dataset_description import DatasetDescription
from ..record_fields import PerStage
from .fingerprint import Fingerprint
from .geometry import AXES, Geometry, by
from .low_resolution import COVERED
from .memory_reasons import why_batch, why_patch
from .normalizing import NONZERO_BELOW, is_ct
from .spacing import ANISOTROPY
from .topology import MIN_EDGE


def reasons(
    fingerprint: Fingerprint, dataset: DatasetDescription, geometry: Geometry, *, memory_gb: float
) -> dict[str, str]:
    """A sentence for every field that a rule sets.

    Args:
        fingerprint: what the rules were given.
        dataset: likewise.
        geometry: what they gave.
        memory_gb: as in `make_plan`.
    """
    classes = len(dataset.labels)
    return {
        "spacing_mm": _why_spacing(fingerprint, geometry),
        "median_shape": (
            f"median over {_cases(fingerprint)} of the shape after cropping to the box that is not 0, "
            "resampled to the target spacing"
        ),
        "patch_size": why_patch(geometry, out_channels=classes, memory_gb=memory_gb),
        "batch_size": why_batch(geometry, out_channels=classes, memory_gb=memory_gb),
        "strides": _why_strides(geometry),
        "kernel_sizes": _why_kernels(geometry.patch.topology.kernel_sizes),
        "normalization": _why_normalization(fingerprint, dataset),
        "batch_dice": _why_batch_dice(geometry),
    }


def _cases(fingerprint: Fingerprint) -> str:
    count = len(fingerprint.spacings)
    return f"{count} case{'s' if count > 1 else ''}"


def _why_spacing(fingerprint: Fingerprint, geometry: Geometry) -> str:
    spacing, shape = (np.median(rows, axis=0) for rows in (fingerprint.spacings, fingerprint.shapes_after_crop))
    found = geometry.target.anisotropic_axis
    coarse = int(np.argmax(spacing)) if found is None else found
    others = [axis for axis in range(3) if axis != coarse]
    next_coarsest, fewest = max(spacing[others]), min(shape[others])
    start = f"median of the spacings of {_cases(fingerprint)}"
    sizes = f"{AXES[coarse]}, at {spacing[coarse]:.3g} mm, is"
    compared = f"{ANISOTROPY:g} times as coarse as the next axis ({next_coarsest:.3g} mm)"
    if found is not None:
        few = f"its {shape[coarse]:g} voxels are fewer than a third of {fewest:g}"
        return f"{start}; {sizes} over {compared} and {few}, so it takes {_percentile(fingerprint, geometry)}"
    if spacing[coarse] > ANISOTROPY * next_coarsest:
        return f"{start}; {sizes} over {compared}, but its {shape[coarse]:g} voxels are a third of {fewest:g} or more"
    return f"{start}; the coarsest, {sizes} at most {compared}"


def _percentile(fingerprint: Fingerprint, geometry: Geometry) -> str:
    """What the axis that is coarser than the others takes instead of its median."""
    axis = geometry.target.anisotropic_axis
    tenth, taken = np.percentile(np.array(fingerprint.spacings)[:, axis], 10), geometry.target.spacing[axis or 0]
    if tenth == taken:
        return f"the 10th percentile, {taken:.3g} mm"
    return f"{taken:.3g} mm, the coarsest of the others, since the 10th percentile is finer ({tenth:.3g} mm)"


def _why_strides(geometry: Geometry) -> str:
    network = geometry.patch.topology
    halvings = [f"{axis} {round(math.log2(step))}" for axis, step in zip(AXES, network.divisor, strict=True)]
    deepest = [size // step for size, step in zip(network.patch_size, network.divisor, strict=True)]
    return (
        f"halvings: {', '.join(halvings)}; each time the axes within a factor 2 of the finest that is still long, "
        f"down to {by(deepest)} voxels, as none goes below {MIN_EDGE}"
    )


def _why_kernels(kernels: PerStage) -> str:
    flat = [
        f"{name} in {'stage 0' if count == 1 else f'stages 0 to {count - 1}'}"
        for name, column in zip(AXES, zip(*kernels, strict=True), strict=True)
        if (count := column.count(1))
    ]
    if not flat:
        return "3 on every axis, as all spacings are within a factor 2 from the first stage on"
    return f"1 on {' and on '.join(flat)}, as long as the spacing is at least twice the finest; 3 elsewhere"


def _why_normalization(fingerprint: Fingerprint, dataset: DatasetDescription) -> str:
    names = ", ".join(name for name in dataset.modality if not is_ct(name))
    share, parts = fingerprint.median_relative_size_after_cropping, []
    if any(map(is_ct, dataset.modality)):
        parts.append("CT has a fixed scale: clipped and scaled by the labelled voxels of all cases")
    if names:
        voxels, relation = (
            ("the voxels that are not 0", "under") if share < NONZERO_BELOW else ("all voxels", "at least")
        )
        box = f"the box that is not 0 takes {share:.1%} of an image in the median"
        parts.append(f"{names}: z-score of each image over {voxels}, since {box}, {relation} {NONZERO_BELOW:.0%}")
    return "; ".join(parts)


def _why_batch_dice(geometry: Geometry) -> str:
    covered = math.prod(geometry.patch.topology.patch_size) / math.prod(geometry.median_shape)
    share = f"a patch covers {covered:.1%} of the median image"
    if covered >= COVERED:
        return f"{share}, at least {COVERED:.0%}, so it mostly holds every class"
    if geometry.low_resolution:
        return f"{share}, and only with half the voxels or fewer would it cover {COVERED:.0%}; it often lacks a class"
    return f"{share}, but {COVERED:.0%} with more than half the voxels, so it still sees most of an image"
