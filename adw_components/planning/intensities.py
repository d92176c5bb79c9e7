"""Statistics of labelled voxels: of a case, and of all cases so that each counts the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Values that stand for the voxels of a case. Percentiles of the dataset are then off by at most half
# of one in 2,000 voxels, and a case takes some 12 kB a channel.
VALUES = 2000
_PERCENTILES = {"median": 50.0, "percentile_00_5": 0.5, "percentile_99_5": 99.5}


def case_statistics(intensities: NDArray[Any]) -> dict[str, Any]:
    """Mean, deviation and extremes of the voxels, and at most `VALUES` of them, evenly spaced in their order.

    Args:
        intensities: (voxels,), at least one.
    """
    ordered = np.sort(intensities)
    return {
        "mean": float(ordered.mean(dtype=np.float64)),
        "std": float(ordered.std(dtype=np.float64)),
        "min": float(ordered[0]),
        "max": float(ordered[-1]),
        "values": [_short(value) for value in evenly(ordered, min(VALUES, len(ordered)))],
    }


def pooled_statistics(cases: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Statistics over all cases, in which every case weighs the same, however many voxels it has labelled.

    nnU-Net's rule: it draws as many labelled voxels from every case, with replacement. What it estimates by
    drawing is computed here, but for the three percentiles, which come from the evenly spaced values.

    Args:
        cases: what `case_statistics` gave, at least one.
    """
    means, deviations = (np.array([case[name] for case in cases]) for name in ("mean", "std"))
    # The variance of a mixture: the mean variance, and the variance of the means.
    variance = (deviations**2).mean() + means.var()
    values = np.concatenate([evenly(np.array(case["values"], dtype=np.float64), VALUES) for case in cases])
    percentiles = np.percentile(values, list(_PERCENTILES.values()))
    return {
        "mean": float(means.mean()),
        "std": math.sqrt(variance),
        "min": min(case["min"] for case in cases),
        "max": max(case["max"] for case in cases),
        **{name: float(value) for name, value in zip(_PERCENTILES, percentiles, strict=True)},
    }


def evenly(ordered: NDArray[Any], count: int) -> NDArray[Any]:
    """The values in the middle of `count` equal parts of an ordered array; a short array gives values repeatedly."""
    return ordered[((np.arange(count) + 0.5) * len(ordered) / count).astype(int)]


def _short(value: Any) -> float:
    # A JSON file holds 40 in two characters, and a 32-bit number in some ten.
    number = float(f"{float(value):.8g}")
    return int(number) if number.is_integer() else number
