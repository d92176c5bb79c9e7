"""Shapes of a scene, each the set of points whose distance is negative. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from .fields import Volume
from .grid import Box, Points, Vector


class Shape(Protocol):
    """What a scene needs to know of a shape."""

    @property
    def box(self) -> Box:
        """Least and largest coordinates of its points."""

    def distance(self, at: Points) -> Volume:
        """About the distance from the surface in scene units, negative inside."""


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid; an infinite radius makes a cylinder, which cannot be turned.

    Args:
        centre: of the ellipsoid.
        radii: per axis.
        turn: rotation about x, y, z in degrees, in this order.
        bend: how far its two ends along its first axis are off along its own second and third.
    """

    centre: Sequence[float]
    radii: Sequence[float]
    turn: Sequence[float] = (0.0, 0.0, 0.0)
    bend: tuple[float, float] = (0.0, 0.0)

    @property
    def box(self) -> Box:
        half = np.add(self.radii, (0.0, *np.abs(self.bend)))
        if any(self.turn):
            half = np.abs(self._rotation) @ half
        return _vector(np.array(self.centre) - half), _vector(np.array(self.centre) + half)

    def distance(self, at: Points) -> Volume:
        along, *across = self._own_axes(at)
        along = along / float(self.radii[0])
        total = square = along * along
        for axis, radius, bend in zip(across, self.radii[1:], self.bend, strict=True):
            scaled = (axis - bend * square) / float(radius) if bend else axis / float(radius)
            total = total + scaled * scaled
        return (np.sqrt(total) - 1) * float(min(self.radii))

    @cached_property
    def _rotation(self) -> NDArray[np.float64]:
        return Rotation.from_euler("xyz", self.turn, degrees=True).as_matrix()

    def _own_axes(self, at: Points) -> list[Volume]:
        x, y, z = (axis - float(centre) for axis, centre in zip((at.x, at.y, at.z), self.centre, strict=True))
        if not any(self.turn):
            return [x, y, z]
        return [a * x + b * y + c * z for a, b, c in self._rotation.T.tolist()]


@dataclass(frozen=True)
class Capsule:
    """A piece of a tube that narrows from `radius` to `end_radius`; `stretch` thickens it per axis."""

    start: Sequence[float]
    end: Sequence[float]
    radius: float
    end_radius: float
    stretch: Sequence[float] = (1.0, 1.0, 1.0)

    @property
    def box(self) -> Box:
        reach = max(self.radius, self.end_radius) * np.array(self.stretch)
        return _vector(np.minimum(self.start, self.end) - reach), _vector(np.maximum(self.start, self.end) + reach)

    def distance(self, at: Points) -> Volume:
        course = ((np.array(self.end) - self.start) / self.stretch).tolist()
        scale = [(float(centre), float(stretch)) for centre, stretch in zip(self.start, self.stretch, strict=True)]
        offset = [(axis - centre) / stretch for axis, (centre, stretch) in zip((at.x, at.y, at.z), scale, strict=True)]
        along = sum(part * axis for part, axis in zip(course, offset, strict=True))
        along = np.clip(along / max(sum(part * part for part in course), 1e-9), 0, 1)
        square = sum((axis - part * along) ** 2 for part, axis in zip(course, offset, strict=True))
        return np.sqrt(square) - (self.radius + along * (self.end_radius - self.radius))


@dataclass(frozen=True)
class Union:
    """The points that are in any of the shapes."""

    shapes: Sequence[Shape]

    @property
    def box(self) -> Box:
        lows, highs = zip(*(shape.box for shape in self.shapes), strict=True)
        return _vector(np.min(lows, axis=0)), _vector(np.max(highs, axis=0))

    def distance(self, at: Points) -> Volume:
        return reduce(np.minimum, (shape.distance(at) for shape in self.shapes))


@dataclass(frozen=True)
class Inside:
    """The points of `shape` that lie at least `depth` inside of `container`."""

    shape: Shape
    container: Shape
    depth: float = 0.0

    @property
    def box(self) -> Box:
        return self.shape.box

    def distance(self, at: Points) -> Volume:
        return np.maximum(self.shape.distance(at), self.container.distance(at) + self.depth)


def _vector(values: NDArray[np.float64]) -> Vector:
    x, y, z = values.tolist()
    return x, y, z
