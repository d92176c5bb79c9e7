"""Resampling beside items that are no metadata, and back."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.transforms import Compose, EnsureChannelFirstd, Invertd, LoadImaged, Orientationd, Spacingd

from adw_components.data.spacing import SpacingOfImagesd

OPTIONS: dict[str, Any] = {"pixdim": (1.0, 1.5, 2.0), "mode": "bilinear", "dtype": torch.float32}
TEXTS = {"image_path": "somewhere.nii.gz", "image_spacing": [1, 2], "images": "all"}


@pytest.fixture
def path(tmp_path: Path) -> str:
    affine = np.array([[0, -1.2, 0, 10], [0.8, 0, 0, -20], [0, 0, -2.5, 5], [0, 0, 0, 1.0]])
    volume = np.random.default_rng(0).normal(size=(14, 12, 9)).astype(np.float32)
    nib.save(nib.Nifti1Image(volume, affine), tmp_path / "case.nii.gz")
    return str(tmp_path / "case.nii.gz")


def steps(spacing: Any) -> Compose:
    first = [LoadImaged(keys="image"), EnsureChannelFirstd(keys="image")]
    return Compose([*first, Orientationd(keys="image", axcodes="RAS", labels=None), spacing])


def test_it_resamples_as_monai_does_and_leaves_the_texts(path: str) -> None:
    plain = steps(Spacingd(keys="image", **OPTIONS))({"image": path})
    ours = steps(SpacingOfImagesd(keys="image", **OPTIONS))({"image": path, **TEXTS})
    torch.testing.assert_close(ours["image"].as_tensor(), plain["image"].as_tensor(), rtol=0, atol=0)
    torch.testing.assert_close(ours["image"].affine, plain["image"].affine)
    assert {name: ours[name] for name in TEXTS} == TEXTS


def test_the_plain_one_fails_beside_a_text(path: str) -> None:
    with pytest.raises(RuntimeError, match="Spacingd"):
        steps(Spacingd(keys="image", **OPTIONS))({"image": path, **TEXTS})


def test_metadata_under_their_own_key_are_updated_as_before(path: str) -> None:
    image = steps(SpacingOfImagesd(keys="image", **OPTIONS)).transforms[:3]
    loaded = Compose(image)({"image": path})
    data = {**loaded, "image_meta_dict": {"kept": 1}}
    ours = SpacingOfImagesd(keys="image", **OPTIONS)(data)["image_meta_dict"]
    plain = Spacingd(keys="image", **OPTIONS)({**loaded, "image_meta_dict": {"kept": 1}})["image_meta_dict"]
    assert ours["kept"] == 1 and set(ours) == set(plain) and len(ours) > 1


def test_a_prediction_returns_to_the_grid_of_the_image(path: str) -> None:
    preparation = steps(SpacingOfImagesd(keys="image", **OPTIONS))
    data = preparation({"image": path, **TEXTS})
    data["pred"] = data["image"].clone()
    back = Invertd(keys="pred", transform=preparation, orig_keys="image", nearest_interp=False, to_tensor=True)(data)
    image = nib.load(path)
    assert tuple(back["pred"].shape[1:]) == image.shape
    np.testing.assert_allclose(back["pred"].affine, image.affine, atol=1e-5)
