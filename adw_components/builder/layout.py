"""JSON as the configs of the bundles are laid out: what fits on a line stays on it. No torch here."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

WIDTH, INDENT = 120, 4


def laid_out(value: Any) -> str:
    """`value` as JSON text that ends with a newline; the outermost object or list always has an entry a line."""
    return _text(value, 0, 0, whole=False) + "\n"


def _text(value: Any, depth: int, prefix: int, *, whole: bool = True) -> str:
    """`value` at a depth of nesting, after `prefix` characters of its line; `whole` allows a single line."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    nested = isinstance(value, dict | list) and bool(value)
    if not nested or (whole and depth * INDENT + prefix + len(line) < WIDTH):
        return line
    if isinstance(value, dict):
        names = {json.dumps(name, ensure_ascii=False) + ": ": item for name, item in value.items()}
        rows = (name + _text(item, depth + 1, len(name)) for name, item in names.items())
        return _lines("{", rows, "}", depth)
    return _lines("[", (_text(item, depth + 1, 0) for item in value), "]", depth)


def _lines(start: str, rows: Iterable[str], end: str, depth: int) -> str:
    inner, outer = "\n" + " " * INDENT * (depth + 1), "\n" + " " * INDENT * depth
    return start + inner + ("," + inner).join(rows) + outer + end
