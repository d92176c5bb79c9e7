"""The check before long work: each fault by itself on a sound folder, then many at once."""

import json
import logging
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from adw_components.data.check import check_dataset
from adw_components.data.image_folder import find_images
from adw_components.data.require import require_sound_dataset, require_sound_images
from adw_components.data.volumes import Fault, Report
from adw_components.errors import UserError
from adw_components.synthesis import synthesize

TASK: dict[str, Any] = {
    "in_channels": 1,
    "labels": {"0": "background", "1": "Anterior", "2": "Posterior"},
    "fold": 0,
    "spacing": [1.0, 1.0, 1.0],
    "normalization": [{"scheme": "z_score"}],
}
IMAGE = "imagesTr/hippocampus_002.nii.gz"
LABEL = "labelsTr/hippocampus_002.nii.gz"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesize("Task04_Hippocampus", cases=6, output_dir=tmp_path_factory.mktemp("sound") / "msd", test_cases=2)


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "msd"))


def change(path: Path, voxels: Callable[[np.ndarray], np.ndarray], shift: tuple[float, ...] = (0, 0, 0)) -> None:
    """Save the NIfTI file again with changed voxels (as float32) and a moved origin."""
    volume = nibabel.load(path)
    array = voxels(np.asanyarray(volume.dataobj).astype(np.float32))
    affine = volume.affine.copy()
    affine[:3, 3] += shift
    nibabel.save(nibabel.Nifti1Image(array, affine), path)


def with_voxel(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def put(array: np.ndarray) -> np.ndarray:
        array[3, 4, 5] = value
        return array

    return put


def rename(root: Path, name: str) -> None:
    """List the second image under another name, and have it there if the system can."""
    if len(name) < 255:
        (root / IMAGE).rename(root / "imagesTr" / name)
    description = root / "dataset.json"
    description.write_text(description.read_text().replace(f"./{IMAGE}", f"./imagesTr/{name}"))


def truncate(path: Path, keep: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])


def unzip_and_truncate(path: Path) -> None:
    """Replace the file by an uncompressed one, shortened, and list that."""
    plain = path.with_name(path.name.removesuffix(".gz"))
    nibabel.save(nibabel.load(path), plain)
    truncate(plain, 0.9)
    description = path.parents[1] / "dataset.json"
    description.write_text(description.read_text().replace(f"./{IMAGE}", f"./{IMAGE}".removesuffix(".gz")))


def same(array: np.ndarray) -> np.ndarray:
    return array


