"""A click is found again in the network's grid, exactly: all 48 orientations, any spacing, crops, oblique scans.

What is right is told by the image itself, whose brightest voxel is clicked and goes through the same preprocessing, or
by nibabel's world coordinates; never by how guidance computes it.
"""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from clicked_images import ORIENTATIONS, ClickedImage, nearest_voxel, peak, pipelines, write_image
from monai.utils import optional_import

SIGMA = 1.5
READERS = [
    "NibabelReader",
    pytest.param("ITKReader", marks=pytest.mark.skipif(not optional_import("itk")[1], reason="no itk")),
]
SEEDS = {code: seed for seed, code in enumerate(ORIENTATIONS)}

every_orientation = pytest.mark.parametrize("code", ORIENTATIONS)
every_reader = pytest.mark.parametrize("reader", READERS)
straight_or_oblique = pytest.mark.parametrize("oblique", [False, True], ids=["straight", "oblique"])


def test_the_orientations_are_the_48_of_nibabel() -> None:
    affines = [nib.orientations.inv_ornt_aff(nib.orientations.axcodes2ornt(code), (2, 3, 4)) for code in ORIENTATIONS]
    assert len({affine.tobytes() for affine in affines}) == 48


@every_orientation
@every_reader
@straight_or_oblique
def test_guidance_peaks_at_the_clicked_voxel_of_the_image(
    tmp_path: Path, code: str, reader: str, oblique: bool
) -> None:
    stored = write_image(tmp_path / "image.nii.gz", code, SEEDS[code], oblique=oblique)
    preprocessing, _ = pipelines(stored.ras_spacing, reader=reader)
    image = preprocessing({"image": str(stored.path), "posterior": [list(stored.point)]})["image"]
    assert image.shape[0] == 4
    assert peak(image[3]) == peak(image[0])
    assert image[3].max() == 1 and not image[1:3].any()


@every_orientation
def test_so_it_does_where_respacing_divides_the_voxels(tmp_path: Path, code: str) -> None:
    # Every stored voxel keeps its centre, and its value, among the new ones. (Oblique grids are shifted by MONAI.)
    stored = write_image(tmp_path / "image.nii.gz", code, SEEDS[code] + 100)
    parts = np.random.default_rng(SEEDS[code]).choice([1, 2, 3], 3)
    preprocessing, _ = pipelines(np.divide(stored.ras_spacing, parts))
    image = preprocessing({"image": str(stored.path), "anterior": [stored.point]})["image"]
    assert peak(image[2]) == peak(image[0])


@every_orientation
@every_reader
@straight_or_oblique
def test_respaced_it_peaks_at_the_voxel_nearest_in_the_world(
    tmp_path: Path, code: str, reader: str, oblique: bool
) -> None:
    stored = write_image(tmp_path / "image.nii.gz", code, SEEDS[code] + 200, oblique=oblique)
    draw = np.random.default_rng(SEEDS[code])
    preprocessing, _ = pipelines(draw.uniform(0.5, 4, 3), reader=reader)
    points = [tuple(draw.integers(stored.first, np.add(stored.last, 1)).tolist()) for _ in range(3)]
    clicks = zip(("background", "anterior", "posterior"), points, strict=True)
    image = preprocessing({"image": str(stored.path), **{name: [point] for name, point in clicks}})["image"]
    for channel, point in zip(image[1:], points, strict=True):
        assert peak(channel) == nearest_voxel(stored, point, image)


@every_orientation
@every_reader
def test_a_prediction_at_the_click_goes_back_to_the_stored_voxel(tmp_path: Path, code: str, reader: str) -> None:
    stored = write_image(tmp_path / "image.nii.gz", code, SEEDS[code] + 300, oblique=SEEDS[code] % 2 == 0)
    preprocessing, postprocessing = pipelines(stored.ras_spacing, sigma=SIGMA, reader=reader)
    data = preprocessing({"image": str(stored.path), "anterior": [stored.point]})
    # As if the network had predicted its guidance.
    restored = postprocessing({**data, "pred": data["image"][1:].clone()})["pred"]
    assert tuple(restored.shape) == (3, *stored.shape)
    np.testing.assert_allclose(restored.affine.numpy(), stored.affine, atol=1e-4)
    np.testing.assert_allclose(restored[1].numpy(), expected_guidance(stored), atol=2e-3)
    assert not restored[[0, 2]].any()


def expected_guidance(stored: ClickedImage) -> np.ndarray:
    """The Gaussian in the stored grid, 0 where the image is cropped away."""
    voxels = np.stack(np.indices(stored.shape), axis=-1)
    gaussian = np.exp(-np.square(voxels - stored.point).sum(axis=-1) / (2 * SIGMA**2))
    kept = np.all((voxels >= stored.first) & (voxels <= stored.last), axis=-1)
    return np.where(kept, gaussian, 0)
