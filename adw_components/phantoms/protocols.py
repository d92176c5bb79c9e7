"""How the images of the ten tasks were acquired: size, spacing, field of view, stored types. No torch here.

Sizes and spacings are from nnU-Net's fingerprints of the full data: median size before the empty border is cropped, 5
to 95 % of the spacings within a slice, slice thicknesses about as often as they occur. Of Tasks 03, 08 and 10 we have
no fingerprint: the sizes are those of nnU-Net's supplement (Isensee et al., Nature Methods 2021), the thicknesses were
chosen around the spacing of nnU-Net's plans.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .grid import Vector


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How the images of a task were acquired.

    Args:
        stem: with which the MSD's file names begin.
        size: voxels per axis, median.
        in_plane: least and largest spacing within a slice, mm.
        slices: spacings between slices, mm, each as likely as the others.
        reach: least and largest height in the scene that the volume shows.
        image_type: of stored images.
        label_type: of stored labels; the MSD has both.
        may_lack: labels that some cases lack, by turns.
    """

    stem: str
    size: tuple[int, int, int]
    in_plane: tuple[float, float]
    slices: tuple[float, ...]
    reach: tuple[float, float] = (-1.0, 1.0)
    image_type: str = "int16"
    label_type: str = "uint8"
    may_lack: tuple[int, ...] = ()

    def spacing(self, rng: np.random.Generator) -> Vector:
        """A case's spacing in mm."""
        in_plane = round(float(rng.uniform(*self.in_plane)), 4)
        return in_plane, in_plane, float(rng.choice(self.slices))


PROTOCOLS = {
    "Task01_BrainTumour": Protocol(
        stem="BRATS", size=(240, 240, 155), in_plane=(1.0, 1.0), slices=(1.0,), image_type="float32", may_lack=(3,)
    ),
    "Task02_Heart": Protocol(stem="la", size=(320, 320, 115), in_plane=(1.25, 1.25), slices=(1.37,)),
    "Task03_Liver": Protocol(
        stem="liver",
        size=(512, 512, 432),
        in_plane=(0.60, 0.95),
        slices=(0.7, 0.8, 1.0, 1.0, 1.0, 1.5, 2.5, 5.0),
        reach=(-0.95, 0.95),
        may_lack=(2,),
    ),
    "Task05_Prostate": Protocol(
        stem="prostate",
        size=(320, 320, 20),
        in_plane=(0.60, 0.70),
        slices=(3.6, 3.6, 3.6, 4.0, 3.0),
        image_type="float32",
        label_type="float32",
        may_lack=(2, 1),
    ),
    "Task06_Lung": Protocol(
        stem="lung",
        size=(512, 512, 252),
        in_plane=(0.63, 0.94),
        slices=(0.625, 1.0, 1.25, 1.25, 1.25, 1.25, 2.5),
        reach=(0.45, 2.35),
    ),
    "Task07_Pancreas": Protocol(
        stem="pancreas",
        size=(512, 512, 93),
        in_plane=(0.66, 0.97),
        slices=(1.25, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 5.0),
        reach=(-0.75, 0.75),
    ),
    "Task08_HepaticVessel": Protocol(
        stem="hepaticvessel",
        size=(512, 512, 49),
        in_plane=(0.61, 0.97),
        slices=(1.5, 2.5, 5.0, 5.0, 5.0, 7.5),
        reach=(-0.40, 0.85),
    ),
    "Task09_Spleen": Protocol(
        stem="spleen",
        size=(512, 512, 90),
        in_plane=(0.61, 0.98),
        slices=(1.5, 2.5, 4.0, 5.0, 5.0, 5.0, 5.0, 8.0),
        reach=(-0.60, 0.95),
        label_type="float32",
    ),
    "Task10_Colon": Protocol(
        stem="colon",
        size=(512, 512, 95),
        in_plane=(0.63, 0.95),
        slices=(3.0, 5.0, 5.0, 5.0, 7.5),
        reach=(-1.65, 0.60),
    ),
}