BREAKS: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing image": (lambda root: (root / IMAGE).unlink(), f"{IMAGE}: the file is missing; restore"),
    "missing label": (lambda root: (root / LABEL).unlink(), f"{LABEL}: the file is missing; restore"),
    "empty file": (lambda root: (root / IMAGE).write_bytes(b""), f"{IMAGE}: cannot be read as NIfTI: .*; download"),
    "no NIfTI": (lambda root: (root / LABEL).write_text("PK"), f"{LABEL}: cannot be read as NIfTI: .*; download"),
    "truncated image": (lambda root: truncate(root / IMAGE, 0.9), f"{IMAGE}: cannot be read as NIfTI: .*; download"),
    "truncated label": (lambda root: truncate(root / LABEL, 0.5), f"{LABEL}: cannot be read as NIfTI: .*; download"),
    "truncated plain file": (
        lambda root: unzip_and_truncate(root / IMAGE),
        f"{IMAGE.removesuffix('.gz')}: cannot be read as NIfTI: .*; download",
    ),
    "other shape": (
        lambda root: change(root / LABEL, lambda array: array[:-1]),
        rf"{LABEL}: shape \(\d+, \d+, \d+\) differs from the image's \(.*\); resample",
    ),
    "other affine": (
        lambda root: change(root / LABEL, same, (0, 0.11, 0)),
        rf"{LABEL}: affine differs from the image's, by up to 0.11 mm \(0.11 voxels\) in the volume; resample",
    ),
    "two channels": (
        lambda root: change(root / IMAGE, lambda array: np.stack([array, array], axis=-1)),
        rf"{IMAGE}: must have 1 channel\(s\), got 2 \(shape .*\); give",
    ),
    "too many axes": (
        lambda root: change(root / IMAGE, lambda array: array[..., None, None].repeat(2, -1)),
        rf"{IMAGE}: must have 3 axes, .* got shape \(.*, 1, 2\); convert",
    ),
    "label of several channels": (
        lambda root: change(root / LABEL, lambda array: np.stack([array, array], axis=-1)),
        rf"{LABEL}: must have 1 channel\(s\), got 2",
    ),
    "unknown label value": (
        lambda root: change(root / LABEL, with_voxel(3)),
        f"{LABEL}: label values must be 0, 1, 2, got 3; correct",
    ),
    "fractional label value": (
        lambda root: change(root / LABEL, with_voxel(0.5)),
        f"{LABEL}: label values must be 0, 1, 2, got 0.5; correct",
    ),
    "label values that are not quite whole": (
        lambda root: change(root / LABEL, lambda array: array * np.float32(1.0000001)),
        f"{LABEL}: label values must be 0, 1, 2, got 1.0000001, 2.0000002; round them to whole numbers",
    ),
    "another format": (
        lambda root: rename(root, "hippocampus_002.mgz"),
        ".*mgz: must be a NIfTI file, named .*; convert or",
    ),
    "bzip2": (lambda root: rename(root, "hippocampus_002.nii.bz2"), ".*bz2: must be a NIfTI file, named .*; convert"),
    "a name too long": (lambda root: rename(root, f"{'x' * 300}.nii.gz"), ".*: cannot be read as NIfTI: .*too long"),
    "fill values": (
        lambda root: change(root / IMAGE, with_voxel(1e9)),
        rf"{IMAGE}: value 1e\+09 in 1 voxel\(s\) lies far outside the others \(.*\), which .* flatten; replace it, say",
    ),
    "NaN label": (
        lambda root: change(root / LABEL, with_voxel(np.nan)),
        f"{LABEL}: label values must be 0, 1, 2, got nan; correct",
    ),
    "NaN": (lambda root: change(root / IMAGE, with_voxel(np.nan)), rf"{IMAGE}: 1 voxel\(s\) are NaN or inf.*; replace"),
    "all zero": (
        lambda root: change(root / IMAGE, np.zeros_like),
        f"{IMAGE}: every voxel is 0; export the image again or take the case out of dataset.json",
    ),
    "infinity": (
        lambda root: change(root / IMAGE, with_voxel(-np.inf)),
        rf"{IMAGE}: 1 voxel\(s\) are NaN or infinite; replace",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_each_fault_is_the_only_one_listed(folder: Path, name: str) -> None:
    spoil, line = BREAKS[name]
    spoil(folder)
    report = check_dataset(folder, **TASK)
    assert len(report.faults) == 1, report
    assert re.match(line, str(report.faults[0])), str(report.faults[0])
    assert "\n" not in str(report.faults[0])
    assert not report.warnings


def test_many_faults_are_listed_in_one_go(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "imagesTr/hippocampus_001.nii.gz").unlink()
    change(folder / "labelsTr/hippocampus_001.nii.gz", with_voxel(7))
    truncate(folder / IMAGE, 0.9)
    (folder / LABEL).unlink()
    change(folder / "imagesTr/hippocampus_003.nii.gz", with_voxel(np.inf))
    change(folder / "labelsTr/hippocampus_003.nii.gz", lambda array: array[:, :-2], (5, 0, 0))
    change(folder / "imagesTr/hippocampus_004.nii.gz", lambda array: np.stack([array] * 3, axis=-1))
    change(folder / "labelsTr/hippocampus_005.nii.gz", np.zeros_like)
    expected = [
        "dataset.json: fold must be 0 to 4 or all, got 9; ",
        "imagesTr/hippocampus_001.nii.gz: the file is missing; ",
        "labelsTr/hippocampus_001.nii.gz: label values must be 0, 1, 2, got 7; ",
        f"{IMAGE}: cannot be read as NIfTI: ",
        f"{LABEL}: the file is missing; ",
        "imagesTr/hippocampus_003.nii.gz: 1 voxel(s) are NaN or infinite; ",
        "labelsTr/hippocampus_003.nii.gz: shape ",
        "labelsTr/hippocampus_003.nii.gz: affine differs from the image's, by up to 5 mm ",
        "imagesTr/hippocampus_004.nii.gz: must have 1 channel(s), got 3 ",
    ]
    with caplog.at_level(logging.WARNING), pytest.raises(UserError) as caught:
        require_sound_dataset(folder, **{**TASK, "fold": 9})
    header, *lines = str(caught.value).splitlines()
    assert header == f"9 faults in dataset {folder}:"
    assert [line[: len(start)] for line, start in zip(lines, expected, strict=True)] == expected
    assert [record.getMessage().split(";")[0] for record in caplog.records] == [
        "labelsTr/hippocampus_005.nii.gz: no voxel is labelled foreground"
    ]


def test_a_label_without_foreground_is_a_warning_only(folder: Path) -> None:
    change(folder / LABEL, np.zeros_like)
    report = check_dataset(folder, **TASK)
    assert report.faults == ()
    assert [str(warning).split(";")[0] for warning in report.warnings] == [f"{LABEL}: no voxel is labelled foreground"]
    require_sound_dataset(folder, **TASK)


def test_a_folder_of_another_kind_is_one_fault(tmp_path: Path) -> None:
    for path, problem in ((tmp_path, "has no dataset.json"), (tmp_path / "absent", "is not there")):
        report = check_dataset(path, **TASK)
        assert [fault.file for fault in report.faults] == [str(path)]
        assert problem in report.faults[0].problem
        assert "an MSD folder holds dataset.json" in report.faults[0].remedy


def test_too_few_cases_and_wrong_split_files_are_faults(folder: Path, tmp_path: Path) -> None:
    split_file = tmp_path / "split.json"
    split_file.write_text(json.dumps([{"train": ["hippocampus_001"], "val": ["hippocampus_077"]}]))
    report = check_dataset(folder, **TASK, split_file=split_file)
    assert [fault.file for fault in report.faults] == [str(split_file)]
    assert "hippocampus_077" in report.faults[0].problem
    values = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps({**values, "training": values["training"][:4]}))
    report = check_dataset(folder, **TASK)
    assert [str(fault).split(";")[0] for fault in report.faults] == [
        "dataset.json: 5 folds need at least 5 cases, got 4"
    ]
    assert check_dataset(folder, **{**TASK, "fold": "all"}) == Report()


