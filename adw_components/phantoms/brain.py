"""Task01: a skull-stripped brain with a glioma, in four MRI contrasts. No torch here."""

from __future__ import annotations

import numpy as np

from ..plan import Plan
from .grid import Grid, Vector
from .levels import level, spread
from .poses import around
from .scanner import mri
from .scene import Scene, Structure
from .shapes import Ellipsoid, Inside, Shape
from .uneven import Gyri, Rough, Sulci

# Standard deviations from the mean of the real labelled voxels: FLAIR, T1w, t1gd, T2w.
_TISSUES = {
    "fluid": (-1.6, -1.4, -1.1, 2.2),
    "grey": (-0.7, -0.3, -0.4, -0.1),
    "white": (-1.0, 0.6, 0.2, -0.8),
    "deep grey": (-0.8, 0.1, -0.2, -0.5),
    "edema": (0.2, 0.15, 0.0, 0.1),
    "core": (-0.2, -0.6, -0.8, 0.1),
    "ring": (0.1, 0.2, 1.8, -0.1),
}
# Half axes of the box around the brain, so that it takes 36 % of the volume, less what roughness adds.
_BRAIN = (0.55, 0.675, 0.86)
# What is round in the patient is taller in the scene, whose height is that of 155 slices and its width that of 240.
_TALL = np.array((1.0, 1.0, 240 / 155))


def brain(plan: Plan, grid: Grid, rng: np.random.Generator) -> Scene:
    """Brain, ventricles and tumour; all else is exactly 0."""
    whole = Rough(Ellipsoid((0.0, 0.0, 0.0), (np.array(_BRAIN) * rng.normal(1, 0.015, 3)).tolist()), grain=0.004)
    return Scene(
        background=(0.0,) * plan.in_channels,
        structures=[*_healthy(plan, whole, rng), *_tumour(plan, grid, whole, rng)],
        unit=spread(plan),
        scanners=mri(grid, [0.10 * deviation for deviation in spread(plan)], 0.45, rng),
        bend=0.012,
    )


def _healthy(plan: Plan, whole: Rough, rng: np.random.Generator) -> list[Structure]:
    white = Gyri(Ellipsoid((0.0, 0.0, 0.06), [0.86 * half for half in _BRAIN]))
    return [
        _tissue(plan, whole, "grey", rng, edge=0.0),  # a skull-stripped brain ends in a step
        _tissue(plan, Inside(Sulci(), whole), "fluid", rng),  # as deep as the white matter leaves them
        _tissue(plan, Inside(white, whole, 0.03), "white", rng),
        *(_tissue(plan, shape, "deep grey", rng) for shape in _deep_grey(rng)),
        _tissue(plan, Inside(Ellipsoid((0.0, 0.0, 0.5), (0.012, 9.0, 0.5)), whole), "fluid", rng),
        *(_tissue(plan, shape, "fluid", rng) for shape in _ventricles(rng)),
        _tissue(plan, _cerebellum(whole, rng), "grey", rng),
    ]


def _ventricles(rng: np.random.Generator) -> list[Shape]:
    size = rng.uniform(0.7, 1.3)
    horns = [
        around((side * 0.09, 0.02, 0.14), (0.30, 0.055 * size, 0.10 * size), rng, turn=(0, 0, 90 + 8 * side))
        for side in (-1, 1)
    ]
    return [*horns, around((0.0, 0.0, -0.05), (0.018, 0.10, 0.12), rng)]


def _deep_grey(rng: np.random.Generator) -> list[Shape]:
    return [around((side * 0.17, 0.05, 0.0), (0.08, 0.17, 0.15), rng, turn=(0, 0, 10 * side)) for side in (-1, 1)]


def _cerebellum(whole: Shape, rng: np.random.Generator) -> Shape:
    return Inside(Rough(around((0.0, -0.38, -0.52), (0.38, 0.24, 0.26), rng), grain=0.02), whole, 0.02)


def _tumour(plan: Plan, grid: Grid, whole: Shape, rng: np.random.Generator) -> list[Structure]:
    """Nested shells: edema, in it the enhancing ring, in that the core, each with its own rough outline."""
    place = _place(rng)
    core = np.maximum(rng.uniform(0.06, 0.12) * _TALL, grid.at_least(0.0, 1.0))
    ring = core + np.maximum(0.035 * _TALL, 0.8 * np.array(grid.voxel))
    edema = ring + rng.uniform(0.07, 0.14) * _TALL
    turn = rng.uniform(-40, 40, 3).tolist()
    shells = ((edema, "edema", 1, 0.03), (ring, "ring", 3, 0.012), (core, "core", 2, 0.01))
    return [
        _tissue(plan, Inside(Rough(Ellipsoid(place, radii.tolist(), turn), grain=rough), whole), name, rng, label=label)
        for radii, name, label, rough in shells
    ]


def _place(rng: np.random.Generator) -> Vector:
    side = rng.choice((-1.0, 1.0))
    x, y, z = rng.normal((side * 0.26, 0.08, 0.18), (0.05, 0.22, 0.18)).tolist()
    return x, float(np.clip(y, -0.3, 0.42)), float(np.clip(z, -0.2, 0.5))


def _tissue(
    plan: Plan, shape: Shape, name: str, rng: np.random.Generator, *, label: int = 0, edge: float | None = None
) -> Structure:
    varied = rng.normal(_TISSUES[name], 0.08).tolist()
    texture = {"fluid": 0.0, "edema": 0.25, "core": 0.25, "ring": 0.2}.get(name, 0.1)
    return Structure(shape=shape, value=level(plan, varied), texture=texture, label=label, edge=edge)
