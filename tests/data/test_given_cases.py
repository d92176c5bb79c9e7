"""Cases that are given by their paths alone, as MONAI Label gives them: the check, and their dataset's name."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from adw_components.data.dataset import datalist, name_of, read_dataset
from adw_components.data.require import require_sound_cases
from adw_components.errors import UserError

Items = list[dict[str, str]]
LABELS = {"1": "Anterior", "2": "Posterior"}


@pytest.fixture
def items(generated_dataset: Path) -> Items:
    """Three cases without an id."""
    dataset = read_dataset(generated_dataset)
    return [{"image": item["image"], "label": item["label"]} for item in datalist(dataset, dataset.case_ids[:3])]


def check(training: Items, validation: Items, **changed: Any) -> None:
    require_sound_cases(training, validation, **{"in_channels": 1, "labels": LABELS, **changed})


def test_sound_cases_pass_and_are_remembered(items: Items, tmp_path: Path) -> None:
    check(items[:2], items[2:], cache_dir=tmp_path)
    check(items[:2], [], cache_dir=tmp_path)
    assert len((tmp_path / "sound_cases.txt").read_text().splitlines()) == 3


def test_faults_of_both_lists_are_listed(items: Items, tmp_path: Path) -> None:
    image = nib.load(items[0]["image"])
    nib.save(nib.Nifti1Image(np.full(image.shape, 7, np.uint8), image.affine), tmp_path / "seven.nii.gz")
    wrong = {"image": items[0]["image"], "label": str(tmp_path / "seven.nii.gz")}
    missing = {"image": items[1]["image"], "label": str(tmp_path / "none.nii.gz")}
    with pytest.raises(UserError, match="2 faults in the labelled images:") as raised:
        check([*items, wrong], [missing])
    assert "label values must be 0, 1, 2, got 7" in str(raised.value) and "the file is missing" in str(raised.value)


def test_images_of_another_task_are_refused(items: Items) -> None:
    with pytest.raises(UserError, match=r"must have 4 channel\(s\), got 1"):
        check(items, [], in_channels=4)


def test_without_a_case_there_is_nothing_to_train_on(items: Items) -> None:
    with pytest.raises(UserError, match="at least 1 labelled image, got 0"):
        check([], items)


def test_the_dataset_is_the_msd_folder_or_the_folder_of_the_images(generated_dataset: Path, items: Items) -> None:
    dataset = read_dataset(generated_dataset)
    assert name_of(datalist(dataset, dataset.case_ids), dataset_dir=generated_dataset) == dataset.name
    assert name_of(items, dataset_dir="nowhere") == "imagesTr"
