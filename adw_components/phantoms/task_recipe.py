"""Cases that resemble those of one of the MSD's tasks. No torch here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from ..dataset_description import DatasetDescription
from ..plan import Plan
from ..tasks import task
from . import ct
from .brain import brain
from .grid import Grid
from .heart import heart
from .prostate import prostate
from .protocols import PROTOCOLS, Protocol
from .scene import Scene, draw
from .volumes import Drawing, Size, random_affine, varied_size

SCENES: MappingProxyType[str, Callable[[Plan, Grid, np.random.Generator], Scene]] = MappingProxyType(
    {
        "Task01_BrainTumour": brain,
        "Task02_Heart": heart,
        "Task03_Liver": ct.liver,
        "Task05_Prostate": prostate,
        "Task06_Lung": ct.lung,
        "Task07_Pancreas": ct.pancreas,
        "Task08_HepaticVessel": ct.hepatic_vessels,
        "Task09_Spleen": ct.spleen,
        "Task10_Colon": ct.colon,
    }
)
# Every tenth case, from the fourth on, lacks a class where the real data have such cases.
_LACKING, _EVERY = 4, 10


@dataclass(frozen=True)
class TaskRecipe:
    """Cases of the task `name`; `size` is that of the first case and the mean of the others."""

    name: str
    size: Size

    @property
    def stem(self) -> str:
        """With what the MSD's file names begin."""
        return self._protocol.stem

    @property
    def dataset(self) -> DatasetDescription:
        """The real dataset's, with what the images show as description."""
        return replace(task(self.name).plan.dataset, description=task(self.name).images)

    def draw(self, number: int, rng: np.random.Generator) -> Drawing:
        """Case `number`."""
        size = varied_size(self.size, number, rng)
        spacing, mirrored = self._protocol.spacing(rng), bool(rng.random() < 0.5)
        affine = random_affine(size, spacing, mirrored, rng)
        grid = self._grid(size, mirrored, rng)
        scene = SCENES[self.name](task(self.name).plan, grid, rng).without(*self._lacking(number))
        image, label = draw(
            scene, grid, rng, image_type=self._protocol.image_type, label_type=self._protocol.label_type
        )
        return Drawing(image=image, label=label, affine=affine)

    @property
    def _protocol(self) -> Protocol:
        return PROTOCOLS[self.name]

    def _lacking(self, number: int) -> tuple[int, ...]:
        turns = self._protocol.may_lack
        return (turns[number // _EVERY % len(turns)],) if turns and number % _EVERY == _LACKING else ()

    def _grid(self, size: Size, mirrored: bool, rng: np.random.Generator) -> Grid:
        """The field of view: no two patients are equally large, nor lie in the same place."""
        large = float(np.clip(rng.normal(1.0, 0.03), 0.95, 1.05))
        x, y, z = rng.normal(0, (0.02, 0.02, 0.03)).tolist()
        bottom, top = self._protocol.reach
        return Grid(
            shape=size,
            lower=(x - large, y - large, z + bottom * large),
            upper=(x + large, y + large, z + top * large),
            mirrored=mirrored,
        )
