"""Where an annotator would click: in the middle of the largest error, with the class that is missing there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

Volume = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Click:
    """One click on a volume.

    Attributes:
        value: label value that is right there, 0 for background.
        voxel: where, in voxels of the volume.
    """

    value: int
    voxel: tuple[int, ...]


def correction_click(prediction: Volume, label: Volume, *, random: bool = False) -> Click | None:
    """The next correction of a prediction; None if nothing is wrong.

    An error is a face-connected region of one true class with any other class predicted. The largest is corrected, by
    a click in its middle (the voxel farthest from its outside), or on a random voxel of it, those farther from the
    outside likelier in proportion. Choosing the middle of the largest error is the common model of an annotator
    (Sofiiuk et al., Reviving Iterative Training with Mask Guidance for Interactive Segmentation, ICIP 2022).

    Args:
        prediction: (*spatial) label values.
        label: (*spatial) true label values.
        random: whether the voxel is drawn, from torch's global generator.
    """
    wrong = prediction != label
    if not wrong.any():
        return None
    # Errors are mostly where the foreground is; labelling regions takes its time over every voxel that it gets.
    box = ndimage.find_objects(wrong.view(np.uint8))[0]
    wrong, truth = wrong[box], label[box]
    regions = [_largest_region(wrong & (truth == value)) for value in np.unique(truth[wrong])]
    voxel = _inner_voxel(max(regions, key=lambda region: region.size), random=random)
    voxel = tuple(int(low.start + step) for low, step in zip(box, voxel, strict=True))
    return Click(value=int(label[voxel]), voxel=voxel)


def seed_clicks(label: Volume) -> list[Click]:
    """One click on a random inner voxel of the largest region of every foreground class that is there.

    Args:
        label: (*spatial) true label values.
    """
    values = [int(value) for value in np.unique(label) if value]
    regions = {value: _largest_region(label == value) for value in values}
    return [Click(value=value, voxel=_inner_voxel(region, random=True)) for value, region in regions.items()]


@dataclass(frozen=True, kw_only=True)
class _Region:
    """A connected region: its voxels within its bounding box, and where the box begins."""

    mask: Volume
    start: tuple[int, ...]
    size: int


def _largest_region(mask: Volume) -> _Region:
    names, _ = ndimage.label(mask)
    sizes = np.bincount(names.ravel())
    sizes[0] = 0
    largest = int(sizes.argmax())
    box = ndimage.find_objects(names, max_label=largest)[largest - 1]
    start = tuple(axis.start for axis in box)
    return _Region(mask=names[box] == largest, start=start, size=int(sizes[largest]))


def _inner_voxel(region: _Region, *, random: bool) -> tuple[int, ...]:
    # Beyond the box is outside of the region, be it outside of the volume.
    depth = ndimage.distance_transform_edt(np.pad(region.mask, 1))[(slice(1, -1),) * region.mask.ndim]
    flat = int(torch.multinomial(torch.from_numpy(depth.ravel()), 1)) if random else int(depth.argmax())
    inner = np.unravel_index(flat, depth.shape)
    return tuple(int(low + step) for low, step in zip(region.start, inner, strict=True))
