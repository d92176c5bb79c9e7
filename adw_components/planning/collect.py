"""The fingerprint of an MSD folder: every training case is measured once, in several processes."""

from __future__ import annotations

import logging
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median

from tqdm import tqdm

from ..data.dataset import MSDDataset, read_dataset, some
from ..data.headers import spacing_problem
from ..data.volumes import NO_FOREGROUND, Fault, Report, Task
from ..errors import UserError
from .case_rows import CaseRows
from .fingerprint import Fingerprint
from .intensities import pooled_statistics
from .measure import CaseRow, measure_case
from .normalizing import is_ct
from .processes import in_processes, worker_count

logger = logging.getLogger(__name__)

# Fewer cases than this are measured before a progress bar is of use.
_BAR_FROM = 20


def collect_fingerprint(
    dataset_dir: str | Path, *, workers: int | None = None, cache: str | Path | None = None
) -> Fingerprint:
    """Measure all training cases of an MSD folder.

    A call that is broken off loses only the cases at work: with the same `cache`, the next one does the rest.

    Args:
        dataset_dir: the MSD folder.
        workers: processes; each holds one case in memory. By default the CPU cores, 8 at most.
        cache: file to which the row of each finished case is appended, and from which rows of unchanged files
            are taken; none measures all cases.

    Raises:
        UserError: no such folder, or cases at fault; one line for one, else a line with their count, then a line each.
    """
    dataset, count = read_dataset(dataset_dir), worker_count(workers)
    task = Task(
        in_channels=len(dataset.modality),
        label_values=frozenset({0, *dataset.labels}),
        z_scored=frozenset(index for index, name in enumerate(dataset.modality) if not is_ct(name)),
    )
    rows = CaseRows(cache, task)
    report = _measure_missing(dataset, task, rows, count).relative_to(dataset.root)
    for warning in report.warnings:
        if warning.problem != NO_FOREGROUND[0]:  # which is told of all cases in one line
            logger.warning("%s", warning)
    report.raise_faults(f"dataset {dataset.root}")
    found = {case.id: row for case in dataset.training if (row := rows.get(case)) is not None}
    _refuse_changed(dataset, found)
    _refuse_far(dataset, found)
    return _pooled(found)


def _measure_missing(dataset: MSDDataset, task: Task, rows: CaseRows, workers: int) -> Report:
    """Measure what has no row yet; what is wrong, in the order of the cases."""
    stamps = {case.id: rows.stamp(case) for case in dataset.training if rows.get(case) is None}
    missing = [case for case in dataset.training if case.id in stamps]
    reports: dict[str, Report] = {}
    measuring = in_processes(partial(measure_case, task=task), missing, workers)
    silent = len(missing) < _BAR_FROM or not sys.stderr.isatty()
    with rows.appending(), closing(measuring):
        for case, (row, wrong) in tqdm(measuring, "measuring", total=len(missing), unit="case", disable=silent):
            reports[case.id] = wrong
            if row is not None:
                rows.add(case, stamps[case.id], row)
    return sum((reports[case] for case in sorted(reports)), Report())


def _refuse_changed(dataset: MSDDataset, found: dict[str, CaseRow]) -> None:
    changed = [case for case in dataset.case_ids if case not in found]
    if changed:
        raise UserError(f"{dataset.root}: files changed while they were read: {some(changed)}; start again")


def _refuse_far(dataset: MSDDataset, found: dict[str, CaseRow]) -> None:
    """Raise a `UserError` for cases whose spacing is that of no image like the others, such as one in micrometres."""
    middle = tuple(median(sizes) for sizes in zip(*(row.spacing for row in found.values()), strict=True))
    faults = [
        Fault(file=str(case.image), problem=problem[0], remedy=problem[1])
        for case in dataset.training
        if (problem := spacing_problem(found[case.id].shape, found[case.id].spacing, middle, "the dataset's median"))
    ]
    Report(faults=tuple(faults)).relative_to(dataset.root).raise_faults(f"dataset {dataset.root}")


def _pooled(rows: dict[str, CaseRow]) -> Fingerprint:
    unlabelled = [case for case, row in rows.items() if not row.channels]
    if unlabelled:
        logger.warning("no voxel is labelled in %d case(s): %s", len(unlabelled), some(unlabelled))
    channels = zip(*(row.channels for row in rows.values() if row.channels), strict=True)
    return Fingerprint(
        spacings=tuple(row.spacing for row in rows.values()),
        shapes_after_crop=tuple(row.shape for row in rows.values()),
        median_relative_size_after_cropping=median(row.relative_size for row in rows.values()),
        foreground_intensity=tuple(pooled_statistics(cases) for cases in channels),
        case_ids=tuple(rows),
    )
