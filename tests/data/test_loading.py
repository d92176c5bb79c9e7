"""An image of another kind is refused with its name and the remedy."""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from adw_components.data.check import check_cases
from adw_components.data.loading import LoadCased, LoadNiftid, LoadSoundImaged
from adw_components.data.volumes import Report, Task, read_image, voxels_of
from adw_components.errors import UserError


def saved(path: Path, shape: tuple[int, ...], value: float = 1.0) -> str:
    volume = np.ones(shape, dtype=np.float32)
    volume.flat[0] = value
    nib.save(nib.Nifti1Image(volume, np.eye(4)), path)
    return str(path)


@pytest.mark.parametrize(
    ("shape", "channels"), [((6, 5, 4), 1), ((6, 5, 4, 1), 1), ((6, 5, 4, 4), 4), ((4, 4, 4, 4), 4)]
)
def test_images_of_the_task_are_loaded(tmp_path: Path, shape: tuple[int, ...], channels: int) -> None:
    data = LoadSoundImaged(keys="image", in_channels=channels)({"image": saved(tmp_path / "a.nii.gz", shape)})
    assert data["image"].numel() == np.prod(shape)


@pytest.mark.parametrize(
    ("shape", "channels", "rule"),
    [
        ((6, 5, 4, 4), 1, r"1 channel\(s\), got 4"),
        ((6, 5, 4), 4, r"4 channel\(s\), got 1"),
        ((6, 5, 4, 3), 4, r"4 channel\(s\), got 3"),
        ((6, 5), 1, "3 axes"),
    ],
)
def test_other_channel_counts_are_refused(tmp_path: Path, shape: tuple[int, ...], channels: int, rule: str) -> None:
    path = saved(tmp_path / "a.nii.gz", shape)
    with pytest.raises(UserError, match=rf"a\.nii\.gz: must have {rule}"):
        LoadSoundImaged(keys="image", in_channels=channels)({"image": path})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_voxels_without_a_value_are_refused(tmp_path: Path, value: float) -> None:
    path = saved(tmp_path / "a.nii.gz", (6, 5, 4), value)
    with pytest.raises(UserError, match=r"a\.nii\.gz: 1 voxel\(s\) are NaN or infinite; replace"):
        LoadSoundImaged(keys="image", in_channels=1)({"image": path})


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.nii.gz"
    path.write_bytes(b"no image")
    with pytest.raises(UserError, match=r"a\.nii\.gz: cannot be read as NIfTI: .*; download"):
        LoadSoundImaged(keys="image", in_channels=1)({"image": str(path)})


@pytest.mark.parametrize("path", ["", "nowhere/a.nii.gz"])
def test_a_missing_file_is_refused(path: str) -> None:
    with pytest.raises(UserError, match="image must be the path or the name of an image"):
        LoadSoundImaged(keys="image", in_channels=1)({"image": path})


LPS = np.diag([-1.0, -1, 1, 1])


def two_forms(path: Path, qform: np.ndarray) -> str:
    """An image whose sform is LPS, with a qform of its own and the sizes of that."""
    image = nib.Nifti1Image(np.arange(60, dtype=np.int16).reshape(5, 4, 3), LPS)
    image.set_qform(qform, 1)
    image.set_sform(LPS, 2)
    image.header["pixdim"][1:4] = np.abs(np.diag(qform)[:3])
    nib.save(image, path)
    return str(path)


@pytest.mark.parametrize("size", [1.0, 1.0001, 1.5])
def test_the_affine_is_the_sform_whatever_the_qform(tmp_path: Path, size: float) -> None:
    """MONAI's own reader takes the qform as soon as the sizes differ."""
    path = two_forms(tmp_path / "a.NII.GZ", np.diag([size, size, size, 1.0]))
    for loader in (LoadNiftid("image"), LoadSoundImaged("image", in_channels=1)):
        image = loader({"image": path})["image"]
        assert np.array_equal(image.affine, LPS) and np.array_equal(image.affine, nib.load(path).affine)
        assert np.array_equal(image.meta["original_affine"], LPS)


def test_the_qform_is_the_affine_where_the_sform_has_no_code(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.ones((5, 4, 3), np.int16), None)
    image.set_qform(np.diag([-2.0, -2, 2, 1]), 1)
    image.header.set_sform(np.diag([9.0, 9, 9, 1]), 0)
    nib.save(image, tmp_path / "a.nii")
    assert LoadNiftid("image")({"image": str(tmp_path / "a.nii")})["image"].pixdim.tolist() == [2, 2, 2]


