"""The click curve, with a network that obeys: Dice after every click is known."""

import json
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import (
    AsDiscreted,
    Compose,
    EnsureChannelFirstd,
    EnsureTyped,
    Invertd,
    LoadImaged,
    Orientationd,
    Spacingd,
)

from adw_components.errors import UserError
from adw_components.interactive.click_guidance import AddClickGuidanced
from adw_components.interactive.curve import ClickCurve

LABELS = {"1": "organ", "2": "lesion"}
# Boxes of the true label on the stored grid, largest first, each a region of its own.
BOXES = [
    ((2, 2, 2), (9, 8, 7), 1),
    ((12, 3, 3), (17, 7, 6), 2),
    ((4, 11, 4), (8, 15, 7), 1),
    ((12, 11, 8), (15, 14, 10), 2),
]
SHAPE = (20, 18, 12)
# An image that lies askew: axes flipped and permuted, 2 mm on one of them.
AFFINE = np.array([[0, -1, 0, 10], [0, 0, 2, -7], [-1, 0, 0, 3], [0, 0, 0, 1]], dtype=float)


def truth() -> np.ndarray:
    volume = np.zeros(SHAPE, np.uint8)
    for low, high, value in BOXES:
        volume[tuple(slice(*pair) for pair in zip(low, high, strict=True))] = value
    return volume


@pytest.fixture
def item(tmp_path: Path) -> dict[str, Any]:
    """A case as the evaluator has it: the image prepared, with empty guidance; the label as stored."""
    nib.save(nib.Nifti1Image(truth().astype(np.float32), AFFINE), tmp_path / "case.nii.gz")
    nib.save(nib.Nifti1Image(truth(), AFFINE), tmp_path / "label.nii.gz")
    label = EnsureChannelFirstd("label")(LoadImaged("label")({"label": str(tmp_path / "label.nii.gz")}))["label"]
    return {**preparation()({"image": str(tmp_path / "case.nii.gz")}), "label": label, "case": "case"}


@cache
def preparation() -> Compose:
    """One for the image and for the way back: Invertd knows transforms by their identity."""
    return Compose(
        [
            LoadImaged("image"),
            EnsureChannelFirstd("image"),
            Orientationd("image", axcodes="RAS", labels=None),
            Spacingd("image", pixdim=(1, 1, 1), mode="nearest"),
            EnsureTyped("image", dtype=torch.float32),
            guidance(),
        ]
    )


def guidance() -> AddClickGuidanced:
    return AddClickGuidanced("image", labels=LABELS, sigma=1.0)


def obedient(x: torch.Tensor, network: object) -> torch.Tensor:
    """Logits that are right in the true region of every clicked voxel (the image is the truth), else background."""
    image, clicks = x[0, 0], x[0, 1:]
    logits = torch.zeros(1, 3, *image.shape)
    logits[:, 0] = 1
    for value in range(3):
        for voxel in torch.nonzero(clicks[value] == 1).tolist():
            names = regions(image.numpy())
            same = torch.from_numpy(names == names[tuple(voxel)])
            assert int(image[tuple(voxel)]) == value, "the click says another class than the image there"
            logits[0, :, same] = torch.nn.functional.one_hot(torch.tensor(value), 3)[:, None] * 2.0
    return logits


def regions(image: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    total = np.zeros(image.shape, int)
    for value in (1, 2):
        names, _ = ndimage.label(image == value)
        total = np.where(names > 0, names + total.max(), total)
    return total


def engine(item: dict[str, Any]) -> Any:
    label = item["label"]
    empty = MetaTensor(torch.zeros_like(label.as_tensor()), meta=label.meta)
    state = SimpleNamespace(batch=[item], output=[{"pred": empty, "label": label}], device="cpu")
    return SimpleNamespace(state=state, inferer=obedient, network=None, amp=False, amp_kwargs={})


def curve(folder: Path, clicks: list[int]) -> ClickCurve:
    back = Compose(
        [
            Invertd("pred", transform=preparation(), orig_keys="image", nearest_interp=True, to_tensor=True),
            AsDiscreted("pred", argmax=True),
        ]
    )
    settings = {"note": "kept"}
    return ClickCurve(
        output_dir=folder, labels=LABELS, guidance=guidance(), to_image_grid=back, clicks=clicks, settings=settings
    )


def expected(n_clicks: int) -> dict[str, float]:
    """Dice when the largest `n_clicks` boxes are predicted right and nothing else is."""
    result = {}
    for value, name in ((1, "organ"), (2, "lesion")):
        sizes = [np.prod(np.subtract(high, low)) for low, high, label in BOXES if label == value]
        right = [np.prod(np.subtract(high, low)) for low, high, label in BOXES[:n_clicks] if label == value]
        result[name] = 2 * sum(right) / (sum(right) + sum(sizes))
    return result


def test_every_click_corrects_the_largest_error_left(tmp_path: Path, item: dict[str, Any]) -> None:
    clicks = [0, 1, 2, 3, 4, 6]
    handler, stub = curve(tmp_path, clicks), engine(item)
    handler._begin()
    handler.measure(stub)
    handler.write(stub)
    written = json.loads((tmp_path / "clicks.json").read_text())
    assert [point["clicks"] for point in written["curve"]] == clicks and written["settings"] == {"note": "kept"}
    for point in written["curve"]:
        dice = expected(min(point["clicks"], 4))
        assert {name: point["dice"][name]["mean"] for name in dice} == pytest.approx(dice)
        assert point["mean_dice"] == pytest.approx(np.mean(list(dice.values())))
    assert written["curve"][-1]["mean_dice"] == 1
    table = pd.read_csv(tmp_path / "clicks.csv")
    assert table["clicks"].tolist() == clicks and set(table["case"]) == {"case"}
    assert table["mean_dice"].is_monotonic_increasing


def test_the_evaluators_own_image_and_output_stay(tmp_path: Path, item: dict[str, Any]) -> None:
    handler, stub = curve(tmp_path, [0, 2]), engine(item)
    before = item["image"].clone()
    handler._begin()
    handler.measure(stub)
    assert torch.equal(item["image"], before) and not stub.state.output[0]["pred"].any()


@pytest.mark.parametrize("clicks", [[], [1, 2], [0, 3, 3], [0, 1.5], "0", [0, True], 3, [0, -1]])
def test_numbers_of_clicks_must_rise_from_zero(tmp_path: Path, clicks: Any) -> None:
    with pytest.raises(UserError, match="clicks must be whole numbers that rise from 0"):
        curve(tmp_path, clicks)
