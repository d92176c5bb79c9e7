"""Reading a patch from an image: as it lies, or along turned and stretched axes. Pure functions of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import affine_grid, grid_sample, pad

Starts = tuple[int, ...]


def cut(image: torch.Tensor, starts: Starts, size: Sequence[int]) -> torch.Tensor:
    """The patch (C, *size) of an image (C, *spatial), 0 outside of it.

    Args:
        image: the image, which is not changed.
        starts: first voxel per axis, which may lie outside.
        size: voxels per axis.
    """
    spans = [(start, start + length, full) for start, length, full in zip(starts, size, image.shape[1:], strict=True)]
    inside = tuple(slice(max(low, 0), min(high, full)) for low, high, full in spans)
    outside = [(max(-low, 0), max(high - full, 0)) for low, high, full in spans]
    return pad(image[(slice(None), *inside)], [width for pair in reversed(outside) for width in pair])


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Where the voxels of a patch are read.

    Args:
        region: slices of the image's spatial axes that hold all of them.
        grid: (1, *size, axes), places in the region as `grid_sample` counts them.
    """

    region: tuple[slice, ...]
    grid: torch.Tensor


def turned(starts: Starts, size: Sequence[int], matrix: torch.Tensor, shape: Sequence[int]) -> Reading:
    """Where a patch is read whose voxel at x from its middle is the image's value at `matrix` x from there.

    Args:
        starts: first voxel per axis of the patch as it would lie without the matrix.
        size: of the patch, voxels per axis.
        matrix: (axes, axes), 2D or 3D; the identity reads what `cut` gives.
        shape: of the image.
    """
    matrix, sizes = matrix.to(torch.float64), torch.tensor(size, dtype=torch.float64)
    centre = torch.tensor(starts, dtype=torch.float64) + (sizes - 1) / 2
    # A voxel more on both sides, since a value between two voxels needs both.
    reach = matrix.abs() @ ((sizes - 1) / 2) + 1
    low = (centre - reach).floor().long().clamp(min=0)
    high = torch.minimum((centre + reach).ceil().long() + 1, torch.tensor(shape))
    # torch counts a region from -1 to 1, edges of the outer voxels, and names the last axis first.
    lengths = high - low
    offset = (2 * (centre - low) + 1) / lengths - 1
    theta = torch.cat([(matrix * sizes / lengths[:, None]).flip(0, 1), offset.flip(0)[:, None]], dim=1)
    grid = affine_grid(theta[None].to(torch.float32), [1, 1, *size], align_corners=False)
    return Reading(region=tuple(slice(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True)), grid=grid)


def sampled(image: torch.Tensor, reading: Reading, mode: str = "bilinear") -> torch.Tensor:
    """The patch (C, *size), in the image's type, of an image (C, *spatial); 0 outside, only the region is read.

    Args:
        image: the image, which is not changed.
        reading: as `turned` gives it.
        mode: "bilinear" or "nearest".
    """
    region = image[(slice(None), *reading.region)][None].to(torch.float32)
    values = grid_sample(region, reading.grid, mode=mode, padding_mode="zeros", align_corners=False)
    return values[0].to(image.dtype)
