"""An image of another kind is refused with its name and the remedy."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from adw_components.data.loading import LoadSoundImaged
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


@pytest.mark.parametrize(("shape", "channels"), [((6, 5, 4, 4), 1), ((6, 5, 4), 4), ((6, 5, 4, 3), 4), ((6, 5), 1)])
def test_other_channel_counts_are_refused(tmp_path: Path, shape: tuple[int, ...], channels: int) -> None:
    path = saved(tmp_path / "a.nii.gz", shape)
    with pytest.raises(UserError, match=rf"a\.nii\.gz must have {channels} channel\(s\), got shape"):
        LoadSoundImaged(keys="image", in_channels=channels)({"image": path})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_voxels_without_a_value_are_refused(tmp_path: Path, value: float) -> None:
    path = saved(tmp_path / "a.nii.gz", (6, 5, 4), value)
    with pytest.raises(UserError, match=r"a\.nii\.gz holds voxels that are NaN or infinite"):
        LoadSoundImaged(keys="image", in_channels=1)({"image": path})


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.nii.gz"
    path.write_bytes(b"no image")
    with pytest.raises(UserError, match=r"a\.nii\.gz cannot be read as an image"):
        LoadSoundImaged(keys="image", in_channels=1)({"image": str(path)})


@pytest.mark.parametrize("path", ["", "nowhere/a.nii.gz"])
def test_a_missing_file_is_refused(path: str) -> None:
    with pytest.raises(UserError, match="image must be the path or the name of an image"):
        LoadSoundImaged(keys="image", in_channels=1)({"image": path})
