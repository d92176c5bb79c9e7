"""Which normalization every channel gets, nnU-Net's rule."""

from __future__ import annotations

from collections.abc import Mapping

from ..dataset_description import DatasetDescription
from ..errors import UserError
from ..normalization import Normalization
from .fingerprint import Fingerprint

# Below this share of an image, in the median over the cases, the zeros around the body would rule the z-score.
NONZERO_BELOW = 0.75


def is_ct(modality: str) -> bool:
    """Whether a channel is called CT, in whatever case."""
    return modality.strip().casefold() == "ct"


def normalizations(fingerprint: Fingerprint, dataset: DatasetDescription) -> tuple[Normalization, ...]:
    """A CT channel by the labelled voxels of all cases; any other by a z-score of each image.

    Raises:
        UserError: the labelled voxels of a CT channel are all equal, or there are none.
    """
    statistics = rounded_intensities(fingerprint)
    if not statistics and any(map(is_ct, dataset.modality)):
        raise UserError("a CT channel is normalized by its labelled voxels, but no voxel is labelled; label some cases")
    nonzero = fingerprint.median_relative_size_after_cropping < NONZERO_BELOW
    return tuple(
        _ct(statistics[channel], channel) if is_ct(name) else Normalization(scheme="z_score", nonzero=nonzero)
        for channel, name in enumerate(dataset.modality)
    )


def rounded_intensities(fingerprint: Fingerprint) -> tuple[dict[str, float], ...]:
    """The fingerprint's statistics with the decimals that a plan has."""
    return tuple({name: round(value, 4) for name, value in row.items()} for row in fingerprint.foreground_intensity)


def _ct(statistics: Mapping[str, float], channel: int) -> Normalization:
    low, high = statistics["percentile_00_5"], statistics["percentile_99_5"]
    if not low < high or not statistics["std"] > 0:
        raise UserError(
            f"the labelled voxels of a CT must differ, but those of channel {channel} go from {low:g} to {high:g}; "
            "check images and labels"
        )
    return Normalization(scheme="ct", low=low, high=high, mean=statistics["mean"], std=statistics["std"])
