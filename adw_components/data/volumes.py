"""Checks of one NIfTI file, an image or a label, and of the grid that they share. No torch here."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.affines import voxel_sizes
from nibabel.arrayproxy import ArrayProxy
from numpy.typing import NDArray

from ..errors import UserError, raise_limits
from ..normalization import Normalization
from . import headers, voxels
from .dataset import is_nifti, some
from .headers import AFFINE_TOLERANCE, Problem

# The one warning that a plan tells of all cases at once.
NO_FOREGROUND: Problem = ("no voxel is labelled foreground", "make sure that the structure is absent in this case")
# Without the file's name nibabel tells on stderr what these checks tell with it.
logging.getLogger("nibabel.global").setLevel(logging.CRITICAL)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault of one file, and what to do about it; `str` gives it as one line."""

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

    def relative_to(self, root: Path) -> Report:
        """Return the same with the files in `root` named from there on."""

        def named(fault: Fault) -> Fault:
            path = Path(fault.file)
            return replace(fault, file=str(path.relative_to(root))) if path.is_relative_to(root) else fault

        return Report(faults=tuple(map(named, self.faults)), warnings=tuple(map(named, self.warnings)))

    def raise_faults(self, what: str) -> None:
        """Raise a `UserError` if there are faults: one line for one, else a line with their count, then a line each.

        Args:
            what: was checked, such as "dataset DIR".
        """
        if len(self.faults) == 1:
            raise UserError(f"{what}: {self.faults[0]}")
        if self.faults:
            raise UserError("\n".join([f"{len(self.faults)} faults in {what}:", *map(str, self.faults)]))


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Where the voxels of a volume lie: `shape` of the spatial axes, `affine` from voxels to mm."""

    shape: tuple[int, ...]
    affine: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Task:
    """Requirements for the files of one task.

    Args:
        in_channels: of an image.
        label_values: of a label.
        spatial_dims: 2 or 3.
        spacing: mm per axis to which images are resampled, x first; none where that is not known yet.
        z_scored: channels that are normalized by their own mean and deviation, which fill values would spoil.
    """

    in_channels: int
    label_values: frozenset[int] = frozenset()
    spatial_dims: int = 3
    spacing: tuple[float, ...] = ()
    z_scored: frozenset[int] = frozenset()

    @classmethod
    def of_bundle(
        cls,
        *,
        in_channels: int,
        label_values: frozenset[int] = frozenset(),
        spatial_dims: int = 3,
        spacing: Sequence[float] = (),
        normalization: Sequence[Mapping[str, Any]] = (),
    ) -> Task:
        """Build the task of a bundle, whose `normalization` has the fields of a `Normalization` for every channel."""
        schemes = [Normalization.from_dict(fields).scheme for fields in normalization]
        return cls(
            in_channels=in_channels,
            label_values=label_values,
            spatial_dims=spatial_dims,
            spacing=tuple(float(size) for size in spacing),
            z_scored=frozenset(index for index, scheme in enumerate(schemes) if scheme == "z_score"),
        )


def read_image(path: Path, task: Task) -> tuple[Grid | None, Report]:
    """Return the grid of an image, none if unreadable, and what is wrong: its header, its channels, its voxels."""
    volume, report = open_image(path, task)
    if volume is None:
        return None, report
    array, of_voxels = _voxels(path, volume)
    if array is None:
        return None, report + of_voxels
    return _grid(volume, task), report + check_voxels(path, array, task)


def open_image(path: Path, task: Task) -> tuple[Any, Report]:
    """Open the NIfTI file of an image, none if its header is at fault; no voxel is read."""
    volume, report = _open(path)
    if volume is None:
        return None, report
    problem = (
        headers.pixdim_problem(_stored_header(path, volume))
        or headers.affine_problem(volume.affine)
        or headers.unit_problem(volume.header, volume.affine)
    )
    dims = task.spatial_dims
    if problem is None and len(task.spacing) == dims <= len(volume.shape):
        order = [axis for axis in headers.ras_order(volume.affine) if axis < dims]
        sizes = voxel_sizes(volume.affine)
        grid = [volume.shape[axis] for axis in order], [float(sizes[axis]) for axis in order]
        problem = headers.spacing_problem(*grid, task.spacing, "the bundle's")
    if problem is not None:
        return None, _one(path, problem)
    warning = headers.form_warning(volume.header, volume.shape[:3])
    return volume, Report(warnings=(_fault(path, warning),) if warning else ())


def check_voxels(path: Path, array: NDArray[Any], task: Task) -> Report:
    """Return what is wrong with the voxels of an image: its channels, numbers, fill values.

    Args:
        path: of the file, for the message.
        array: (*spatial) or (*spatial, C).
    """
    faults = _wrong_channels(path, array.shape, task.spatial_dims, task.in_channels)
    problem = voxels.voxel_problem(array)
    if problem is None and not faults:
        channels = array[..., np.newaxis] if array.ndim == task.spatial_dims else array
        found = (voxels.fill_problem(channels[..., index]) for index in sorted(task.z_scored))
        problem = next(filter(None, found), None)
    return Report(faults=(*faults, *([_fault(path, problem)] if problem else [])))


def read_label(path: Path, task: Task) -> tuple[Grid | None, Report]:
    """Return the grid of a label, none if unreadable, and what is wrong; no foreground is a warning."""
    volume, report = _open(path)
    array, of_voxels = (None, report) if volume is None else _voxels(path, volume)
    if array is None:
        return None, of_voxels
    # Slab by slab, since sorting a whole CT volume takes seconds and a copy of it.
    values = sorted({value for slab in np.moveaxis(array, -1, 0) for value in np.unique(slab)})
    faults = _wrong_channels(path, array.shape, task.spatial_dims, 1) + _wrong_values(path, values, task)
    return _grid(volume, task), Report(faults=tuple(faults), warnings=_no_foreground(path, values))


def check_files(image: Path, label: Path, task: Task) -> Report:
    """Read the two files of a case and report all that is wrong with each of them and with the grid they share."""
    image_grid, of_image = read_image(image, task)
    label_grid, of_label = read_label(label, task)
    if image_grid is None or label_grid is None or len(image_grid.shape) != task.spatial_dims:
        return of_image + of_label
    return of_image + of_label + compare_grids(label, label_grid, image_grid)


def compare_grids(path: Path, label: Grid, image: Grid) -> Report:
    """Return what is wrong with the grid of the label at `path`, which must be its image's."""
    faults = []
    if image.shape != label.shape:
        problem = f"shape {label.shape} differs from the image's {image.shape}"
        faults.append(_fault(path, (problem, "resample the label to the image")))
    wrong = headers.affine_problem(label.affine)
    if wrong is not None:
        return Report(faults=(*faults, _fault(path, (wrong[0], "copy the header of its image if the voxels do match"))))
    apart = headers.voxels_apart(image.affine, label.affine, image.shape)
    if apart > AFFINE_TOLERANCE:
        shift = headers.millimetres_apart(image.affine, label.affine, image.shape)
        problem = f"affine differs from the image's, by up to {shift:.3g} mm ({apart:.3g} voxels) in the volume"
        faults.append(_fault(path, (problem, "resample the label, or copy the image's header if the voxels do match")))
    return Report(faults=tuple(faults))


