"""The file that keeps the finished cases of a fingerprint, so that an interrupted measurement goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from ..data.dataset import Case
from ..data.volumes import Task
from ..errors import UserError
from ..files import appended, errors_about, json_value
from ..record_fields import (
    MOST_IN_AN_AXIS,
    check_fields,
    is_list,
    number,
    positive_integers,
    positive_numbers,
    printable,
    shown,
)
from .intensities import VALUES
from .measure import CaseRow

# Rows of another version are measured again.
VERSION = 2
Stamp = dict[str, Any]


class CaseRows:
    """Rows of finished cases, one JSON line each, appended as they come.

    Args:
        path: the file; none keeps the rows in memory alone.
        task: what the files were checked against; rows of another task do not count.

    Raises:
        UserError: the file cannot be read, or later, written.
    """

    def __init__(self, path: str | Path | None, task: Task) -> None:
        self._path = Path(path) if path else None
        self._task = {
            "channels": task.in_channels,
            "labels": sorted(task.label_values),
            "z_scored": sorted(task.z_scored),
            "version": VERSION,
        }
        text = _text(self._path) if self._path else ""
        self._rows = _rows(text)
        self._torn = not text.endswith("\n") and text != ""
        self._file: IO[str] | None = None

    def get(self, case: Case) -> CaseRow | None:
        """The row of a case, none if it was never measured or its files have changed since."""
        stamp, row = self._rows.get(case.id, (None, None))
        return row if stamp == self.stamp(case) else None

    def stamp(self, case: Case) -> Stamp:
        """Size and time of the files of a case, and what they are checked against: equal stamps have equal rows."""
        return {"image": _file_stamp(case.image), "label": _file_stamp(case.label), **self._task}

    def add(self, case: Case, stamp: Stamp, row: CaseRow) -> None:
        """Keep a row, in the file too inside `appending`; `stamp` is from before the case was read."""
        self._rows[case.id] = (stamp, row)
        if self._file:
            self._file.write(json.dumps({"case": case.id, "stamp": stamp, "row": asdict(row)}, allow_nan=False) + "\n")
            self._file.flush()

    @contextmanager
    def appending(self) -> Iterator[None]:
        """Have the file open, if there is one."""
        if self._path is None:
            yield
            return
        with _opened(self._path) as file, errors_about(self._path):
            if self._torn:
                file.write("\n")
            self._file = file
            try:
                yield
            finally:
                self._file = None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise UserError(f"the rows of finished cases in {path} cannot be read: {error}; remove it") from error


def _opened(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return appended(path)
    except OSError as error:
        raise UserError(f"the rows of finished cases go to {path}, but: {error}; choose another folder") from error


def _rows(text: str) -> dict[str, tuple[Stamp, CaseRow]]:
    """Last row of every case; what is no row of ours, such as one cut short by a kill, is left out."""
    found = {}
    for line in text.splitlines():
        try:
            values = json_value(line)
            found[printable("case", values["case"])] = (values["stamp"], _row(values["row"]))
        except (ValueError, KeyError, TypeError):  # a `UserError` is a ValueError
            continue
    return found


def _row(values: Any) -> CaseRow:
    """The row of a case, with the types and ranges that `measure_case` gives.

    Raises:
        UserError: it is none.
    """
    check_fields("row", values, required=("spacing", "shape", "relative_size", "channels"), optional=())
    if not is_list(values["channels"]):
        raise UserError(f"channels must be a list, got {shown(values['channels'])}")
    for channel in values["channels"]:
        check_fields("channels", channel, required=("mean", "std", "min", "max", "values"), optional=())
        for name in ("mean", "std", "min", "max"):
            number(name, channel[name])
        if not is_list(channel["values"]) or not 0 < len(channel["values"]) <= VALUES:
            raise UserError(f"values must be a list of up to {VALUES} numbers, got {shown(channel['values'])}")
        for value in channel["values"]:
            number("values", value)
    positive_numbers("spacing", values["spacing"], 3)
    if len(positive_integers("shape", values["shape"], high=MOST_IN_AN_AXIS, longest=3)) != 3:
        raise UserError(f"shape must have 3 axes, got {shown(values['shape'])}")
    number("relative_size", values["relative_size"], low=0, high=1, above=True)
    return CaseRow.from_dict(values)


def _file_stamp(path: Path) -> list[int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]
