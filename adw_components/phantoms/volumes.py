"""A generated case as it is written, and what the kinds of generated datasets have in common. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..dataset_description import DatasetDescription
from .grid import Vector

Size = tuple[int, int, int]
LEAST = 8  # voxels per axis


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One case: image (x, y, z) or (x, y, z, channels), label (x, y, z), and the affine from voxels to mm."""

    image: NDArray[np.generic]
    label: NDArray[np.generic]
    affine: NDArray[np.float64]


class Recipe(Protocol):
    """How the cases of a dataset are generated."""

    @property
    def stem(self) -> str:
        """With what file names begin."""

    @property
    def dataset(self) -> DatasetDescription:
        """Channels, labels and what the data resemble; the counts are those of the real data."""

    def draw(self, number: int, rng: np.random.Generator) -> Drawing:
        """Case `number`, from 1 on, with the random numbers of `rng`."""


def varied_size(mean: Size, number: int, rng: np.random.Generator) -> Size:
    """The size of a case: `mean` for the first, about a twentieth more or less per axis for others."""
    factors = np.clip(rng.normal(1.0, 0.05, 3), 0.88, 1.12)
    x, y, z = (max(LEAST, round(n * factor)) for n, factor in zip(mean, factors.tolist(), strict=True))
    return mean if number == 1 else (x, y, z)


def random_affine(size: Size, spacing: Vector, mirrored: bool, rng: np.random.Generator) -> NDArray[np.float64]:
    """Voxels to mm: axes to the right (to the left if `mirrored`), front and top; the centre is somewhere near 0."""
    affine = np.diag((*spacing, 1.0))
    affine[0, 0] *= -1 if mirrored else 1
    centre = rng.normal(0.0, 40.0, 3)
    affine[:3, 3] = np.round(centre - affine[:3, :3] @ ((np.array(size) - 1) / 2), 3)
    return affine
