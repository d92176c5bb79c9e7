"""The app of scripts/monailabel.sh: MONAI Label's stock app `monaibundle`, scribbles, and batches in one thread.

The stock app, here stock_app.py, has no scribbles. Those of MONAI Label's radiology app are made for abdominal CT (its
intensities, voxels of 2.5 x 2.5 x 5 mm), and fail on a NIfTI file since MONAI 1.6.0 (see `SpacingOfImagesd`).
"""

from __future__ import annotations

import math
from typing import Any

import nibabel
import stock_app
import torch
from monai.transforms import Lambdad, LoadImaged, ScaleIntensityRanged, ScaleIntensityRangePercentilesd, Spacingd
from monailabel.interfaces.app import MONAILabelApp
from monailabel.scribbles.infer import HistogramBasedGraphCut

from adw_components.data.spacing import SpacingOfImagesd
from adw_components.errors import UserError

# The graph of a cut takes about 100 bytes a voxel; larger images are cut at a coarser spacing.
VOXELS = 4_000_000


class Scribbles(HistogramBasedGraphCut):
    """Foreground by the histograms under scribbles, smoothed by a graph cut; of several channels the first."""

    def pre_transforms(self, data: dict[str, Any]) -> list[Any]:
        """Those of MONAI Label, with intensities by percentiles and a spacing by the image's size."""
        if not data.get("label"):
            raise UserError("scribbles must be sent as a label map, the file `label` of the request, got none")
        steps = [step for step in super().pre_transforms(data) if not isinstance(step, Spacingd | ScaleIntensityRanged)]
        first = Lambdad(keys="image", func=first_channel)
        spacing = SpacingOfImagesd(
            keys=["image", "label"], pixdim=working_spacing(data["image"]), mode=["bilinear", "nearest"]
        )
        scale = ScaleIntensityRangePercentilesd(keys="image", lower=0.5, upper=99.5, b_min=0.0, b_max=1.0, clip=True)
        assert isinstance(steps[0], LoadImaged)
        return [*steps[:2], first, *steps[2:], spacing, scale]


def first_channel(image: torch.Tensor) -> torch.Tensor:
    """image: (C, *spatial) -> (1, *spatial)."""
    return image[:1]


def working_spacing(path: str) -> tuple[float, ...]:
    """The image's own spacing in mm, or a coarser one of the same aspect at which it has `VOXELS` voxels."""
    header: Any = nibabel.load(path).header
    factor = max(1.0, math.prod(header.get_data_shape()[:3]) / VOXELS) ** (1 / 3)
    return tuple(float(size) * factor for size in header.get_zooms()[:3])


class App(stock_app.MyApp, MONAILabelApp):
    """The stock app, scribbles, and batches of one image at a time."""

    def init_infers(self) -> dict[str, Any]:
        """The bundles of the stock app, and one task that needs no network."""
        return {**super().init_infers(), "Histogram+GraphCut": Scribbles()}

    def batch_infer(self, request: dict[str, Any], datastore: Any = None) -> Any:
        """One image at a time unless the request says otherwise; MONAI Label's default is a quarter of the CPU cores.

        Each image takes its memory, and the threads of an exported bundle unload and import its `scripts` at once.
        """
        return super().batch_infer({"max_workers": 1, **request}, datastore)
