"""Strides and kernels of every stage for a spacing and a patch, nnU-Net's rules; axes in any order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..record_fields import PerStage, total_stride

# No axis is halved below this many voxels.
MIN_EDGE = 4


@dataclass(frozen=True, kw_only=True)
class Topology:
    """Strides and kernels per stage, and the patch, padded until the strides divide it."""

    strides: PerStage
    kernel_sizes: PerStage
    patch_size: tuple[int, ...]

    @property
    def divisor(self) -> tuple[int, ...]:
        """What divides the patch, per axis."""
        return total_stride(self.strides)


def topology(spacing: Sequence[float], patch_size: Sequence[float]) -> Topology:
    """Halve the finest axes until the feature map is 4 to 7 voxels wide (Isensee et al., Nature Methods 2021).

    An axis is halved while its spacing is within a factor 2 of the finest axis that can still be halved; its kernel
    is 3 from the stage on where its spacing is within a factor 2 of the finest axis, and 1 before.

    Args:
        spacing: mm per axis.
        patch_size: voxels per axis, divisible by anything.
    """
    spacings, sizes = list(spacing), list[float](patch_size)
    strides, kernels = [(1,) * len(sizes)], []
    kernel = (1,) * len(sizes)
    while axes := _axes_to_halve(spacings, sizes):
        kernel = _grown(kernel, spacings)
        kernels.append(kernel)
        strides.append(tuple(2 if axis in axes else 1 for axis in range(len(sizes))))
        for axis in axes:
            spacings[axis] *= 2
            sizes[axis] = math.ceil(sizes[axis] / 2)
    kernels.append((3,) * len(sizes))
    divisor = total_stride(tuple(strides))
    padded = tuple(math.ceil(size / step) * step for size, step in zip(patch_size, divisor, strict=True))
    return Topology(strides=tuple(strides), kernel_sizes=tuple(kernels), patch_size=padded)


def _axes_to_halve(spacings: Sequence[float], sizes: Sequence[float]) -> list[int]:
    long = [axis for axis, size in enumerate(sizes) if size >= 2 * MIN_EDGE]
    if not long:
        return []
    finest = min(spacings[axis] for axis in long)
    axes = [axis for axis in long if spacings[axis] / finest < 2]
    if len(axes) == 1 and sizes[axes[0]] < 3 * MIN_EDGE:
        return []  # a last axis alone is halved only if it is long
    return axes


def _grown(kernel: tuple[int, ...], spacings: Sequence[float]) -> tuple[int, ...]:
    finest = min(spacings)
    return tuple(3 if size == 3 or spacing / finest < 2 else 1 for size, spacing in zip(kernel, spacings, strict=True))
