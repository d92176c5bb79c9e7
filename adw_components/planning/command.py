"""From the data, or from what was measured of them before, to the file of a plan."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..data.dataset import read_dataset, read_dataset_json
from ..dataset_description import DatasetDescription
from ..errors import UserError
from ..locks import sole_writer
from .collect import collect_fingerprint
from .fingerprint import Fingerprint
from .rules import check_memory, make_plan

logger = logging.getLogger(__name__)


def write_plan(
    output: str | Path,
    *,
    dataset_dir: str | Path | None = None,
    fingerprint: str | Path | None = None,
    dataset_json: str | Path | None = None,
    memory_gb: float = 8.0,
    workers: int | None = None,
) -> Path:
    """Write the plan of an MSD folder, which is measured, or of a fingerprint.

    Measuring writes two more files beside OUTPUT.json: OUTPUT_fingerprint.json; and OUTPUT_cases.jsonl with a row a
    case, from which an interrupted call goes on, and a later one takes the cases whose files are the same.

    Args:
        output: the plan's file; an older one is replaced.
        dataset_dir: the MSD folder.
        fingerprint: instead of it: file of a `Fingerprint`, or nnU-Net's.
        dataset_json: with a fingerprint: `dataset.json` of the MSD or of nnU-Net.
        memory_gb: as in `make_plan`.
        workers: as in `collect_fingerprint`; with `dataset_dir` only.

    Returns:
        `output`.

    Raises:
        UserError: arguments that do not go together, or an argument, a file or the data are at fault.
    """
    _check_ways(dataset_dir, fingerprint, dataset_json, workers)
    check_memory(memory_gb)
    path = _path("output", output)
    sources = [_path("dataset_json", dataset_json), _path("fingerprint", fingerprint)] if dataset_dir is None else []
    root = None if dataset_dir is None else _path("dataset_dir", dataset_dir)
    if root is not None:
        read_dataset(root)  # whose errors say what an MSD folder is
        sources = [root / "dataset.json"]
    _check_output(path, *sources)
    description = _description(sources[0])
    with sole_writer(path, "output"):
        found = Fingerprint.load(sources[1]) if root is None else _measured(root, path, workers)
        make_plan(found, _with_count(description, found), memory_gb=memory_gb).save(path)
    return path


def _check_ways(dataset_dir: Any, fingerprint: Any, dataset_json: Any, workers: Any) -> None:
    ways = "give dataset_dir to measure data, or fingerprint and dataset_json to plan from what was measured before"
    if dataset_dir is not None and (fingerprint is not None or dataset_json is not None):
        raise UserError(f"dataset_dir excludes fingerprint and dataset_json, but both ways were given; {ways}")
    if dataset_dir is None and (fingerprint is None or dataset_json is None):
        given = [name for name, value in (("fingerprint", fingerprint), ("dataset_json", dataset_json)) if value]
        raise UserError(f"a plan needs data or their fingerprint, but got {' '.join(given) or 'neither'}; {ways}")
    if dataset_dir is None and workers is not None:
        raise UserError("workers measure the data of dataset_dir, but a fingerprint was given; leave workers out")


def _path(name: str, value: Any) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise UserError(f"{name} must be a path, got {value!r}; write the name of a file or folder")
    return Path(value).expanduser()


def _check_output(path: Path, *sources: Path) -> None:
    """Refuse, before any long work, an output that cannot be written or would replace what the plan is made from."""
    if path.is_dir():
        raise UserError(f"output must be a file, but {path} is a folder; write {path / 'plan.json'}")
    if any(path.resolve() == source.resolve() for source in sources):
        raise UserError(f"output must be another file than what the plan is made from, got {path}; choose another name")
    there = next(folder for folder in path.absolute().parents if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        wrong = "read-only" if there.is_dir() else "a file"
        raise UserError(f"output {path} cannot be written: {there} is {wrong}; choose another folder")


def _description(path: Path) -> DatasetDescription:
    name = path.resolve().parent.name if path.name == "dataset.json" else path.stem
    try:
        return DatasetDescription.from_dataset_json(read_dataset_json(path), name=name)
    except UserError as error:
        message = str(error)
        raise UserError(message if message.startswith(str(path)) else f"{path}: {message}") from error


def _measured(root: Path, output: Path, workers: int | None) -> Fingerprint:
    found = collect_fingerprint(root, workers=workers, cache=output.with_name(f"{output.stem}_cases.jsonl"))
    found.save(output.with_name(f"{output.stem}_fingerprint.json"))
    return found


def _with_count(description: DatasetDescription, found: Fingerprint) -> DatasetDescription:
    """The description with the number of cases that were measured, which is what the batch depends on."""
    cases = len(found.spacings)
    if description.num_training not in (0, cases):
        logger.warning("dataset.json has %d training cases, but %d were measured", description.num_training, cases)
    return replace(description, num_training=cases)
