"""Windows: patches reach every part of an image, a third of them lie on foreground, and nothing is shifted."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.transforms import CenterSpatialCrop, ClassesToIndicesd

from adw_components.data.window import RandWindowByClassd, cut
from adw_components.errors import UserError

LENGTHS = st.tuples(*[st.integers(1, 30)] * 3)


def coordinates(shape: tuple[int, ...]) -> torch.Tensor:
    """(3, *shape): every voxel holds its position, counted from 1, so that 0 is outside."""
    return torch.stack(torch.meshgrid(*[torch.arange(1.0, length + 1) for length in shape], indexing="ij"))


def case(label: torch.Tensor, classes: int = 3) -> dict:
    data = {"image": coordinates(tuple(label.shape)), "label": label[None]}
    return ClassesToIndicesd(keys="label", num_classes=classes, max_samples_per_class=10_000)(data)


def windows(patch: tuple, window: tuple, **options: float) -> RandWindowByClassd:
    transform = RandWindowByClassd(
        ["image", "label"], indices_key="label_cls_indices", patch_size=patch, window_size=window, **options
    )
    transform.set_random_state(0)
    return transform


def patches(transform: RandWindowByClassd, data: dict, count: int) -> list[dict]:
    middle = CenterSpatialCrop(transform.patch_size)
    return [{key: middle(value) for key, value in transform(data).items()} for _ in range(count)]


def test_patches_reach_both_ends_of_every_axis_whatever_the_margin() -> None:
    data = case(torch.zeros(40, 30, 20, dtype=torch.uint8))
    found = patches(windows((16, 16, 16), (28, 36, 16)), data, 300)
    for axis, length in enumerate((40, 30, 20)):
        seen = [patch["image"][axis] for patch in found]
        assert min(part.min() for part in seen) == 1 and max(part.max() for part in seen) == length
    assert len({tuple(patch["image"][:, 0, 0, 0].tolist()) for patch in found}) > 200


def test_a_third_lies_on_foreground_and_each_class_equally_often() -> None:
    label = torch.zeros(40, 40, 40, dtype=torch.uint8)
    label[:2, :2, :2], label[38:, 38:, 38:] = 1, 2  # far apart, in corners
    found = patches(windows((12, 12, 12), (20, 20, 20)), case(label), 1200)
    shares = Counter(int(patch["label"].max()) for patch in found)
    assert shares[1] / 1200 == pytest.approx(1 / 6, abs=0.04)
    assert shares[2] / 1200 == pytest.approx(1 / 6, abs=0.04)


def test_a_missing_class_leaves_its_share_to_the_others() -> None:
    label = torch.zeros(30, 30, 30, dtype=torch.uint8)
    label[0, 0, 0] = 2
    found = patches(windows((8, 8, 8), (8, 8, 8), foreground=1.0), case(label), 20)
    assert all(patch["label"].max() == 2 for patch in found)
    empty = patches(windows((8, 8, 8), (8, 8, 8), foreground=1.0), case(label * 0), 20)
    assert len({tuple(patch["image"][:, 0, 0, 0].tolist()) for patch in empty}) > 10


@given(LENGTHS, LENGTHS, st.tuples(*[st.integers(0, 4)] * 3), st.integers(0, 99))
def test_image_and_label_stay_together_and_the_patch_inside(
    shape: tuple, patch: tuple, margin: tuple, seed: int
) -> None:
    label = (coordinates(shape).sum(dim=0) % 3).to(torch.uint8)
    window = tuple(size + 2 * more for size, more in zip(patch, margin, strict=True))
    transform = windows(patch, window)
    transform.set_random_state(seed)
    (found,) = patches(transform, case(label), 1)
    inside = found["image"][0] > 0
    assert torch.equal(found["label"][0][inside], (found["image"].sum(dim=0) % 3).to(torch.uint8)[inside])
    assert int(inside.sum()) == np.prod(np.minimum(shape, patch))
    assert tuple(found["image"].shape[1:]) == patch


@given(LENGTHS, LENGTHS, st.tuples(*[st.integers(-9, 9)] * 3))
def test_a_cut_is_the_window_of_the_padded_image(shape: tuple, size: tuple, starts: tuple) -> None:
    image = coordinates(shape)
    # At least a voxel of the image lies inside.
    starts = tuple(
        min(max(start, 1 - length), full - 1) for start, length, full in zip(starts, size, shape, strict=True)
    )
    large = torch.zeros(3, *(length + 60 for length in shape))
    large[(slice(None), *(slice(30, 30 + length) for length in shape))] = image
    expected = large[(slice(None), *(slice(30 + a, 30 + a + b) for a, b in zip(starts, size, strict=True)))]
    assert torch.equal(cut(image, starts, size), expected)


def test_windows_that_are_not_centred_on_their_patch_are_refused() -> None:
    for window in ((7, 8, 8), (9, 8, 8)):
        with pytest.raises(UserError, match="even numbers"):
            windows((8, 8, 8), window)
