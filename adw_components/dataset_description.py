"""What a dataset is about: channels, labels, counts, source. No torch here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .errors import UserError
from .record_fields import (
    MOST_CASES,
    MOST_LABELS,
    check_fields,
    folder_name,
    is_list,
    plain_name,
    plain_text,
    shown,
    whole_number,
)

# A number of a channel or label in a dataset.json: no sign, no zeros before it, so that no two are one.
NUMBER = re.compile("0|[1-9][0-9]{0,3}")


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
        folder_name("dataset.name", self.name)
        for field in ("modality", "labels"):
            object.__setattr__(self, field, _checked_names(f"dataset.{field}", getattr(self, field)))
        _check_distinct(self.labels)
        for field in ("description", "reference", "licence"):
            plain_text(f"dataset.{field}", getattr(self, field), lines=True)
        if not self.modality:
            raise UserError("dataset.modality must name at least one channel, got none")
        if len(self.labels) < 2:
            raise UserError(f"dataset.labels must name background and at least one class, got {list(self.labels)}")
        for field in ("num_training", "num_test"):
            whole_number(f"dataset.{field}", getattr(self, field), high=MOST_CASES)

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
        refuse_unlearnable(values.get("labels"))
        listed = values.get("training")
        count = values.get("numTraining", len(listed) if isinstance(listed, list) else cases)
        tests = values.get("numTest", 0)
        texts = {field: _stripped(values.get(field)) for field in ("description", "reference", "licence")}
        return cls(
            name=name,
            modality=_names(values.get("modality", values.get("channel_names")), "modality"),
            labels=_names(_by_value(values.get("labels")), "labels"),
            num_training=cases if count in (None, 0) else count,
            num_test=0 if tests is None else tests,
            **texts,
        )


def refuse_unlearnable(labels: Any) -> None:
    """Raise a `UserError` for labels, in the form of the MSD or of nnU-Net 2, of which one is no class of its own."""
    if not isinstance(labels, Mapping):
        return
    names = [name for item in labels.items() for name in item if isinstance(name, str)]
    ignored = next((name for name in names if name.strip().casefold() == "ignore"), None)
    if ignored is not None:
        raise UserError(
            f"labels must be classes, got {ignored!r}, which would be learned as one; label these voxels, or leave "
            "their cases out"
        )
    regions = [str(name) for name, value in labels.items() if isinstance(value, list | tuple)]
    if regions:
        raise UserError(
            f"labels must have one value each, got regions of several: {', '.join(regions)}; give every class its value"
        )


def _checked_names(what: str, names: Any) -> tuple[str, ...]:
    if not is_list(names) or len(names) > MOST_LABELS:
        raise UserError(f"{what} must be a list of up to {MOST_LABELS} names, got {shown(names)}")
    return tuple(plain_name(what, name) for name in names)


def _check_distinct(labels: Sequence[str]) -> None:
    """Raise a `UserError` if two labels have one name: tables by class would mix them up."""
    bare = [name.strip().casefold() for name in labels]
    repeated = [name for name, key in zip(labels, bare, strict=True) if bare.count(key) > 1]
    if repeated:
        raise UserError(
            f"dataset.labels must name each but once, whatever the case, got {', '.join(repeated)}; rename one"
        )


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
    if not isinstance(rows, Mapping) or not rows or not all(NUMBER.fullmatch(str(key)) for key in rows):
        raise UserError(f"{rule}, got {shown(rows)}; write it as the MSD does")
    ordered = {int(key): rows[key] for key in sorted(rows, key=int)}
    if list(ordered) != list(range(len(rows))):
        raise UserError(f"{rule}, got the numbers {shown(list(ordered))}; number them without a gap, in the files too")
    return tuple(ordered.values())


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else "" if value is None else value
