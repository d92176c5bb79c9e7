"""The ten tasks of the Medical Segmentation Decathlon. No torch here.

Plans (axes turned to x, y, z), labels and counts are those of nnU-Net v2 on the full data; the reference Dice is that
of nnU-Net v2's default and of Auto-nnU-Net. `msd/` holds them as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .errors import UserError
from .files import read_json
from .plan import Plan

_FOLDER = Path(__file__).parent / "msd"


@dataclass(frozen=True, kw_only=True)
class Dice:
    """Mean Dice in percent over the cases, where the source gives it over all classes, and per foreground class."""

    per_class: tuple[float, ...]
    mean: float | None = None


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task.

    Args:
        name: of its folder, such as "Task09_Spleen".
        bundle: name of its bundle.
        structures: what is segmented, in words.
        images: what the images show, in words.
        plan: nnU-Net v2's plan of the full data, in our terms.
        reference_dice: what others reached, by method and data.
    """

    name: str
    bundle: str
    structures: str
    images: str
    plan: Plan
    reference_dice: Mapping[str, Dice]


def task_names() -> tuple[str, ...]:
    """Names of the ten tasks in their order."""
    return tuple(_table())


@cache
def task(name: str) -> Task:
    """The task of the MSD folder `name`.

    Raises:
        UserError: it is none of the ten.
    """
    if name not in _table():
        raise UserError(f"{name!r} is no task of the MSD; there are {', '.join(_table())}")
    row = dict(_table()[name])
    dice = {source: Dice(**values) for source, values in row.pop("dice_percent").items()}
    return Task(name=name, plan=Plan.load(_FOLDER / "plans" / f"{name}.json"), reference_dice=dice, **row)


@cache
def _table() -> dict[str, dict]:
    return read_json(_FOLDER / "tasks.json", "table of the tasks")
