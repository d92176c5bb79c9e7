"""Where the voxels of a volume lie in a scene, slab by slab. No torch here.

Scene coordinates: x to the patient's right, y to the front, z up; 1 is half of a full-size image's width.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .fields import SmoothField, Volume, smooth_field

Vector = tuple[float, float, float]
Box = tuple[Vector, Vector]
Region = tuple[slice, ...]

# A slab has about this many voxels: its arrays stay in the processor's cache.
_SLAB_VOXELS = 2**19
# Bends beyond so many standard deviations are cut, so that it is known how far a shape may reach.
_CUT = 2.5


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The voxels of a volume.

    Args:
        shape: voxels along x, y, z.
        lower: scene coordinates of the left, back and bottom face.
        upper: of the right, front and top face.
        mirrored: whether the voxels of x run from the patient's right to the left.
    """

    shape: tuple[int, ...]
    lower: Vector
    upper: Vector
    mirrored: bool = False

    @property
    def voxel(self) -> tuple[float, ...]:
        """Size of a voxel in the scene, per axis."""
        return tuple((high - low) / n for low, high, n in zip(self.lower, self.upper, self.shape, strict=True))

    @cached_property
    def axes(self) -> tuple[Volume, ...]:
        """Scene coordinates of the voxel centres along x, y, z."""
        steps = zip(self.lower, self.voxel, self.shape, strict=True)
        x, y, z = ((low + (np.arange(n) + 0.5) * size).astype(np.float32) for low, size, n in steps)
        return x[::-1] if self.mirrored else x, y, z

    def slabs(self) -> Iterator[tuple[int, int]]:
        """First and last but one slice of every slab."""
        step = max(1, _SLAB_VOXELS // (self.shape[0] * self.shape[1]))
        for start in range(0, self.shape[2], step):
            yield start, min(start + step, self.shape[2])

    def at_least(self, radius: float, voxels: float = 1.3) -> Vector:
        """`radius` per axis, but no less than `voxels` voxels, so that a small structure shows in a small volume."""
        x, y, z = (max(radius, voxels * size) for size in self.voxel)
        return x, y, z


@dataclass(frozen=True)
class Points:
    """Coordinates of the voxels of a slab, or of a part of it, after bending; and two fields there.

    Args:
        x, y, z: scene coordinates.
        lumps: field of the size of bowel loops.
        grain: field of the size of a fold of cortex or a lobule.
    """

    x: Volume
    y: Volume
    z: Volume
    lumps: Volume
    grain: Volume

    def part(self, region: Region) -> Points:
        """The points of a region of the slab."""
        return Points(*(values[region] for values in (self.x, self.y, self.z, self.lumps, self.grain)))


@dataclass(frozen=True, kw_only=True)
class Space:
    """A grid, bent smoothly so that no two cases have the same outlines.

    Args:
        grid: the voxels.
        bend: standard deviation of the displacement, scene units.
        fields: displacements along x, y, z; lumps; grain.
    """

    grid: Grid
    bend: float
    fields: tuple[SmoothField, ...]

    @classmethod
    def random(cls, grid: Grid, bend: float, rng: np.random.Generator) -> Space:
        """A space whose fields `rng` draws."""
        return cls(grid=grid, bend=bend, fields=tuple(smooth_field(grid.shape, n, rng) for n in (4, 4, 4, 13, 26)))

    def points(self, start: int, stop: int) -> Points:
        """The points of the slices from `start` to before `stop`."""
        x, y, z = self.grid.axes
        straight = (x[:, None, None], y[:, None], z[start:stop])
        values = [field.slab(start, stop) for field in self.fields]
        bent = [
            axis + self.bend * np.clip(value, -_CUT, _CUT) for axis, value in zip(straight, values[:3], strict=True)
        ]
        return Points(*bent, *values[3:])

    def region(self, low: Vector, high: Vector, start: int, stop: int) -> Region | None:
        """Where in the slab a shape between `low` and `high` may lie; none if nowhere."""
        found = []
        reach = self.bend * _CUT
        x, y, z = self.grid.axes
        for axis, least, most in zip((x, y, z[start:stop]), low, high, strict=True):
            inside = np.flatnonzero((axis > least - reach) & (axis < most + reach))
            if not len(inside):
                return None
            found.append(slice(int(inside[0]), int(inside[-1]) + 1))
        return tuple(found)


def everywhere() -> Box:
    """A box without an end."""
    return (-math.inf,) * 3, (math.inf,) * 3
