"""The rules against nnU-Net v2's own plans of seven datasets, and on data made for one rule each."""

import math
from pathlib import Path
from typing import Any

import pytest

from adw_components.dataset_description import DatasetDescription
from adw_components.errors import UserError
from adw_components.normalization import Normalization
from adw_components.planning.fingerprint import Fingerprint
from adw_components.planning.rules import make_plan
from adw_components.record_fields import INTENSITY_STATISTICS
from adw_components.tasks import task

# nnU-Net v2's fingerprints of the full datasets of the MSD: shapes, spacings and intensities, as it wrote them.
FINGERPRINTS = sorted((Path(__file__).parent / "fingerprints").glob("*.json"))
CHOSEN = ("median_shape", "patch_size", "batch_size", "strides", "kernel_sizes", "batch_dice")
WITH_REASON = {"spacing_mm", *CHOSEN, "normalization"}
STATISTIC = dict(zip(INTENSITY_STATISTICS, (90.0, 88.5, 40.0, -600.0, 1000.0, -41.25, 176.123456), strict=True))


def described(*modality: str) -> DatasetDescription:
    """A dataset of 40 cases with one class besides background."""
    return DatasetDescription(
        name="Data", modality=modality or ("MRI",), labels=("background", "organ"), num_training=40
    )


def uniform(spacing: tuple[float, ...], shape: tuple[int, ...], cases: int = 3, **changes: Any) -> Fingerprint:
    """The fingerprint of cases that are all alike."""
    values = {"median_relative_size_after_cropping": 1.0, **changes}
    return Fingerprint(spacings=(spacing,) * cases, shapes_after_crop=(shape,) * cases, **values)


@pytest.mark.parametrize("path", FINGERPRINTS, ids=lambda path: path.stem)
def test_plans_of_the_decathlon_are_those_of_nnunet(path: Path) -> None:
    expected = task(path.stem).plan
    found = make_plan(Fingerprint.load(path), expected.dataset)
    assert found.spacing_mm == pytest.approx(expected.spacing_mm, abs=1e-6)
    for name in (*CHOSEN, "normalization", "foreground_intensity", "dataset", "memory_gb"):
        assert getattr(found, name) == getattr(expected, name), name
    assert set(found.reasons) == WITH_REASON


def test_the_seven_datasets_are_there() -> None:
    assert len(FINGERPRINTS) == 7


@pytest.mark.parametrize(
    ("spacings", "shape", "expected"),
    [
        # z is coarse in mm and in voxels: its 10th percentile, 2 mm.
        ([1.0, 2, 5, 5, 5, 5, 5, 5, 5, 5, 5], (400, 400, 60), 2.0),
        # That percentile would be finer than x and y, whose spacing it takes but for a hair.
        ([0.3, 0.4, 5, 5, 5, 5, 5, 5, 5, 5, 5], (400, 400, 60), 0.80001),
        # As many voxels as a third of the others: the median.
        ([1.0, 2, 5, 5, 5, 5, 5, 5, 5, 5, 5], (400, 400, 134), 5.0),
        # Three times as coarse is not over three times: the median.
        ([1.0, 2, 2.4, 2.4, 2.4, 2.4, 2.4, 2.4, 2.4, 2.4, 2.4], (400, 400, 60), 2.4),
    ],
)
def test_a_coarse_axis_takes_a_low_percentile(spacings: list[float], shape: tuple[int, ...], expected: float) -> None:
    found = Fingerprint(
        spacings=tuple((0.8, 0.8, step) for step in spacings),
        shapes_after_crop=(shape,) * len(spacings),
        median_relative_size_after_cropping=1.0,
    )
    assert make_plan(found, described()).spacing_mm == pytest.approx((0.8, 0.8, expected), abs=1e-9)


