"""From what a user asks for to a recipe; all that can be wrong with it is told here. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import UserError
from ..tasks import task as msd_task
from .custom import CustomRecipe
from .hippocampus_recipe import NAME as HIPPOCAMPUS
from .hippocampus_recipe import HippocampusRecipe
from .protocols import PROTOCOLS
from .sizes import is_listed, listed_size, scaled_size, spacings
from .task_recipe import TaskRecipe
from .volumes import Recipe, Size

# Factor of the real size, of tasks other than Task04; 24 cases of any task take well under a minute.
_FACTOR = 0.25
_CUSTOM_SIZE = (64, 64, 40)
# So many blobs find a place; so many channels are more than any scanner gives.
_MOST_LABELS, _MOST_CHANNELS = 64, 16


def task_recipe(name: str, size: Any = None) -> Recipe:
    """The recipe of a task of the MSD.

    Args:
        name: such as "Task09_Spleen".
        size: voxels per axis, a factor of the real size, or none: the natural size for Task04, a quarter for others.

    Raises:
        UserError: an unknown task or a wrong size.
    """
    plan = msd_task(name).plan
    if name == HIPPOCAMPUS:
        x, y, z = (round(n) for n in plan.median_shape)
        return HippocampusRecipe(None if size is None else _size(size, (x, y, z)))
    return TaskRecipe(name, _size(_FACTOR if size is None else size, PROTOCOLS[name].size))


def custom_recipe(
    *, modality: Any, labels: Any = None, spacing: Any = None, size: Any = None, empty_labels: Any = 0, seed: int = 0
) -> Recipe:
    """The recipe of a dataset that is nobody's task.

    Args:
        modality: name of every channel, or the name of the only one.
        labels: name of every class without background, or the name of the only one; "lesion" by default.
        spacing: mm, or several spacings.
        size: voxels per axis.
        empty_labels: how many cases have no labelled voxel.
        seed: of what all cases share.

    Raises:
        UserError: one of them is malformed.
    """
    if isinstance(empty_labels, bool) or not isinstance(empty_labels, int) or empty_labels < 0:
        raise UserError(f"empty_labels must be a whole number from 0 on, got {empty_labels!r}")
    return CustomRecipe(
        modality=_names(modality, "modality", _MOST_CHANNELS),
        labels=_class_names("lesion" if labels is None else labels),
        spacings=spacings((1.0, 1.0, 1.0) if spacing is None else spacing),
        size=listed_size(_CUSTOM_SIZE if size is None else size),
        empty=empty_labels,
        style=seed,
    )


def _size(size: Any, real: Size) -> Size:
    return listed_size(size) if is_listed(size) else scaled_size(size, real)


def _names(value: Any, field: str, most: int) -> tuple[str, ...]:
    """Names from a list of them, or from one."""
    rows = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    names = tuple(str(row).strip() for row in rows)
    if not 1 <= len(names) <= most or not all(names) or not all(isinstance(row, str | int | float) for row in rows):
        raise UserError(f"{field} must name 1 to {most} things, got {value!r}; write such as [a, b]")
    return names


def _class_names(value: Any) -> tuple[str, ...]:
    names = _names(value, "labels", _MOST_LABELS)
    if len(set(names)) < len(names) or "background" in map(str.lower, names):
        raise UserError(f"labels must be different names, without background, got {list(names)}; name each class once")
    return names
