"""Sizes and regions of crops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations

import torch

from ..errors import UserError


def is_nonzero(image: torch.Tensor) -> torch.Tensor:
    """Where an image is not 0; everywhere if it is 0 throughout, so that something is left to crop to.

    Args:
        image: (C, *spatial).

    Returns:
        Mask of the same shape.
    """
    mask = image != 0
    return mask if bool(mask.any()) else torch.ones_like(mask)


def window_size(
    patch_size: Sequence[int], *, rotate_range: Sequence[float], scale_range: Sequence[float]
) -> tuple[int, ...]:
    """Size of the window that is rotated and scaled before the patch is cut from its centre.

    It holds every voxel that a rotation about one axis, or the largest zoom out, brings into the patch. Each axis
    exceeds the patch by an even number, so that the centres coincide.

    Args:
        patch_size: voxels per axis.
        rotate_range: largest angle about every axis, radians; for 2D one angle.
        scale_range: per axis, by how much at most a patch covers more than its own length, 0.4 for 1.4 lengths.
    """
    _check_ranges(len(patch_size), rotate_range, scale_range)
    lengths = [size * (1 + scale) for size, scale in zip(patch_size, scale_range, strict=True)]
    for axis, other in permutations(range(len(patch_size)), 2):
        angle = rotate_range[3 - axis - other] if len(patch_size) == 3 else rotate_range[0]
        lengths[axis] = max(lengths[axis], _reach(patch_size[axis], patch_size[other], angle))
    margins = [math.ceil((length - size) / 2 - 1e-9) for length, size in zip(lengths, patch_size, strict=True)]
    return tuple(size + 2 * margin for size, margin in zip(patch_size, margins, strict=True))


def _reach(length: float, other: float, angle: float) -> float:
    """Largest extent along an axis of a `length` x `other` rectangle turned by up to `angle`."""
    # The diagonal is reached at atan(other / length); before it the extent grows.
    turned = min(abs(angle), math.atan2(other, length))
    return length * math.cos(turned) + other * math.sin(turned)


def _check_ranges(axes: int, rotate_range: Sequence[float], scale_range: Sequence[float]) -> None:
    if len(rotate_range) != (3 if axes == 3 else 1) or not all(0 <= angle <= math.pi for angle in rotate_range):
        raise UserError(f"rotate_range must be an angle from 0 to pi for every axis, got {list(rotate_range)}")
    if len(scale_range) != axes or not all(0 <= scale < 1 for scale in scale_range):
        raise UserError(f"scale_range must be a number from 0 to below 1 for every axis, got {list(scale_range)}")
