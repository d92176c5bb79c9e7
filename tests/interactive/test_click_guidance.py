"""The transform on the data it meets: requests, batches, crops, channels; and what it refuses."""

import copy
import json
import logging
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from clicked_images import ClickedImage, affine_of, nearest_voxel, peak, pipelines, write_image
from monai.data import MetaTensor, decollate_batch, list_data_collate

from adw_components.errors import UserError, user_error_behind
from adw_components.interactive.click_guidance import AddClickGuidanced

LABELS = {"1": "Anterior", "2": "Posterior"}


@pytest.fixture
def stored(tmp_path: Path) -> ClickedImage:
    return write_image(tmp_path / "image.nii.gz", "LPS", 4)


def guidance(sigma: float = 1.5) -> AddClickGuidanced:
    return AddClickGuidanced("image", labels=LABELS, sigma=sigma)


def image_of(values: torch.Tensor, **meta: Any) -> MetaTensor:
    """(C, x, y, z) as `LoadImaged` and `EnsureChannelFirstd` would give it."""
    known = {"original_affine": np.eye(4), "affine": torch.eye(4), "spatial_shape": np.array(values.shape[1:])}
    return MetaTensor(values, meta={**known, **meta})


def test_a_request_of_monai_label_passes_through(stored: ClickedImage) -> None:
    clicks = {"background": [[*stored.first]], "anterior": [[*stored.point], [*stored.last]], "posterior": []}
    request = {
        "model": "hippocampus_deepedit",
        "image": str(stored.path),
        "image_path": str(stored.path),
        "device": "cpu",
        "label": "anterior",
        "latencies": {},
        **json.loads(json.dumps(clicks)),
    }
    preprocessing, _ = pipelines(stored.ras_spacing)
    before = copy.deepcopy(request)
    image = preprocessing(request)["image"]
    assert request == before
    assert image.shape[0] == 4 and image.dtype == torch.float32
    # LPS to RAS turns the first two axes.
    turned = [
        tuple(
            last - at if axis < 2 else at - first
            for axis, (at, first, last) in enumerate(zip(point, stored.first, stored.last, strict=True))
        )
        for point in (stored.first, stored.point, stored.last)
    ]
    assert peak(image[1]) == turned[0]
    assert {tuple(voxel) for voxel in (image[2] == 1).nonzero().tolist()} == set(turned[1:])
    assert not image[3].any()


def test_without_clicks_guidance_is_zero_and_the_image_as_it_was(stored: ClickedImage) -> None:
    preprocessing, _ = pipelines(stored.ras_spacing)
    image = preprocessing({"image": str(stored.path)})["image"]
    assert not image[1:].any() and image[0].std() > 0
    bare = MetaTensor(torch.rand(2, 3, 4, 5))  # automatic mode needs no metadata
    assert torch.equal(guidance()({"image": bare})["image"].as_tensor()[:2], bare.as_tensor())


def test_the_image_keeps_its_metadata_and_history(stored: ClickedImage) -> None:
    preprocessing, _ = pipelines((1.5, 1.0, 2.0))
    *steps, last = preprocessing.transforms
    data: dict = {"image": str(stored.path), "anterior": [stored.point]}
    for step in steps:
        data = step(data)
    image, before = data["image"], copy.deepcopy(data["image"])
    guided = last(data)["image"]
    assert isinstance(guided, MetaTensor)
    assert torch.equal(guided.affine, image.affine) and guided.meta.keys() == image.meta.keys()
    assert str(guided.applied_operations) == str(image.applied_operations) and len(image.applied_operations) >= 3
    assert torch.equal(guided[:1].as_tensor(), image.as_tensor())
    guided.meta["filename_or_obj"] = ""
    guided.applied_operations[0].clear()
    guided += 1
    assert torch.equal(image.as_tensor(), before.as_tensor()) and image.meta["filename_or_obj"] == str(stored.path)
    assert str(image.applied_operations) == str(before.applied_operations)


