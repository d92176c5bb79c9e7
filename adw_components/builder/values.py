"""The values of one bundle's configs, from its plan. No torch here."""

from __future__ import annotations

import math
from typing import Any

from ..plan import Plan
from ..record_fields import total_stride

# nnU-Net turns patches whose longest axis is over 3 times another one in the plane only.
_FLAT = 3
# Radians: 30 degrees, and either way round.
_ANGLE, _FULL_TURN, _ZOOM_OUT = 0.5236, 3.1415, 0.4
# Patches of the small setting have at most this many voxels, if their strides allow it.
_QUICK_VOXELS = 50_000
# Prediction: larger patches go through the network one by one, larger images are loaded by one process.
_LARGE_PATCH, _LARGE_IMAGE = 500_000, 20_000_000


def config_values(plan: Plan) -> dict[str, Any]:
    """Name -> value of everything in a bundle's configs that depends on its data."""
    rotate, scale = augmentation_ranges(plan)
    large = math.prod(plan.median_shape) > _LARGE_IMAGE
    one_window = all(size <= patch for size, patch in zip(plan.median_shape, plan.patch_size, strict=True))
    return {
        "dataset_dir": f"/workspace/data/{plan.dataset.name}",
        "task": plan.dataset.name,
        "modality": list(plan.dataset.modality),
        "in_channels": plan.in_channels,
        "out_channels": plan.out_channels,
        "labels": {str(value): name for value, name in enumerate(plan.dataset.labels) if value},
        "spacing": list(plan.spacing_mm),
        "normalization": [channel.to_dict() for channel in plan.normalization],
        "strides": [list(row) for row in plan.strides],
        "kernel_sizes": [list(row) for row in plan.kernel_sizes],
        "batch_size": plan.batch_size,
        "patch_size": list(plan.patch_size),
        "shipped_patch_size": list(plan.patch_size),
        "quick_patch_size": list(quick_patch_size(plan)),
        "batch_dice": plan.batch_dice,
        "rotate_range": list(rotate),
        "scale_range": list(scale),
        # Whole images are validated, and large ones take minutes.
        "val_interval": {
            "_target_": "adw_components.bundle.epochs.epochs_within",
            "wanted": 50 if large else 10,
            "max_epochs": "@train#trainer#max_epochs",
        },
        # A bar over the windows of an image, where one image takes minutes.
        "window_progress": large,
        # Averaging helps a little (docs/results.md), and costs little where an image is one window.
        "mirror_tta": one_window,
        "prediction_workers": 1 if large else 4,
        "sw_batch_size": 1 if math.prod(plan.patch_size) > _LARGE_PATCH else 4,
    }


def augmentation_ranges(plan: Plan) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Largest rotation about every axis in radians, and by how much a patch is zoomed out along every axis.

    A flat patch is turned and scaled in its plane only, by any angle (nnU-Net v2's rule for anisotropic patches).
    """
    longest = max(plan.patch_size)
    flat = [axis for axis, size in enumerate(plan.patch_size) if longest / size > _FLAT]
    if not flat:
        return (_ANGLE,) * 3, (_ZOOM_OUT,) * 3
    thin = min(flat, key=lambda axis: plan.patch_size[axis])
    rotate = tuple(_FULL_TURN if axis == thin else 0.0 for axis in range(3))
    return rotate, tuple(0.0 if axis == thin else _ZOOM_OUT for axis in range(3))


def quick_patch_size(plan: Plan) -> tuple[int, ...]:
    """A patch for a CPU: shortened by what divides it, in its own aspect, down to two such steps an axis."""
    steps = total_stride(plan.strides)
    whole = [size // step for size, step in zip(plan.patch_size, steps, strict=True)]
    counts = list(whole)
    while math.prod(counts) * math.prod(steps) > _QUICK_VOXELS and max(counts) > 2:
        shortened = [axis for axis, count in enumerate(counts) if count > 2]
        counts[max(shortened, key=lambda axis: (counts[axis] / whole[axis], -axis))] -= 1
    return tuple(count * step for count, step in zip(counts, steps, strict=True))
