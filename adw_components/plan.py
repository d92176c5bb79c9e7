"""The plan of a dataset: how its images are prepared, and the shape of the networks for it. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .dataset_description import DatasetDescription
from .errors import UserError
from .json_record import JsonRecord
from .normalization import Normalization
from .record_fields import (
    INTENSITY_STATISTICS,
    MOST_BATCH,
    MOST_GB,
    PerStage,
    check_axis_order,
    check_fields,
    check_format_version,
    check_patch_size,
    checked_geometry,
    is_list,
    number,
    plain_name,
    plain_text,
    positive_numbers,
    shown,
    true_or_false,
    whole_number,
)

FORMAT_VERSION = 1
AXIS_ORDER = "xyz (NIfTI order after reorientation to RAS; nnU-Net's is the reverse, zyx)"
_REQUIRED = (
    *("dataset", "spacing_mm", "median_shape", "patch_size", "batch_size"),
    *("strides", "kernel_sizes", "normalization", "batch_dice"),
)
_OPTIONAL = ("foreground_intensity", "memory_gb", "reasons")
_MOST_REASONS = 50


@dataclass(frozen=True, kw_only=True)
class Plan(JsonRecord):
    """What nnU-Net's rules, or nnU-Net's own plan, say about a dataset. Axes run x, y, z.

    Args:
        dataset: what the data are.
        spacing_mm: to which images are resampled, per axis.
        median_shape: median over the cases of the shape at that spacing, voxels.
        patch_size: voxels per axis.
        batch_size: patches of a training batch.
        strides: per stage, the first all 1, as in `Architecture`.
        kernel_sizes: per stage, as in `Architecture`.
        normalization: of every channel.
        batch_dice: whether the Dice loss takes the batch as one image.
        foreground_intensity: per channel, statistics of the labelled voxels: mean, std, percentile_00_5, ...
        memory_gb: GPU memory that patch and batch aim at.
        reasons: for a field, why it has its value.
    """

    KIND: ClassVar[str] = "plan"

    dataset: DatasetDescription
    spacing_mm: tuple[float, ...]
    median_shape: tuple[float, ...]
    patch_size: tuple[int, ...]
    batch_size: int
    strides: PerStage
    kernel_sizes: PerStage
    normalization: tuple[Normalization, ...]
    batch_dice: bool
    foreground_intensity: tuple[Mapping[str, float], ...] = ()
    memory_gb: float = 8.0
    reasons: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        strides, kernel_sizes = checked_geometry(self.strides, self.kernel_sizes)
        object.__setattr__(self, "strides", strides)
        object.__setattr__(self, "kernel_sizes", kernel_sizes)
        axes = len(self.strides[0])
        object.__setattr__(self, "patch_size", check_patch_size(self.patch_size, self.strides))
        for name in ("spacing_mm", "median_shape"):
            object.__setattr__(self, name, positive_numbers(name, getattr(self, name), axes))
        whole_number("batch_size", self.batch_size, low=1, high=MOST_BATCH)
        true_or_false("batch_dice", self.batch_dice)
        number("memory_gb", self.memory_gb, low=0, high=MOST_GB, above=True)
        object.__setattr__(self, "foreground_intensity", _intensities(self.foreground_intensity, self.in_channels))
        object.__setattr__(self, "reasons", _reasons(self.reasons))
        if len(self.normalization) != self.in_channels:
            raise UserError(
                f"normalization must have an entry for each of the {self.in_channels} channel(s), "
                f"got {len(self.normalization)}"
            )

    @property
    def in_channels(self) -> int:
        """Channels of an image."""
        return len(self.dataset.modality)

    @property
    def out_channels(self) -> int:
        """Classes, background included."""
        return len(self.dataset.labels)

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "format_version": FORMAT_VERSION,
            "axis_order": AXIS_ORDER,
            "dataset": self.dataset.to_dict(),
            "spacing_mm": list(self.spacing_mm),
            "median_shape": list(self.median_shape),
            "patch_size": list(self.patch_size),
            "batch_size": self.batch_size,
            "strides": [list(row) for row in self.strides],
            "kernel_sizes": [list(row) for row in self.kernel_sizes],
            "normalization": [channel.to_dict() for channel in self.normalization],
            "batch_dice": self.batch_dice,
            "foreground_intensity": [dict(channel) for channel in self.foreground_intensity],
            "memory_gb": self.memory_gb,
            "reasons": dict(self.reasons),
        }

    @classmethod
    def from_dict(cls, values: Any) -> Plan:
        """The record that `to_dict` gave.

        Raises:
            UserError: a field is missing, unknown or malformed, the axes run otherwise, or the format is a later one.
        """
        check_fields("plan", values, required=("format_version", "axis_order", *_REQUIRED), optional=_OPTIONAL)
        check_format_version("plan", values["format_version"], FORMAT_VERSION)
        check_axis_order("plan", values["axis_order"], remedy="reverse every list of axes")
        fields = {name: value for name, value in values.items() if name not in ("format_version", "axis_order")}
        fields["dataset"] = DatasetDescription.from_dict(values["dataset"])
        fields["normalization"] = _normalizations(values["normalization"])
        return cls(**fields)


def _normalizations(rows: Any) -> tuple[Normalization, ...]:
    if not is_list(rows):
        raise UserError(f"normalization must be a list with an entry a channel, got {shown(rows)}")
    return tuple(Normalization.from_dict(row) for row in rows)


def _intensities(rows: Any, channels: int) -> tuple[Mapping[str, float], ...]:
    """Statistics of every channel, or of none."""
    if not is_list(rows) or len(rows) not in (0, channels):
        raise UserError(
            f"foreground_intensity must be a list with an entry for each of the {channels} channel(s), or empty, got "
            f"{shown(rows)}"
        )
    for index, row in enumerate(rows):
        check_fields(f"foreground_intensity[{index}]", row, required=(), optional=INTENSITY_STATISTICS)
        for name, value in row.items():
            number(f"foreground_intensity[{index}].{name}", value)
    return tuple(dict(row) for row in rows)


def _reasons(reasons: Any) -> dict[str, str]:
    if not isinstance(reasons, Mapping) or len(reasons) > _MOST_REASONS:
        raise UserError(
            f"reasons must be an object of up to {_MOST_REASONS} texts, by the field they are of, got {shown(reasons)}"
        )
    names = [plain_name("a name in reasons", name) for name in reasons]
    return {name: plain_text(f"reasons.{name}", reasons[name], lines=True) for name in names}
