"""Reading a patch from an image: as it lies, or along turned and stretched axes. Pure functions of tensors."""

from __future__ import annotations

from collections.abc import Sequence

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


def sampled(
    image: torch.Tensor, starts: Starts, size: Sequence[int], matrix: torch.Tensor, mode: str = "bilinear"
) -> torch.Tensor:
    """The patch (C, *size) whose voxel at x from its middle is the image's value at `matrix` x, 0 outside of the image.

    Args:
        image: (C, *spatial) in 2D or 3D; only the region that the patch reaches is read.
        starts: first voxel per axis of the patch as it would lie without the matrix.
        size: voxels per axis.
        matrix: (axes, axes); the identity gives what `cut` gives.
        mode: "bilinear" or "nearest".

    Returns:
        The patch in the image's type.
    """
    matrix, sizes = matrix.to(torch.float64), torch.tensor(size, dtype=torch.float64)
    centre = torch.tensor(starts, dtype=torch.float64) + (sizes - 1) / 2
    # A voxel more on both sides, since a value between two voxels needs both.
    reach = matrix.abs() @ ((sizes - 1) / 2) + 1
    low = (centre - reach).floor().long().clamp(min=0)
    high = torch.minimum((centre + reach).ceil().long() + 1, torch.tensor(image.shape[1:]))
    region = image[(slice(None), *(slice(int(a), int(b)) for a, b in zip(low, high, strict=True)))]
    # torch counts a region from -1 to 1, edges of the outer voxels, and names the last axis first.
    lengths = high - low
    offset = (2 * (centre - low) + 1) / lengths - 1
    theta = torch.cat([(matrix * sizes / lengths[:, None]).flip(0, 1), offset.flip(0)[:, None]], dim=1)
    grid = affine_grid(theta[None].to(torch.float32), [1, 1, *size], align_corners=False)
    values = grid_sample(region[None].to(torch.float32), grid, mode=mode, padding_mode="zeros", align_corners=False)
    return values[0].to(image.dtype)
