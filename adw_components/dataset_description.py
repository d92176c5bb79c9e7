"""What a dataset is about: channels, labels, counts, source. No torch here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .errors import UserError
from .record_fields import check_fields

# With one of these MONAI takes a text in a config for an expression, a reference or a macro, and evaluates it.
_EVALUATED = ("$", "@", "%")


@dataclass(frozen=True, kw_only=True)
class DatasetDescription:
    """A dataset as its `dataset.json` describes it.

    Args:
        name: of the folder, such as "Task09_Spleen".
        description: a sentence on what is segmented.
        reference: who provided the data.
        licence: of the data.
        modality: name of every channel of an image, in the order of the channels.
        labels: name of every label value from 0 (background) on.
        num_training: cases with labels.
        num_test: images without.
    """

    name: str
    modality: tuple[str, ...]
    labels: tuple[str, ...]
    num_training: int
    num_test: int = 0
    description: str = ""
    reference: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        for field in ("modality", "labels"):
            object.__setattr__(self, field, tuple(str(name) for name in getattr(self, field)))
            _check_names(f"dataset.{field}", getattr(self, field))
        _check_names("dataset.name", (self.name,))
        _check_distinct(self.labels)
        for field in ("description", "reference", "licence"):
            _check_text(f"dataset.{field}", getattr(self, field))
        if not self.modality:
            raise UserError("dataset.modality must name at least one channel, got none")
        if len(self.labels) < 2:
            raise UserError(f"dataset.labels must name background and at least one class, got {list(self.labels)}")
        for field in ("num_training", "num_test"):
            count = getattr(self, field)
            if isinstance(count, bool) or not isinstance(count, int) or count < 0:
                raise UserError(f"dataset.{field} must be a whole number from 0 on, got {count!r}")

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Any) -> DatasetDescription:
        """The record that `to_dict` gave.

        Raises:
            UserError: a field is missing, unknown or malformed.
        """
        required = ("name", "modality", "labels", "num_training")
        check_fields("dataset", values, required=required, optional=("num_test", "description", "reference", "licence"))
        return cls(**values)

    @classmethod
    def from_dataset_json(cls, values: Any, *, name: str, cases: int = 0) -> DatasetDescription:
        """Read the content of a `dataset.json` of the MSD, or of nnU-Net v2 (`channel_names`, label -> value).

        Args:
            values: the content.
            name: of the dataset.
            cases: training cases, if the file does not tell.

        Raises:
            UserError: channels or labels are missing or malformed.
        """
        if not isinstance(values, Mapping):
            raise UserError(f"dataset.json must hold a JSON object, got {type(values).__name__}")
        listed = values.get("training")
        count = values.get("numTraining", len(listed) if isinstance(listed, list) else cases)
        tests = values.get("numTest", 0)
        texts = {field: str(values.get(field) or "").strip() for field in ("description", "reference", "licence")}
        return cls(
            name=name,
            modality=_names(values.get("modality", values.get("channel_names")), "modality"),
            labels=_names(_by_value(values.get("labels")), "labels"),
            num_training=count if isinstance(count, int) and count > 0 else cases,
            num_test=tests if isinstance(tests, int) else 0,
            **texts,
        )


def _check_names(what: str, names: Sequence[Any]) -> None:
    """Raise a `UserError` unless the names are texts, none of them empty."""
    for name in names:
        _check_text(what, name)
    bare = [name.strip().casefold() for name in names]
    if "" in bare:
        raise UserError(f"{what} must not be empty, got {', '.join(map(repr, names))}; give a name")


def _check_distinct(labels: Sequence[str]) -> None:
    """Raise a `UserError` if two labels have one name: tables by class would mix them up."""
    bare = [name.strip().casefold() for name in labels]
    repeated = [name for name, key in zip(labels, bare, strict=True) if bare.count(key) > 1]
    if repeated:
        raise UserError(
            f"dataset.labels must name each but once, whatever the case, got {', '.join(repeated)}; rename one"
        )


def _check_text(what: str, text: Any) -> None:
    if not isinstance(text, str):
        raise UserError(f"{what} must be a text, got {text!r}")
    if text.startswith(_EVALUATED):
        marks = f"{', '.join(_EVALUATED[:-1])} or {_EVALUATED[-1]}"
        raise UserError(f"{what} must not begin with {marks}, which MONAI evaluates, got {text!r}; begin otherwise")


def _by_value(labels: Any) -> Any:
    """nnU-Net's name -> value turned into the MSD's value -> name; the latter as it is."""
    if isinstance(labels, Mapping) and labels and all(isinstance(value, int) for value in labels.values()):
        return {str(value): name for name, value in labels.items()}
    return labels


def _names(rows: Any, what: str) -> tuple[str, ...]:
    """Names in the order of their numbers, which must run from 0 without a gap."""
    if isinstance(rows, Sequence) and not isinstance(rows, str):
        rows = {str(index): name for index, name in enumerate(rows)}
    rule = f'{what} must map the numbers from 0 on to names, such as {{"0": "..."}}'
    if not isinstance(rows, Mapping) or not rows or not all(str(key).isdecimal() for key in rows):
        raise UserError(f"{rule}, got {rows!r}; write it as the MSD does")
    ordered = {int(key): rows[key] for key in sorted(rows, key=int)}
    if list(ordered) != list(range(len(ordered))):
        raise UserError(f"{rule}, got the numbers {list(ordered)}; number them without a gap, in the files too")
    return tuple(str(name) for name in ordered.values())
