"""Generated data: whole, repeatable, and like the real data in what the bundles rely on."""

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from scipy.ndimage import label as components

from adw_components.data.check import check_dataset
from adw_components.data.dataset import read_dataset
from adw_components.data.image_folder import find_images
from adw_components.data.volumes import Report
from adw_components.errors import UserError
from adw_components.synthesis import synthesize

TASK = "Task04_Hippocampus"
LABELS = {0: "background", 1: "Anterior", 2: "Posterior"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesize(TASK, cases=6, output_dir=tmp_path_factory.mktemp("data") / TASK, test_cases=2)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def voxels(path: Path) -> np.ndarray:
    return np.asanyarray(nibabel.load(path).dataobj)


def test_it_is_a_sound_msd_folder(folder: Path) -> None:
    assert check_dataset(folder, in_channels=1, labels=LABELS, fold=0) == Report()
    dataset = read_dataset(folder)
    assert (dataset.name, dataset.modality, dict(dataset.labels)) == ("Hippocampus", ("MRI",), LABELS)
    assert dataset.case_ids == tuple(f"hippocampus_{number:03d}" for number in range(1, 7))
    assert [item["image"] for item in find_images(folder)] == [str(path) for path in dataset.test]
    values = json.loads((folder / "dataset.json").read_text())
    assert (values["numTraining"], values["numTest"], "Generated" in values["description"]) == (6, 2, True)


def test_headers_are_those_of_the_real_data(folder: Path) -> None:
    expected = np.eye(4)
    expected[:3, 3] = 1
    for path in folder.rglob("*.nii.gz"):
        header = nibabel.load(path).header
        for affine, code in (header.get_sform(coded=True), header.get_qform(coded=True)):
            assert code == 1
            assert np.array_equal(affine, expected)
        assert header.get_zooms() == (1, 1, 1)


def test_volumes_are_like_the_real_ones(folder: Path) -> None:
    for case in read_dataset(folder).training:
        label = voxels(case.label)
        assert label.dtype == np.uint8
        assert all(low <= size <= high for size, low, high in zip(label.shape, (31, 40, 24), (42, 58, 45), strict=True))
        for value in (1, 2):  # one piece each, of the real sizes (real: 1059 to 2593) with a margin
            pieces, count = components(label == value)
            sizes = np.bincount(pieces.ravel())[1:]
            assert sizes.max() >= 0.97 * sizes.sum(), count
            assert 600 < sizes.sum() < 3200
        plane = np.argwhere(label == 1)[:, 1].min()
        assert plane == np.argwhere(label == 2)[:, 1].max() + 1  # they adjoin at a coronal plane


def test_the_hippocampus_shows_but_not_by_intensity_alone(folder: Path) -> None:
    for case in read_dataset(folder).training:
        image, inside = voxels(case.image).astype(float), voxels(case.label) > 0
        assert image[inside].mean() < 0.95 * image[~inside].mean()
        best = max(2 * (near & inside).sum() / (near.sum() + inside.sum()) for near in _thresholds(image, inside))
        assert best < 0.6


def _thresholds(image: np.ndarray, inside: np.ndarray) -> list[np.ndarray]:
    mean, deviation = image[inside].mean(), image[inside].std()
    return [np.abs(image - mean) < width * deviation for width in (0.5, 1.0, 1.5, 2.0)]


KINDS: list[dict[str, Any]] = [
    {"task": TASK},
    {"task": TASK, "size": [31, 29, 27]},
    {"task": "Task01_BrainTumour", "size": [40, 40, 24]},
    {"task": "Task08_HepaticVessel", "size": [40, 40, 24]},
    {"task": None, "modality": ["CT", "T2"], "labels": ["a", "b"]},
]


def test_same_seed_gives_the_same_bytes_and_cases_do_not_depend_on_their_number(tmp_path: Path) -> None:
    def make(number: int, name: str, **settings: int) -> dict[str, str]:
        return digests(synthesize(**KINDS[number], output_dir=tmp_path / f"{name}{number}", **settings))

    more = [make(number, "more", cases=4, test_cases=2) for number in range(len(KINDS))]
    time.sleep(1.1)  # gzip stores whole seconds
    for number, expected in enumerate(more):
        fewer = make(number, "fewer", cases=2, test_cases=1)
        del fewer["dataset.json"]
        assert len(fewer) == 5
        assert fewer.items() <= expected.items()
        other = make(number, "other", cases=2, test_cases=1, seed=1)
        assert not set(other.values()) & set(fewer.values())
        assert len(set(fewer.values())) == len(fewer)


def test_unknown_task_and_wrong_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'Task11_Kidney' is no task of the MSD; there are Task01_BrainTumour"):
        synthesize("Task11_Kidney", cases=1, output_dir=tmp_path / "x")
    with pytest.raises(UserError, match="cases must be from 1 to 100000"):
        synthesize(TASK, cases=0, output_dir=tmp_path / "x")
    with pytest.raises(UserError, match=r"seed must be from 0 to 4294967295, got 1\.5"):
        synthesize(TASK, cases=1, output_dir=tmp_path / "x", seed=1.5)
    assert not (tmp_path / "x").exists()


def test_an_empty_folder_is_filled_and_a_filled_one_refused(tmp_path: Path) -> None:
    target = tmp_path / "data"
    target.mkdir()
    synthesize(TASK, cases=1, output_dir=target, test_cases=0)
    before = digests(target)
    with pytest.raises(UserError, match="output_dir must be new or empty"):
        synthesize(TASK, cases=1, output_dir=target, seed=5)
    assert digests(target) == before
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="output_dir must be new or empty"):
        synthesize(TASK, cases=1, output_dir=tmp_path / "file")


def test_an_interrupted_run_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("adw_components.synthesis.write_json", fail)
    with pytest.raises(KeyboardInterrupt):
        synthesize(TASK, cases=1, output_dir=tmp_path / "data")
    assert list(tmp_path.iterdir()) == []
