"""A prediction carries the header of its image through MONAI's whole chain of transforms."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor, decollate_batch
from monai.data.utils import list_data_collate
from monai.transforms import (
    AsDiscreted,
    Compose,
    EnsureChannelFirstd,
    Invertd,
    Orientationd,
    Spacingd,
)

from adw_components.data.dataset import case_id
from adw_components.data.loading import LoadNiftid
from adw_components.inference.label_writer import ImageHeaderWriter, SaveLabelMapd

SHAPE = (12, 10, 8)


def affine() -> np.ndarray:
    """Left-posterior-superior, oblique, anisotropic."""
    turn = np.deg2rad(10)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    result = np.eye(4)
    result[:3, :3] = rotation @ np.diag([-1.5, -1.0, 2.0])
    result[:3, 3] = [40.0, -30.5, 12.25]
    return result


def odd_image(path: Path, *, sform_code: int = 2, qform_code: int = 3, channels: int = 0) -> Path:
    """A NIfTI with unusual codes, units, scaling and description; its first voxels along x are bright."""
    values = np.zeros(SHAPE + ((channels,) if channels else ()), np.int16)
    values[:4] = 1000
    image = nib.Nifti1Image(values, None)
    image.header.set_data_dtype(np.int16)
    image.header.set_slope_inter(0.5, 10)
    image.header.set_xyzt_units("mm", "sec")
    image.header["descrip"] = b"odd"
    image.set_sform(affine(), sform_code)
    image.set_qform(affine(), qform_code)
    nib.save(image, path)
    return path


def predict(image: Path, output_dir: Path, threshold: float = 200.0) -> nib.Nifti1Image:
    """Load, turn, resample, segment by a threshold, invert and save, as `inference.json` does."""
    preprocessing = Compose(
        [
            LoadNiftid(keys="image"),
            EnsureChannelFirstd(keys="image"),
            Orientationd(keys="image", axcodes="RAS", labels=None),
            Spacingd(keys="image", pixdim=(1.0, 1.0, 1.0), mode="bilinear"),
        ]
    )
    postprocessing = Compose(
        [
            Invertd(keys="pred", transform=preprocessing, orig_keys="image", nearest_interp=False, to_tensor=True),
            AsDiscreted(keys="pred", argmax=True),
            SaveLabelMapd(keys="pred", output_dir=output_dir),
        ]
    )
    batch = list_data_collate([preprocessing({"image": str(image)})])
    bright = (batch["image"][:, :1] > threshold).float()
    batch["pred"] = torch.cat([1 - bright, bright], dim=1)
    postprocessing(decollate_batch(batch)[0])
    return nib.load(output_dir / f"{case_id(image)}.nii.gz")


@pytest.mark.parametrize(("sform_code", "qform_code"), [(2, 3), (1, 1), (4, 0), (0, 1)])
def test_header_is_that_of_the_image(tmp_path: Path, sform_code: int, qform_code: int) -> None:
    path = odd_image(tmp_path / "case.nii.gz", sform_code=sform_code, qform_code=qform_code)
    source, written = nib.load(path), predict(path, tmp_path / "out")
    assert (int(written.header["sform_code"]), int(written.header["qform_code"])) == (sform_code, qform_code)
    np.testing.assert_allclose(written.affine, source.affine, atol=1e-6)
    np.testing.assert_allclose(written.header.get_sform(), source.header.get_sform(), atol=1e-6)
    np.testing.assert_allclose(written.header.get_qform(), source.header.get_qform(), atol=1e-6)
    assert written.header.get_xyzt_units() == source.header.get_xyzt_units() == ("mm", "sec")
    assert written.header.get_zooms() == source.header.get_zooms()
    assert bytes(written.header["descrip"]).rstrip(b"\0") == b"odd"


def test_labels_lie_where_the_image_has_them_and_are_uint8(tmp_path: Path) -> None:
    path = odd_image(tmp_path / "case.nii.gz")
    written = predict(path, tmp_path / "out")
    assert written.get_data_dtype() == np.uint8
    assert written.shape == SHAPE
    labels = np.asanyarray(written.dataobj)
    assert labels.dtype == np.uint8
    expected = np.asarray(nib.load(path).dataobj) > 200
    assert (labels == expected).mean() > 0.95
    assert np.array_equal(labels[:3], expected[:3]) and np.array_equal(labels[6:], expected[6:])


def test_image_with_channels_gets_a_label_map_without(tmp_path: Path) -> None:
    path = odd_image(tmp_path / "case.nii.gz", channels=2)
    written = predict(path, tmp_path / "out")
    assert written.shape == SHAPE
    assert int(written.header["sform_code"]) == 2


def write(path: Path, source: str | None, shape: tuple[int, ...] = SHAPE) -> nib.Nifti1Image:
    """Write a label map of ones beside whatever `source` names."""
    writer = ImageHeaderWriter([], output_dtype=np.uint8)
    writer.set_data_array(torch.ones(1, *shape), channel_dim=0)
    writer.set_metadata({"filename_or_obj": source, "affine": affine()}, resample=False)
    writer.write(path)
    return nib.load(path)


def test_label_map_on_another_grid_gets_the_affine_of_the_data(tmp_path: Path) -> None:
    source = odd_image(tmp_path / "case.nii.gz")
    written = write(tmp_path / "out.nii.gz", str(source), shape=(4, 4, 4))
    assert written.shape == (4, 4, 4)
    np.testing.assert_allclose(written.affine, affine(), atol=1e-6)
    assert written.get_data_dtype() == np.uint8


@pytest.mark.parametrize("source", [None, "gone.nii.gz"])
def test_image_that_is_gone_leaves_the_affine_of_the_data(tmp_path: Path, source: str | None) -> None:
    np.testing.assert_allclose(write(tmp_path / "out.nii.gz", source).affine, affine(), atol=1e-6)


def test_failure_leaves_the_file_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.nii.gz"
    write(path, None)
    before = path.read_bytes()

    def fail(_image: object, target: Path) -> None:
        Path(target).write_bytes(b"half")
        raise OSError("the disk is full")

    monkeypatch.setattr(nib, "save", fail)
    failures: list[OSError] = []
    writer = ImageHeaderWriter(failures)
    writer.set_data_array(MetaTensor(torch.zeros(1, *SHAPE)), channel_dim=0)
    writer.set_metadata(None)
    with pytest.raises(OSError, match="the disk is full"):
        writer.write(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "written"),
    [("B.NII.GZ", "B"), ("e.nii.GZ", "e"), ("v1.2.nii.gz", "v1.2"), ("x#1.nii", "x#1"), ("a::b.NII", "a::b")],
)
def test_a_prediction_is_named_by_its_case(tmp_path: Path, name: str, written: str) -> None:
    odd_image(tmp_path / "case.nii" if name.lower().endswith(".nii") else tmp_path / "case.nii.gz").rename(
        tmp_path / name
    )
    predict(tmp_path / name, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"{written}.nii.gz"]


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 1, 1), (1, 5, 1), (1, 1, 5), (2, 3, 1)])
def test_the_smallest_images_keep_their_axes(tmp_path: Path, shape: tuple[int, ...]) -> None:
    nib.save(nib.Nifti1Image(np.full(shape, 300, np.int16), np.eye(4)), tmp_path / "a.nii.gz")
    written = predict(tmp_path / "a.nii.gz", tmp_path / "out")
    assert written.shape == shape and np.asanyarray(written.dataobj).all()
