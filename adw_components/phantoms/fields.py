"""Smooth random fields, evaluated slab by slab, so that a full-size volume needs little memory. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Volume = NDArray[np.float32]

# Standard deviation that cubic B-splines leave of white noise on their knots, per axis; from the integral of w^2.
_SHRINK = 0.479**0.5


@dataclass(frozen=True)
class SmoothField:
    """A random field over a volume: cubic B-splines on a lattice of knots; mean 0, standard deviation about 1.

    Args:
        planes: (x, y, knots), already interpolated along x and y.
        depth: voxels along z.
    """

    planes: Volume
    depth: int

    def slab(self, start: int, stop: int) -> Volume:
        """The field at the slices from `start` to before `stop`, (x, y, stop - start)."""
        return _interpolate(self.planes, np.arange(start, stop), self.depth, axis=2)


def smooth_field(shape: tuple[int, ...], knots: int, rng: np.random.Generator) -> SmoothField:
    """A field for a volume of `shape` that varies over about a `knots`-th of every axis."""
    lattice = rng.standard_normal((knots + 3,) * 3, dtype=np.float32) / np.float32(_SHRINK**3)
    planes = _interpolate(lattice, np.arange(shape[0]), shape[0], axis=0)
    return SmoothField(_interpolate(planes, np.arange(shape[1]), shape[1], axis=1), shape[2])


def _interpolate(values: Volume, at: NDArray[np.int_], length: int, axis: int) -> Volume:
    """Values at the voxels `at` of an axis of `length` voxels, from knots spread evenly over it."""
    # Sums of products, not a matrix product: the bytes must not depend on how many threads BLAS has.
    position = (at + 0.5) / length * (values.shape[axis] - 3)
    first = position.astype(int)
    size = [1, 1, 1]
    size[axis] = len(at)
    taps = [
        np.take(values, first + tap, axis=axis) * weight.reshape(size)
        for tap, weight in enumerate(_cubic(position - first))
    ]
    return taps[0] + taps[1] + taps[2] + taps[3]


def _cubic(t: NDArray[np.float64]) -> list[Volume]:
    """Weights of the four knots around a position, `t` from 0 to 1 of the way between the middle two."""
    rows = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    return [(row / 6).astype(np.float32) for row in rows]
