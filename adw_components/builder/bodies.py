"""The bodies of the configs, written once in `bundles/common`, filled in for one bundle. No torch here.

Three marks in a body: the key "_values_" lists values of the plan that stand there as keys; {"_value_": name} is one of
them; "+name" is a piece of pieces.json: as a text it is replaced by it, in a list a list is spliced in, and as a key
(its content is null) the piece's keys stand there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..files import read_json


@dataclass(frozen=True, kw_only=True)
class Filler:
    """What the marks of a body stand for.

    Args:
        values: of the plan, by name.
        pieces: of pieces.json, by name.
    """

    values: Mapping[str, Any]
    pieces: Mapping[str, Any]

    def filled(self, body: Any) -> Any:
        """`body` with all marks replaced.

        Raises:
            UserError: a mark names no value or piece.
        """
        if isinstance(body, dict):
            return self._value(body["_value_"]) if set(body) == {"_value_"} else self._object(body)
        if isinstance(body, list):
            return self._list(body)
        return self.filled(self._piece(body)) if _is_mark(body) else body

    def _object(self, body: Mapping[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name, content in body.items():
            if name == "_values_":
                result.update({value: self._value(value) for value in content})
            elif _is_mark(name):
                result.update(self.filled(self._piece(name)))
            else:
                result[name] = self.filled(content)
        return result

    def _list(self, body: list[Any]) -> list[Any]:
        result: list[Any] = []
        for item in body:
            content = self.filled(item)
            if _is_mark(item) and isinstance(content, list):
                result.extend(content)
            else:
                result.append(content)
        return result

    def _value(self, name: str) -> Any:
        if name not in self.values:
            raise UserError(f"a body asks for the value {name!r}; a plan gives {', '.join(self.values)}")
        return self.values[name]

    def _piece(self, mark: str) -> Any:
        name = mark.removeprefix("+")
        if name not in self.pieces:
            raise UserError(f"a body asks for the piece {name!r}; pieces.json has {', '.join(self.pieces)}")
        return self.pieces[name]


def read_bodies(folder: Path) -> dict[str, Any]:
    """The bodies of a folder by their name without .json, pieces left out."""
    paths = sorted(path for path in folder.glob("*.json") if path.stem not in ("pieces", "interactive_pieces"))
    return {path.stem: read_json(path, "body") for path in paths}


def read_pieces(folder: Path, *, interactive: bool) -> dict[str, Any]:
    """The pieces of a folder of bodies; those of an interactive bundle stand in for the plain ones of their name."""
    pieces = read_json(folder / "pieces.json", "pieces")
    return {**pieces, **read_json(folder / "interactive_pieces.json", "pieces")} if interactive else pieces


def _is_mark(text: Any) -> bool:
    return isinstance(text, str) and len(text) > 1 and text.startswith("+")
