"""What is wrong with one NIfTI file, an image or a label, and with the grid that they share. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from .dataset import some

# How far, in mm, two affines may disagree about a corner of the volume: over ten times what rounding a
# header to 32 bits does to 512 voxels a side.
AFFINE_TOLERANCE_MM = 1e-3


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with one file, and what to do; `str` gives it as one line."""

    file: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}; {self.remedy}"


@dataclass(frozen=True, kw_only=True)
class Report:
    """All that the check found: faults forbid the work, warnings do not."""

    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()

    def __add__(self, other: Report) -> Report:
        return Report(faults=self.faults + other.faults, warnings=self.warnings + other.warnings)


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Where the voxels of a volume lie: `shape` of the spatial axes, `affine` from voxels to mm."""

    shape: tuple[int, ...]
    affine: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a file must hold: axes, channels of an image, values of a label; the label values matter for labels only."""

    in_channels: int
    label_values: frozenset[int]
    spatial_dims: int


def read_image(path: Path, task: Task) -> tuple[Grid | None, Report]:
    """The grid of an image, none if unreadable, and what is wrong: channels, NaN or infinite voxels, nothing but 0."""
    voxels, affine, report = _read(path)
    if voxels is None:
        return None, report
    faults = _wrong_channels(path, voxels.shape, task.spatial_dims, task.in_channels)
    faults += [*_not_finite(path, voxels), *_all_zero(path, voxels)]
    return _grid(voxels, affine, task), Report(faults=tuple(faults))


def read_label(path: Path, task: Task) -> tuple[Grid | None, Report]:
    """The grid of a label, none if unreadable, and what is wrong: channels, values; no foreground is a warning."""
    voxels, affine, report = _read(path)
    if voxels is None:
        return None, report
    # Slab by slab, since sorting a whole CT volume takes seconds and a copy of it.
    values = sorted({float(value) for slab in np.moveaxis(voxels, -1, 0) for value in np.unique(slab)})
    wrong = list(dict.fromkeys(f"{value:g}" for value in values if value not in task.label_values))
    known = ", ".join(map(str, sorted(task.label_values)))
    faults = _wrong_channels(path, voxels.shape, task.spatial_dims, 1)
    if wrong:
        faults.append(_fault(path, f"label values must be {known}, got {some(wrong)}", "correct the label's values"))
    return _grid(voxels, affine, task), Report(faults=tuple(faults), warnings=_no_foreground(path, values))


def compare_grids(path: Path, label: Grid, image: Grid) -> Report:
    """What is wrong with the grid of the label at `path`, which must be its image's."""
    faults = []
    if image.shape != label.shape:
        problem = f"shape {label.shape} differs from the image's {image.shape}"
        faults.append(_fault(path, problem, "resample the label to the image"))
    shift = _shift(image, label)
    if not shift <= AFFINE_TOLERANCE_MM:
        problem = f"affine differs from the image's, by up to {shift:.3g} mm in the volume"
        faults.append(_fault(path, problem, "resample the label, or copy the image's header if voxels do match"))
    return Report(faults=tuple(faults))


def _no_foreground(path: Path, values: list[float]) -> tuple[Fault, ...]:
    if any(value != 0 for value in values):
        return ()
    return (_fault(path, "no voxel is labelled foreground", "make sure that the structure is absent in this case"),)


def _read(path: Path) -> tuple[NDArray[Any] | None, NDArray[np.float64], Report]:
    """All voxels of a NIfTI file, none if it cannot be read; its affine; the faults."""
    if not path.is_file():
        return None, np.eye(4), _one(path, "the file is missing", "restore it or take the case out of dataset.json")
    try:
        volume: Any = nibabel.load(path)
        voxels = np.asanyarray(volume.dataobj)
    except Exception as error:  # whatever a damaged file makes the decoders raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        return None, np.eye(4), _one(path, f"cannot be read as NIfTI: {reason}", "download or convert it again")
    if voxels.dtype.kind not in "biuf" or voxels.size == 0 or voxels.ndim < 2:
        what = f"type {voxels.dtype} and shape {voxels.shape}"
        return None, np.eye(4), _one(path, f"must be a volume of real numbers, got {what}", "convert it")
    return voxels, volume.affine, Report()


def _grid(voxels: NDArray[Any], affine: NDArray[np.float64], task: Task) -> Grid:
    return Grid(shape=voxels.shape[: task.spatial_dims], affine=affine)


def _wrong_channels(path: Path, shape: tuple[int, ...], spatial_dims: int, expected: int) -> list[Fault]:
    if len(shape) not in (spatial_dims, spatial_dims + 1):
        rule = f"must have {spatial_dims} axes, and one more for several channels"
        return [_fault(path, f"{rule}, got shape {shape}", "convert it")]
    channels = 1 if len(shape) == spatial_dims else shape[-1]
    if channels == expected:
        return []
    problem = f"must have {expected} channel(s), got {channels} (shape {shape})"
    if len(shape) > spatial_dims and shape[0] == expected:
        return [_fault(path, problem, "move the channels from the first axis to the last")]
    return [_fault(path, problem, "give the task's images, channels on the last axis")]


def _not_finite(path: Path, voxels: NDArray[Any]) -> list[Fault]:
    # The sum is finite only if every voxel is, and needs no copy of the volume.
    if voxels.dtype.kind != "f" or np.isfinite(voxels.sum(dtype=np.float64)):
        return []
    count = int(np.count_nonzero(~np.isfinite(voxels)))
    return [_fault(path, f"{count} voxel(s) are NaN or infinite", "replace them, say by 0")] if count else []


def _all_zero(path: Path, voxels: NDArray[Any]) -> list[Fault]:
    # Slab by slab, since the first that is not 0 ends the search, and nothing is copied.
    if any(slab.any() for slab in np.moveaxis(voxels, -1, 0)):
        return []
    return [_fault(path, "every voxel is 0", "export the image again or take the case out of dataset.json")]


def _shift(image: Grid, label: Grid) -> float:
    """How far apart, in mm, the two affines put the corner of the image that they put farthest apart."""
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array((*image.shape, 1)[:3]) - 1)
    return float(np.linalg.norm(apply_affine(image.affine - label.affine, corners), axis=1).max())


def _fault(path: Path, problem: str, remedy: str) -> Fault:
    return Fault(file=str(path), problem=problem, remedy=remedy)


def _one(path: Path, problem: str, remedy: str) -> Report:
    return Report(faults=(_fault(path, problem, remedy),))
