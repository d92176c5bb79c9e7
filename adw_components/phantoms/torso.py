"""The body in a CT but for the abdominal organs: wall, bones, lungs, vessels; in Hounsfield units. No torch here."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .fields import Volume
from .grid import Box, Points
from .poses import around
from .scanner import AIR
from .scene import Structure
from .shapes import Capsule, Ellipsoid, Shape, Union

_END = math.inf
CAVITY = Ellipsoid((0.0, 0.04, 0.0), (0.72, 0.45, _END))
LUNGS = (
    Ellipsoid((0.36, 0.02, 1.45), (0.31, 0.40, 0.90), (0, -4, 0)),
    Ellipsoid((-0.37, 0.02, 1.45), (0.29, 0.40, 0.92), (0, 4, 0)),
)


@dataclass(frozen=True)
class Ribs:
    """Bony arcs in the wall of the chest, which slope down to the front; below `bottom` there are none."""

    wall: Ellipsoid
    thickness: float = 0.018
    period: float = 0.17
    bottom: float = 0.05

    @property
    def box(self) -> Box:
        (x, y, _), (right, front, top) = self.wall.box
        return (x - 0.05, y - 0.05, self.bottom), (right + 0.05, front + 0.05, top)

    def distance(self, at: Points) -> Volume:
        ring = np.abs(self.wall.distance(at)) - self.thickness
        phase = (at.z + 0.35 * at.y) / self.period
        between = (np.abs(phase - np.floor(phase) - 0.5) - 0.2) * self.period
        return np.maximum(np.maximum(ring, between), self.bottom - at.z)


@dataclass(frozen=True)
class Discs:
    """The gaps between the vertebrae of a spine."""

    spine: Ellipsoid
    period: float = 0.17

    @property
    def box(self) -> Box:
        return self.spine.box

    def distance(self, at: Points) -> Volume:
        phase = at.z / self.period
        between = (np.abs(phase - np.floor(phase) - 0.5) - 0.12) * self.period
        return np.maximum(self.spine.distance(at), between)


def wall(rng: np.random.Generator) -> list[Structure]:
    """Table, skin, fat, muscle, the fat of the cavity, and bones."""
    fat = rng.uniform(0.03, 0.12)
    return [
        Structure(shape=Ellipsoid((0.0, -0.76, 0.0), (0.62, 0.03, _END)), value=(-250.0,)),
        Structure(shape=Ellipsoid((0.0, 0.0, 0.0), (0.80 + fat, 0.56 + fat, _END)), value=(40.0,)),
        _tissue(Ellipsoid((0.0, 0.0, 0.0), (0.79 + fat, 0.55 + fat, _END)), -105.0, 8.0, rng),
        _tissue(Ellipsoid((0.0, 0.0, 0.0), (0.79, 0.54, _END)), 55.0, 12.0, rng),
        _tissue(CAVITY, -95.0, 14.0, rng),
        *_bones(rng),
    ]


def lungs(rng: np.random.Generator) -> list[Structure]:
    """Both lungs, the heart and great vessels between them, and the windpipe."""
    heart = around((-0.12, 0.12, 0.92), (0.30, 0.24, 0.30), rng, turn=(0, 25, 20))
    mediastinum = Ellipsoid((0.0, 0.02, 1.6), (0.12, 0.26, 0.9))
    airway = Union([Capsule((0, -0.02, 2.6), (0, -0.06, 1.5), 0.045, 0.04), *_bronchi()])
    return [
        *(_tissue(lung, -850.0, 35.0, rng) for lung in LUNGS),
        _tissue(mediastinum, 10.0, 20.0, rng),
        _tissue(heart, 130.0, 15.0, rng),
        Structure(shape=airway, value=(AIR,)),
    ]


def great_vessels(rng: np.random.Generator) -> list[Structure]:
    """Aorta and vena cava, filled with contrast agent."""
    contrast = rng.normal(150.0, 15.0)
    return [
        Structure(shape=Ellipsoid((-0.05, -0.14, 0.0), (0.055, 0.055, _END)), value=(contrast,)),
        Structure(shape=Ellipsoid((0.10, -0.13, 0.0), (0.06, 0.05, _END)), value=(contrast - 30,)),
    ]


def _bones(rng: np.random.Generator) -> list[Structure]:
    spine = Ellipsoid((0.0, -0.29, 0.0), (0.115, 0.095, _END))
    marrow = Ellipsoid((0.0, -0.29, 0.0), (0.10, 0.08, _END))
    hips = [Ellipsoid((side * 0.50, -0.16, -1.35), (0.045, 0.26, 0.32), (0, 18 * side, 25 * side)) for side in (-1, 1)]
    hard, soft = rng.normal(750.0, 60.0), rng.normal(210.0, 25.0)
    return [
        _bone(Ribs(Ellipsoid((0.0, 0.02, 0.0), (0.75, 0.49, _END))), hard + 250),
        _bone(spine, hard),
        _bone(marrow, soft),
        _bone(Discs(spine), 90.0),
        _bone(Ellipsoid((0.0, -0.44, 0.0), (0.075, 0.07, _END)), hard),
        _bone(Ellipsoid((0.0, -0.43, 0.0), (0.045, 0.045, _END)), 30.0),
        _bone(Ellipsoid((0.0, -0.54, 0.0), (0.02, 0.07, _END)), hard),
        *(_bone(hip, hard + 100) for hip in hips),
    ]


def _bronchi() -> list[Shape]:
    return [Capsule((0, -0.06, 1.5), (side * 0.14, -0.06, 1.36), 0.035, 0.03) for side in (-1, 1)]


def _bone(shape: Shape, value: float) -> Structure:
    return Structure(shape=shape, value=(value,), texture=25.0)


def _tissue(shape: Shape, value: float, texture: float, rng: np.random.Generator) -> Structure:
    return Structure(shape=shape, value=(value + rng.normal(0, 6.0),), texture=texture)
