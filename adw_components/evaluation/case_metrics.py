"""Dice and 95 % Hausdorff distance of one case, per class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from monai.metrics import compute_dice, compute_hausdorff_distance
from monai.networks.utils import one_hot
from monai.transforms.utils import generate_spatial_bounding_box


@dataclass(frozen=True, kw_only=True)
class CaseMetrics:
    """Metrics of one case.

    Attributes:
        case: id of the case.
        dice: label name -> Dice; None where neither the label nor the prediction has the class, as in nnU-Net.
        hd95_mm: label name -> 95 % Hausdorff distance in mm; None where one of the two lacks the class.
        files: paths of "image", "label" and "prediction".
    """

    case: str
    dice: Mapping[str, float | None]
    hd95_mm: Mapping[str, float | None]
    files: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON values, with the means over the classes."""
        return {
            "case": self.case,
            **self.files,
            "dice": dict(self.dice),
            "mean_dice": mean_or_none(self.dice.values()),
            "hd95_mm": dict(self.hd95_mm),
            "mean_hd95_mm": mean_or_none(self.hd95_mm.values()),
        }


def case_metrics(
    prediction: torch.Tensor,
    label: torch.Tensor,
    *,
    spacing: Sequence[float],
    labels: Mapping[str, str],
    case: str,
    files: Mapping[str, str],
) -> CaseMetrics:
    """Metrics of a prediction on the label's own grid.

    Args:
        prediction: (1, *spatial) label values.
        label: (1, *spatial) label values.
        spacing: size of a voxel in mm, per axis.
        labels: label value -> name, background left out; values 1, 2, ... in this order.
        case: id of the case.
        files: paths to keep with the metrics.
    """
    n_classes = len(labels) + 1
    volumes = _around_foreground(prediction, label)
    predicted, true = (one_hot(volume[None].long(), n_classes) for volume in volumes)
    dice = compute_dice(predicted, true, include_background=False, ignore_empty=False)[0]
    present = [volume[0, 1:].flatten(1).any(dim=1) for volume in (predicted, true)]
    dice[~(present[0] | present[1])] = math.nan
    distance = compute_hausdorff_distance(predicted, true, percentile=95, spacing=list(spacing))[0]
    distance[~(present[0] & present[1])] = math.nan
    return CaseMetrics(case=case, dice=_named(dice, labels), hd95_mm=_named(distance, labels), files=dict(files))


def _around_foreground(prediction: torch.Tensor, label: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both volumes cut to where either has foreground: the metrics are the same, a whole CT is not one-hot encoded."""
    foreground = (prediction != 0) | (label != 0)
    if not foreground.any():
        return prediction[..., :1], label[..., :1]
    start, end = generate_spatial_bounding_box(foreground, select_fn=lambda mask: mask)
    region = (slice(None), *(slice(low, high) for low, high in zip(start, end, strict=True)))
    return prediction[region], label[region]


def _named(values: torch.Tensor, labels: Mapping[str, str]) -> dict[str, float | None]:
    finite = [value if math.isfinite(value) else None for value in values.double().tolist()]
    return dict(zip(labels.values(), finite, strict=True))


def mean_or_none(values: Any) -> float | None:
    """Mean of the values that are not None; None without any."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
