"""What a plan gives to the configs."""

import math
from typing import Any

import pytest

from adw_components.builder.metadata import metadata_values
from adw_components.builder.source import msd_source
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


def test_mirroring_is_averaged_over_where_an_image_is_one_window() -> None:
    assert {name for name in task_names() if config_values(task(name).plan)["mirror_tta"]} == {"Task04_Hippocampus"}


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
    image = image_of("Task09_Spleen")
    assert image["value_range"] == [-3.4, 2.1]  # (-42 - 93.1926) / 40.7837 = -3.315, (176 - 93.1926) / 40.7837 = 2.030
    assert (image["modality"], image["format"]) == ("CT", "hounsfield")
    image = image_of("Task01_BrainTumour")
    assert image["channel_def"] == {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"}
    assert image["spatial_shape"] == [128, 128, 128]
    data = metadata_values(msd_source("Task01_BrainTumour"))["network_data_format"]
    assert data["outputs"]["pred"]["num_channels"] == 4


def test_metadata_of_an_interactive_bundle_names_its_guidance_channels() -> None:
    assert image_of("Task04_Hippocampus", interactive=True)["channel_def"] == {
        "0": "MRI",
        "1": "clicks on background",
        "2": "clicks on Anterior",
        "3": "clicks on Posterior",
    }
    for name in task_names():
        plain, image = image_of(name), image_of(name, interactive=True)
        guidance = task(name).plan.out_channels
        assert image["num_channels"] == len(image["channel_def"]) == plain["num_channels"] + guidance
        varying = ("num_channels", "channel_def")
        assert {**image, **{key: plain[key] for key in varying}} == plain


def image_of(name: str, *, interactive: bool = False) -> dict[str, Any]:
    """What the metadata of a task's bundle say of the network's input."""
    values = metadata_values(msd_source(name, interactive=interactive))
    return values["network_data_format"]["inputs"]["image"]