@pytest.mark.parametrize(("shift", "taken"), [(1e-4, True), (0.09, True), (0.11, False)])
def test_a_label_takes_the_grid_of_its_image_within_the_tolerance(tmp_path: Path, shift: float, taken: bool) -> None:
    affine = np.diag([-2.0, -2, 2, 1])
    moved = affine.copy()
    moved[0, 3] += 2 * shift  # voxels of 2 mm
    nib.save(nib.Nifti1Image(np.ones((5, 4, 3), np.int16), affine), tmp_path / "image.nii.gz")
    nib.save(nib.Nifti1Image(np.ones((5, 4, 3), np.uint8), moved), tmp_path / "label.nii.gz")
    items = {name: str(tmp_path / f"{name}.nii.gz") for name in ("image", "label")}
    loaded = LoadCased(["image", "label"])(items)
    assert torch.equal(loaded["label"].affine, loaded["image"].affine) == taken
    assert np.array_equal(loaded["label"].meta["original_affine"], affine) == taken
    assert (check_cases([items], in_channels=1, labels={"1": "organ"}) == Report()) == taken


def test_an_affine_through_a_quaternion_of_32_bits_is_the_image_s(tmp_path: Path) -> None:
    turn = np.deg2rad(11.3)
    affine = np.array([[np.cos(turn), -np.sin(turn), 0, 3], [np.sin(turn), np.cos(turn), 0, 4], [0, 0, 1, 5]])
    affine = np.vstack([affine * [0.7, 0.7, 3, 1], [0, 0, 0, 1]])
    shape = (512, 512, 5)
    nib.save(nib.Nifti1Image(np.ones(shape, np.uint8), affine), tmp_path / "image.nii.gz")
    label = nib.Nifti1Image(np.ones(shape, np.uint8), None)
    label.header.set_qform(affine, 1)
    label.header.set_sform(None, 0)
    nib.save(label, tmp_path / "label.nii.gz")
    items = {name: str(tmp_path / f"{name}.nii.gz") for name in ("image", "label")}
    assert not np.array_equal(nib.load(items["label"]).affine, affine)
    assert check_cases([items], in_channels=1, labels={"1": "organ"}) == Report()


def damaged(path: Path, how: str) -> None:
    """Change a compressed file so that all voxels can still be read."""
    content = bytearray(gzip.compress(gzip.decompress(path.read_bytes()), compresslevel=0))
    if how == "a voxel":
        content[-40] ^= 0x40
    elif how == "the checksum":
        content[-6] ^= 1
    else:
        del content[-8:]
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["a voxel", "the checksum", "no checksum"])
def test_a_compressed_file_is_read_to_its_checksum(tmp_path: Path, how: str) -> None:
    path = Path(saved(tmp_path / "a.nii.gz", (24, 24, 20), value=2.0))
    assert not read_image(path, Task(in_channels=1))[1].faults
    damaged(path, how)
    (fault,) = read_image(path, Task(in_channels=1))[1].faults
    assert fault.problem.startswith("cannot be read as NIfTI: ")
    with pytest.raises(UserError, match=r"a\.nii\.gz cannot be read as an image"):
        LoadSoundImaged(keys="image", in_channels=1)({"image": str(path)})


def test_scaled_values_are_those_of_nibabel(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.arange(120, dtype=np.float64).reshape(6, 5, 4) / 7, np.eye(4))
    image.set_data_dtype(np.int16)
    for name in ("a.nii.gz", "a.nii"):
        nib.save(image, tmp_path / name)
        assert np.array_equal(voxels_of(tmp_path / name, nib.load(tmp_path / name)), nib.load(tmp_path / name).dataobj)


@pytest.mark.parametrize("error", [MemoryError(), OSError(24, "Too many open files")])
def test_a_limit_of_the_machine_is_no_fault_of_the_file(
    tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def limited(*_: object) -> None:
        raise error

    path = Path(saved(tmp_path / "a.nii.gz", (6, 5, 4)))
    monkeypatch.setattr("adw_components.data.volumes.voxels_of", limited)
    with pytest.raises(type(error)):
        read_image(path, Task(in_channels=1))
