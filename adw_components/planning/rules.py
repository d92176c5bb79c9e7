"""From a fingerprint to a plan. No voxel is read, and no rule knows a dataset by its name."""

from __future__ import annotations

from ..dataset_description import DatasetDescription
from ..errors import UserError
from ..plan import Plan
from ..record_fields import MOST_GB, number
from .fingerprint import Fingerprint
from .geometry import plan_geometry
from .normalizing import normalizations, rounded_intensities
from .reasons import reasons


def make_plan(fingerprint: Fingerprint, dataset: DatasetDescription, *, memory_gb: float = 8.0) -> Plan:
    """The plan that nnU-Net's rules give (Isensee et al., Nature Methods 2021; nnU-Net v2's default planner).

    Args:
        fingerprint: of the dataset.
        dataset: channels, classes and number of training cases.
        memory_gb: GPU memory that patch and batch of nnU-Net's default network are to fill.

    Raises:
        UserError: no such memory, channels that do not fit, or images that are flat or too small.
    """
    check_memory(memory_gb)
    _check_channels(fingerprint, dataset)
    classes = len(dataset.labels)
    geometry = plan_geometry(fingerprint, num_training=dataset.num_training, out_channels=classes, memory_gb=memory_gb)
    network = geometry.patch.topology
    return Plan(
        dataset=dataset,
        spacing_mm=tuple(round(size, 6) for size in geometry.target.spacing),
        median_shape=geometry.median_shape,
        patch_size=network.patch_size,
        batch_size=geometry.patch.batch_size,
        strides=network.strides,
        kernel_sizes=network.kernel_sizes,
        normalization=normalizations(fingerprint, dataset),
        batch_dice=geometry.low_resolution,
        foreground_intensity=rounded_intensities(fingerprint),
        memory_gb=float(memory_gb),
        reasons=reasons(fingerprint, dataset, geometry, memory_gb=memory_gb),
    )


def check_memory(memory_gb: float) -> None:
    """Raise a `UserError` unless this is the memory of a GPU in GB."""
    number("memory_gb", memory_gb, low=0, high=MOST_GB, above=True)


def _check_channels(fingerprint: Fingerprint, dataset: DatasetDescription) -> None:
    measured, named = len(fingerprint.foreground_intensity), len(dataset.modality)
    if measured and measured != named:
        raise UserError(
            f"the fingerprint has intensities of {measured} channel(s), but the dataset names {named}: "
            f"{', '.join(dataset.modality)}; give fingerprint and dataset.json of the same data"
        )
