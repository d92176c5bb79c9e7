"""The fingerprint: what the rules need to know of a dataset, its shapes, spacings and intensities, but no voxels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import UserError
from ..json_record import JsonRecord
from ..record_fields import (
    INTENSITY_STATISTICS,
    MOST_IN_AN_AXIS,
    MOST_LABELS,
    check_axis_order,
    check_fields,
    check_format_version,
    is_list,
    number,
    positive_integers,
    positive_numbers,
    printable,
    shown,
)

FORMAT_VERSION = 1
AXIS_ORDER = "xyz (NIfTI order after reorientation to RAS; nnU-Net's files name no order and run zyx)"
_INTENSITY = "foreground_intensity_properties_per_channel"
_KEYS = ("spacings", "shapes_after_crop", "median_relative_size_after_cropping", _INTENSITY)
_OWN_KEYS = ("format_version", "axis_order")


@dataclass(frozen=True, kw_only=True)
class Fingerprint(JsonRecord):
    """Measurements of the training cases of a dataset. Axes run x, y, z.

    Args:
        spacings: per case, mm per axis.
        shapes_after_crop: per case, voxels per axis of the box around all voxels that are not 0.
        median_relative_size_after_cropping: median over the cases of the share of an image that this box takes.
        foreground_intensity: per channel, the `INTENSITY_STATISTICS` of the labelled voxels; none without such voxels.
        case_ids: whose measurements these are, in the same order, where that is known.
    """

    KIND: ClassVar[str] = "fingerprint"

    spacings: tuple[tuple[float, ...], ...]
    shapes_after_crop: tuple[tuple[int, ...], ...]
    median_relative_size_after_cropping: float
    foreground_intensity: tuple[Mapping[str, float], ...] = ()
    case_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        spacings, shapes = _rows("spacings", self.spacings), _rows("shapes_after_crop", self.shapes_after_crop)
        sizes = [
            positive_integers(f"shapes_after_crop[{case}]", row, high=MOST_IN_AN_AXIS, longest=3)
            for case, row in enumerate(shapes)
        ]
        steps = [positive_numbers(f"spacings[{case}]", row, 3) for case, row in enumerate(spacings)]
        object.__setattr__(self, "spacings", tuple(steps))
        object.__setattr__(self, "shapes_after_crop", tuple(sizes))
        object.__setattr__(self, "case_ids", _ids(self.case_ids))
        object.__setattr__(self, "foreground_intensity", tuple(map(_statistics, self.foreground_intensity)))
        self._check_counts()
        number(_KEYS[2], self.median_relative_size_after_cropping, low=0, high=1, above=True)

    def _check_counts(self) -> None:
        counts = [len(self.spacings), len(self.shapes_after_crop), len(self.case_ids) or len(self.spacings)]
        if min(counts) < 1 or len(set(counts)) > 1:
            raise UserError(
                "spacings, shapes_after_crop and case_ids must have an entry for every case, "
                f"got {counts[0]}, {counts[1]} and {len(self.case_ids)}; measure the dataset again"
            )

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values: nnU-Net's keys, but our order of axes."""
        return {
            "format_version": FORMAT_VERSION,
            "axis_order": AXIS_ORDER,
            "case_ids": list(self.case_ids),
            "spacings": [list(row) for row in self.spacings],
            "shapes_after_crop": [list(row) for row in self.shapes_after_crop],
            "median_relative_size_after_cropping": self.median_relative_size_after_cropping,
            _INTENSITY: {str(index): dict(row) for index, row in enumerate(self.foreground_intensity)},
        }

    @classmethod
    def from_dict(cls, values: Any) -> Fingerprint:
        """The record that `to_dict` gave, or the content of nnU-Net's `dataset_fingerprint.json`.

        Raises:
            UserError: a field is missing, unknown or malformed, the axes run otherwise, or the format is a later one.
        """
        names = tuple(values) if isinstance(values, Mapping) else ()
        own = "format_version" in names or "axis_order" in names
        if own:
            check_fields("fingerprint", values, required=(*_OWN_KEYS, *_KEYS), optional=("case_ids",))
            _check_format(values)
        else:
            check_fields("fingerprint", values, required=_KEYS, optional=names)
        return cls(
            spacings=_rows("spacings", values["spacings"], turned=not own),
            shapes_after_crop=_rows("shapes_after_crop", values["shapes_after_crop"], turned=not own),
            median_relative_size_after_cropping=values["median_relative_size_after_cropping"],
            foreground_intensity=_by_channel(values[_INTENSITY]),
            case_ids=values.get("case_ids", ()) if own else (),
        )


def _check_format(values: Mapping[str, Any]) -> None:
    check_format_version("fingerprint", values["format_version"], FORMAT_VERSION)
    check_axis_order("fingerprint", values["axis_order"], remedy="reverse every row of axes")


def _rows(name: str, rows: Any, *, turned: bool = False) -> tuple[tuple[Any, ...], ...]:
    """A list of rows of 3 values each; `turned` reverses every row, from z, y, x to x, y, z."""
    if not is_list(rows) or not all(map(is_list, rows)):
        raise UserError(f"{name} must be a list with a list of numbers a case, got {shown(rows)}")
    for case, row in enumerate(rows):
        if len(row) != 3:
            raise UserError(f"plans are made for 3D images, but {name}[{case}] has {len(row)} axes: {shown(list(row))}")
    return tuple(tuple(reversed(row)) if turned else tuple(row) for row in rows)


def _by_channel(rows: Any) -> tuple[Any, ...]:
    """Rows that are keyed by the channel's number, in order."""
    names = [str(index) for index in range(len(rows))] if isinstance(rows, Mapping) else None
    if names is None or len(names) > MOST_LABELS or set(rows) != set(names):
        raise UserError(f'{_INTENSITY} must map the channels "0", "1", ... to statistics, got {shown(rows)}')
    return tuple(rows[str(index)] for index in range(len(rows)))


def _statistics(row: Any) -> dict[str, float]:
    check_fields(_INTENSITY, row, required=INTENSITY_STATISTICS, optional=())
    return {name: float(number(f"{_INTENSITY}.{name}", row[name])) for name in INTENSITY_STATISTICS}


def _ids(names: Any) -> tuple[str, ...]:
    """Return the ids of cases, which are named after files and may be any text that can be printed."""
    if not is_list(names):
        raise UserError(f"case_ids must be a list of texts, got {shown(names)}")
    return tuple(printable("a name in case_ids", name, longest=255) for name in names)
