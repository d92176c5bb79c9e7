"""What the six CT tasks show: the torso of a case and what is labelled in it. No torch here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..plan import Plan
from .abdomen import Abdomen
from .grid import Grid, Vector
from .levels import level, spread
from .poses import tree
from .scanner import AIR, CT
from .scene import Scene, Structure
from .shapes import Ellipsoid, Inside, Shape
from .torso import LUNGS, great_vessels, lungs, wall
from .uneven import Rough


def liver(plan: Plan, grid: Grid, rng: np.random.Generator) -> Scene:
    """Task03: the liver and, darker, one to four tumours in it."""
    body = Abdomen.random(rng)
    vessels = _all(body.liver_vessels(rng, grid.at_least(0.0, 0.7)), level(plan, 0.9), None)
    organs = body.structures(rng, "liver", level(plan, 0.15)[0], _rim(grid))
    return _scene(plan, grid, rng, [*organs, *vessels, *_liver_tumours(body, plan, grid, rng)])


def hepatic_vessels(plan: Plan, grid: Grid, rng: np.random.Generator) -> Scene:
    """Task08: the vessels of the liver, brighter than it, and its tumours; the liver has no label."""
    body = Abdomen.random(rng)
    vessels = _all(body.liver_vessels(rng, grid.at_least(0.0, 0.8)), level(plan, 0.75), 1)
    return _scene(plan, grid, rng, [*body.structures(rng), *vessels, *_liver_tumours(body, plan, grid, rng)])


def lung(plan: Plan, grid: Grid, rng: np.random.Generator) -> Scene:
    """Task06: one tumour in a lung that is full of vessels; its rim fades and is outlined generously."""
    vessels = [piece for number in (0, 1) for piece in _lung_vessels(number, grid, rng)]
    place = _in_lung(rng)
    radius = float(np.mean(grid.at_least(rng.uniform(0.05, 0.12), 2.0)))
    tumour = Structure(
        shape=Rough(Ellipsoid(place, grid.at_least(radius, 1.5), rng.uniform(-40, 40, 3).tolist()), grain=0.1 * radius),
        value=level(plan, 1.0),
        texture=40.0,
        label=1,
        edge=0.6 * radius,
        margin=0.25 * radius,
    )
    return _scene(plan, grid, rng, [*_all(vessels, (40.0,), 0), tumour])


def pancreas(plan: Plan, grid: Grid, rng: np.random.Generator) -> Scene:
    """Task07: the pancreas, lobulated, and a darker tumour in it."""
    body = Abdomen.random(rng)
    organs = body.structures(rng, "pancreas", level(plan, 0.3)[0], _rim(grid))
    radii = grid.at_least(rng.uniform(0.065, 0.095), 1.7)
    tumour = Rough(Ellipsoid(body.in_pancreas(rng), radii, rng.uniform(-40, 40, 3).tolist()), grain=0.006)
    return _scene(plan, grid, rng, [*organs, *_all([tumour], level(plan, -0.6), 2, 12.0)])


def spleen(plan: Plan, grid: Grid, rng: np.random.Generator) -> Scene:
    """Task09: the spleen, about as bright as the liver."""
    body = Abdomen.random(rng)
    organs = body.structures(rng, "spleen", level(plan, 0.2)[0], _rim(grid))
    return _scene(plan, grid, rng, organs)


def colon(plan: Plan, grid: Grid, rng: np.random.Generator) -> Scene:
    """Task10: one tumour in the wall of the colon."""
    body = Abdomen.random(rng)
    radii = grid.at_least(rng.uniform(0.10, 0.14), 2.0)
    tumour = Structure(
        shape=Rough(Ellipsoid(body.in_colon(rng), radii, rng.uniform(-40, 40, 3).tolist()), grain=0.01),
        value=level(plan, 0.65),
        texture=12.0,
        label=1,
        margin=_rim(grid),
    )
    return _scene(plan, grid, rng, [*body.structures(rng), tumour])


def _rim(grid: Grid) -> float:
    """What raters leave out of an organ: the rim that fades into fat or air."""
    return -0.25 * grid.voxel[0]


def _scene(plan: Plan, grid: Grid, rng: np.random.Generator, organs: list[Structure]) -> Scene:
    noise = min(20.0, max(12.0, 0.5 * spread(plan)[0])) * rng.uniform(0.8, 1.2)
    return Scene(
        background=(AIR,),
        structures=[*wall(rng), *lungs(rng), *great_vessels(rng), *organs],
        unit=(1.0,),
        scanners=(CT(noise, rng),),
    )


def _all(shapes: Sequence[Shape], value: Sequence[float], label: int | None, texture: float = 0.0) -> list[Structure]:
    return [Structure(shape=shape, value=value, label=label, texture=texture) for shape in shapes]


def _liver_tumours(body: Abdomen, plan: Plan, grid: Grid, rng: np.random.Generator) -> list[Structure]:
    found = []
    for _ in range(int(rng.integers(1, 5))):
        radii = grid.at_least(rng.uniform(0.04, 0.11))
        blob = Rough(Ellipsoid(body.in_liver(rng), radii, rng.uniform(-40, 40, 3).tolist()), grain=0.008)
        found.append(Inside(blob, body.shapes["liver"], 0.01))
    return _all(found, level(plan, -1.15), 2, 12.0)


def _lung_vessels(number: int, grid: Grid, rng: np.random.Generator) -> list[Shape]:
    side = 1 if number == 0 else -1
    found: list[Shape] = []
    for way in ((1, 0.2, 0.9), (1, 0.3, 0.0), (1, -0.4, -0.6), (0.6, 0.2, -1.0)):
        root, direction = (side * 0.12, 0.0, 1.35), (side * way[0], way[1], way[2])
        least = grid.at_least(0.0, 0.5)
        pieces = tree(root, direction, rng, length=0.19, radius=0.025, least=least, generations=4)
        found.extend(Inside(piece, LUNGS[number], 0.01) for piece in pieces)
    return found


def _in_lung(rng: np.random.Generator) -> Vector:
    """A point of the outer half of a lung, since the heart covers the inner one."""
    number = int(rng.integers(2))
    lung, way = LUNGS[number], rng.standard_normal(3)
    way[0] = abs(way[0]) * (1, -1)[number]
    way *= rng.uniform(0.3, 0.75) / np.linalg.norm(way)
    x, y, z = (np.array(lung.centre) + way * lung.radii).tolist()
    return x, y, z