def _wrong_values(path: Path, values: list[Any], task: Task) -> list[Fault]:
    wrong = [value for value in values if value not in task.label_values]
    if not wrong:
        return []
    known = ", ".join(map(str, sorted(task.label_values)))
    # As many digits as tell the value from its neighbours in the file's own type.
    given = some(list(dict.fromkeys(str(value).removesuffix(".0") for value in wrong)))
    nearly = all(abs(value - np.round(value)) < 1e-2 and int(np.round(value)) in task.label_values for value in wrong)
    remedy = "round them to whole numbers" if nearly else "correct the label's values"
    return [_fault(path, (f"label values must be {known}, got {given}", remedy))]


def _no_foreground(path: Path, values: list[Any]) -> tuple[Fault, ...]:
    if any(value != 0 for value in values):
        return ()
    return (_fault(path, NO_FOREGROUND),)


def _open(path: Path) -> tuple[Any, Report]:
    """Open a NIfTI file, none if it is missing, another format, or damaged in its header."""
    try:
        if not path.is_file():
            return None, _one(path, ("the file is missing", "restore it or take the case out of dataset.json"))
        if not is_nifti(path):
            return None, _one(path, ("must be a NIfTI file, named .nii.gz or .nii", "convert or rename it"))
        volume: Any = nibabel.load(path)
        compressed = path.name.casefold().endswith(".gz")
        problem = headers.size_problem(volume.header, file_bytes=path.stat().st_size, compressed=compressed)
    except Exception as error:  # whatever a damaged header makes nibabel raise
        raise_limits(error)
        return None, _unreadable(path, error)
    return (None, _one(path, problem)) if problem else (volume, Report())


