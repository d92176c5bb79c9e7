"""Datasets that are nobody's task, as a command line asks for them."""

import json
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

from adw_components.data.check import check_dataset
from adw_components.data.dataset import read_dataset
from adw_components.errors import UserError
from adw_components.synthesis import synthesize

LABELS = ("organ", "lesion", "vessel", "bone")
SPACINGS = ((0.9, 0.9, 3.0), (0.7, 0.7, 2.5))


def voxels(path: Path) -> np.ndarray:
    return np.asanyarray(nibabel.load(path).dataobj)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a shell makes."""
    target = tmp_path_factory.mktemp("custom") / "data"
    command = [sys.executable, "-m", "adw_components", "synthesize", "--output", str(target), "--cases", "6"]
    command += ["--modality", "[MRI, CT]", "--labels", "[organ, lesion, vessel, bone]", "--size", "[61, 47, 23]"]
    command += ["--spacing", "[[0.9, 0.9, 3.0], [0.7, 0.7, 2.5]]", "--empty_labels", "1", "--test_cases", "1"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    assert done.stdout == f"dataset: {target}\n"
    return target


def test_it_is_sound_but_for_the_empty_label(folder: Path) -> None:
    names = dict(enumerate(("background", *LABELS)))
    report = check_dataset(folder, in_channels=2, labels=names, fold=0)
    assert report.faults == ()
    assert [Path(warning.file).name for warning in report.warnings] == ["case_002.nii.gz"]
    assert dict(read_dataset(folder).labels) == names
    values = json.loads((folder / "dataset.json").read_text())
    assert (values["modality"], values["numTraining"], values["numTest"]) == ({"0": "MRI", "1": "CT"}, 6, 1)


def test_size_and_spacings_are_as_asked(folder: Path) -> None:
    images = [nibabel.load(case.image) for case in read_dataset(folder).training]
    assert images[0].shape == nibabel.load(read_dataset(folder).test[0]).shape == (61, 47, 23, 2)
    assert len({image.shape for image in images}) > 3
    for number, image in enumerate(images):
        assert image.header.get_zooms()[:3] == pytest.approx(SPACINGS[number % 2])


def test_every_label_has_its_own_contrast_in_every_channel(folder: Path) -> None:
    cases = read_dataset(folder).training
    table = []
    for case in [cases[0], *cases[2:]]:
        image, label = voxels(case.image), voxels(case.label)
        assert set(np.unique(label)) == {0, 1, 2, 3, 4}
        table.append([[np.median(image[label == value, channel]) for value in range(1, 5)] for channel in (0, 1)])
    means, spread = np.mean(table, axis=0), np.std(table, axis=0)
    for row, deviation in zip(means, spread, strict=True):
        assert np.diff(np.sort(row)).min() > deviation.max()


def test_ct_is_in_hounsfield_units_and_mri_is_not(folder: Path) -> None:
    image = voxels(read_dataset(folder).training[0].image)
    assert image[..., 0].min() >= 0
    assert image[..., 1].min() == -1024


def test_one_name_may_be_a_text(tmp_path: Path) -> None:
    target = synthesize("custom", cases=1, output_dir=tmp_path / "x", test_cases=0, modality="CT", labels="tumour")
    dataset = read_dataset(target)
    assert (dataset.modality, dict(dataset.labels)) == (("CT",), {0: "background", 1: "tumour"})
    image = nibabel.load(dataset.training[0].image)
    assert (image.shape, image.get_data_dtype()) == ((64, 64, 40), np.int16)


def test_many_labels_all_find_a_place(tmp_path: Path) -> None:
    names = [f"part {number}" for number in range(20)]
    target = synthesize(None, cases=2, output_dir=tmp_path / "x", test_cases=0, modality=("T1", "T2"), labels=names)
    for case in read_dataset(target).training:
        assert set(np.unique(voxels(case.label))) == set(range(21))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "needs modality, got none"),
        ({"modality": []}, r"modality must name 1 to 16 things, got \[\]"),
        ({"modality": [["a"]]}, "modality must name"),
        ({"modality": "CT", "labels": ["a", "a"]}, "labels must be different names, without background"),
        ({"modality": "CT", "labels": ["background", "a"]}, "without background"),
        ({"modality": "CT", "labels": [f"l{n}" for n in range(65)]}, "labels must name 1 to 64"),
        ({"modality": "CT", "spacing": [1, 1]}, "spacing must be three numbers"),
        ({"modality": "CT", "spacing": [[1, 1, 1], [1, 0, 1]]}, "spacing must be three numbers"),
        ({"modality": "CT", "spacing": []}, "spacing must name at least one"),
        ({"modality": "CT", "empty_labels": 2}, "empty_labels must be less than the 2 cases, got 2"),
        ({"modality": "CT", "empty_labels": -1}, "empty_labels must be a whole number"),
        ({"modality": "CT", "size": 0.5}, "size must list three whole numbers from 8 to 1024"),
    ],
)
def test_mistakes_are_told_in_a_line(tmp_path: Path, settings: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        synthesize("custom", cases=2, output_dir=tmp_path / "x", **settings)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_task_and_modality_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="modality, labels cannot go with task, got Task09_Spleen"):
        synthesize("Task09_Spleen", cases=1, output_dir=tmp_path / "x", modality="CT", labels="a")
