"""Patches reach every part of an image, a third lie on foreground, and a fifth each are turned and scaled."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.transforms import ClassesToIndicesd

from adw_components.data.patch import RandPatchByClassd
from adw_components.data.sampling import sampled, turned
from adw_components.errors import UserError

LENGTHS = st.tuples(*[st.integers(1, 30)] * 3)


def coordinates(shape: tuple[int, ...]) -> torch.Tensor:
    """(3, *shape): every voxel holds its position, counted from 1, so that 0 is outside."""
    return torch.stack(torch.meshgrid(*[torch.arange(1.0, length + 1) for length in shape], indexing="ij"))


def case(label: torch.Tensor, classes: int = 3) -> dict:
    data = {"image": coordinates(tuple(label.shape)), "label": label[None]}
    return ClassesToIndicesd(keys="label", num_classes=classes, max_samples_per_class=10_000)(data)


def patches(size: tuple, data: dict, count: int, seed: int = 0, **options: Any) -> list[dict]:
    transform = cropper(size, seed=seed, **{"prob": 0.0, **options})
    return [transform(data) for _ in range(count)]


def cropper(size: tuple, *, seed: int = 0, **options: Any) -> RandPatchByClassd:
    ranges = {"rotate_range": (0.5, 0.4, 0.3), "scale_range": (0.4, 0.3, 0.2)}
    transform = RandPatchByClassd(
        ["image", "label"],
        mode=["bilinear", "nearest"],
        indices_key="label_cls_indices",
        patch_size=size,
        **{**ranges, **options},
    )
    transform.set_random_state(seed)
    return transform


def test_patches_reach_both_ends_of_every_axis() -> None:
    found = patches((16, 16, 16), case(torch.zeros(40, 30, 20, dtype=torch.uint8)), 300)
    for axis, length in enumerate((40, 30, 20)):
        seen = [patch["image"][axis] for patch in found]
        assert min(part.min() for part in seen) == 1 and max(part.max() for part in seen) == length
    assert len({tuple(patch["image"][:, 0, 0, 0].tolist()) for patch in found}) > 200


def test_a_third_lies_on_foreground_and_each_class_equally_often() -> None:
    label = torch.zeros(40, 40, 40, dtype=torch.uint8)
    label[:2, :2, :2], label[38:, 38:, 38:] = 1, 2  # far apart, in corners
    found = patches((12, 12, 12), case(label), 1200)
    shares = Counter(int(patch["label"].max()) for patch in found)
    assert shares[1] / 1200 == pytest.approx(1 / 6, abs=0.04)
    assert shares[2] / 1200 == pytest.approx(1 / 6, abs=0.04)


def test_a_missing_class_leaves_its_share_to_the_others() -> None:
    label = torch.zeros(30, 30, 30, dtype=torch.uint8)
    label[0, 0, 0] = 2
    found = patches((8, 8, 8), case(label), 20, foreground=1.0)
    assert all(patch["label"].max() == 2 for patch in found)
    empty = patches((8, 8, 8), case(label * 0), 20, foreground=1.0)
    assert len({tuple(patch["image"][:, 0, 0, 0].tolist()) for patch in empty}) > 10


@given(LENGTHS, LENGTHS, st.integers(0, 99))
def test_image_and_label_stay_together_and_the_patch_inside(shape: tuple, size: tuple, seed: int) -> None:
    label = (coordinates(shape).sum(dim=0) % 3).to(torch.uint8)
    (found,) = patches(size, case(label), 1, seed=seed)
    inside = found["image"][0] > 0
    assert torch.equal(found["label"][0][inside], (found["image"].sum(dim=0) % 3).to(torch.uint8)[inside])
    assert int(inside.sum()) == np.prod(np.minimum(shape, size))
    assert set(found) == {"image", "label"} and tuple(found["image"].shape[1:]) == size


def test_turned_and_scaled_image_and_label_are_read_at_the_same_places() -> None:
    """The image holds what the label does, which is linear in its position: both agree to the nearest voxel."""
    ramp = torch.arange(30, dtype=torch.uint8)[:, None, None].expand(30, 30, 30).contiguous()
    # The second channel is 1 in the image: where it stays 1, no voxel outside had a part in the first.
    data = case(ramp, classes=30) | {"image": torch.stack([ramp, torch.ones_like(ramp)]).to(torch.float32)}
    transform = cropper((8, 8, 8), prob=1.0, foreground=0.0)
    for _ in range(20):
        found = transform(data)
        inside = found["image"][1] > 0.999
        assert inside.any() and found["label"].dtype == torch.uint8
        assert (found["image"][0] - found["label"][0])[inside].abs().max() < 0.501


def test_a_fifth_each_is_turned_and_scaled_within_the_ranges() -> None:
    transform = cropper((8, 8, 8))
    kinds: Counter[str] = Counter()
    for matrix in (transform.matrix() for _ in range(4000)):
        if matrix is None:
            kinds["neither"] += 1
            continue
        # A rotation R after a scaling S: (R S)^T (R S) = S^2.
        square = matrix.T @ matrix
        factors = square.diagonal().sqrt()
        assert torch.allclose(square, torch.diag(square.diagonal()), atol=1e-5)
        for factor, scale in zip(factors.tolist(), (0.4, 0.3, 0.2), strict=True):
            assert 1 - 0.75 * scale - 1e-5 <= factor <= 1 + scale + 1e-5
        rotated = not torch.allclose(matrix, torch.diag(matrix.diagonal()), atol=1e-6)
        scaled = not torch.allclose(factors, torch.ones_like(factors), atol=1e-6)
        kinds["turned" * rotated + "scaled" * scaled] += 1
    shares = {"neither": 0.64, "turned": 0.16, "scaled": 0.16, "turnedscaled": 0.04}
    assert {kind: count / 4000 for kind, count in kinds.items()} == pytest.approx(shares, abs=0.02)


def test_a_patch_is_read_by_its_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    data, turn = case(torch.zeros(20, 20, 20, dtype=torch.uint8)), torch.diag(torch.tensor([1.2, 0.9, 1.0]))
    transform = cropper((8, 8, 8))
    monkeypatch.setattr(transform, "matrix", lambda: turn)
    monkeypatch.setattr(transform, "patch_starts", lambda indices, shape: (3, 4, 5))
    reading = turned((3, 4, 5), (8, 8, 8), turn, (20, 20, 20))
    assert torch.equal(transform(data)["image"], sampled(data["image"], reading))


@pytest.mark.parametrize(
    ("rotate", "scale"),
    [((4, 0, 0), (0, 0, 0)), ((0, 0), (0, 0, 0)), ((0, 0, 0), (1, 0, 0)), ((0, 0, 0), (0, 0))],
)
def test_wrong_ranges_are_one_line(rotate: tuple, scale: tuple) -> None:
    with pytest.raises(UserError, match="_range must be"):
        cropper((8, 8, 8), rotate_range=rotate, scale_range=scale)
