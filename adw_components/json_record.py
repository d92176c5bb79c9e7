"""A record that is a JSON file. No torch here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

from .errors import UserError
from .files import read_json, write_json


class JsonRecord(ABC):
    """`save` and `load` of a record, by its `to_dict` and `from_dict`."""

    # What the record is called in messages.
    KIND: ClassVar[str]

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""

    @classmethod
    @abstractmethod
    def from_dict(cls, values: Any) -> Self:
        """The record that `to_dict` gave.

        Raises:
            UserError: a field is missing, unknown or malformed.
        """

    def save(self, path: str | Path) -> None:
        """Write the record as JSON to `path`, whole or not at all."""
        write_json(path, self.to_dict())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read the record that `save` wrote.

        Raises:
            UserError: the file is missing, no JSON, or a field is malformed; the message names the file.
        """
        values = read_json(path, cls.KIND)
        try:
            return cls.from_dict(values)
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
