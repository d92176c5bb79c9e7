"""Task05: the male pelvis in T2-weighted MRI and ADC maps, with the two zones of the prostate. No torch here."""

from __future__ import annotations

import math

import numpy as np

from ..plan import Plan
from .grid import Grid
from .levels import level, spread
from .poses import around
from .scanner import mri
from .scene import Scene, Structure
from .shapes import Ellipsoid, Shape
from .uneven import Rough

_END = math.inf
# Standard deviations from the mean of the real labelled voxels: T2, ADC.
_TISSUES = {
    "fat": (1.1, -3.2),
    "muscle": (-1.5, -0.9),
    "bone": (0.3, -2.9),
    "cortex": (-2.1, -3.3),
    "bladder": (3.0, 3.6),
    "rectum": (-0.8, -0.4),
    "gas": (-2.2, -3.3),
    "PZ": (0.6, 0.5),
    "TZ": (-0.4, -0.4),
}


def prostate(plan: Plan, grid: Grid, rng: np.random.Generator) -> Scene:
    """Peripheral zone (1), bright, around the back of the transitional zone (2)."""
    zones = _zones(rng)
    labels = {"PZ": 1, "TZ": 2}
    return Scene(
        background=level(plan, _TISSUES["fat"]),
        structures=[_tissue(plan, shape, name, rng, labels.get(name, 0)) for name, shape in [*_pelvis(rng), *zones]],
        unit=spread(plan),
        scanners=mri(grid, [0.22 * deviation for deviation in spread(plan)], 0.2, rng),
        bend=0.015,
    )


def _pelvis(rng: np.random.Generator) -> list[tuple[str, Shape]]:
    found: list[tuple[str, Shape]] = []
    for side in (-1, 1):
        found += [
            ("muscle", around((side * 0.55, -0.05, 0.0), (0.16, 0.45, 2.5), rng, turn=(0, 0, 12 * side))),
            ("cortex", around((side * 0.85, 0.05, 0.1), (0.20, 0.30, 1.1), rng)),
            ("muscle", around((side * 0.45, -0.75, -0.3), (0.42, 0.16, 2.0), rng, turn=(0, 0, 20 * side))),
        ]
        found.append(("bone", Ellipsoid((side * 0.85, 0.05, 0.1), (0.17, 0.27, 1.0))))
        found.append(("muscle", around((side * 0.33, 0.02, -0.5), (0.05, 0.30, 0.7), rng)))
    rectum = around((0.0, -0.42, 0.0), (0.16, 0.14, 3.0), rng)
    return [
        *found,
        ("cortex", around((0.0, 0.62, -0.5), (0.30, 0.10, 0.8), rng)),
        ("bladder", around((0.0, 0.25, 1.05), (0.40, 0.30, 0.62), rng)),
        ("rectum", rectum),
        ("gas", Ellipsoid((rectum.centre[0], -0.40, 0.0), (0.09, 0.07, _END))),
    ]


def _zones(rng: np.random.Generator) -> list[tuple[str, Shape]]:
    whole = around((0.0, -0.05, -0.1), (0.30, 0.22, 0.68), rng)
    x, y, z = whole.centre
    share = rng.uniform(0.62, 0.78)  # an enlarged transitional zone presses the peripheral zone to a rim
    inner = Ellipsoid((x, y + 0.07, z + 0.08), [share * whole.radii[0], share * whole.radii[1], 0.8 * whole.radii[2]])
    capsule = Ellipsoid(whole.centre, [radius + 0.02 for radius in whole.radii], whole.turn)
    return [("muscle", capsule), ("PZ", Rough(whole, grain=0.006)), ("TZ", Rough(inner, grain=0.008))]


def _tissue(plan: Plan, shape: Shape, name: str, rng: np.random.Generator, label: int) -> Structure:
    value = level(plan, rng.normal(_TISSUES[name], 0.12).tolist())
    return Structure(shape=shape, value=value, texture={"TZ": 0.45, "PZ": 0.25}.get(name, 0.15), label=label)
