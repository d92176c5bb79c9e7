"""What the rules need to know of a dataset: shapes, spacings and intensities, but no voxels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import UserError
from ..json_record import JsonRecord
from ..record_fields import check_fields, check_format_version, positive_integers, positive_numbers

FORMAT_VERSION = 1
AXIS_ORDER = "xyz (NIfTI order after reorientation to RAS; nnU-Net's files name no order and run zyx)"
STATISTICS = ("mean", "median", "std", "min", "max", "percentile_00_5", "percentile_99_5")
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
        foreground_intensity: per channel, the `STATISTICS` of the labelled voxels; none if no voxel is labelled.
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
        sizes = [positive_integers(f"shapes_after_crop[{case}]", row) for case, row in enumerate(shapes)]
        steps = [positive_numbers(f"spacings[{case}]", row, 3) for case, row in enumerate(spacings)]
        object.__setattr__(self, "spacings", tuple(steps))
        object.__setattr__(self, "shapes_after_crop", tuple(sizes))
        object.__setattr__(self, "case_ids", tuple(self.case_ids))
        object.__setattr__(self, "foreground_intensity", tuple(map(_statistics, self.foreground_intensity)))
        self._check_counts()
        share = self.median_relative_size_after_cropping
        if not isinstance(share, int | float) or not 0 < share <= 1:
            raise UserError(f"{_KEYS[2]} must be above 0 and at most 1, got {share!r}; measure the dataset again")

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
            case_ids=tuple(values.get("case_ids", ())) if own else (),
        )


def _check_format(values: Mapping[str, Any]) -> None:
    check_format_version("fingerprint", values["format_version"], FORMAT_VERSION)
    if not str(values["axis_order"]).startswith("xyz"):
        raise UserError(f"fingerprint.axis_order must be xyz, got {values['axis_order']!r}; reverse every row of axes")


def _rows(name: str, rows: Any, *, turned: bool = False) -> tuple[tuple[Any, ...], ...]:
    """A list of rows of 3 values each; `turned` reverses every row, from z, y, x to x, y, z."""
    lists = isinstance(rows, Sequence) and all(isinstance(row, Sequence) and not isinstance(row, str) for row in rows)
    if not lists or isinstance(rows, str):
        raise UserError(f"{name} must be a list with a list of numbers a case, got {rows!r:.80}")
    for case, row in enumerate(rows):
        if len(row) != 3:
            raise UserError(f"plans are made for 3D images, but {name}[{case}] has {len(row)} axes: {list(row)}")
    return tuple(tuple(reversed(row)) if turned else tuple(row) for row in rows)


def _by_channel(rows: Any) -> tuple[Any, ...]:
    """Rows that are keyed by the channel's number, in order."""
    if not isinstance(rows, Mapping) or set(rows) != {str(index) for index in range(len(rows))}:
        raise UserError(f'{_INTENSITY} must map the channels "0", "1", ... to statistics, got {rows!r:.80}')
    return tuple(rows[str(index)] for index in range(len(rows)))


def _statistics(row: Any) -> dict[str, float]:
    check_fields(_INTENSITY, row, required=STATISTICS, optional=())
    for name in STATISTICS:
        value = row[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise UserError(f"{_INTENSITY} must hold finite numbers, got {name} {value!r}; measure the dataset again")
    return {name: float(row[name]) for name in STATISTICS}
