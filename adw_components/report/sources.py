"""Finds the folders of a run and reads what is in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..architecture import Architecture
from ..errors import UserError
from ..files import read_json, read_json_object
from ..record_fields import MOST_CASES, printable, shown, whole_number
from ..run_files import read_epochs, read_settings
from ..search_space import FORMAT_VERSION, SearchSpace
from .branches import target_name
from .epochs import Epoch, SearchEpoch, score, scores
from .records import Case, Clicks, Evaluation, SearchRun, Sources, TrainRun

_LEVELS_DOWN = 2
_RECORDS = {"search": "search.jsonl", "train": "train.jsonl"}
_LABEL = re.compile("[0-9]{1,6}")
Record = TypeVar("Record")


def find_sources(run_dir: str | Path) -> Sources:
    """What `run_dir` and its sub-folders, up to two levels down, hold of a run; the newest of each kind.

    Raises:
        UserError: nothing is there, or a file is damaged; the message names the file.
    """
    run_dir = Path(run_dir)
    if not run_dir.is_dir():
        raise UserError(f"run_dir {run_dir} is not a folder (current folder: {Path.cwd()}); check the path")
    folders = list(_folders(run_dir, _LEVELS_DOWN))
    search, train = (_newest(folders, kind) for kind in _RECORDS)
    evaluation = _latest([folder / "cases.json" for folder in folders])
    if not (search or train or evaluation):
        raise UserError(
            f"{run_dir} holds no run: no settings.json of kind search or train and no cases.json of an evaluation, "
            f"there or up to {_LEVELS_DOWN} folders down; give the folder that a search, training or evaluation wrote"
        )
    return Sources(
        run_dir=run_dir,
        search=_read_search(search) if search else None,
        train=_read_train(train) if train else None,
        evaluation=_read_evaluation(evaluation.parent) if evaluation else None,
    )


def _folders(root: Path, levels: int) -> Iterator[Path]:
    yield root
    if levels:
        for folder in sorted(root.iterdir()):
            if folder.is_dir() and not folder.name.startswith("."):
                yield from _folders(folder, levels - 1)


def _newest(folders: list[Path], kind: str) -> Path | None:
    """The folder of this kind whose record was written last; a run that failed before its first epoch has none."""
    begun = [folder for folder in folders if (folder / _RECORDS[kind]).is_file()]
    ours = [folder for folder in begun if _settings(folder).get("kind") == kind]
    written = {_latest([folder / "settings.json", folder / _RECORDS[kind]]): folder for folder in ours}
    return written[_latest(list(written))] if written else None


def _latest(paths: list[Any]) -> Any:
    there = [path for path in paths if path.is_file()]
    return max(there, key=lambda path: (path.stat().st_mtime_ns, str(path)), default=None)


def _settings(folder: Path) -> Mapping[str, Any]:
    path = folder / "settings.json"
    if not path.is_file():
        return {}
    try:
        return read_settings(path)
    except UserError:
        # Other programs have a settings.json too; only one beside our records is ours to complain about.
        if any((folder / name).exists() for name in _RECORDS.values()):
            raise
        return {}


def _read_search(folder: Path) -> SearchRun:
    settings = _settings(folder)
    epochs = _epochs(folder / _RECORDS["search"], SearchEpoch.of)
    found = {name: _architecture(folder / name) for name in ("", *map(target_name, epochs))}
    return SearchRun(
        folder=folder,
        settings=settings,
        epochs=epochs,
        derived={name: architecture for name, architecture in found.items() if architecture},
        space=_space(settings),
    )


def _read_train(folder: Path) -> TrainRun:
    return TrainRun(
        folder=folder,
        settings=_settings(folder),
        epochs=_epochs(folder / _RECORDS["train"], Epoch.of),
        architecture=_architecture(folder),
    )


def _architecture(folder: Path) -> Architecture | None:
    path = folder / "architecture.json"
    return Architecture.load(path) if path.is_file() else None


def _space(settings: Mapping[str, Any]) -> SearchSpace | None:
    values = settings.get("search_space")
    return None if values is None else SearchSpace.from_dict({"format_version": FORMAT_VERSION, **values})


def _epochs(path: Path, build: Callable[[Mapping[str, Any]], Record]) -> tuple[Record, ...]:
    rows = read_epochs(path)
    return tuple(_record(f"{path} line {number}", row, build) for number, row in enumerate(rows, start=1))


def _record(where: str, values: Any, build: Callable[[Mapping[str, Any]], Record]) -> Record:
    try:
        return build(values)
    except KeyError as error:
        raise UserError(
            f"{where} lacks the field {shown(error.args[0])}; write the record anew with this version"
        ) from error
    except (AttributeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"{where} is malformed: {reason}; write the record anew with this version") from error


def _read_evaluation(folder: Path) -> Evaluation:
    cases, summary, clicks = (folder / f"{name}.json" for name in ("cases", "summary", "clicks"))
    values = read_json_object(cases, "cases")
    listed = values.get("cases", [])
    if not isinstance(listed, list):
        raise UserError(f"{cases}: cases must be a list, got {shown(listed)}; evaluate again")
    rows = enumerate(listed, start=1)
    return Evaluation(
        folder=folder,
        labels=_record(str(cases), values, _labels),
        cases=tuple(_record(f"{cases} case {number}", row, lambda row: _case(row, folder)) for number, row in rows),
        summary=_record(str(summary), read_json_object(summary, "summary"), _summary) if summary.is_file() else None,
        clicks=_record(str(clicks), read_json(clicks, "clicks"), _clicks) if clicks.is_file() else (),
    )


def _summary(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check the figures of a summary that a page shows."""
    whole_number("n_cases", values["n_cases"], high=MOST_CASES)
    for name in ("mean_dice", "mean_hd95_mm"):
        score(name, values.get(name))
    for name in ("dice", "hd95_mm"):
        for label, statistics in values.get(name, {}).items():
            scores(f"{name} of {printable('a label', label, longest=200)}", statistics)
    return dict(values)


def _clicks(values: Mapping[str, Any]) -> tuple[Clicks, ...]:
    points = tuple(
        Clicks(
            count=whole_number("clicks", point["clicks"], high=10_000),
            mean_dice=score("mean_dice", point["mean_dice"]),
            dice=scores("dice", {name: statistics["mean"] for name, statistics in point["dice"].items()}),
        )
        for point in values["curve"]
    )
    if len({frozenset(point.dice) for point in points}) > 1:
        raise UserError("every point of the curve must have the same classes")
    return points


def _labels(values: Mapping[str, Any]) -> dict[int, str]:
    wrong = [value for value in values["labels"] if not _LABEL.fullmatch(value)]
    if wrong:
        raise UserError(f"labels must map numbers to names, got {shown(wrong[0])}")
    return {int(value): printable("labels", name, longest=200) for value, name in values["labels"].items()}


def _case(row: Mapping[str, Any], folder: Path) -> Case:
    return Case(
        case=printable("case", row["case"], longest=300),
        image=_file(folder, row, "image"),
        label=_file(folder, row, "label"),
        prediction=_file(folder, row, "prediction"),
        dice=scores("dice", row["dice"]),
        mean_dice=score("mean_dice", row["mean_dice"]),
        hd95_mm=scores("hd95_mm", row.get("hd95_mm", {})),
        mean_hd95_mm=score("mean_hd95_mm", row.get("mean_hd95_mm")),
    )


def _file(folder: Path, row: Mapping[str, Any], name: str) -> Path:
    return folder / printable(name, row[name], longest=4096)