def _stored_header(path: Path, volume: Any) -> Any:
    """Read the header as the file has it: `nibabel.load` turns sizes of 0 into 1."""
    with nibabel.openers.ImageOpener(str(path)) as file:
        return type(volume.header).from_fileobj(file, check=False)


def _voxels(path: Path, volume: Any) -> tuple[NDArray[Any] | None, Report]:
    try:
        return voxels_of(path, volume), Report()
    except Exception as error:  # whatever a damaged file makes the decoders raise
        raise_limits(error)
        return None, _unreadable(path, error)


def voxels_of(path: Path, volume: Any) -> NDArray[Any]:
    """Read the voxels of a NIfTI file that nibabel has opened, and a compressed one to its end.

    At the end of a gzip file stands its checksum, at which nibabel, with the last voxel, does not look.

    Raises:
        Exception: whatever the decoders raise for a damaged file.
    """
    if not path.name.casefold().endswith(".gz"):
        return np.asanyarray(volume.dataobj)
    stored = volume.dataobj
    with gzip.open(path) as file:
        array = np.asanyarray(ArrayProxy(file, (stored.shape, stored.dtype, stored.offset, stored.slope, stored.inter)))
        while file.read(1 << 20):
            pass
    return array


def _unreadable(path: Path, error: Exception) -> Report:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    denied = isinstance(error, PermissionError)
    remedy = "give its reader the permission" if denied else "download or convert it again"
    return _one(path, (f"cannot be read as NIfTI: {reason}", remedy))


def _grid(volume: Any, task: Task) -> Grid:
    return Grid(shape=tuple(volume.shape[: task.spatial_dims]), affine=volume.affine)


def _wrong_channels(path: Path, shape: tuple[int, ...], spatial_dims: int, expected: int) -> list[Fault]:
    if len(shape) not in (spatial_dims, spatial_dims + 1):
        rule = f"must have {spatial_dims} axes, and one more for several channels"
        return [_fault(path, (f"{rule}, got shape {shape}", "convert it"))]
    channels = 1 if len(shape) == spatial_dims else shape[-1]
    if channels == expected:
        return []
    problem = f"must have {expected} channel(s), got {channels} (shape {shape})"
    if len(shape) > spatial_dims and shape[0] == expected:
        return [_fault(path, (problem, "move the channels from the first axis to the last"))]
    return [_fault(path, (problem, "give the task's images, channels on the last axis"))]


def _fault(path: Path, problem: Problem) -> Fault:
    return Fault(file=str(path), problem=problem[0], remedy=problem[1])


def _one(path: Path, problem: Problem) -> Report:
    return Report(faults=(_fault(path, problem),))
