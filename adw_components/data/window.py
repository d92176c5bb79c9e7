"""The window of an image that augmentation works on: the patch it will give, and a margin."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, Randomizable
from torch.nn.functional import pad

from ..errors import UserError

Starts = tuple[int, ...]


class RandWindowByClassd(Randomizable, MapTransform):
    """Cut a window around a patch that lies anywhere, or is centred on foreground.

    The patch lies inside the image, where the image is long enough, and else around its middle; the window is the patch
    with an equal margin on both sides, and 0 where it leaves the image. MONAI's `RandCropByLabelClasses` keeps all of
    its crop inside, so that patches cut from the middle of a window would never reach the borders. As in nnU-Net, a
    share of the patches is centred on foreground, on each class equally often; classes that an
    image lacks are left out.

    Args:
        keys: of images and labels, (C, *spatial), all of one shape.
        indices_key: of the flat indices of voxels of every class, background first (MONAI's `ClassesToIndicesd`).
        patch_size: voxels per axis.
        window_size: voxels per axis, each longer than the patch by an even number, or equal.
        foreground: share of the patches centred on foreground.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        indices_key: str,
        patch_size: Sequence[int],
        window_size: Sequence[int],
        foreground: float = 1 / 3,
    ) -> None:
        super().__init__(keys)
        margins = [window - patch for window, patch in zip(window_size, patch_size, strict=True)]
        if any(margin < 0 or margin % 2 for margin in margins):
            raise UserError(f"a window must exceed its patch by even numbers, got {window_size} for {patch_size}")
        self.indices_key, self.foreground = indices_key, foreground
        self.patch_size, self.window_size = tuple(patch_size), tuple(window_size)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """data: with `keys` and `indices_key`, which is left out of what is given back."""
        values = dict(data)
        indices = values.pop(self.indices_key)
        shape = tuple(values[self.first_key(values)].shape[1:])
        starts = self.window_starts(indices, shape)
        for key in self.key_iterator(values):
            values[key] = cut(values[key], starts, self.window_size)
        return values

    def window_starts(self, indices: Sequence[torch.Tensor], shape: Sequence[int]) -> Starts:
        """First voxel of a random window per axis, which may be negative.

        Args:
            indices: flat indices of voxels of every class, background first.
            shape: of the image, voxels.
        """
        centre = self._drawn_centre(indices, shape)
        sizes = zip(shape, self.patch_size, self.window_size, strict=True)
        return tuple(
            self._patch_start(None if centre is None else int(centre[axis]), length, patch) - (window - patch) // 2
            for axis, (length, patch, window) in enumerate(sizes)
        )

    def _drawn_centre(self, indices: Sequence[torch.Tensor], shape: Sequence[int]) -> tuple[Any, ...] | None:
        """A voxel of a class drawn at random; none where the patch may lie anywhere."""
        present = [voxels for voxels in indices[1:] if len(voxels)]
        if self.R.rand() >= self.foreground or not present:
            return None
        voxels = present[self.R.randint(len(present))]
        return np.unravel_index(int(voxels[self.R.randint(len(voxels))]), tuple(shape))

    def _patch_start(self, centre: int | None, length: int, patch: int) -> int:
        """Where a patch begins so that it lies inside, or around the middle of an image that is shorter."""
        if length <= patch:
            return -((patch - length) // 2)
        if centre is None:
            return int(self.R.randint(length - patch + 1))
        return min(max(centre - patch // 2, 0), length - patch)


def cut(image: torch.Tensor, starts: Starts, size: Sequence[int]) -> torch.Tensor:
    """The window (C, *size) of an image (C, *spatial), 0 outside of it.

    Args:
        image: the image, which is not changed.
        starts: first voxel per axis, which may lie outside.
        size: voxels per axis.
    """
    spans = [(start, start + length, full) for start, length, full in zip(starts, size, image.shape[1:], strict=True)]
    inside = tuple(slice(max(low, 0), min(high, full)) for low, high, full in spans)
    outside = [(max(-low, 0), max(high - full, 0)) for low, high, full in spans]
    return pad(image[(slice(None), *inside)], [width for pair in reversed(outside) for width in pair])
