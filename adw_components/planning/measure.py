"""What the fingerprint takes from one case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.affines import voxel_sizes
from nibabel.volumeutils import apply_read_scaling
from numpy.typing import NDArray

from ..data.dataset import Case
from ..data.headers import ras_order
from ..data.volumes import Report, Task, check_files
from .intensities import case_statistics

Box = tuple[slice, ...]


@dataclass(frozen=True, kw_only=True)
class CaseRow:
    """Measurements of one case. Axes run x, y, z, as after the reorientation to RAS.

    Args:
        spacing: mm per axis.
        shape: voxels per axis of the box around all voxels at which any channel is not 0.
        relative_size: share of the image that this box takes.
        channels: per channel, `case_statistics` of the labelled voxels; none if no voxel is labelled.
    """

    spacing: tuple[float, ...]
    shape: tuple[int, ...]
    relative_size: float
    channels: tuple[Mapping[str, Any], ...]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CaseRow:
        """The row whose `asdict` went through JSON, which knows no tuples."""
        fields: dict[str, Any] = {name: tuple(row) if isinstance(row, list) else row for name, row in values.items()}
        return cls(**fields)


@dataclass(frozen=True, kw_only=True)
class _Volume:
    """A NIfTI file's numbers as they are stored, (x, y, z, channels), and how they turn into values."""

    stored: NDArray[Any]
    slope: float
    inter: float
    affine: NDArray[np.float64]

    def values(self, part: NDArray[Any]) -> NDArray[Any]:
        # Only ever for a part: nibabel gives float64, eight bytes a voxel, wherever slope or inter are set.
        return apply_read_scaling(part, self.slope, self.inter)

    def nonzero(self) -> NDArray[np.bool_]:
        """(x, y, z): where any channel is not 0."""
        width, height, depth, _ = self.stored.shape
        mask = np.empty((width, height, depth), dtype=bool)
        for z in range(depth):
            mask[:, :, z] = (self.values(self.stored[:, :, z]) != 0).any(axis=-1)
        return mask


def measure_case(case: Case, task: Task) -> tuple[CaseRow | None, Report]:
    """Measure one case, unless there are faults in its files.

    Args:
        case: an image, 3D or with a last axis of channels, and its label on the same grid.
        task: channels of an image, values of a label.
    """
    report = check_files(case.image, case.label, task)
    return (None if report.faults else _measured(case)), report


def _measured(case: Case) -> CaseRow:
    image = _open(case.image)
    spacing = voxel_sizes(image.affine)
    mask = image.nonzero()
    box = _box(mask)
    assert box is not None, "the check of the image refuses one that is 0 throughout"
    # Reorienting exchanges and flips axes; what is measured here does not change with flips.
    order = ras_order(image.affine)
    return CaseRow(
        spacing=tuple(float(spacing[axis]) for axis in order),
        shape=tuple(box[axis].stop - box[axis].start for axis in order),
        relative_size=mask[box].size / mask.size,
        channels=_labelled(image, _open(case.label), box),
    )


def _open(path: Path) -> _Volume:
    volume: Any = nibabel.load(path)
    stored = volume.dataobj.get_unscaled()
    stored = stored[..., np.newaxis] if stored.ndim == 3 else stored
    return _Volume(stored=stored, slope=volume.dataobj.slope, inter=volume.dataobj.inter, affine=volume.affine)


def _box(mask: NDArray[np.bool_]) -> Box | None:
    """The smallest box around what is true, none if nothing is."""
    found = [np.flatnonzero(mask.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
    if not found[0].size:
        return None
    return tuple(slice(int(places[0]), int(places[-1]) + 1) for places in found)


def _labelled(image: _Volume, label: _Volume, box: Box) -> tuple[dict[str, Any], ...]:
    inside = label.nonzero()[box]
    if not inside.any():
        return ()
    # (voxels, channels); all 32 bits of an image, as it is trained with.
    intensities = image.values(image.stored[box][inside]).astype(np.float32)
    return tuple(case_statistics(channel) for channel in intensities.T)
