"""Cases that resemble those of Task04, whose images are crops around one hippocampus. No torch here."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom

from ..dataset_description import DatasetDescription
from ..tasks import task
from .hippocampus import hippocampus
from .volumes import Drawing, Size, varied_size

NAME = "Task04_Hippocampus"


@dataclass(frozen=True)
class HippocampusRecipe:
    """Cases of Task04: of natural sizes, or scaled to `size`, that of the first case and the mean of the others."""

    size: Size | None = None

    @property
    def stem(self) -> str:
        """With what the MSD's file names begin."""
        return "hippocampus"

    @property
    def dataset(self) -> DatasetDescription:
        """The real dataset's."""
        return replace(task(NAME).plan.dataset, description="hippocampus MRI", reference="")

    def draw(self, number: int, rng: np.random.Generator) -> Drawing:
        """Case `number`."""
        image: NDArray[np.generic]
        label: NDArray[np.generic]
        image, label = hippocampus(rng)
        if self.size is not None:
            size = varied_size(self.size, number, rng)
            image, label = _scaled(image, size, order=1), _scaled(label, size, order=0)
        affine = np.eye(4)
        affine[:3, 3] = 1.0  # as in the real data: 1 mm voxels, RAS axes, origin (1, 1, 1)
        return Drawing(image=image, label=label, affine=affine)


def _scaled(voxels: NDArray[np.generic], size: Size, order: int) -> NDArray[np.generic]:
    factors = [wanted / n for wanted, n in zip(size, voxels.shape, strict=True)]
    return zoom(voxels, factors, order=order, mode="nearest", grid_mode=True)
