"""Guidance against a Gaussian over the whole grid, clicked voxels against exact arithmetic."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from adw_components.errors import UserError
from adw_components.interactive.guidance import click_voxel, guidance_channels, voxel_in_grid

SIGMAS = st.floats(0.2, 4)


@st.composite
def clicked_grids(draw: st.DrawFn) -> tuple[tuple[int, ...], list[list[tuple[int, ...]]]]:
    """A shape of 2 or 3 axes and clicks in it, of one to three labels."""
    shape = tuple(draw(st.lists(st.integers(1, 11), min_size=2, max_size=3)))
    point = st.tuples(*[st.integers(0, size - 1) for size in shape])
    return shape, draw(st.lists(st.lists(point, max_size=4), min_size=1, max_size=3))


def distance(shape: tuple[int, ...], clicks: list[tuple[int, ...]]) -> np.ndarray:
    """Of every voxel to the nearest click, infinite without clicks."""
    voxels = np.stack(np.indices(shape), axis=-1).astype(float)
    return np.min([np.full(shape, np.inf), *(np.linalg.norm(voxels - click, axis=-1) for click in clicks)], axis=0)


@given(clicked_grids(), SIGMAS)
def test_guidance_is_the_gaussian_of_the_nearest_click_up_to_four_sigma(grid: tuple, sigma: float) -> None:
    shape, points = grid
    channels = guidance_channels(points, shape=shape, sigma=sigma)
    assert channels.shape == (len(points), *shape) and channels.dtype == torch.float32
    for channel, clicks in zip(channels.numpy(), points, strict=True):
        nearest = distance(shape, clicks)
        expected = np.where(nearest > 4 * sigma, 0, np.exp(-(nearest**2) / (2 * sigma**2)))
        decided = np.abs(nearest - 4 * sigma) > 1e-9
        np.testing.assert_allclose(channel[decided], expected[decided], rtol=1e-6, atol=0)
        assert np.array_equal(channel == 1, nearest == 0)


@given(clicked_grids(), SIGMAS, st.randoms(use_true_random=False))
def test_neither_the_order_of_clicks_nor_a_second_click_on_a_voxel_matters(grid: tuple, sigma: float, random) -> None:
    shape, points = grid
    shuffled = [random.sample(clicks + clicks[:1], len(clicks + clicks[:1])) for clicks in points]
    expected = guidance_channels(points, shape=shape, sigma=sigma)
    assert torch.equal(guidance_channels(shuffled, shape=shape, sigma=sigma), expected)


@given(clicked_grids(), SIGMAS)
def test_channels_know_nothing_of_each_other(grid: tuple, sigma: float) -> None:
    shape, points = grid
    alone = [guidance_channels([clicks], shape=shape, sigma=sigma) for clicks in points]
    assert torch.equal(guidance_channels(points, shape=shape, sigma=sigma), torch.cat(alone))


@pytest.mark.parametrize("corner", itertools.product((0, -1), repeat=3))
def test_a_click_in_a_corner_is_an_eighth_of_one_in_the_middle(corner: tuple) -> None:
    middle = guidance_channels([[(10, 10, 10)]], shape=(21, 21, 21), sigma=2)[0]
    eighth = middle[tuple(slice(10, None) if end == 0 else slice(None, 11) for end in corner)]
    found = guidance_channels([[tuple(0 if end == 0 else 10 for end in corner)]], shape=(11, 11, 11), sigma=2)[0]
    assert torch.equal(found, eighth)


def test_no_click_is_zero() -> None:
    assert torch.equal(guidance_channels([[], []], shape=torch.Size((2, 3, 4)), sigma=1), torch.zeros(2, 2, 3, 4))


@pytest.mark.parametrize("sigma", [0, -1, math.nan, math.inf, "2", None, True])
def test_sigma_is_a_number_above_zero(sigma: object) -> None:
    with pytest.raises(UserError) as error:
        guidance_channels([[]], shape=(2, 2, 2), sigma=sigma)  # type: ignore[arg-type]
    assert str(error.value) == f"sigma must be a number of voxels above 0, got {sigma!r}"


@pytest.mark.parametrize("point", [(-1, 0, 0), (0, 3, 0), (0, 0), (0, 0, 0, 0)])
def test_a_click_outside_of_the_grid_is_refused(point: tuple) -> None:
    with pytest.raises(UserError) as error:
        guidance_channels([[point]], shape=(2, 3, 4), sigma=1)
    assert str(error.value) == f"a click must lie in the grid, got {list(point)} for a grid of shape [2, 3, 4]"


@st.composite
def affines(draw: st.DrawFn) -> np.ndarray:
    """Any orientation and spacing, as a NIfTI header stores it: in 32 bits."""
    angles = draw(st.tuples(*[st.floats(-180, 180)] * 3))
    flips = draw(st.tuples(*[st.sampled_from((-1, 1))] * 3))
    spacing = draw(st.tuples(*[st.floats(0.3, 5)] * 3))
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * np.multiply(flips, spacing)
    affine[:3, 3] = draw(st.tuples(*[st.floats(-400, 400)] * 3))
    return affine.astype(np.float32).astype(np.float64)


VOXELS = st.tuples(*[st.integers(0, 600)] * 3)


@given(affines(), VOXELS)
def test_a_voxel_of_one_grid_is_itself(affine: np.ndarray, point: tuple) -> None:
    assert click_voxel(point, affine, affine) == point
    assert click_voxel(point, torch.as_tensor(affine), affine.astype(np.float32)) == point


@given(affines(), VOXELS, st.tuples(*[st.integers(-20, 20)] * 3), st.permutations(range(3)))
def test_crops_and_turned_axes_are_undone_exactly(
    affine: np.ndarray, point: tuple, start: tuple, order: list[int]
) -> None:
    cropped = np.eye(4)
    cropped[:3, 3] = start
    turned = np.eye(4)
    turned[:3, :3] = np.eye(3)[:, order]
    expected = tuple(point[axis] - start[axis] for axis in order)
    assert click_voxel(point, affine, affine @ cropped @ turned) == expected


@given(affines(), VOXELS, st.tuples(*[st.sampled_from((1, 2))] * 3))
def test_ties_go_to_the_lower_index_whatever_the_affine(affine: np.ndarray, point: tuple, steps: tuple) -> None:
    # A voxel of odd index lies in the middle of two voxels that are twice as long.
    expected = tuple(index // step for index, step in zip(point, steps, strict=True))
    assert click_voxel(point, affine, affine @ np.diag([*steps, 1])) == expected


@pytest.mark.parametrize("stored", [0.7, 0.703125, 0.9765625, 1.1])
def test_a_tie_stays_one_where_a_header_rounds_the_spacing(stored: float) -> None:
    original = np.diag([*np.float32([stored] * 3), 1]).astype(np.float64)
    for index in range(0, 600):
        assert click_voxel((index,) * 3, original, np.diag([2 * stored] * 3 + [1])) == (index // 2,) * 3


@given(st.tuples(*[st.integers(1, 40)] * 3), st.tuples(*[st.integers(1, 40)] * 3), VOXELS, st.tuples(*[VOXELS] * 2))
def test_the_voxel_is_the_nearest_by_exact_arithmetic(
    spacing: tuple, other: tuple, point: tuple, origins: tuple
) -> None:
    # Spacings in eighths of a millimetre, so that floats are exact and a tie is one.
    grids = [np.diag([*(length / 8 for length in lengths), 1]) for lengths in (spacing, other)]
    for grid, origin in zip(grids, origins, strict=True):
        grid[:3, 3] = np.divide(origin, 8)
    positions = [
        Fraction(origins[0][axis] - origins[1][axis] + point[axis] * spacing[axis], other[axis]) for axis in range(3)
    ]
    expected = tuple(math.ceil(position - Fraction(1, 2)) for position in positions)
    assert click_voxel(point, *grids) == expected


@pytest.mark.parametrize("step", [0.5, 1, 2])
def test_a_grid_holds_the_voxels_that_overlap_it(step: float) -> None:
    # Ten voxels as long, half or twice as long, the first centred on voxel 5.
    affine = np.diag([step] * 3 + [1.0])
    affine[:3, 3] = 5
    held = [voxel_in_grid((at, 9, 9), original_affine=np.eye(4), affine=affine, shape=(10, 10, 10)) for at in range(40)]
    inside = [at for at in range(40) if (at - 0.5 < 5 + step * 9.5) and (at + 0.5 > 5 - step * 0.5)]
    assert [at for at, voxel in enumerate(held) if voxel is not None] == inside
    nearest = [int(np.abs(5 + step * np.arange(10) - at).argmin()) for at in inside]
    assert [voxel[0] for voxel in held if voxel is not None] == nearest
