"""Clicks of an annotator: whose they may be, how they arrive, which of them lie in a grid."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from ..click_names import RESERVED
from ..errors import UserError

Point = tuple[int, ...]


def read_clicks(data: Mapping[Hashable, Any], names: Sequence[str]) -> tuple[tuple[Point, ...], ...]:
    """The clicks of a request of MONAI Label, for every name its voxels (i, j, k) of the stored image.

    MONAI Label puts them among the other keys of the data, {"anterior": [[i, j, k], ...], ..., "label": "anterior"},
    where "label" is what the annotator works on, and puts names in lower case. No key, None or an empty list mean no
    click.

    Args:
        data: the request, or what transforms have made of it.
        names: of the labels, as `guidance_names` gives them; their case does not matter.

    Raises:
        UserError: clicks are no list of three whole numbers each, arrive under two keys, or are for an unknown label.
    """
    keys = _keys_by_name(data, names)
    _refuse_unknown_labels(data, names)
    return tuple(_points(name, data[keys[name]]) if name in keys else () for name in names)


def _keys_by_name(data: Mapping[Hashable, Any], names: Sequence[str]) -> dict[str, str]:
    by_key = {name.casefold(): name for name in names}
    found: dict[str, str] = {}
    for key in data:
        name = by_key.get(key.casefold()) if isinstance(key, str) else None
        if name is None or not isinstance(key, str):
            continue
        if name in found:
            raise UserError(f"clicks of {name!r} must be under one key, got {found[name]!r} and {key!r}; send one")
        found[name] = key
    return found


def _refuse_unknown_labels(data: Mapping[Hashable, Any], names: Sequence[str]) -> None:
    known, listed = {name.casefold() for name in names}, ", ".join(names)
    current = data.get("label")
    if isinstance(current, str) and current and current.casefold() not in known:
        raise UserError(f"label must be one of {listed}, got {current!r}; choose one of these to click on")
    for key, value in data.items():
        is_known = isinstance(key, str) and key.casefold() in known | RESERVED
        if not is_known and _are_points(value):
            raise UserError(
                f"clicks must be of one of {listed}, got some of {key!r}; send them under one of these names"
            )


def _are_points(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(_is_point(item) for item in value)


def _is_point(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 3 and all(_is_number(number) for number in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) or float(value).is_integer()


def _points(name: str, value: Any) -> tuple[Point, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise UserError(
            f"clicks of {name!r} must be a list of voxels [[i, j, k], ...], got {_shown(value)}; send a list"
        )
    return tuple(_point(name, item) for item in value)


def _point(name: str, value: Any) -> Point:
    if not _is_point(value) or not all(_is_whole(number) for number in value):
        raise UserError(
            f"a click of {name!r} must be three whole numbers [i, j, k], got {_shown(value)}; "
            "send voxels of the stored image"
        )
    return tuple(int(number) for number in value)


def _shown(value: Any) -> str:
    """`value` in one short line."""
    return " ".join(reprlib.repr(value).split())


def require_inside(points: Sequence[Sequence[Point]], names: Sequence[str], shape: Sequence[int]) -> None:
    """Raise a `UserError` unless every click lies in an image.

    Args:
        points: for every name its clicks, voxels of the image.
        names: of the labels.
        shape: of the image, voxels.
    """
    for name, clicks in zip(names, points, strict=True):
        for point in clicks:
            if not _is_inside(point, shape):
                raise UserError(
                    f"a click must lie in the stored image, got {list(point)} of {name!r} for an image of shape "
                    f"{list(shape)}; count voxels from 0"
                )


def clicks_in_grid(
    points: Sequence[Sequence[Point]], *, to_grid: Callable[[Point], Point | None]
) -> tuple[tuple[Point, ...], ...]:
    """Clicks in voxels of another grid; those that lie outside of it are left out.

    Args:
        points: for every label its clicks, voxels of the stored image.
        to_grid: voxel of the stored image -> voxel of the grid, none outside of it.
    """
    mapped = (map(to_grid, clicks) for clicks in points)
    return tuple(tuple(voxel for voxel in voxels if voxel is not None) for voxels in mapped)


def _is_inside(point: Point, shape: Sequence[int]) -> bool:
    return all(0 <= index < length for index, length in zip(point, shape, strict=True))