def test_differences_that_mean_nothing_pass(folder: Path) -> None:
    change(folder / LABEL, same, (0, 0.09, 0))  # rounding; and the label is stored as float now
    change(folder / IMAGE, lambda array: array[..., None])  # one channel, written out
    assert check_dataset(folder, **TASK) == Report()


def test_a_rotation_too_small_for_the_affine_s_entries_counts_by_its_millimetres(folder: Path) -> None:
    volume = nibabel.load(folder / LABEL)
    affine = volume.affine.copy()
    affine[0, 1] = 9e-3  # times about 50 voxels
    nibabel.save(nibabel.Nifti1Image(np.asanyarray(volume.dataobj), affine), folder / LABEL)
    (fault,) = check_dataset(folder, **TASK).faults
    assert "affine differs" in fault.problem


def test_channels_are_the_last_axis_and_two_dimensions_work(tmp_path: Path) -> None:
    for folder in ("imagesTr", "labelsTr"):
        (tmp_path / folder).mkdir()
    for number in range(5):
        image, label = np.ones((8, 9, 3), np.float32), np.ones((8, 9), np.uint8)
        nibabel.save(nibabel.Nifti1Image(image, np.eye(4)), tmp_path / f"imagesTr/{number}.nii")
        nibabel.save(nibabel.Nifti1Image(label, np.eye(4)), tmp_path / f"labelsTr/{number}.nii")
    rows = [{"image": f"./imagesTr/{number}.nii", "label": f"./labelsTr/{number}.nii"} for number in range(5)]
    values = {"modality": {"0": "R", "1": "G", "2": "B"}, "labels": {"0": "background", "1": "cell"}, "training": rows}
    (tmp_path / "dataset.json").write_text(json.dumps(values))
    labels = {0: "background", 1: "cell"}
    assert check_dataset(tmp_path, in_channels=3, labels=labels, fold=0, spatial_dims=2) == Report()
    report = check_dataset(tmp_path, in_channels=1, labels=labels, fold=0, spatial_dims=2)
    of_modality, *of_images = report.faults
    assert of_modality.problem == "modality must name 1 channel(s), got 3: R, G, B"
    assert {fault.problem for fault in of_images} == {"must have 1 channel(s), got 3 (shape (8, 9, 3))"}
    assert len(of_images) == 5


def test_label_keys_must_be_numbers(folder: Path) -> None:
    with pytest.raises(UserError, match="labels must map numbers to names"):
        check_dataset(folder, **{**TASK, "labels": {"background": 0}})


def test_images_for_inference(folder: Path) -> None:
    items = find_images(folder)
    require_sound_images(items, in_channels=1)
    change(Path(items[0]["image"]), with_voxel(np.nan))
    truncate(Path(items[1]["image"]), 0.8)
    with pytest.raises(UserError) as caught:
        require_sound_images([*items, {"image": str(folder / "absent.nii")}], in_channels=2)
    header, *lines = str(caught.value).splitlines()
    assert header == "4 faults in the images:"
    for line, part in zip(lines, ("got 1 (shape", "NaN", "cannot be read", "is missing"), strict=True):
        assert part in line


def test_a_fault_prints_as_one_line() -> None:
    assert str(Fault(file="a.nii", problem="is empty", remedy="download it")) == "a.nii: is empty; download it"


@pytest.mark.skipif("ADW_MSD_ROOT" not in os.environ, reason="ADW_MSD_ROOT names no folder with Task04_Hippocampus")
def test_the_real_hippocampus_is_sound_and_checked_in_seconds() -> None:
    start = time.perf_counter()
    assert check_dataset(Path(os.environ["ADW_MSD_ROOT"]) / "Task04_Hippocampus", **TASK) == Report()
    assert time.perf_counter() - start < 20
