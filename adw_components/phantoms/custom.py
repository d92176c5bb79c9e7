"""Cases of a dataset that is nobody's task: every label is a blob with a contrast of its own. No torch here."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..dataset_description import DatasetDescription
from .grid import Grid, Vector
from .poses import around
from .scanner import AIR, CT, Scanner, mri
from .scene import Scene, Structure, draw
from .shapes import Ellipsoid, Inside
from .uneven import Loops, Rough
from .volumes import Drawing, Size, random_affine, varied_size

# Of a CT in Hounsfield units, and of an MRI in units of its own: outside of the body; the body; the step from it to the
# blobs that differ least, and between blobs; the noise.
_CT, _MRI = (AIR, 40.0, 45.0, 15.0), (8.0, 400.0, 130.0, 25.0)
_BODY = Ellipsoid((0.0, 0.0, 0.0), (0.85, 0.72, 1.25))


@dataclass(frozen=True, kw_only=True)
class CustomRecipe:
    """Cases of a dataset that is nobody's task.

    Args:
        modality: name of every channel; CT is in Hounsfield units, all others are MRI-like.
        labels: name of every class, without background.
        spacings: in mm, which the cases take by turns.
        size: of the first case, and mean of the others.
        empty: how many cases have no labelled voxel, from the second on.
        style: seed of what all cases share, such as the contrast of a label.
    """

    modality: tuple[str, ...]
    labels: tuple[str, ...]
    spacings: tuple[Vector, ...]
    size: Size
    empty: int = 0
    style: int = 0

    def __post_init__(self) -> None:
        _ = self.dataset  # its checks refuse names that no dataset can have

    @property
    def stem(self) -> str:
        """With what file names begin."""
        return "case"

    @property
    def dataset(self) -> DatasetDescription:
        """Channels and labels."""
        return DatasetDescription(
            name="Custom",
            modality=self.modality,
            labels=("background", *self.labels),
            num_training=0,
            description="blobs in a body",
        )

    def draw(self, number: int, rng: np.random.Generator) -> Drawing:
        """Case `number`."""
        size = varied_size(self.size, number, rng)
        spacing, mirrored = self.spacings[(number - 1) % len(self.spacings)], bool(rng.random() < 0.5)
        affine = random_affine(size, spacing, mirrored, rng)
        grid = Grid(shape=size, lower=(-1.0, -1.0, -1.0), upper=(1.0, 1.0, 1.0), mirrored=mirrored)
        scene = self._scene(grid, rng)
        if 1 < number <= 1 + self.empty:
            scene = scene.without(*range(1, len(self.labels) + 1))
        image_type = "float32" if _MRI in self._kinds else "int16"
        image, label = draw(scene, grid, rng, image_type=image_type, label_type="uint8")
        return Drawing(image=image, label=label, affine=affine)

    @property
    def _kinds(self) -> list[tuple[float, ...]]:
        return [_CT if name.upper() == "CT" else _MRI for name in self.modality]

    def _scene(self, grid: Grid, rng: np.random.Generator) -> Scene:
        outside, body, step, _ = map(np.array, zip(*self._kinds, strict=True))
        decoys = Inside(Loops(1.3), _BODY, 0.05)  # as bright as a blob, so that a threshold finds the wrong places too
        return Scene(
            background=outside.tolist(),
            structures=[
                Structure(shape=Rough(_BODY, lumps=0.01), value=body.tolist(), texture=0.2),
                Structure(shape=decoys, value=(body + step).tolist()),
                *self._blobs(body, step, grid, rng),
            ],
            unit=step.tolist(),
            scanners=self._scanners(grid, rng),
            bend=0.02,
        )

    def _blobs(self, body: np.ndarray, step: np.ndarray, grid: Grid, rng: np.random.Generator) -> list[Structure]:
        """A blob a label, each in its part of the body and so many steps from it in every channel."""
        count = len(self.labels)
        style = np.random.default_rng([self.style, 2])
        side = math.ceil(count ** (1 / 3))
        cells = style.permutation(side**3)[:count]
        steps = np.stack([style.permutation(_steps(count)) for _ in self.modality], axis=1)
        found = []
        for number, (cell, contrast) in enumerate(zip(cells.tolist(), steps, strict=True), start=1):
            centre = [(index + 0.5) / side * 1.2 - 0.6 for index in np.unravel_index(cell, (side,) * 3)]
            shape = around(centre, grid.at_least(0.5 / side, 1.6), rng, turn=rng.uniform(-40, 40, 3).tolist())
            value = body + (contrast + rng.normal(0, 0.1)) * step
            found.append(Structure(shape=Rough(shape, grain=0.01), value=value.tolist(), texture=0.2, label=number))
        return found

    def _scanners(self, grid: Grid, rng: np.random.Generator) -> list[Scanner]:
        noise = [kind[3] for kind in self._kinds]
        coils = mri(grid, noise, 0.1, rng)
        return [
            CT(level, rng) if kind is _CT else coil for kind, level, coil in zip(self._kinds, noise, coils, strict=True)
        ]


def _steps(count: int) -> list[int]:
    """1, -1, 2, -2, 3, 4, ...: no MRI is darker than two steps below the body."""
    return [1, -1, 2, -2, *range(3, count)][:count]