@pytest.mark.parametrize(("share", "nonzero"), [(0.74, True), (0.75, False), (1.0, False)])
def test_normalization_follows_the_name_of_the_channel_and_the_nonzero_share(share: float, nonzero: bool) -> None:
    found = uniform(
        (1, 1, 1),
        (64, 64, 64),
        median_relative_size_after_cropping=share,
        foreground_intensity=(STATISTIC,) * 3,
    )
    plan = make_plan(found, described("cT", "T2", "PET-CT"))
    other = Normalization(scheme="z_score", nonzero=nonzero)
    ct = Normalization(scheme="ct", low=-41.25, high=176.1235, mean=90.0, std=40.0)
    assert plan.normalization == (ct, other, other)
    assert plan.foreground_intensity[2]["percentile_99_5"] == 176.1235


def test_datasets_without_labelled_voxels_have_no_intensities() -> None:
    assert make_plan(uniform((1, 1, 1), (64, 64, 64)), described("T1", "T2")).foreground_intensity == ()
    with pytest.raises(UserError, match="CT channel is normalized by its labelled voxels, but no voxel is labelled"):
        make_plan(uniform((1, 1, 1), (64, 64, 64)), described("CT"))


def test_a_ct_whose_labelled_voxels_are_all_equal_is_refused() -> None:
    flat = {**dict.fromkeys(INTENSITY_STATISTICS, 7.0), "std": 0.0}
    with pytest.raises(UserError, match="must differ, but those of channel 0 go from 7 to 7; check"):
        make_plan(uniform((1, 1, 1), (64, 64, 64), foreground_intensity=(flat,)), described("CT"))


@pytest.mark.parametrize("memory_gb", [0, -8, math.nan, math.inf, 8192, "8", True, None])
def test_memory_is_the_gigabytes_of_a_gpu(memory_gb: Any) -> None:
    with pytest.raises(UserError, match="memory_gb must be a number above 0 and at most 1000, got"):
        make_plan(uniform((1, 1, 1), (64, 64, 64)), described(), memory_gb=memory_gb)


def test_channels_of_another_dataset_are_refused() -> None:
    found = uniform((1, 1, 1), (64, 64, 64), foreground_intensity=(STATISTIC,))
    with pytest.raises(UserError, match=r"intensities of 1 channel\(s\), but the dataset names 2: T1, T2; give"):
        make_plan(found, described("T1", "T2"))


def test_flat_and_tiny_images_are_refused() -> None:
    with pytest.raises(UserError, match=r"made for 3D images, but these are flat: 512 x 512 x 1 voxels"):
        make_plan(uniform((1, 1, 1), (512, 512, 1)), described())
    with pytest.raises(UserError, match=r"8 voxels or more, 12 if it is one axis alone, but .* is 11 x 7 x 7"):
        make_plan(uniform((1, 1, 1), (11, 7, 7)), described())
    assert make_plan(uniform((1, 1, 1), (12, 7, 7)), described()).strides == ((1, 1, 1), (2, 1, 1))


def test_reasons_name_the_numbers_that_decided() -> None:
    path = next(path for path in FINGERPRINTS if "Spleen" in path.stem)
    reasons = make_plan(Fingerprint.load(path), task(path.stem).plan.dataset).reasons
    spacing = "median of the spacings of 41 cases; z, at 5 mm, is over 3 times as coarse as the next axis (0.793 mm)"
    assert reasons["spacing_mm"].startswith(spacing)
    assert reasons["spacing_mm"].endswith(
        "its 90 voxels are fewer than a third of 512, so it takes the 10th percentile, 1.6 mm"
    )
    assert "527 million feature-map voxels, where 8 GB hold 560 million at batch 2" in reasons["patch_size"]
    assert reasons["batch_size"].startswith("the least: 8 GB hold 2.1 patches")
    assert reasons["strides"].startswith("halvings: x 5, y 5, z 4;")
    assert reasons["kernel_sizes"].startswith("1 on z in stage 0,")
    assert reasons["batch_dice"].startswith("a patch covers 4.0% of the median image")
