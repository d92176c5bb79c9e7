"""Where a click lies in the network's grid, and the Gaussian around it there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ..errors import UserError

Affine = torch.Tensor | np.ndarray

# A Gaussian ends here, at 0.0003 of its peak; beyond it guidance is exactly 0.
_REACH_IN_SIGMA = 4
# What lies this near to the middle of two voxels, in voxels, lies in the middle. NIfTI stores affines as 32-bit floats,
# so that twice a stored 0.7 mm is not quite 1.4 mm, and after 500 voxels the difference is 1e-5.
_TIE = 1e-4


def click_voxel(point: Sequence[int], original_affine: Affine, affine: Affine) -> tuple[int, ...]:
    """The voxel of the network's grid whose centre is nearest to that of a voxel of the stored image.

    In the middle of two voxels, as every second one is after respacing by exactly 2, it is the one of lower index, on
    every axis for itself.

    Args:
        point: voxel of the stored image.
        original_affine: of the stored image, to world coordinates, (D + 1, D + 1) for D axes.
        affine: of the network's grid; its axes must be orthogonal, else "nearest" is meant axis by axis.

    Returns:
        Voxel of the network's grid, which may lie outside of the image there.
    """
    to_grid = _to_grid(original_affine, affine)
    return tuple(math.ceil(value - 0.5 - _TIE) for value in _moved(to_grid, point))


def voxel_in_grid(
    point: Sequence[int], *, original_affine: Affine, affine: Affine, shape: Sequence[int]
) -> tuple[int, ...] | None:
    """The voxel nearest to a voxel of the stored image among those that a grid has; none where the two are apart.

    A voxel of the stored image that is cropped away lies apart from the grid. One that is kept overlaps it, though its
    centre may lie up to half its length outside: Spacingd shifts the grid of oblique images.

    Args:
        point: voxel of the stored image.
        original_affine: of the stored image, to world coordinates.
        affine: of the network's grid.
        shape: of the network's grid, voxels.
    """
    to_grid = _to_grid(original_affine, affine)
    reach = 0.5 + 0.5 * np.abs(to_grid[:-1, :-1]).sum(axis=1) - _TIE
    centre, last = _moved(to_grid, point), np.array(shape) - 1
    if np.any(centre <= -reach) or np.any(centre >= last + reach):
        return None
    nearest = click_voxel(point, original_affine, affine)
    return tuple(min(max(index, 0), length - 1) for index, length in zip(nearest, shape, strict=True))


def _to_grid(original_affine: Affine, affine: Affine) -> np.ndarray:
    """Voxels of the stored image -> voxels of the network's grid."""
    return np.linalg.solve(_float64(affine), _float64(original_affine))


def _moved(to_grid: np.ndarray, point: Sequence[int]) -> np.ndarray:
    return to_grid[:-1, :-1] @ np.array(point, np.float64) + to_grid[:-1, -1]


def _float64(affine: Affine) -> np.ndarray:
    return torch.as_tensor(affine, dtype=torch.float64, device="cpu").numpy()


def guidance_channels(points: Sequence[Sequence[Sequence[int]]], *, shape: Sequence[int], sigma: float) -> torch.Tensor:
    """A channel for every label: the largest of the Gaussians exp(-|x - p|^2 / (2 sigma^2)) of its clicks p.

    It is exactly 1 at a clicked voxel, exactly 0 farther than 4 sigma from all of them, and 0 without clicks.

    Args:
        points: for every label its clicks, voxels of the grid.
        shape: of the grid, voxels.
        sigma: in voxels of the grid.

    Returns:
        (len(points), *shape), float32.

    Raises:
        UserError: sigma is no number above 0, or a click lies outside the grid.
    """
    check_sigma(sigma)
    channels = torch.zeros(len(points), *shape)
    for channel, clicks in zip(channels, points, strict=True):
        for point in clicks:
            add_click(channel, point, sigma)
    return channels


def check_sigma(sigma: Any) -> None:
    """Raise a `UserError` unless `sigma` is a finite number above 0."""
    is_number = isinstance(sigma, int | float) and not isinstance(sigma, bool)
    if not is_number or not 0 < sigma < math.inf:
        raise UserError(f"sigma must be a number of voxels above 0, got {sigma!r}")


def add_click(channel: torch.Tensor, point: Sequence[int], sigma: float) -> None:
    """Raise `channel` (*spatial), in place, to the Gaussian around `point`.

    Raises:
        UserError: the point lies outside the channel.
    """
    shape = tuple(channel.shape)
    if len(point) != len(shape) or not all(0 <= index < size for index, size in zip(point, shape, strict=True)):
        raise UserError(f"a click must lie in the grid, got {list(point)} for a grid of shape {list(shape)}")
    reach = _REACH_IN_SIGMA * sigma
    margin = math.floor(reach)
    starts = [max(index - margin, 0) for index in point]
    stops = [min(index + margin + 1, size) for index, size in zip(point, shape, strict=True)]
    window = channel[tuple(slice(start, stop) for start, stop in zip(starts, stops, strict=True))]
    offsets = [
        torch.arange(start, stop, dtype=torch.float64) - index
        for start, stop, index in zip(starts, stops, point, strict=True)
    ]
    squares = torch.stack(torch.meshgrid(*offsets, indexing="ij")).square().sum(dim=0)
    gaussian = torch.exp(-squares / (2 * sigma**2)) * (squares <= reach**2)
    torch.maximum(window, gaussian.to(window), out=window)
