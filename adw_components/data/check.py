"""The check of a dataset before any long work: every fault at once, one line each. No torch here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from ..errors import UserError
from .dataset import Case, MSDDataset, case_id, read_dataset
from .description_check import check_channels, check_labels
from .folds import split_cases
from .sound_cases import SoundCases
from .volumes import Fault, Report, Task, check_files, read_image

# Fewer files than this are read before a progress bar is of use.
_BAR_FROM = 20

T = TypeVar("T")


def check_dataset(
    dataset_dir: str | Path,
    *,
    in_channels: int,
    labels: Mapping[int, str] | Mapping[str, str],
    fold: int | str,
    split_file: str | Path | None = None,
    workers: int = 2,
    spatial_dims: int = 3,
    cache_dir: str | Path | None = None,
    modality: Sequence[str] = (),
    spacing: Sequence[float] = (),
    normalization: Sequence[Mapping[str, Any]] = (),
) -> Report:
    """Read every training case of an MSD folder and list all that is wrong.

    Args:
        dataset_dir: the MSD folder.
        in_channels: channels of every image; a file with `spatial_dims` axes has one, else its last axis holds them.
        labels: name of every label value of the task, with or without 0 (background); keys may be digit strings. The
            same names at other values are a fault.
        fold: as in `split_cases`.
        split_file: as in `split_cases`.
        workers: threads that read; each holds one volume in memory.
        spatial_dims: 2 or 3.
        cache_dir: where it is noted which cases are sound, so that only new or changed files are read the next time.
        modality: names of the channels in the bundle's order; the same names in another order are a fault.
        spacing: mm per axis to which the images are resampled; an image that is far from it is a fault.
        normalization: of every channel, the fields of a `Normalization`; fill values that spoil it are a fault.

    Raises:
        UserError: a key of `labels` is no number; all else is in the report.
    """
    try:
        dataset = read_dataset(dataset_dir)
    except UserError as error:
        return Report(faults=(_as_fault(dataset_dir, error),))
    prepared: Any = {"spatial_dims": spatial_dims, "spacing": spacing, "normalization": normalization}
    task = Task.of_bundle(in_channels=in_channels, label_values=_label_values(labels), **prepared)
    of_labels = check_labels(dataset, labels)
    report = check_channels(dataset, in_channels, modality) + of_labels + _check_fold(dataset, fold, split_file)
    if not of_labels.faults:  # of which every file would tell again
        report += _check_all(dataset.training, task=task, cache_dir=cache_dir, workers=workers)
    return report.relative_to(dataset.root)


def check_cases(
    items: Sequence[Mapping[str, Any]],
    *,
    in_channels: int,
    labels: Mapping[int, str] | Mapping[str, str],
    spatial_dims: int = 3,
    cache_dir: str | Path | None = None,
    workers: int = 2,
    spacing: Sequence[float] = (),
    normalization: Sequence[Mapping[str, Any]] = (),
) -> Report:
    """Read labelled images that belong to no MSD folder, each once, and list all that is wrong.

    Args:
        items: with the paths "image" and "label".
        in_channels, labels, spatial_dims, cache_dir, workers, spacing, normalization: as in `check_dataset`.
    """
    prepared: Any = {"spatial_dims": spatial_dims, "spacing": spacing, "normalization": normalization}
    task = Task.of_bundle(in_channels=in_channels, label_values=_label_values(labels), **prepared)
    return _check_all(dict.fromkeys(map(_as_case, items)), task=task, cache_dir=cache_dir, workers=workers)


def check_images(
    items: Sequence[Mapping[str, Any]],
    *,
    in_channels: int,
    spatial_dims: int = 3,
    workers: int = 2,
    spacing: Sequence[float] = (),
    normalization: Sequence[Mapping[str, Any]] = (),
) -> Report:
    """Read images without labels and list all that is wrong with them.

    Args:
        items: with the path "image".
        in_channels, spatial_dims, workers, spacing, normalization: as in `check_dataset`.
    """
    task = Task.of_bundle(
        in_channels=in_channels, spatial_dims=spatial_dims, spacing=spacing, normalization=normalization
    )
    paths = [Path(item["image"]) for item in items]
    return sum(_in_parallel(lambda path: read_image(path, task)[1], paths, workers), Report())


def _check_all(cases: Iterable[Case], *, task: Task, cache_dir: str | Path | None, workers: int) -> Report:
    """Check the cases that are not known to be sound."""
    sound = SoundCases(Path(cache_dir) / "sound_cases.txt" if cache_dir else None)
    unknown = [case for case in cases if not sound.knows(case, task)]
    return sum(_in_parallel(partial(_check_case, task=task, sound=sound), unknown, workers), Report())


def _label_values(labels: Mapping[Any, str]) -> frozenset[int]:
    if not labels or not all(str(key).isdecimal() for key in labels):
        raise UserError(f'labels must map numbers to names, got {dict(labels)}; write {{"0": "background", ...}}')
    # Background is a value of every label map, whether the task names it or not.
    return frozenset({0, *(int(key) for key in labels)})


def _as_fault(file: str | Path, error: UserError) -> Fault:
    problem, _, remedy = str(error).removeprefix(f"{file}: ").rpartition("; ")
    return Fault(file=str(file), problem=problem, remedy=remedy)


def _as_case(item: Mapping[str, Any]) -> Case:
    return Case(id=case_id(item["image"]), image=Path(item["image"]), label=Path(item["label"]))


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


def _check_case(case: Case, *, task: Task, sound: SoundCases) -> Report:
    report = check_files(case.image, case.label, task)
    if report == Report():
        sound.remember(case, task)
    return report
