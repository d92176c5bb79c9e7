"""Crops: the region that is not 0, and a crop that holds all that augmentation may bring into the patch."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from adw_components.data.cropping import is_nonzero, window_size
from adw_components.errors import UserError

sizes = st.tuples(*[st.integers(4, 64)] * 3)
angles = st.tuples(*[st.floats(0, math.pi)] * 3)
scales = st.tuples(*[st.floats(0, 0.5)] * 3)


def corners(size: tuple[int, ...]) -> np.ndarray:
    return np.array(list(np.ndindex(2, 2, 2))) * np.array(size) - np.array(size) / 2


@given(sizes, angles, st.integers(0, 2), st.floats(0, 1))
def test_a_patch_turned_about_one_axis_lies_inside(size: tuple, rotate: tuple, axis: int, share: float) -> None:
    crop = window_size(size, rotate_range=rotate, scale_range=(0, 0, 0))
    angle, (first, second) = share * rotate[axis], [other for other in range(3) if other != axis]
    turned = corners(size)
    x, y = turned[:, first].copy(), turned[:, second].copy()
    turned[:, first], turned[:, second] = (
        math.cos(angle) * x - math.sin(angle) * y,
        math.sin(angle) * x + math.cos(angle) * y,
    )
    assert np.all(np.abs(turned) <= np.array(crop) / 2 + 1e-6)


@given(sizes, scales)
def test_a_patch_zoomed_out_lies_inside_and_centres_coincide(size: tuple, scale: tuple) -> None:
    crop = window_size(size, rotate_range=(0, 0, 0), scale_range=scale)
    for length, patch, zoom in zip(crop, size, scale, strict=True):
        assert patch * (1 + zoom) <= length + 1e-6 < patch * (1 + zoom) + 2 + 1e-5
        assert (length - patch) % 2 == 0


def test_nothing_to_augment_is_the_patch_itself() -> None:
    assert window_size((40, 56, 40), rotate_range=(0, 0, 0), scale_range=(0, 0, 0)) == (40, 56, 40)
    assert window_size((40, 56), rotate_range=(0,), scale_range=(0, 0)) == (40, 56)


@pytest.mark.parametrize(("rotate", "scale"), [((4, 0, 0), (0, 0, 0)), ((0, 0), (0, 0, 0)), ((0, 0, 0), (1, 0, 0))])
def test_wrong_ranges_are_one_line(rotate: tuple, scale: tuple) -> None:
    with pytest.raises(UserError, match="_range must be"):
        window_size((8, 8, 8), rotate_range=rotate, scale_range=scale)


def test_what_is_not_zero_and_everything_of_an_empty_image() -> None:
    image = torch.zeros(1, 4, 4)
    assert is_nonzero(image).all()
    image[0, 1, 2] = -5
    assert is_nonzero(image).sum() == 1
