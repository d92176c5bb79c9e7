"""Task02: the chest in an MRI with the left atrium labelled. No torch here."""

from __future__ import annotations

import math

import numpy as np

from ..plan import Plan
from .grid import Grid
from .levels import level, spread
from .poses import around
from .scanner import mri
from .scene import Scene, Structure
from .shapes import Capsule, Ellipsoid, Shape, Union
from .uneven import Rough

_END = math.inf
# Standard deviations from the mean of the real labelled voxels.
_TISSUES = {
    "air": -6.2,
    "fat": -1.0,
    "muscle": -3.6,
    "lung": -5.6,
    "liver": -3.0,
    "bone": -4.0,
    "myocardium": -2.9,
    "blood": 0.35,
    "aorta": -0.5,
    "left atrium": 0.0,
}
# Share of the width that the scanner filled; the rest is exactly 0.
_FILLED = 0.725


def heart(plan: Plan, grid: Grid, rng: np.random.Generator) -> Scene:
    """Chest wall, lungs, the four chambers and the great vessels."""
    tissues = [_tissue(plan, shape, name, rng) for name, shape in _chest(rng) + _chambers(rng)]
    atrium = _tissue(plan, _atrium(rng), "left atrium", rng, label=1)
    return Scene(
        background=level(plan, _TISSUES["air"]),
        structures=[*tissues, atrium],
        unit=spread(plan),
        scanners=mri(grid, [0.3 * deviation for deviation in spread(plan)], 0.08, rng, _filled(grid.shape[0], rng)),
        bend=0.025,
    )


def _chest(rng: np.random.Generator) -> list[tuple[str, Shape]]:
    fat = rng.uniform(0.03, 0.08)
    return [
        ("fat", Ellipsoid((0.0, 0.0, 0.0), (0.86 + fat, 0.62 + fat, _END))),
        ("muscle", Ellipsoid((0.0, 0.0, 0.0), (0.85, 0.60, _END))),
        ("lung", around((0.40, 0.0, 0.3), (0.34, 0.48, 1.6), rng)),
        ("lung", around((-0.42, 0.0, 0.3), (0.32, 0.48, 1.6), rng)),
        ("liver", around((0.40, 0.10, -1.1), (0.42, 0.45, 0.55), rng)),
        ("bone", Ellipsoid((0.0, -0.34, 0.0), (0.12, 0.12, _END))),
        ("aorta", Ellipsoid((-0.10, -0.20, 0.0), (0.065, 0.065, _END))),
    ]


def _chambers(rng: np.random.Generator) -> list[tuple[str, Shape]]:
    left = around((-0.24, 0.14, -0.25), (0.27, 0.17, 0.40), rng, turn=(0, 0, -35))
    inner = Ellipsoid(left.centre, [radius - 0.065 for radius in left.radii], left.turn)
    right = around((-0.04, 0.30, -0.25), (0.24, 0.11, 0.40), rng, turn=(0, 0, -20))
    return [
        ("fat", around((-0.10, 0.14, -0.15), (0.40, 0.34, 0.75), rng, turn=(0, 0, -30))),
        ("myocardium", left),
        ("blood", inner),
        ("myocardium", Ellipsoid(right.centre, [radius + 0.025 for radius in right.radii], right.turn)),
        ("blood", right),
        ("blood", around((0.18, 0.14, -0.15), (0.13, 0.15, 0.42), rng)),
        ("aorta", Capsule((0.0, 0.14, 0.05), (0.06, 0.12, 0.9), 0.075, 0.075)),
        ("blood", Capsule((-0.06, 0.22, 0.1), (-0.12, 0.06, 0.75), 0.075, 0.07)),
        ("blood", Capsule((0.19, 0.06, 0.2), (0.19, 0.04, 1.1), 0.05, 0.05)),
    ]


def _atrium(rng: np.random.Generator) -> Shape:
    """A flat blob behind the other chambers with the stubs of four veins and an appendage."""
    body = around((-0.02, -0.03, 0.10), (0.20, 0.12, 0.27), rng)
    x, y, z = body.centre
    veins = [
        Capsule((x + 0.12 * side, y - 0.02, z + up), (x + 0.29 * side, y - 0.10, z + 1.6 * up), 0.05, 0.04)
        for side in (-1, 1)
        for up in rng.normal((0.12, -0.10), 0.02).tolist()
    ]
    appendage = Capsule((x - 0.13, y + 0.04, z + 0.08), (x - 0.22, y + 0.11, z + 0.14), 0.05, 0.03)
    return Rough(Union([body, *veins, appendage]), grain=0.006)


def _filled(width: int, rng: np.random.Generator) -> tuple[int, int]:
    """First and last but one column that the scanner filled."""
    empty = round((1 - _FILLED) * width)
    first = round(empty * rng.uniform(0.35, 0.65))
    return first, first + width - empty


def _tissue(plan: Plan, shape: Shape, name: str, rng: np.random.Generator, *, label: int = 0) -> Structure:
    value = level(plan, _TISSUES[name] + rng.normal(0, 0.15))
    return Structure(shape=shape, value=value, texture=0.25 if name != "lung" else 0.1, label=label)
