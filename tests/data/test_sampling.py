"""Reading patches: the same values as scipy's and MONAI's resampling of the whole image, from a part of it."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.transforms import Affine, CenterSpatialCrop
from monai.transforms.utils import create_rotate, create_scale
from scipy.ndimage import affine_transform

from adw_components.data.sampling import cut, sampled, turned

SHAPES = st.tuples(*[st.integers(1, 24)] * 3)
ANGLES = st.tuples(*[st.floats(-math.pi, math.pi)] * 3)
FACTORS = st.tuples(*[st.floats(0.7, 1.4)] * 3)


def volume(shape: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    """(1, *shape), random."""
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed))


def read(image: torch.Tensor, starts: tuple, size: tuple, matrix: torch.Tensor, mode: str = "bilinear") -> torch.Tensor:
    """The patch in one call."""
    return sampled(image, turned(starts, size, matrix, image.shape[1:]), mode)


def matrix_of(angles: tuple[float, ...], factors: tuple[float, ...]) -> torch.Tensor:
    """A rotation after a scaling."""
    rotation, scaling = create_rotate(3, angles), create_scale(3, factors)
    return torch.as_tensor(rotation @ scaling)[:3, :3]


def resampled_by_scipy(image: torch.Tensor, starts: tuple, size: tuple, matrix: torch.Tensor) -> torch.Tensor:
    """Order 1 of the whole image in 64 bits."""
    middle = (np.array(size) - 1) / 2
    offset = np.array(starts) + middle - matrix.numpy() @ middle
    found = affine_transform(
        image[0].double().numpy(), matrix.numpy(), offset, output_shape=size, order=1, mode="grid-constant"
    )
    return torch.from_numpy(found)[None]


@given(SHAPES, SHAPES, st.tuples(*[st.integers(-9, 9)] * 3))
def test_a_cut_is_the_part_of_the_padded_image(shape: tuple, size: tuple, starts: tuple) -> None:
    image = volume(shape)
    # At least a voxel of the image lies inside.
    starts = tuple(
        min(max(start, 1 - length), full - 1) for start, length, full in zip(starts, size, shape, strict=True)
    )
    large = torch.zeros(1, *(length + 60 for length in shape))
    large[(slice(None), *(slice(30, 30 + length) for length in shape))] = image
    expected = large[(slice(None), *(slice(30 + a, 30 + a + b) for a, b in zip(starts, size, strict=True)))]
    assert torch.equal(cut(image, starts, size), expected)


@given(SHAPES, SHAPES, st.tuples(*[st.floats(0, 1)] * 3), ANGLES, FACTORS)
def test_a_turned_and_scaled_patch_is_scipys(
    shape: tuple, size: tuple, places: tuple, angles: tuple, factors: tuple
) -> None:
    """Wherever the middle of the patch lies in the image."""
    starts = tuple(
        round(place * (full - 1) - (length - 1) / 2) for place, full, length in zip(places, shape, size, strict=True)
    )
    matrix = matrix_of(angles, factors).to(torch.float64)
    expected = resampled_by_scipy(volume(shape), starts, size, matrix)
    torch.testing.assert_close(read(volume(shape), starts, size, matrix), expected.to(torch.float32), atol=2e-4, rtol=0)


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_the_identity_gives_the_cut(mode: str) -> None:
    image, starts, size = volume((17, 12, 9)), (-2, 3, 1), (14, 11, 6)
    found = read(image, starts, size, torch.eye(3), mode)
    torch.testing.assert_close(found, cut(image, starts, size), atol=1e-5, rtol=0)


def test_a_quarter_turn_moves_voxels_and_mixes_none() -> None:
    label = torch.randint(5, (1, 12, 12, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    quarter = torch.as_tensor(create_rotate(3, (0, 0, math.pi / 2)))[:3, :3]
    found = read(label, (1, 1, 1), (10, 10, 4), quarter, "nearest")
    assert found.dtype == torch.uint8
    assert torch.equal(found, torch.rot90(cut(label, (1, 1, 1), (10, 10, 4)), -1, (1, 2)))


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_as_monai_does_it_with_a_window(mode: str) -> None:
    """Its transform keeps the window's size, so that the patch is cut from the middle afterwards."""
    image, size, margin = volume((40, 40, 40)), (12, 16, 8), 12
    window = cut(image, tuple(10 - margin for _ in size), [length + 2 * margin for length in size])
    angles, factors = (0.3, -0.2, 0.4), (1.2, 0.8, 1.0)
    affine = Affine(rotate_params=angles, scale_params=factors, padding_mode="zeros", mode=mode, image_only=True)
    expected = CenterSpatialCrop(size)(affine(window)).as_tensor()
    found = read(image, (10, 10, 10), size, matrix_of(angles, factors), mode)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_in_the_plane() -> None:
    image = volume((1, 20, 20))[0]
    turn = torch.as_tensor(create_rotate(2, (math.pi / 2,)))[:2, :2]
    expected = torch.rot90(cut(image, (4, 4), (9, 9)), -1, (1, 2))
    torch.testing.assert_close(read(image, (4, 4), (9, 9), turn), expected, atol=1e-5, rtol=0)
