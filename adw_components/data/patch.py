"""The patch that training sees: where it lies, and how it is turned and scaled."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, Randomizable
from monai.transforms.utils import create_rotate, create_scale

from ..errors import UserError
from .sampling import Starts, cut, sampled, turned


class RandPatchByClassd(Randomizable, MapTransform):
    """Cut a patch that lies anywhere, or is centred on foreground, at random turned and scaled about its middle.

    The patch lies inside the image, where the image is long enough, and else around its middle; what is outside of the
    image is 0. As in nnU-Net, a share of the patches is centred on foreground, on each class equally often; classes
    that an image lacks are left out. A patch that is turned or scaled is resampled once, and only as large as it is:
    MONAI's `RandAffined` would resample a larger window for each, in 64 bits.

    Args:
        keys: of images and labels, (C, *spatial), all of one shape.
        mode: "bilinear" or "nearest", for each of the keys.
        indices_key: of the flat indices of voxels of every class, background first (MONAI's `ClassesToIndicesd`).
        patch_size: voxels per axis.
        rotate_range: largest angle about every axis, radians; for 2D one angle.
        scale_range: per axis, by how much at most a patch covers more than its own length, 0.4 for 1.4 lengths; it
            covers less by up to three quarters of that.
        prob: probability of a rotation, and, independently, of a scaling.
        foreground: share of the patches centred on foreground.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        mode: Sequence[str],
        indices_key: str,
        patch_size: Sequence[int],
        rotate_range: Sequence[float],
        scale_range: Sequence[float],
        prob: float = 0.2,
        foreground: float = 1 / 3,
    ) -> None:
        super().__init__(keys)
        check_ranges(len(patch_size), rotate_range=rotate_range, scale_range=scale_range)
        self.mode, self.indices_key = tuple(mode), indices_key
        self.patch_size = tuple(patch_size)
        self.rotate_range, self.scale_range = tuple(rotate_range), tuple(scale_range)
        self.prob, self.foreground = prob, foreground

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """data: with `keys` and `indices_key`, which is left out of what is given back."""
        values = dict(data)
        indices = values.pop(self.indices_key)
        shape = tuple(values[self.first_key(values)].shape[1:])
        starts, matrix = self.patch_starts(indices, shape), self.matrix()
        reading = None if matrix is None else turned(starts, self.patch_size, matrix, shape)
        for key, mode in self.key_iterator(values, self.mode):
            if reading is None:
                values[key] = cut(values[key], starts, self.patch_size)
            else:
                values[key] = sampled(values[key], reading, mode)
        return values

    def patch_starts(self, indices: Sequence[torch.Tensor], shape: Sequence[int]) -> Starts:
        """First voxel of a random patch per axis, negative where the image is shorter than the patch.

        Args:
            indices: flat indices of voxels of every class, background first.
            shape: of the image, voxels.
        """
        centre = self._drawn_centre(indices, shape)
        return tuple(
            self._start(None if centre is None else int(centre[axis]), length, patch)
            for axis, (length, patch) in enumerate(zip(shape, self.patch_size, strict=True))
        )

    def matrix(self) -> torch.Tensor | None:
        """A random rotation after a random scaling, (axes, axes); None for neither."""
        axes, matrix = len(self.patch_size), None
        if self.R.rand() < self.prob:
            angles = [self.R.uniform(-angle, angle) for angle in self.rotate_range]
            matrix = torch.as_tensor(create_rotate(axes, angles))[:axes, :axes]
        if self.R.rand() < self.prob:
            factors = [1 + self.R.uniform(-0.75 * scale, scale) for scale in self.scale_range]
            scaling = torch.as_tensor(create_scale(axes, factors))[:axes, :axes]
            matrix = scaling if matrix is None else matrix @ scaling
        return matrix

    def _drawn_centre(self, indices: Sequence[torch.Tensor], shape: Sequence[int]) -> tuple[Any, ...] | None:
        """A voxel of a class drawn at random; none where the patch may lie anywhere."""
        present = [voxels for voxels in indices[1:] if len(voxels)]
        if self.R.rand() >= self.foreground or not present:
            return None
        voxels = present[self.R.randint(len(present))]
        return np.unravel_index(int(voxels[self.R.randint(len(voxels))]), tuple(shape))

    def _start(self, centre: int | None, length: int, patch: int) -> int:
        """Where a patch begins so that it lies inside, or around the middle of an image that is shorter."""
        if length <= patch:
            return -((patch - length) // 2)
        if centre is None:
            return int(self.R.randint(length - patch + 1))
        return min(max(centre - patch // 2, 0), length - patch)


def check_ranges(axes: int, *, rotate_range: Sequence[float], scale_range: Sequence[float]) -> None:
    """Raise a `UserError` unless there is an angle about every axis, and a number below 1 for every axis."""
    if len(rotate_range) != (3 if axes == 3 else 1) or not all(0 <= angle <= math.pi for angle in rotate_range):
        raise UserError(f"rotate_range must be an angle from 0 to pi for every axis, got {list(rotate_range)}")
    if len(scale_range) != axes or not all(0 <= scale < 1 for scale in scale_range):
        raise UserError(f"scale_range must be a number from 0 to below 1 for every axis, got {list(scale_range)}")
