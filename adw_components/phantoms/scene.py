"""A scene: structures painted one over the other, as an image per channel and as labels. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .fields import Volume
from .grid import Grid, Space
from .scanner import Scanner
from .shapes import Shape


@dataclass(frozen=True, kw_only=True)
class Structure:
    """One thing in a scene.

    Args:
        shape: where it is.
        value: of every channel.
        texture: standard deviation of what the field of grain adds, in the scene's `unit`.
        label: its label value, 0 for background; none keeps what lies below.
        edge: width over which it fades into what lies below; a voxel by default, 0 is a step.
        margin: how far its label reaches beyond its surface, as a rater's generous outline does.
    """

    shape: Shape
    value: Sequence[float]
    texture: float = 0.0
    label: int | None = 0
    edge: float | None = None
    margin: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a volume shows.

    Args:
        background: value of every channel where nothing else is.
        structures: painted in this order.
        unit: of textures, per channel.
        scanners: of every channel.
        bend: of the space, scene units.
    """

    background: Sequence[float]
    structures: Sequence[Structure]
    unit: Sequence[float]
    scanners: Sequence[Scanner]
    bend: float = 0.02

    def without(self, *labels: int) -> Scene:
        """The scene that lacks the structures of some labels."""
        return replace(self, structures=[structure for structure in self.structures if structure.label not in labels])


def draw(
    scene: Scene, grid: Grid, rng: np.random.Generator, *, image_type: Any, label_type: Any
) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    """Image (x, y, z, channels), without the last axis if there is one channel, and label (x, y, z) of a scene."""
    space = Space.random(grid, scene.bend, rng)
    # Slices are contiguous, as in the file.
    image = np.empty((*grid.shape, len(scene.background)), image_type, order="F")
    label = np.empty(grid.shape, label_type, order="F")
    for start, stop in grid.slabs():
        values, label[..., start:stop] = _paint(scene, space, start, stop)
        for number, scanner in enumerate(scene.scanners):
            image[:, :, start:stop, number] = scanner.scan(values[number], start)
    return image if len(scene.background) > 1 else image[..., 0], label


def _paint(scene: Scene, space: Space, start: int, stop: int) -> tuple[Volume, NDArray[np.uint8]]:
    """Values (channels, x, y, z) and label of a slab."""
    points = space.points(start, stop)
    values = np.empty((len(scene.background), *points.x.shape), np.float32)
    values[:] = np.reshape(np.asarray(scene.background, np.float32), (-1, 1, 1, 1))
    label = np.zeros(points.x.shape, np.uint8)
    for structure in scene.structures:
        region = space.region(*structure.shape.box, start, stop)
        if region is None:
            continue
        distance = structure.shape.distance(points.part(region))
        share = _share(distance, max(space.grid.voxel[:2]) if structure.edge is None else structure.edge)
        _blend(structure, scene.unit, share, points.grain[region], values[(slice(None), *region)])
        if structure.label is not None:
            label[region][distance < structure.margin] = structure.label
    return values, label


def _share(distance: Volume, edge: float) -> Volume:
    """How much of a voxel is inside."""
    return np.clip(0.5 - distance / edge, 0, 1) if edge else (distance < 0).astype(np.float32)


def _blend(structure: Structure, unit: Sequence[float], share: Volume, grain: Volume, values: Volume) -> None:
    for channel, target, scale in zip(values, structure.value, unit, strict=True):
        wanted = target + structure.texture * scale * grain if structure.texture else target
        channel += share * (wanted - channel)
