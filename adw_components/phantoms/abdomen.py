"""The organs of the abdomen, in the scene of `torso`. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .grid import Vector
from .poses import around, chain, on_path, tree
from .scanner import AIR
from .scene import Structure
from .shapes import Capsule, Ellipsoid, Inside, Shape, Union
from .torso import CAVITY
from .uneven import Loops, Rough

# Hounsfield units in the portal venous phase; texture.
_VALUES = {
    "bowel": (30.0, 20.0),
    "kidney": (175.0, 15.0),
    "renal pelvis": (10.0, 0.0),
    "colon": (48.0, 12.0),
    "stool": (5.0, 40.0),
    "gas": (AIR + 60, 0.0),
    "stomach": (60.0, 10.0),
    "meal": (25.0, 15.0),
    "spleen": (118.0, 8.0),
    "pancreas": (85.0, 22.0),
    "liver": (108.0, 7.0),
    "gallbladder": (8.0, 2.0),
    "bladder": (8.0, 2.0),
}
_PANCREAS: tuple[Vector, ...] = ((0.20, 0.06, -0.14), (0.15, 0.11, 0.0), (0.0, 0.13, 0.05))
_PANCREAS += ((-0.18, 0.08, 0.10), (-0.40, -0.04, 0.18))
_COLON: tuple[Vector, ...] = ((0.52, 0.05, -1.0), (0.56, 0.02, -0.25), (0.30, 0.33, -0.28), (-0.28, 0.33, -0.22))
_COLON += ((-0.57, -0.02, -0.05), (-0.54, 0.0, -0.85), (-0.25, 0.10, -1.10), (0.0, -0.05, -1.2), (0.0, -0.10, -1.6))


@dataclass(frozen=True, kw_only=True)
class Abdomen:
    """The organs of one case.

    Args:
        shapes: name -> shape, in the order in which they are painted.
        liver_lobe: the right lobe.
        pancreas_path: its centre line.
        colon_path: its centre line, from the appendix to the rectum.
    """

    shapes: Mapping[str, Shape]
    liver_lobe: Ellipsoid
    pancreas_path: tuple[Vector, ...]
    colon_path: tuple[Vector, ...]

    @classmethod
    def random(cls, rng: np.random.Generator) -> Abdomen:
        """Organs that `rng` poses."""
        lobe = around((0.36, 0.02, 0.28), (0.33, 0.37, 0.42), rng, turn=(0, 15, 0))
        left = around((0.02, 0.24, 0.36), (0.36, 0.15, 0.17), rng, turn=(0, -8, -10), bend=(-0.06, 0.02))
        spleen = around((-0.54, -0.12, 0.30), (0.27, 0.13, 0.19), rng, turn=(0, 75, 0), bend=(0.0, 0.06))
        pancreas, colon = _moved(_PANCREAS, 0.015, rng), _moved(_COLON, 0.02, rng)
        shapes: dict[str, Shape] = {
            **_hollow_organs(colon, rng),
            **_kidneys(rng),
            "spleen": Inside(spleen, CAVITY, 0.01),
            "liver": Inside(Rough(Union([lobe, left]), lumps=0.012), CAVITY),
            "gallbladder": around((0.30, 0.26, 0.0), (0.06, 0.07, 0.09), rng, turn=(30, 0, 0)),
            "pancreas": Rough(Union(chain(pancreas, _radii(rng))), grain=0.008),
        }
        return cls(shapes=shapes, liver_lobe=lobe, pancreas_path=pancreas, colon_path=colon)

    def structures(
        self, rng: np.random.Generator, label: str = "", value: float = 0.0, margin: float = 0.0
    ) -> list[Structure]:
        """All organs; the organ named `label` has the label value 1, the Hounsfield units `value`, and `margin`."""
        found = []
        for name, shape in self.shapes.items():
            usual, texture = _VALUES[name.removesuffix(" left").removesuffix(" right")]
            chosen = name == label
            units = (value if chosen else usual) + rng.normal(0, 12.0)
            rim = margin if chosen else 0.0
            found.append(Structure(shape=shape, value=(units,), texture=texture, label=int(chosen), margin=rim))
        return found

    def liver_vessels(self, rng: np.random.Generator, least: Vector) -> list[Shape]:
        """The portal vein and the hepatic veins, which branch inside the liver."""
        trunk = Capsule((0.06, -0.02, 0.02), (0.16, 0.04, 0.14), 0.035, 0.034)
        portal = tree(trunk.end, (1.0, 0.1, 0.7), rng, length=0.15, radius=0.033, least=least, generations=4)
        veins = [
            tree((0.12, -0.10, 0.56), way, rng, length=0.17, radius=0.026, least=least, generations=3)
            for way in ((1.0, 0.2, -0.6), (0.5, 0.9, -0.7), (-0.4, 1.0, -0.6))
        ]
        pieces = [*portal, *(piece for vein in veins for piece in vein)]
        return [Inside(trunk, CAVITY), *(Inside(piece, self.shapes["liver"], 0.005) for piece in pieces)]

    def in_liver(self, rng: np.random.Generator) -> Vector:
        """A point of the right lobe, not near its surface."""
        way = rng.standard_normal(3)
        way *= 0.65 * rng.random() ** (1 / 3) / np.linalg.norm(way)
        x, y, z = (np.array(self.liver_lobe.centre) + way * self.liver_lobe.radii).tolist()
        return x, y, z

    def in_pancreas(self, rng: np.random.Generator) -> Vector:
        """A point of its centre line, more often in the head."""
        return on_path(self.pancreas_path, rng.uniform(0.05, 0.85) ** 1.3)

    def in_colon(self, rng: np.random.Generator) -> Vector:
        """A point of the wall of the colon, mostly of its descending and sigmoid parts."""
        offset = rng.standard_normal(3) * (1, 1, 0.3)
        share = rng.uniform(0.05, 0.5) if rng.random() < 0.2 else rng.uniform(0.5, 0.8)
        centre = np.array(on_path(self.colon_path, share))
        x, y, z = (centre + 0.06 * offset / np.linalg.norm(offset)).tolist()
        return x, y, z


def _hollow_organs(colon: tuple[Vector, ...], rng: np.random.Generator) -> dict[str, Shape]:
    stomach = around((-0.28, 0.18, 0.34), (0.19, 0.19, 0.26), rng, turn=(0, 20, 0))
    inner = Ellipsoid(stomach.centre, [radius - 0.03 for radius in stomach.radii], stomach.turn)
    x, y, z = stomach.centre
    belly = Ellipsoid((0.0, 0.12, -0.65), (0.50, 0.30, 0.55))
    return {
        "bowel": Inside(Loops(0.1), belly),
        "bladder": around((0.0, 0.16, -1.42), (0.20, 0.16, 0.17), rng),
        "colon": Inside(Rough(Union(chain(colon, [0.085] * len(colon))), grain=0.012), CAVITY),
        "stool": Inside(Rough(Union(chain(colon, [0.06] * len(colon))), grain=0.014), CAVITY, 0.02),
        "gas": Inside(Union(chain(colon, [0.05] * len(colon))), Loops(0.2)),
        "stomach": stomach,
        "meal": inner,
        "gas left": Inside(Ellipsoid((x, y + 0.1, z + 0.08), (0.13, 0.09, 0.14)), inner),
    }


def _kidneys(rng: np.random.Generator) -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    for side, name in ((1, "right"), (-1, "left")):
        kidney = around((side * 0.30, -0.22, -0.12 - 0.06 * side), (0.24, 0.11, 0.10), rng, turn=(0, 80, -20 * side))
        x, y, z = kidney.centre
        found[f"kidney {name}"] = kidney
        found[f"renal pelvis {name}"] = Ellipsoid((x - side * 0.06, y + 0.03, z), (0.045, 0.035, 0.09))
    return found


def _radii(rng: np.random.Generator) -> list[float]:
    return (np.array((0.085, 0.08, 0.062, 0.058, 0.045)) * rng.normal(1.0, 0.08)).tolist()


def _moved(path: tuple[Vector, ...], distance: float, rng: np.random.Generator) -> tuple[Vector, ...]:
    rows = rng.normal(path, distance).tolist()
    return tuple((x, y, z) for x, y, z in rows)
