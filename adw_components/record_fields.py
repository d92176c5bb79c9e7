"""The checks of fields that the records share. No torch here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import UserError

PerStage = tuple[tuple[int, ...], ...]


def check_fields(what: str, values: Any, *, required: Sequence[str], optional: Sequence[str]) -> None:
    """Raise a `UserError` unless `values` is an object with exactly the fields of a record."""
    if not isinstance(values, Mapping):
        raise UserError(f"{what} must be a JSON object, got {type(values).__name__}")
    missing = [name for name in required if name not in values]
    if missing:
        raise UserError(f"{what} lacks the field(s) {', '.join(missing)}")
    unknown = sorted(set(values) - set(required) - set(optional))
    if unknown:
        raise UserError(f"{what} has unknown field(s) {', '.join(unknown)}; known: {', '.join([*required, *optional])}")


def check_format_version(what: str, version: Any, known: int) -> None:
    """Raise a `UserError` unless this package can read format `version`."""
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= known:
        raise UserError(
            f"{what} format_version must be from 1 to {known}, got {version!r}; "
            "a later format needs a later adw_components"
        )


def integer_rows(name: str, value: Any) -> tuple[tuple[int, ...], ...]:
    """`value` as a tuple of non-empty tuples of positive integers."""
    if not _is_sequence(value) or not value:
        raise UserError(f"{name} must be a non-empty list of lists of positive integers, got {value!r}")
    return tuple(positive_integers(f"{name}[{index}]", row) for index, row in enumerate(value))


def positive_integers(name: str, value: Any) -> tuple[int, ...]:
    """`value` as a non-empty tuple of positive integers."""
    if not _is_sequence(value) or not value:
        raise UserError(f"{name} must be a non-empty list of positive integers, got {value!r}")
    for number in value:
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise UserError(f"{name} must hold positive integers, got {number!r} in {list(value)}")
    return tuple(value)


def positive_numbers(name: str, value: Any, count: int) -> tuple[float, ...]:
    """`value` as a tuple of `count` numbers above 0."""
    rows = list(value) if _is_sequence(value) else []
    if len(rows) != count or not all(_is_positive(number) for number in rows):
        raise UserError(f"{name} must be {count} numbers above 0, got {value!r}")
    return tuple(float(number) for number in rows)


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def check_count(name: str, rows: PerStage, expected: int, rule: str) -> None:
    """Raise a `UserError` unless there are `expected` rows; `rule` says why."""
    if len(rows) != expected:
        raise UserError(f"{name} must have {expected} entries ({rule}), got {len(rows)}")


def check_geometry(strides: PerStage, kernel_sizes: PerStage) -> None:
    """Raise a `UserError` unless strides and kernels describe one 2D or 3D U-Net."""
    if len(strides) < 2:
        raise UserError(f"strides must have at least 2 stages, got {len(strides)}")
    spatial_dims = len(strides[0])
    if spatial_dims not in (2, 3):
        raise UserError(f"strides[0] must have 2 or 3 axes, got {list(strides[0])}")
    check_count("kernel_sizes", kernel_sizes, len(strides), "one entry for every entry of strides")
    for name, rows in (("strides", strides), ("kernel_sizes", kernel_sizes)):
        for index, row in enumerate(rows):
            if len(row) != spatial_dims:
                raise UserError(f"{name}[{index}] must have {spatial_dims} axes like strides[0], got {list(row)}")
    if any(step != 1 for step in strides[0]):
        raise UserError(f"strides[0] must be all 1 (the first stage keeps the resolution), got {list(strides[0])}")
    for index, row in enumerate(kernel_sizes):
        if any(size % 2 == 0 for size in row):
            raise UserError(f"kernel_sizes[{index}] must be odd, got {list(row)}")


def total_stride(strides: PerStage) -> tuple[int, ...]:
    """Product of the strides of all stages, per axis."""
    return tuple(math.prod(axis) for axis in zip(*strides, strict=True))


def check_patch_size(patch_size: Sequence[int], strides: PerStage) -> tuple[int, ...]:
    """`patch_size` as a tuple, after checking that every stage divides it.

    Raises:
        UserError: an axis is missing or not divisible by the product of its strides.
    """
    size = positive_integers("patch_size", patch_size)
    factor = total_stride(strides)
    if len(size) != len(factor) or any(length % step for length, step in zip(size, factor, strict=True)):
        raise UserError(f"patch_size must be divisible by {factor}, got {size}")
    return size


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
