"""Numbers that cannot be trained with; and those that only look as if."""

from pathlib import Path

import numpy as np
import pytest

from adw_components.data.volumes import Task, check_voxels
from adw_components.data.voxels import fill_problem, voxel_problem

SHAPE = (24, 24, 20)


def noise(least: float = 0, most: float = 900, dtype: type = np.float32) -> np.ndarray:
    return np.asfortranarray(np.random.default_rng(0).uniform(least, most, SHAPE).astype(dtype))


def with_values(image: np.ndarray, *values: float, share: float = 0.2) -> np.ndarray:
    """The image with this share of its voxels taken by fill values, slabs of them."""
    image = image.copy(order="F")
    count = max(1, round(share * image.size / len(values)))
    for index, value in enumerate(values):
        image.ravel(order="K")[index * count : (index + 1) * count] = value
    return image


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        (with_values(noise(dtype=np.float64), 1e300, share=0), "1 voxel(s) are beyond 1e+15, such as 1e+300"),
        (with_values(noise(), -3e38, share=0), "1 voxel(s) are beyond 1e+15, such as -3e+38"),
        (with_values(noise(), 2e15, np.nan, share=0), "1 voxel(s) are NaN or infinite"),
        (with_values(noise(), 9e14, share=0), None),
        (noise(-3000, 3000, np.int16), None),
        (np.zeros(SHAPE, np.uint8), "every voxel is 0"),
        (noise(dtype=np.float64) * 1e-310, "every voxel is below 1e-15, which float32 cannot square"),
        (noise(0, 1e-12), None),  # a diffusivity in m2/s has 1e-9
        (np.full(SHAPE, np.iinfo(np.int64).min), "11520 voxel(s) are beyond 1e+15, such as -9.22337e+18"),
    ],
)
def test_numbers_that_float32_cannot_square(image: np.ndarray, problem: str | None) -> None:
    found = voxel_problem(image)
    assert (found and found[0]) == problem


def test_fill_values_that_normalization_would_flatten() -> None:
    image = with_values(noise(dtype=np.int16), -32768)
    assert (image == -32768).sum() == 2304
    found = fill_problem(image)
    assert found is not None and "which normalization would flatten" in found[0]
    assert found[0].startswith("value -32768 in 2304 voxel(s) lies far outside the others (0 to 899)")
    assert found[1] == "replace it, say by 0"


@pytest.mark.parametrize(
    ("values", "share"), [((1e10,), 0), ((-1e9, 1e9), 0.1), ((65535 * 8.0,), 0.05), ((3e9, -2e9, 2.5e9), 0.3)]
)
def test_one_to_three_fill_values(values: tuple[float, ...], share: float) -> None:
    assert fill_problem(with_values(noise(), *values, share=share)) is not None


@pytest.mark.parametrize(
    "image",
    [
        noise(),
        noise(-1024, 3071, np.int16),
        with_values(noise(0, 60), 1500, share=0),  # one hot voxel
        with_values(noise(0, 900, np.int16), -1024, share=0.4),  # the field of view of a CT
        with_values(noise(0, 900), 4000, share=0.01),  # metal
        with_values(np.zeros(SHAPE, np.float32), 1000),  # two values, of which neither is the fill
        with_values(noise(0, 100), *np.linspace(5000, 6000, 9)),  # a structure, not a fill
        np.full(SHAPE, 7.0),
    ],
)
def test_what_is_no_fill_value(image: np.ndarray) -> None:
    assert fill_problem(image) is None


def test_fill_values_matter_to_channels_that_are_z_scored() -> None:
    image = np.stack([noise(), with_values(noise(), -1e6)], axis=-1)
    for z_scored, count in (({0}, 0), ({1}, 1), ({0, 1}, 1), (set(), 0)):
        task = Task(in_channels=2, z_scored=frozenset(z_scored))
        assert len(check_voxels(Path("a.nii"), image, task).faults) == count