def test_one_call_leaves_nothing_for_the_next() -> None:
    transform = guidance()
    state = copy.deepcopy(vars(transform))
    data = {"image": image_of(torch.zeros(1, 6, 6, 6)), "anterior": [[1, 2, 3]]}
    first = transform(data)["image"]
    other = transform({**data, "anterior": [[4, 4, 4]]})["image"]
    assert torch.equal(transform(data)["image"], first) and not torch.equal(other, first)
    assert vars(transform) == state
    assert data["anterior"] == [[1, 2, 3]] and data["image"].shape == (1, 6, 6, 6)


def test_images_that_were_a_batch_can_be_clicked_on(stored: ClickedImage) -> None:
    preprocessing, _ = pipelines((1.0, 1.5, 0.8))
    *steps, last = preprocessing.transforms
    data: dict = {"image": str(stored.path)}
    for step in steps:
        data = step(data)
    (again,) = decollate_batch(list_data_collate([data]))
    clicks = {"posterior": [tuple(np.array(stored.point))]}
    assert torch.equal(last({**again, **clicks})["image"].as_tensor(), last({**data, **clicks})["image"].as_tensor())


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_guidance_takes_the_type_of_the_image(dtype: torch.dtype) -> None:
    image = guidance()({"image": image_of(torch.zeros(1, 4, 4, 4, dtype=dtype)), "anterior": [[1, 2, 3]]})["image"]
    assert image.dtype == dtype and image[2, 1, 2, 3] == 1


def test_several_channels_are_kept_before_the_guidance(tmp_path: Path) -> None:
    stored = write_image(tmp_path / "image.nii.gz", "PSL", 9, channels=4)
    preprocessing, _ = pipelines(stored.ras_spacing, channels=4)
    image = preprocessing({"image": str(stored.path), "posterior": [stored.point]})["image"]
    assert image.shape[0] == 7
    assert all(peak(image[channel]) == peak(image[6]) for channel in range(4))
    with pytest.raises(RuntimeError) as error:  # MONAI wraps what a transform raises
        preprocessing({"image": str(stored.path), "posterior": [stored.shape]})
    assert str(user_error_behind(error.value)) == outside(stored.shape, "Posterior", stored.shape)


def bordered(path: Path) -> Path:
    """10 x 9 x 8 voxels of 2 mm, foreground in 3 to 6, 2 to 6 and 1 to 6; the axes point to left, posterior, up."""
    values = np.zeros((10, 9, 8), np.float32)
    values[3:7, 2:7, 1:7] = np.random.default_rng(0).uniform(1, 2, (4, 5, 6))
    nib.save(nib.Nifti1Image(values, affine_of("LPS", (2, 2, 2), (0, 0, 0), (5, -7, 11))), path)
    return path


@pytest.mark.parametrize("spacing", [(2, 2, 2), (1, 1, 1), (0.7, 0.9, 1.25)])
def test_clicks_on_the_border_that_is_cropped_are_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, spacing: tuple
) -> None:
    path = bordered(tmp_path / "image.nii.gz")
    preprocessing, _ = pipelines(spacing)
    lost = [[2, 4, 4], [7, 4, 4], [4, 1, 4], [4, 7, 4], [4, 4, 0], [4, 4, 7], [0, 0, 0], [9, 8, 7]]
    with caplog.at_level(logging.WARNING):
        data = preprocessing({"image": str(path), "background": lost, "anterior": [*lost, [3, 2, 1]]})
    assert not data["image"][1].any()
    kept = preprocessing({"image": str(path), "anterior": [[3, 2, 1]]})["image"]
    assert torch.equal(data["image"].as_tensor(), kept.as_tensor())
    assert [record.getMessage() for record in caplog.records if "click" in record.name] == [
        "8 of 8 clicks of background left out: on the border that is cropped",
        "8 of 9 clicks of Anterior left out: on the border that is cropped",
    ]


