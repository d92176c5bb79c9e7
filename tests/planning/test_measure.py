"""What is measured of NIfTI files whose answers are known."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from nifti_cases import LPS, RAS, SLA, block, describe, measure, save

from adw_components.planning.fingerprint import Fingerprint

NNUNET = Path(__file__).parent / "fingerprints" / "Task04_Hippocampus.json"


@pytest.mark.parametrize("affine", [RAS, LPS], ids=["RAS", "LPS"])
def test_shape_spacing_and_share_of_the_box_that_is_not_zero(tmp_path: Path, affine: np.ndarray) -> None:
    image = block((10, 9, 8), (slice(2, 9), slice(1, 6), slice(4, 7)), 7)
    image[4:6, 3, 5] = 0  # a hole, which a box does not see
    save(tmp_path, "a", image, None, affine)
    found = measure(describe(tmp_path, "a"))
    assert found.spacings == ((0.5, 1.0, 2.0),)
    assert found.shapes_after_crop == ((7, 5, 3),)
    assert found.median_relative_size_after_cropping == pytest.approx(7 * 5 * 3 / (10 * 9 * 8))
    assert found.case_ids == ("a",)


def test_axes_are_put_in_the_order_x_y_z(tmp_path: Path) -> None:
    image = block((8, 10, 9), (slice(4, 7), slice(2, 9), slice(1, 6)), 7)  # z, x, y
    save(tmp_path, "a", image, None, SLA)
    found = measure(describe(tmp_path, "a"))
    assert found.spacings == ((0.5, 1.0, 2.0),)
    assert found.shapes_after_crop == ((7, 5, 3),)


def test_an_oblique_volume_has_the_length_of_its_steps(tmp_path: Path) -> None:
    turn = np.deg2rad(20)
    affine = np.diag([0.5, 1.0, 2.0, 1.0])
    affine[:2, :2] = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.diag([0.5, 1.0])
    save(tmp_path, "a", np.ones((4, 5, 6), np.float32), None, affine)
    assert measure(describe(tmp_path, "a")).spacings[0] == pytest.approx((0.5, 1.0, 2.0), abs=1e-6)


def test_channels_lie_on_the_last_axis_and_any_of_them_makes_the_box(tmp_path: Path) -> None:
    image = np.zeros((6, 7, 8, 2), np.int16)
    image[1:3, 2:4, 3:5, 0] = 10
    image[2:5, 2:4, 3:7, 1] = 20
    save(tmp_path, "a", image, np.where(image[..., 0] > 0, 1, 0))
    found = measure(describe(tmp_path, "a", modality=("T1", "T2")))
    assert found.shapes_after_crop == ((4, 2, 4),)
    assert [row["mean"] for row in found.foreground_intensity] == [10, 10]  # half of the labelled have 20, half 0
    assert [row["std"] for row in found.foreground_intensity] == [0, 10]
    assert [(row["min"], row["max"]) for row in found.foreground_intensity] == [(10, 10), (0, 20)]


def test_slope_and_intercept_of_the_header_count(tmp_path: Path) -> None:
    # Stored 50 is 50 * 2 - 100 = 0: the border. Stored 100 is 100, stored 0 is -100.
    stored = np.full((6, 6, 6), 50, np.int16)
    stored[1:4, 1:5, 2:4], stored[1, 1, 2] = 100, 0
    for kind in ("imagesTr", "labelsTr"):
        (tmp_path / kind).mkdir()
    # nibabel would choose its own scale on saving, so the file is written byte for byte.
    header, path = nibabel.Nifti1Image(stored, RAS).header, tmp_path / "imagesTr" / "a.nii"
    header["magic"], header["vox_offset"] = b"n+1", 352
    header["scl_slope"], header["scl_inter"] = 2.0, -100.0
    path.write_bytes(header.binaryblock + bytes(4) + stored.tobytes(order="F"))
    assert np.asanyarray(nibabel.load(path).dataobj)[1, 1, 2] == -100
    label = nibabel.Nifti1Image((stored != 50).astype(np.uint8), RAS)
    nibabel.save(label, tmp_path / "labelsTr" / "a.nii.gz")
    rows = [{"image": "imagesTr/a.nii", "label": "labelsTr/a.nii.gz"}]
    found = measure(describe(tmp_path, training=rows))
    assert found.shapes_after_crop == ((3, 4, 2),)
    statistics = found.foreground_intensity[0]
    assert (statistics["min"], statistics["max"]) == (-100, 100)
    assert statistics["mean"] == pytest.approx((23 * 100 - 100) / 24)


def test_only_labelled_voxels_have_statistics_and_each_case_counts_the_same(tmp_path: Path) -> None:
    for name, value, size in (("a", 10, 1), ("b", 30, 6)):
        image = np.full((8, 8, 8), 1000, np.int16)
        label = np.zeros(image.shape)
        image[:size, :size, :size], label[:size, :size, :size] = value, 1
        save(tmp_path, name, image, label)
    (statistics,) = measure(describe(tmp_path, "a", "b")).foreground_intensity
    assert (statistics["mean"], statistics["std"], statistics["min"], statistics["max"]) == (20, 10, 10, 30)


def test_an_empty_label_is_left_out_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(tmp_path, "a", np.full((4, 4, 4), 9, np.int16), None)
    save(tmp_path, "b", np.full((4, 4, 4), 2, np.int16), None)
    found = measure(describe(tmp_path, "a", "b"))
    assert found.foreground_intensity[0]["mean"] == 9
    assert len(found.spacings) == 2
    assert "no voxel is labelled in 1 case(s): b" in caplog.text
    assert measure(describe(tmp_path, "b")).foreground_intensity == ()


def test_shapes_of_the_real_data_are_among_those_that_nnunet_measured(real_dataset: Path) -> None:
    theirs = Fingerprint.load(NNUNET)
    found = measure(real_dataset, workers=2)
    assert set(found.shapes_after_crop) <= set(theirs.shapes_after_crop)
    assert set(found.spacings) == {(1.0, 1.0, 1.0)}
