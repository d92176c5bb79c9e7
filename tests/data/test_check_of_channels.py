"""The check of several channels, of what dataset.json names, and of what an earlier check has found sound."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from adw_components.data import check as check_module
from adw_components.data.check import check_dataset
from adw_components.data.require import require_sound_dataset
from adw_components.data.sound_cases import SoundCases
from adw_components.data.volumes import Report
from adw_components.errors import UserError

BRAIN: dict[str, Any] = {
    "in_channels": 4,
    "labels": {"0": "background", "1": "edema"},
    "modality": ("FLAIR", "T1w", "t1gd", "T2w"),
    "fold": 0,
}


@pytest.fixture
def brains(tmp_path: Path) -> Path:
    """Six cases of four channels, sound."""
    for folder in ("imagesTr", "labelsTr"):
        (tmp_path / folder).mkdir()
    rows = []
    for number in range(6):
        image = np.random.default_rng(number).integers(0, 900, (9, 8, 7, 4)).astype(np.int16)
        label = np.ones((9, 8, 7), np.float32 if number % 2 else np.uint8)
        for folder, voxels in (("imagesTr", image), ("labelsTr", label)):
            nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), tmp_path / folder / f"{number}.nii.gz")
        rows.append({"image": f"./imagesTr/{number}.nii.gz", "label": f"./labelsTr/{number}.nii.gz"})
    write_description(tmp_path, BRAIN["modality"], rows)
    return tmp_path


def write_description(folder: Path, modality: tuple[str, ...], rows: list[dict]) -> None:
    names = {str(index): name for index, name in enumerate(modality)}
    values = {"modality": names, "labels": BRAIN["labels"], "relase": "1.0", "training": rows, "name": "Gehirn"}
    (folder / "dataset.json").write_text(json.dumps({**values, "reference": "Universit\u00e4t"}, ensure_ascii=False))


def relabel(path: Path, value: int) -> None:
    """Save a label again with one voxel of another value."""
    voxels = np.array(nibabel.load(path).dataobj)
    voxels[3, 4, 5] = value
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), path)


def test_four_channels_and_float_labels_are_sound(brains: Path) -> None:
    assert check_dataset(brains, **BRAIN) == Report()


@pytest.mark.parametrize(
    ("modality", "problem"),
    [
        (("FLAIR", "T1w", "T2w"), "modality must name 4 channel(s), got 3: FLAIR, T1w, T2w"),
        (
            ("T1w", "FLAIR", "t1gd", "T2w"),
            "modality must name the order FLAIR, T1w, t1gd, T2w, got 4: T1w, FLAIR, t1gd, T2w",
        ),
    ],
)
def test_channels_of_the_description(brains: Path, modality: tuple[str, ...], problem: str) -> None:
    rows = json.loads((brains / "dataset.json").read_text())["training"]
    write_description(brains, modality, rows)
    (fault,) = check_dataset(brains, **BRAIN).faults
    assert (fault.file, fault.problem) == ("dataset.json", problem)


@pytest.mark.parametrize(
    ("labels", "got"),
    [
        ({"0": "background", "1": "TZ", "2": "PZ"}, "1 TZ, 2 PZ"),
        ({"0": "Background", "1": "tz", "2": "pz"}, "1 tz, 2 pz"),
        ({"0": "PZ", "1": "background", "2": "TZ"}, "0 PZ, 1 background, 2 TZ"),
        ({"0": "background", "1": "TZ", "2": "PZ", "3": "urethra"}, "1 TZ, 2 PZ, 3 urethra"),
        ({"0": "background", "1": "PZ", "2": "urethra", "3": "TZ"}, "1 PZ, 2 urethra, 3 TZ"),
        ({"0": "background", "1": "pz", "2": "TZ"}, None),
        ({"0": "nothing", "1": "PZ", "2": "TZ", "3": "urethra"}, None),
        ({"0": "background", "1": "zone 1", "2": "zone 2"}, None),
        ({"0": "background", "1": "TZ", "2": "zone 2"}, None),
    ],
)
@pytest.mark.parametrize("expected", [{"1": "PZ", "2": "TZ"}, {0: "background", 1: "PZ", 2: "TZ"}])
def test_labels_of_the_description(brains: Path, labels: dict, got: str | None, expected: dict) -> None:
    values = json.loads((brains / "dataset.json").read_text())
    (brains / "dataset.json").write_text(json.dumps({**values, "labels": labels}))
    lines = [str(fault) for fault in check_dataset(brains, **{**BRAIN, "labels": expected}).faults]
    remedy = "renumber the labels of the files and of dataset.json"
    assert lines == ([f"dataset.json: labels must be 1 PZ, 2 TZ in this order, got {got}; {remedy}"] if got else [])


@pytest.mark.parametrize(
    ("labels", "got"),
    [({"0": "background", "5": "edema"}, "5 edema"), ({"0": "background"}, "none"), ({"0": "no", "2": "x"}, "2 x")],
)
def test_labels_at_other_values_are_refused_before_a_file_is_read(
    brains: Path, monkeypatch: pytest.MonkeyPatch, labels: dict, got: str
) -> None:
    values = json.loads((brains / "dataset.json").read_text())
    (brains / "dataset.json").write_text(json.dumps({**values, "labels": labels}))
    monkeypatch.setattr(check_module, "_check_case", lambda *_, **__: pytest.fail("a case was read"))
    with pytest.raises(UserError) as caught:
        require_sound_dataset(brains, **BRAIN)
    assert str(caught.value) == (
        f"dataset {brains}: dataset.json: labels must have the values of 1 edema, got {got}; renumber the labels of "
        "the files and of dataset.json, or plan and build a bundle for these"
    )


def test_one_image_in_many_with_a_missing_modality_another_shape_or_its_channels_first(brains: Path) -> None:
    def save(number: int, voxels: np.ndarray) -> None:
        nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), brains / "imagesTr" / f"{number}.nii.gz")

    save(1, np.ones((9, 8, 7, 3), np.int16))
    save(3, np.ones((9, 8, 6, 4), np.int16))
    save(4, np.ones((4, 9, 8, 7), np.int16))
    faults = {f"{fault.file}: {fault.problem}; {fault.remedy}" for fault in check_dataset(brains, **BRAIN).faults}
    assert faults == {
        "imagesTr/1.nii.gz: must have 4 channel(s), got 3 (shape (9, 8, 7, 3)); "
        "give the task's images, channels on the last axis",
        "labelsTr/3.nii.gz: shape (9, 8, 7) differs from the image's (9, 8, 6); resample the label to the image",
        "imagesTr/4.nii.gz: must have 4 channel(s), got 7 (shape (4, 9, 8, 7)); "
        "move the channels from the first axis to the last",
        "labelsTr/4.nii.gz: shape (9, 8, 7) differs from the image's (4, 9, 8); resample the label to the image",
    }


def test_sound_cases_are_not_read_again_until_their_files_change(
    brains: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    check = check_module._check_case
    monkeypatch.setattr(check_module, "_check_case", lambda case, **rest: read.append(case.id) or check(case, **rest))
    cache = {"cache_dir": tmp_path / "cache"}
    assert check_dataset(brains, **BRAIN, **cache) == check_dataset(brains, **BRAIN, **cache) == Report()
    assert sorted(read) == [str(number) for number in range(6)]
    relabel(brains / "labelsTr" / "2.nii.gz", 7)
    (fault,) = check_dataset(brains, **BRAIN, **cache).faults
    assert "got 7" in fault.problem and read[6:] == ["2"]
    check_dataset(brains, **BRAIN, **cache)
    assert read[7:] == ["2"]  # a fault is not remembered
    check_dataset(brains, **{**BRAIN, "labels": {"0": "background"}}, **cache)
    assert len(read) == 14  # another task asks anew


@pytest.mark.parametrize("blocked", ["parent is a file", "folder in its place"])
def test_a_check_that_cannot_remember_goes_on(
    brains: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, blocked: str
) -> None:
    cache = tmp_path / "cache"
    if blocked == "parent is a file":
        cache.touch()
    else:
        (cache / "sound_cases.txt").mkdir(parents=True)
    with caplog.at_level(logging.WARNING):
        assert check_dataset(brains, **BRAIN, cache_dir=cache) == Report()
    (record,) = caplog.records  # of six cases
    assert "sound_cases.txt cannot be written (" in record.getMessage()


@pytest.mark.parametrize("content", [b"\xff\xfe\x80", None])
def test_what_was_remembered_but_cannot_be_read_is_nothing(
    brains: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    assert check_dataset(brains, **BRAIN, cache_dir=tmp_path / "cache") == Report()
    if content is not None:
        (tmp_path / "cache" / "sound_cases.txt").write_bytes(content)
    else:
        monkeypatch.setattr(SoundCases, "remember", lambda *_: None)
        monkeypatch.setattr(Path, "is_file", _forbidden_in(tmp_path / "cache", Path.is_file))
        monkeypatch.setattr(Path, "read_text", _forbidden_in(tmp_path / "cache", Path.read_text))
    assert SoundCases(tmp_path / "cache" / "sound_cases.txt").known == set()
    assert check_dataset(brains, **BRAIN, cache_dir=tmp_path / "cache") == Report()


def _forbidden_in(folder: Path, method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of `Path` that lacks the permission for what is in `folder`."""

    def forbidden(path: Path, *rest: Any, **named: Any) -> Any:
        if path.is_relative_to(folder):
            raise PermissionError(13, "Permission denied", str(path))
        return method(path, *rest, **named)

    return forbidden