@pytest.mark.parametrize("oblique", [False, True], ids=["straight", "oblique"])
@pytest.mark.parametrize("seed", range(8))
def test_no_click_on_what_is_kept_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, seed: int, oblique: bool
) -> None:
    stored = write_image(tmp_path / "image.nii.gz", "RAS", seed, oblique=oblique)
    factors = np.random.default_rng(seed).uniform(0.2, 4, 3)
    preprocessing, _ = pipelines(np.multiply(stored.ras_spacing, factors))
    corners = np.stack(np.meshgrid(*zip(stored.first, stored.last, strict=True)), axis=-1).reshape(-1, 3)
    image = preprocessing({"image": str(stored.path), "anterior": corners.tolist()})["image"]
    nearest = {nearest_voxel(stored, tuple(corner), image) for corner in corners}
    assert {tuple(voxel) for voxel in (image[2] == 1).nonzero().tolist()} == nearest
    assert not caplog.records


@pytest.mark.parametrize("point", [(10, 0, 0), (0, 9, 0), (0, 0, 8), (-1, 0, 0)])
def test_a_click_outside_of_the_stored_image_is_refused(tmp_path: Path, point: tuple) -> None:
    path = bordered(tmp_path / "image.nii.gz")
    with pytest.raises(UserError) as error:
        # The grid has more voxels than the stored image, which must not let the click pass.
        pipelines((0.5, 0.5, 0.5))[0].transforms[-1](cropped(path) | {"anterior": [point]})
    assert str(error.value) == outside(point, "Anterior", (10, 9, 8))


def outside(point: tuple, name: str, shape: tuple) -> str:
    """The message on a click outside of the stored image."""
    return (
        f"a click must lie in the stored image, got {list(point)} of {name!r} for an image of shape {list(shape)}; "
        "count voxels from 0"
    )


def cropped(path: Path) -> dict:
    """The image in the network's grid, without guidance."""
    data: dict = {"image": str(path)}
    for step in pipelines((0.5, 0.5, 0.5))[0].transforms[:-1]:
        data = step(data)
    return data


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (
            torch.zeros(1, 4, 4, 4),
            "click guidance needs an image with metadata (MetaTensor), got Tensor; "
            "put AddClickGuidanced after LoadImaged and keep MONAI's metadata tracking on",
        ),
        (
            np.zeros((1, 4, 4, 4)),
            "click guidance needs an image with metadata (MetaTensor), got ndarray; "
            "put AddClickGuidanced after LoadImaged and keep MONAI's metadata tracking on",
        ),
        (
            image_of(torch.zeros(1, 4, 4, 4, dtype=torch.int16)),
            "click guidance needs a floating-point image (C, x, y, z), got torch.int16 of shape (1, 4, 4, 4); "
            "put AddClickGuidanced after EnsureChannelFirstd and EnsureTyped",
        ),
        (
            image_of(torch.zeros(4, 4, 4)),
            "click guidance needs a floating-point image (C, x, y, z), got torch.float32 of shape (4, 4, 4); "
            "put AddClickGuidanced after EnsureChannelFirstd and EnsureTyped",
        ),
    ],
    ids=["tensor", "array", "integers", "no channel axis"],
)
def test_what_is_no_loaded_image_is_refused(image: Any, message: str) -> None:
    with pytest.raises(UserError) as error:
        guidance()({"image": image})
    assert str(error.value) == message


@pytest.mark.parametrize("field", ["original_affine", "spatial_shape"])
@pytest.mark.parametrize("value", [None, "none"])
def test_a_click_on_an_image_without_a_stored_grid_is_refused(field: str, value: object) -> None:
    with pytest.raises(UserError) as error:
        guidance()({"image": image_of(torch.zeros(1, 4, 4, 4), **{field: value}), "anterior": [[1, 1, 1]]})
    assert str(error.value) == (
        f"a click needs the stored image's {field}, got none in the metadata; load the image with LoadImaged from a "
        "file that has an affine, such as NIfTI"
    )


def test_arguments_are_checked_before_any_image_is() -> None:
    with pytest.raises(UserError, match=r"must have the key of one image, got \['image', 'label'\]"):
        AddClickGuidanced(["image", "label"], labels=LABELS, sigma=1)
    with pytest.raises(UserError, match="sigma must be a number of voxels above 0, got 0"):
        AddClickGuidanced("image", labels=LABELS, sigma=0)
    with pytest.raises(UserError, match="without a gap"):
        AddClickGuidanced("image", labels={"2": "Posterior"}, sigma=1)
