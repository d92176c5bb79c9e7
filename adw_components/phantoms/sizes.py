"""What a user may say about the size and the spacing of generated volumes. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

from ..errors import UserError
from .grid import Vector
from .volumes import LEAST, Size

# Most voxels per axis: the longest volume of the MSD has 751 slices.
_MOST = 1024
# Least and largest factor; a larger one is a number of voxels without its brackets.
_FACTORS = (0.05, 2.0)
# Axes are not shrunk to fewer voxels than that: a network that halves an axis several times needs them.
_ENOUGH = 24


def is_listed(size: Any) -> bool:
    """Whether `size` lists voxels per axis."""
    return isinstance(size, Sequence) and not isinstance(size, str)


def listed_size(size: Any) -> Size:
    """Voxels per axis from a list of them.

    Raises:
        UserError: they are not three whole numbers that a volume can have.
    """
    rows = list(size) if is_listed(size) else [size]
    fits = len(rows) == 3 and all(_is_number(n) and LEAST <= n <= _MOST and n == int(n) for n in rows)
    if not fits:
        rule = f"size must list three whole numbers from {LEAST} to {_MOST}, voxels along x, y, z"
        raise UserError(f"{rule}, got {size!r}; write such as [64, 64, 40]")
    x, y, z = (int(n) for n in rows)
    return x, y, z


def scaled_size(factor: Any, real: Size) -> Size:
    """`factor` times the size of the real images, but no axis under 24 voxels or its real size, if that is less.

    Raises:
        UserError: it is no sensible factor.
    """
    low, high = _FACTORS
    if not _is_number(factor) or not low <= factor <= high:
        rule = f"size must list voxels per axis or be a factor of the real size from {low} to {high}"
        raise UserError(f"{rule}, got {factor!r}; write such as [64, 64, 40] or 0.5")
    x, y, z = (max(round(factor * n), min(_ENOUGH, n)) for n in real)
    return x, y, z


def spacings(value: Any) -> tuple[Vector, ...]:
    """One or several spacings in mm from a list of three numbers, or a list of such lists.

    Raises:
        UserError: it is neither.
    """
    rows = list(value) if is_listed(value) else [value]
    if rows and not any(is_listed(row) for row in rows):
        rows = [rows]
    for row in rows:
        fits = is_listed(row) and len(row) == 3 and all(_is_number(n) and 0.01 <= n <= 100 for n in row)
        if not fits:
            rule = "spacing must be three numbers of mm from 0.01 to 100, or a list of such triples"
            raise UserError(f"{rule}, got {value!r}; write such as [0.9, 0.9, 3.0] or [[1, 1, 1], [0.7, 0.7, 2.5]]")
    if not rows:
        raise UserError("spacing must name at least one, got []; write such as [0.9, 0.9, 3.0]")
    return tuple((float(x), float(y), float(z)) for x, y, z in rows)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and value == value
