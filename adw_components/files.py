"""Files appear whole or not at all: they are written to a temporary name and renamed."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import UserError

# The innermost lists of a JSON text: no bracket, brace or quote inside.
_FLAT_LIST = re.compile(r"\[[^\[\]{}\"]*\]")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its name once the block ends without an error.

    The temporary name keeps the suffix of `path`, since some writers choose the format by it. It is nobody else's, on
    storage that several machines share either.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".partial-{uuid.uuid4().hex[:12]}-{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


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
        UserError: the file is missing, unreadable or no JSON.
    """
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{what} file {path} does not exist (current folder: {Path.cwd()}); check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{what} file {path} cannot be read: {error}") from error
    except json.JSONDecodeError as error:
        raise UserError(f"{what} file {path} is not valid JSON: {error}; mend it or write it anew") from error


def read_json_lines(path: str | Path) -> list[dict[str, Any]]:
    """The rows of a JSON-lines file; none where the file does not exist."""
    path = Path(path)
    if not path.exists():
        return []
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except json.JSONDecodeError as error:
        raise UserError(f"record {path} is damaged: {error}; remove it or restore a copy") from error
