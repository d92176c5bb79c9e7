"""What a plan gives to the configs."""

import math

import pytest

from adw_components.builder.metadata import metadata_values
from adw_components.builder.values import augmentation_ranges, config_values, quick_patch_size
from adw_components.record_fields import total_stride
from adw_components.tasks import task, task_names

tasks = pytest.mark.parametrize("name", task_names())
# nnU-Net v2 turns patches in the plane only where the longest axis is over 3 times the shortest.
FLAT = {"Task05_Prostate", "Task07_Pancreas", "Task10_Colon"}


@tasks
def test_the_quick_patch_divides_and_leaves_instance_norm_something(name: str) -> None:
    plan = task(name).plan
    quick, steps = quick_patch_size(plan), total_stride(plan.strides)
    assert all(size % step == 0 and size >= 2 * step for size, step in zip(quick, steps, strict=True))
    assert math.prod(quick) <= max(50_000, math.prod(2 * step for step in steps))


def test_the_quick_patch_of_the_hippocampus_keeps_its_aspect() -> None:
    assert quick_patch_size(task("Task04_Hippocampus").plan) == (32, 48, 32)


@tasks
def test_flat_patches_turn_in_their_plane_only(name: str) -> None:
    rotate, scale = augmentation_ranges(task(name).plan)
    if name in FLAT:
        assert rotate[:2] == (0.0, 0.0) and 3.14 < rotate[2] <= math.pi
        assert scale == (0.4, 0.4, 0.0)
    else:
        assert rotate == (0.5236,) * 3 and scale == (0.4,) * 3


@tasks
def test_labels_leave_background_out_and_run_from_one(name: str) -> None:
    values = config_values(task(name).plan)
    assert list(values["labels"]) == [str(value) for value in range(1, values["out_channels"])]
    assert len(values["modality"]) == values["in_channels"] == len(values["normalization"])


def test_ct_metadata_has_the_exact_range_and_mri_the_usual_one() -> None:
    spleen = task("Task09_Spleen")
    image = metadata_values(name=spleen.bundle, plan=spleen.plan, task=spleen)["network_data_format"]["inputs"]["image"]
    assert image["value_range"] == [-3.4, 2.1]  # (-42 - 93.1926) / 40.7837 = -3.315, (176 - 93.1926) / 40.7837 = 2.030
    assert (image["modality"], image["format"]) == ("CT", "hounsfield")
    brain = task("Task01_BrainTumour")
    data = metadata_values(name=brain.bundle, plan=brain.plan, task=brain)["network_data_format"]
    assert data["inputs"]["image"]["channel_def"] == {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"}
    assert data["inputs"]["image"]["spatial_shape"] == [128, 128, 128]
    assert data["outputs"]["pred"]["num_channels"] == 4
