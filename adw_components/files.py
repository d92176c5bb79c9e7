"""Files appear whole or not at all: they are written to a temporary name and renamed."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn

from .errors import UserError
from .owners import make_folders, remove_empty, sweep, temporary_beside

# Deeper than any record or config.
_DEEPEST = 64
# The innermost lists of a JSON text: no bracket, brace or quote inside.
_FLAT_LIST = re.compile(r"\[[^\[\]{}\"]*\]")
# Folders that this process has swept.
_SWEPT: set[Path] = set()


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its name once the block ends without an error.

    The temporary name keeps the suffix of `path`, since some writers choose the format by it. It is nobody else's, on
    storage that several machines share either; what a killed process has left of this kind is removed.
    """
    path = Path(path)
    made = make_folders(path.parent)
    try:
        temporary = _temporary(path)
        try:
            with errors_about(path, temporary):
                yield temporary
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    finally:
        remove_empty(made)


@contextmanager
def errors_about(path: Path, temporary: Path | None = None) -> Iterator[None]:
    """Let an `OSError` of the block name `path`: a full disk names no file, and a temporary one means nothing."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        known = str(path) if error.filename is None else os.fsdecode(error.filename)
        error.filename = known if temporary is None else known.replace(str(temporary), str(path))
        error.filename2 = None
        raise


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder beside `path`, which is not there or empty, that takes its name as in `replacing`."""
    path = path.resolve()
    made = make_folders(path.parent)
    try:
        with temporary_folder(path) as temporary, errors_about(path, temporary):
            yield temporary
            temporary.rename(path)
    finally:
        remove_empty(made)


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder beside `path`; it goes at the end, or after a kill with the next file or folder there."""
    temporary = _temporary(path)
    try:
        temporary.mkdir()
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary(path: Path) -> Path:
    if path.parent not in _SWEPT:
        _SWEPT.add(path.parent)
        sweep(path.parent)
    return temporary_beside(path)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def appended(path: Path) -> IO[str]:
    """Open a file to write at its end; an `OSError` refuses a link, which may lead to somebody else's."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    return open(path, "a", encoding="utf-8", opener=lambda name, _: os.open(name, flags, 0o644))


def json_text(value: Any) -> str:
    """`value` as indented JSON in which a list of numbers stays on one line; NaN is refused."""
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False)
    return _FLAT_LIST.sub(lambda match: " ".join(match.group().split()).replace("[ ", "[").replace(" ]", "]"), text)


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as JSON to `path`, whole or not at all."""
    write_text(path, json_text(value) + "\n")


def write_json_lines(path: str | Path, rows: list[dict[str, Any]]) -> None:
    """Write one JSON object a line to `path`, whole or not at all."""
    write_text(path, "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows))


def read_json(path: str | Path, what: str) -> Any:
    """The content of the JSON file `path`; `what` names it in errors ("architecture", "plan").

    Raises:
        UserError: the file is missing, unreadable or no JSON (`json_value`).
    """
    path = Path(path)
    text = _text_of(path, f"{what} file")
    try:
        return json_value(text)
    except ValueError as error:
        raise UserError(f"{what} file {path} is not valid JSON: {error}; mend it or write it anew") from error


def read_json_object(path: str | Path, what: str) -> dict[str, Any]:
    """The content of the JSON file `path`, which must be an object; otherwise as `read_json`."""
    values = read_json(path, what)
    if not isinstance(values, dict):
        kind = type(values).__name__
        raise UserError(f"{what} file {path} must hold a JSON object, got {kind}; mend it or write it anew")
    return values


def read_json_lines(path: str | Path) -> list[dict[str, Any]]:
    """The rows of a JSON-lines file, each an object; none where the file does not exist.

    Raises:
        UserError: the file is unreadable, or a line is no JSON object.
    """
    path = Path(path)
    if not path.exists():
        return []
    rows = []
    for count, line in enumerate(_text_of(path, "record").splitlines(), start=1):
        try:
            row = json_value(line)
        except ValueError as error:
            problem = f"line {count} is not valid JSON: {error}"
        else:
            problem = "" if isinstance(row, dict) else f"line {count} must hold an object, got {type(row).__name__}"
        if problem:
            raise UserError(f"record {path} is damaged: {problem}; remove it or restore a copy")
        rows.append(row)
    return rows


def json_value(text: str) -> Any:
    """The value of a JSON text as the standard has it: no NaN, no number beyond the floats, no key given twice.

    Raises:
        ValueError: the text is none, or nested deeper than any record; the message is one line.
    """
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number, parse_float=_number)
    except RecursionError:
        raise ValueError(f"it is nested more than {_DEEPEST} deep") from None
    level, depth = [value], 0
    while level := [item for outer in level for item in _items(outer)]:
        depth += 1
        if depth > _DEEPEST:
            raise ValueError(f"it is nested more than {_DEEPEST} deep")
    if "\\ud" in text.lower():
        _require_whole_characters(value)
    return value


def _require_whole_characters(value: Any) -> None:
    """Raise a `ValueError` for half of a pair of escapes, which no file takes."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half of an escaped character, such as \\ud800") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {repeated[:80]!r} is there twice")
    return values


def _number(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text[:80])


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no finite number")


def _items(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _text_of(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{what} {path} does not exist (current folder: {Path.cwd()}); check the path") from None
    except IsADirectoryError:
        raise UserError(f"{what} {path} is a folder; give the file") from None
    except (OSError, ValueError) as error:  # the latter where it is no UTF-8
        raise UserError(f"{what} {path} cannot be read: {error}") from error
