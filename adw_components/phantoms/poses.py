"""Random poses and trees. No torch here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .grid import Vector
from .shapes import Capsule, Ellipsoid


def around(
    centre: Sequence[float],
    radii: Sequence[float],
    rng: np.random.Generator,
    *,
    turn: Sequence[float] = (0.0, 0.0, 0.0),
    bend: tuple[float, float] = (0.0, 0.0),
) -> Ellipsoid:
    """An ellipsoid about as given: every case places, sizes and turns it a little otherwise."""
    size = rng.normal(1.0, 0.06)
    return Ellipsoid(
        centre=rng.normal(centre, 0.018).tolist(),
        radii=(size * np.array(radii) * rng.normal(1.0, 0.05, 3)).tolist(),
        turn=rng.normal(turn, 4.0).tolist(),
        bend=bend,
    )


def tree(
    start: Sequence[float],
    direction: Sequence[float],
    rng: np.random.Generator,
    *,
    length: float,
    radius: float,
    least: Sequence[float],
    generations: int,
) -> Iterator[Capsule]:
    """The pieces of a tube that forks again and again.

    Args:
        start: of the trunk.
        direction: of the trunk, any length.
        rng: draws the angles.
        length: of the trunk; each generation is shorter.
        radius: of the trunk; each generation is thinner.
        least: the thinnest radius per axis, so that branches show in a small volume.
        generations: of forks.
    """
    unit = np.array(direction) / np.linalg.norm(direction)
    end = np.array(start) + length * unit
    thinner = 0.75 * radius
    stretch = np.maximum(1.0, np.array(least) / thinner).tolist()
    yield Capsule(tuple(start), end.tolist(), radius, thinner, stretch)
    if generations:
        for _ in range(2):
            turned = unit + 0.65 * rng.standard_normal(3)
            yield from tree(
                end.tolist(),
                turned.tolist(),
                rng,
                length=length * rng.uniform(0.7, 0.95),
                radius=thinner,
                least=least,
                generations=generations - 1,
            )


def on_path(path: Sequence[Vector], share: float) -> Vector:
    """The point of a polygonal line that is `share` of its pieces along it."""
    position = share * (len(path) - 1)
    piece = min(int(position), len(path) - 2)
    x, y, z = (np.array(path[piece]) + (position - piece) * (np.array(path[piece + 1]) - path[piece])).tolist()
    return x, y, z


def chain(path: Sequence[Vector], radii: Sequence[float]) -> list[Capsule]:
    """Tubes along a polygonal line, with a radius at every corner."""
    return [
        Capsule(path[number], path[number + 1], radii[number], radii[number + 1]) for number in range(len(path) - 1)
    ]
