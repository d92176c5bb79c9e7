"""Where the simulated annotator clicks, on volumes whose errors are known."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from adw_components.interactive.corrections import Click, correction_click, seed_clicks

VOLUMES = arrays.arrays(np.uint8, (4, 3, 4), elements=st.integers(0, 2))


def box(shape: tuple[int, ...], low: tuple[int, ...], high: tuple[int, ...], value: int = 1) -> np.ndarray:
    volume = np.zeros(shape, np.uint8)
    volume[tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))] = value
    return volume


def test_the_middle_of_a_missing_cube_is_clicked_with_its_class() -> None:
    label = box((20, 20, 20), (4, 6, 8), (9, 11, 13), value=2)
    assert correction_click(np.zeros_like(label), label) == Click(value=2, voxel=(6, 8, 10))


def test_too_much_foreground_is_corrected_with_background() -> None:
    prediction = box((20, 20, 20), (4, 6, 8), (9, 11, 13))
    assert correction_click(prediction, np.zeros_like(prediction)) == Click(value=0, voxel=(6, 8, 10))


def test_one_class_for_another_is_corrected_with_the_true_one() -> None:
    label = box((20, 20, 20), (4, 6, 8), (9, 11, 13), value=2)
    prediction = np.where(label, 1, 0).astype(np.uint8)
    assert correction_click(prediction, label) == Click(value=2, voxel=(6, 8, 10))


def test_the_largest_region_comes_first_and_touching_classes_are_regions_of_their_own() -> None:
    label = box((30, 8, 8), (0, 0, 0), (5, 8, 8), value=1) + box((30, 8, 8), (5, 0, 0), (11, 8, 8), value=2)
    # 320 voxels of class 1, 384 of class 2, together 704, and 600 of background elsewhere
    prediction = box((30, 8, 8), (18, 0, 0), (30, 7, 7), value=1)
    click = correction_click(prediction, label)
    assert click is not None and click.value == 0 and click.voxel[0] in range(18, 30)


def test_a_region_at_the_border_is_clicked_inside_of_it_not_on_the_border() -> None:
    label = box((12, 12, 12), (0, 0, 0), (5, 5, 5))
    assert correction_click(np.zeros_like(label), label) == Click(value=1, voxel=(2, 2, 2))


def test_nothing_wrong_is_no_click() -> None:
    label = box((5, 5, 5), (1, 1, 1), (3, 3, 3))
    assert correction_click(label, label) is None


@given(prediction=VOLUMES, label=VOLUMES, random=st.booleans())
def test_a_click_is_on_an_error_and_says_what_is_right_there(
    prediction: np.ndarray, label: np.ndarray, random: bool
) -> None:
    click = correction_click(prediction, label, random=random)
    if (prediction == label).all():
        assert click is None
        return
    assert click is not None
    assert label[click.voxel] == click.value != prediction[click.voxel]


@given(prediction=VOLUMES, label=VOLUMES)
def test_the_region_is_the_largest_by_flooding(prediction: np.ndarray, label: np.ndarray) -> None:
    """The size of the clicked region, found by flooding from the click, against that of every other region."""
    wrong = prediction != label
    click = correction_click(prediction, label)
    if click is None:
        return
    sizes, left = [], set(map(tuple, np.argwhere(wrong).tolist()))
    while left:
        region = flooded(next(iter(left)), wrong, label)
        sizes.append(len(region))
        left -= region
    assert len(flooded(click.voxel, wrong, label)) == max(sizes)


def flooded(start: tuple[int, ...], wrong: np.ndarray, label: np.ndarray) -> set[tuple[int, ...]]:
    found, pending = {start}, [start]
    while pending:
        voxel = pending.pop()
        for axis in range(3):
            for step in (-1, 1):
                other = tuple(index + step * (axis == place) for place, index in enumerate(voxel))
                inside = all(0 <= index < size for index, size in zip(other, wrong.shape, strict=True))
                if inside and other not in found and wrong[other] and label[other] == label[start]:
                    found.add(other)
                    pending.append(other)
    return found


def test_random_clicks_prefer_the_inside_in_proportion_to_the_depth() -> None:
    """A bar of 1 x 1 x 1, 3 x 3 x 3 voxels: the middle is 2 deep, the 26 others 1."""
    label = box((9, 9, 9), (3, 3, 3), (6, 6, 6))
    torch.manual_seed(0)
    drawn = [correction_click(np.zeros_like(label), label, random=True) for _ in range(2000)]
    middle = np.mean([click is not None and click.voxel == (4, 4, 4) for click in drawn])
    assert middle == pytest.approx(2 / 28, abs=0.02)
    assert len({click.voxel for click in drawn if click}) == 27


@given(label=VOLUMES)
def test_seeds_lie_in_every_foreground_class_that_is_there(label: np.ndarray) -> None:
    seeds = seed_clicks(label)
    assert [seed.value for seed in seeds] == [value for value in (1, 2) if (label == value).any()]
    assert all(label[seed.voxel] == seed.value for seed in seeds)
