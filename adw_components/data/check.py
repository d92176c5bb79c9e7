"""The check of a dataset before any long work: every fault at once, one line each. No torch here."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import nibabel
import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from tqdm import tqdm

from ..errors import UserError
from .dataset import Case, MSDDataset, read_dataset, some
from .folds import split_cases

logger = logging.getLogger(__name__)

# How far, in mm, two affines may disagree about a corner of the volume: over ten times what rounding a
# header to 32 bits does to 512 voxels a side.
AFFINE_TOLERANCE_MM = 1e-3
# Fewer files than this are read before a progress bar is of use.
_BAR_FROM = 20

T = TypeVar("T")


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
class _Grid:
    shape: tuple[int, ...]
    affine: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Task:
    in_channels: int
    label_values: frozenset[int]
    spatial_dims: int


def check_dataset(
    dataset_dir: str | Path,
    *,
    in_channels: int,
    labels: Mapping[int, str] | Mapping[str, str],
    fold: int | str,
    split_file: str | Path | None = None,
    workers: int = 2,
    spatial_dims: int = 3,
) -> Report:
    """Read every training case of an MSD folder and list all that is wrong.

    Args:
        dataset_dir: the MSD folder.
        in_channels: channels of every image; a file with `spatial_dims` axes has one, else its last axis holds them.
        labels: name of every label value of the task, 0 (background) included; keys may be digit strings.
        fold: as in `split_cases`.
        split_file: as in `split_cases`.
        workers: threads that read; each holds one volume in memory.
        spatial_dims: 2 or 3.

    Raises:
        UserError: a key of `labels` is no number; all else is in the report.
    """
    try:
        dataset = read_dataset(dataset_dir)
    except UserError as error:
        return Report(faults=(_as_fault(dataset_dir, error),))
    task = _Task(in_channels=in_channels, label_values=_label_values(labels), spatial_dims=spatial_dims)
    found = _in_parallel(partial(_check_case, task=task), dataset.training, workers)
    report = sum(found, _check_fold(dataset, fold, split_file))
    return Report(
        faults=tuple(replace(fault, file=_short(fault.file, dataset.root)) for fault in report.faults),
        warnings=tuple(replace(fault, file=_short(fault.file, dataset.root)) for fault in report.warnings),
    )


def require_sound_dataset(
    dataset_dir: str | Path,
    *,
    in_channels: int,
    labels: Mapping[int, str] | Mapping[str, str],
    fold: int | str,
    split_file: str | Path | None = None,
    workers: int = 2,
    spatial_dims: int = 3,
) -> None:
    """`check_dataset`, with the warnings logged and the faults raised.

    Raises:
        UserError: there are faults; its text is a line with their count, then a line each.
    """
    report = check_dataset(
        dataset_dir,
        in_channels=in_channels,
        labels=labels,
        fold=fold,
        split_file=split_file,
        workers=workers,
        spatial_dims=spatial_dims,
    )
    _act_on(report, f"dataset {dataset_dir}")


def require_sound_images(
    items: Sequence[Mapping[str, Any]], *, in_channels: int, spatial_dims: int = 3, workers: int = 2
) -> None:
    """Read the images of an inference (`find_images`) and refuse them if anything is wrong.

    Raises:
        UserError: an image is missing, unreadable, of another channel count, or holds NaN or infinite voxels;
            its text is a line with the count of the faults, then a line each.
    """
    task = _Task(in_channels=in_channels, label_values=frozenset(), spatial_dims=spatial_dims)
    paths = [Path(item["image"]) for item in items]
    found = _in_parallel(lambda path: _read_image(path, task)[1], paths, workers)
    _act_on(sum(found, Report()), "the images")


def _label_values(labels: Mapping[Any, str]) -> frozenset[int]:
    if not labels or not all(str(key).isdecimal() for key in labels):
        raise UserError(f'labels must map numbers to names, got {dict(labels)}; write {{"0": "background", ...}}')
    # Background is a value of every label map, whether the task names it or not.
    return frozenset({0, *(int(key) for key in labels)})


def _act_on(report: Report, what: str) -> None:
    for warning in report.warnings:
        logger.warning("%s", warning)
    if report.faults:
        count = f"{len(report.faults)} fault{'s' if len(report.faults) > 1 else ''}"
        raise UserError("\n".join([f"{count} in {what}:", *map(str, report.faults)]))


def _as_fault(file: str | Path, error: UserError) -> Fault:
    problem, _, remedy = str(error).removeprefix(f"{file}: ").rpartition("; ")
    return Fault(file=str(file), problem=problem, remedy=remedy)


def _short(file: str, root: Path) -> str:
    path = Path(file)
    return str(path.relative_to(root)) if path.is_relative_to(root) else file


def _in_parallel(check: Callable[[T], Report], items: Sequence[T], workers: int) -> Iterator[Report]:
    # Threads suffice: reading and inflating release the interpreter's lock.
    silent = len(items) < _BAR_FROM or not sys.stderr.isatty()
    with ThreadPoolExecutor(max(1, workers)) as pool:
        try:
            yield from tqdm(pool.map(check, items), "checking", total=len(items), unit="file", disable=silent)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # Ctrl-C must not wait for the rest


def _check_fold(dataset: MSDDataset, fold: int | str, split_file: str | Path | None) -> Report:
    try:
        split_cases(dataset.case_ids, fold=fold, split_file=split_file)
    except UserError as error:
        return Report(faults=(_as_fault(split_file or dataset.root / "dataset.json", error),))
    return Report()


def _check_case(case: Case, *, task: _Task) -> Report:
    image, of_image = _read_image(case.image, task)
    label, of_label = _read_label(case.label, task)
    together = _compare(case, image, label) if image and label else Report()
    return of_image + of_label + together


def _read_image(path: Path, task: _Task) -> tuple[_Grid | None, Report]:
    voxels, affine, report = _read(path)
    if voxels is None:
        return None, report
    faults = [*_wrong_channels(path, voxels.shape, task.spatial_dims, task.in_channels), *_not_finite(path, voxels)]
    return _grid(voxels, affine, task), Report(faults=tuple(faults))


def _read_label(path: Path, task: _Task) -> tuple[_Grid | None, Report]:
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


def _grid(voxels: NDArray[Any], affine: NDArray[np.float64], task: _Task) -> _Grid:
    return _Grid(shape=voxels.shape[: task.spatial_dims], affine=affine)


def _wrong_channels(path: Path, shape: tuple[int, ...], spatial_dims: int, expected: int) -> list[Fault]:
    if len(shape) not in (spatial_dims, spatial_dims + 1):
        rule = f"must have {spatial_dims} axes, and one more for several channels"
        return [_fault(path, f"{rule}, got shape {shape}", "convert it")]
    channels = 1 if len(shape) == spatial_dims else shape[-1]
    if channels == expected:
        return []
    return [_fault(path, f"must have {expected} channel(s), got {channels} (shape {shape})", "give the task's images")]


def _not_finite(path: Path, voxels: NDArray[Any]) -> list[Fault]:
    # The sum is finite only if every voxel is, and needs no copy of the volume.
    if voxels.dtype.kind != "f" or np.isfinite(voxels.sum(dtype=np.float64)):
        return []
    count = int(np.count_nonzero(~np.isfinite(voxels)))
    return [_fault(path, f"{count} voxel(s) are NaN or infinite", "replace them, say by 0")] if count else []


def _compare(case: Case, image: _Grid, label: _Grid) -> Report:
    faults = []
    if image.shape != label.shape:
        problem = f"shape {label.shape} differs from the image's {image.shape}"
        faults.append(_fault(case.label, problem, "resample the label to the image"))
    shift = _shift(image, label)
    if not shift <= AFFINE_TOLERANCE_MM:
        problem = f"affine differs from the image's, by up to {shift:.3g} mm in the volume"
        faults.append(_fault(case.label, problem, "resample the label, or copy the image's header if voxels do match"))
    return Report(faults=tuple(faults))


def _shift(image: _Grid, label: _Grid) -> float:
    """How far apart, in mm, the two affines put the corner of the image that they put farthest apart."""
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array((*image.shape, 1)[:3]) - 1)
    return float(np.linalg.norm(apply_affine(image.affine - label.affine, corners), axis=1).max())


def _fault(path: Path, problem: str, remedy: str) -> Fault:
    return Fault(file=str(path), problem=problem, remedy=remedy)


def _one(path: Path, problem: str, remedy: str) -> Report:
    return Report(faults=(_fault(path, problem, remedy),))
