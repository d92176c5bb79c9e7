"""The check of an image's voxels: numbers that cannot be trained with. No torch here."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..record_fields import LARGEST_INTENSITY as LARGEST
from .headers import Problem

# Fill values: so many at most, so much larger than all others, and the others' share of the deviation below this.
_FILL_VALUES = 3
_FILL_FACTOR = 20
_FLATTENED = 1 / 20


def voxel_problem(voxels: NDArray[Any]) -> Problem | None:
    """Return what is wrong with an image's numbers: NaN, infinite, too large or small for float32, or nothing but 0."""
    low, high = voxels.min(), voxels.max()  # NaN if there is one
    if not (np.isfinite(low) and np.isfinite(high)):
        count = int(np.count_nonzero(~np.isfinite(voxels)))
        return f"{count} voxel(s) are NaN or infinite", "replace them, say by 0"
    if max(abs(float(low)), abs(float(high))) > LARGEST:
        count = sum(int(np.count_nonzero(_magnitudes(slab) > LARGEST)) for slab in _slabs(voxels))
        largest = float(high) if abs(float(high)) >= abs(float(low)) else float(low)
        return f"{count} voxel(s) are beyond {LARGEST:g}, such as {largest:g}", "replace them, say by 0"
    if 0 < max(abs(float(low)), abs(float(high))) < 1 / LARGEST:
        return f"every voxel is below {1 / LARGEST:g}, which float32 cannot square", "scale the image up"
    if low == high == 0:
        return "every voxel is 0", "export the image again or take the case out of dataset.json"
    return None


def fill_problem(channel: NDArray[Any]) -> Problem | None:
    """Find fill values that would flatten a channel when it is z-scored.

    Args:
        channel: finite numbers of any shape.
    """
    low, high = float(channel.min()), float(channel.max())
    largest = max(-low, high)
    # Between a fill value and the others there is nothing; some voxels of an ordinary image show that there is.
    if _between(channel.ravel(order="K")[:: max(1, channel.size // 10000)], largest).any():
        return None
    fills: set[float] = set()
    others: set[float] = set()
    count, least, most = 0, np.inf, -np.inf
    sums = np.zeros(2)
    for slab in _slabs(channel):
        if _between(slab, largest).any():
            return None
        far = _magnitudes(slab) >= largest / 2
        fills.update(np.unique(slab[far]).tolist())
        if len(fills) > _FILL_VALUES:
            return None
        rest = slab[~far].astype(float)
        if not rest.size:
            continue
        count += rest.size
        least, most = min(least, rest.min()), max(most, rest.max())
        sums += rest.sum(), np.square(rest).sum()
        if len(others) <= _FILL_VALUES:
            others.update(np.unique(rest).tolist())
    if not count or len(others) <= len(fills):
        return None
    deviation = np.sqrt(max(0.0, sums[1] / count - (sums[0] / count) ** 2))
    if deviation >= _FLATTENED * float(channel.std(dtype=float)):
        return None
    what, lie, them = ("value", "lies", "it") if len(fills) == 1 else ("values", "lie", "them")
    named = f"{what} " + ", ".join(f"{value:g}" for value in sorted(fills))
    problem = (
        f"{named} in {channel.size - count} voxel(s) {lie} far outside the others "
        f"({least:g} to {most:g}), which normalization would flatten"
    )
    return problem, f"replace {them}, say by {least:g}"


def _between(values: NDArray[Any], largest: float) -> NDArray[np.bool_]:
    magnitudes = _magnitudes(values)
    return (magnitudes > largest / _FILL_FACTOR) & (magnitudes < largest / 2)


def _magnitudes(values: NDArray[Any]) -> NDArray[np.float64]:
    return np.abs(values.astype(float))  # an integer's least value has no positive counterpart of its type


def _slabs(voxels: NDArray[Any]) -> NDArray[Any]:
    """View the volume along its last axis, slab by slab, so that nothing large is copied."""
    return np.moveaxis(voxels, -1, 0)
