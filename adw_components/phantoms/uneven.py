"""Shapes that follow the random fields of a case: rough surfaces, loops of bowel, folds of cortex. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .fields import Volume
from .grid import Box, Points, everywhere
from .shapes import Shape

# By how much the fields change by 1, about: their distance between knots.
_LUMPS, _GRAIN = 0.06, 0.05


@dataclass(frozen=True)
class Rough:
    """`shape` with an uneven surface: `lumps` and `grain` are the standard deviations of what the two fields add."""

    shape: Shape
    lumps: float = 0.0
    grain: float = 0.0

    @property
    def box(self) -> Box:
        (x, y, z), (right, front, top) = self.shape.box
        reach = self._reach
        return (x - reach, y - reach, z - reach), (right + reach, front + reach, top + reach)

    def distance(self, at: Points) -> Volume:
        uneven = self.lumps * at.lumps + self.grain * at.grain
        return self.shape.distance(at) + np.clip(uneven, -self._reach, self._reach)

    @property
    def _reach(self) -> float:
        return 2 * (self.lumps + self.grain)


@dataclass(frozen=True)
class Loops:
    """Where the field of lumps is above `level`, such as loops of bowel."""

    level: float

    @property
    def box(self) -> Box:
        return everywhere()

    def distance(self, at: Points) -> Volume:
        return (self.level - at.lumps) * _LUMPS


@dataclass(frozen=True)
class Sulci:
    """Thin sheets: where the field of grain is about 0."""

    @property
    def box(self) -> Box:
        return everywhere()

    def distance(self, at: Points) -> Volume:
        return _size(at.grain) * _GRAIN - 0.2 * _GRAIN


@dataclass(frozen=True)
class Gyri:
    """`shape` with ridges between the sulci and valleys under them."""

    shape: Shape

    @property
    def box(self) -> Box:
        (x, y, z), (right, front, top) = self.shape.box
        return (x - 0.07, y - 0.07, z - 0.07), (right + 0.07, front + 0.07, top + 0.07)

    def distance(self, at: Points) -> Volume:
        return self.shape.distance(at) + 0.13 * np.clip(0.75 - _size(at.grain), -0.5, 1)


def _size(values: Volume) -> Volume:
    return np.maximum(values, -values)
