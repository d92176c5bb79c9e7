"""All cases of a dataset: faults, several processes, and going on after an interruption."""

import json
import os
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from nifti_cases import change_image, describe, folder_of, measure

from adw_components.data.dataset import Case
from adw_components.data.volumes import Fault, Task
from adw_components.errors import UserError
from adw_components.planning import collect
from adw_components.planning.collect import collect_fingerprint
from adw_components.planning.measure import CaseRow


def test_all_faults_are_listed_one_line_each(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, 7)
    change_image(folder, "case_0", np.zeros_like)
    (folder / "imagesTr" / "case_1.nii.gz").write_bytes(b"")
    (folder / "labelsTr" / "case_2.nii.gz").unlink()
    change_image(folder, "case_3", lambda image: np.stack([image, image], axis=-1))
    change_image(folder, "case_4", lambda image: image[:, :, 1:])
    change_image(folder, "case_5", lambda image: image[:, :, 0])
    cache = tmp_path / "rows.jsonl"
    with pytest.raises(UserError) as error:
        measure(folder, workers=2, cache=cache)
    first, *lines = str(error.value).splitlines()
    assert first == f"6 faults in dataset {folder}:"
    expected = [
        "imagesTr/case_0.nii.gz: every voxel is 0; export",
        "imagesTr/case_1.nii.gz: cannot be read as NIfTI",
        "labelsTr/case_2.nii.gz: the file is missing",
        "imagesTr/case_3.nii.gz: must have 1 channel(s), got 2",
        "labelsTr/case_4.nii.gz: shape (10, 7, 8) differs from the image's (10, 7, 7)",
        "imagesTr/case_5.nii.gz: must have 3 axes, and one more for several channels, got shape (11, 7)",
    ]
    for line, text in zip(lines, expected, strict=True):
        assert line.startswith(text), line
    # What was sound is not measured again.
    assert [json.loads(line)["case"] for line in cache.read_text().splitlines()] == ["case_6"]


def test_an_affine_without_direction_is_a_fault(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, 1)
    flat = np.diag([0.5, 1.0, 0.0, 1.0])
    for kind in ("imagesTr", "labelsTr"):
        path = folder / kind / "case_0.nii.gz"
        volume = nibabel.Nifti1Image(np.asanyarray(nibabel.load(path).dataobj), None)
        volume.header.set_sform(flat, code=1)
        nibabel.save(volume, path)
    with pytest.raises(UserError, match=r"case_0\.nii\.gz: the affine has no direction for some axis; mend"):
        measure(folder)


def test_several_workers_measure_what_one_does(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, 6)
    assert measure(folder, workers=3) == measure(folder, workers=1)


def counting(monkeypatch: pytest.MonkeyPatch, stop_after: int | None = None) -> list[str]:
    """Record which cases are measured, and be interrupted at the next after `stop_after`."""
    measured: list[str] = []
    real = collect.measure_case

    def measure_case(case: Case, task: Task) -> tuple[CaseRow | None, tuple[Fault, ...]]:
        if len(measured) == stop_after:
            raise KeyboardInterrupt
        measured.append(case.id)
        return real(case, task)

    monkeypatch.setattr(collect, "measure_case", measure_case)
    return measured


def test_an_interrupted_call_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, cache = folder_of(tmp_path, 5), tmp_path / "deep" / "rows.jsonl"
    whole = measure(folder)
    with monkeypatch.context() as patch:
        assert counting(patch, stop_after=3) == []
        with pytest.raises(KeyboardInterrupt):
            measure(folder, cache=cache)
    measured = counting(monkeypatch)
    assert measure(folder, cache=cache) == whole
    assert measured == ["case_3", "case_4"]
    assert measure(folder, cache=cache) == whole
    assert len(measured) == 2


def test_a_line_cut_short_by_a_kill_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, cache = folder_of(tmp_path, 3), tmp_path / "rows.jsonl"
    whole = measure(folder, cache=cache)
    cache.write_bytes(cache.read_bytes()[:-40])
    measured = counting(monkeypatch)
    assert measure(folder, cache=cache) == whole
    assert measured == ["case_2"]
    assert measure(folder, cache=cache) == whole  # the line after the torn one can be read
    assert measured == ["case_2"]


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"case": 1, "stamp": 2, "row": {"x": 1}}', "\x00\x00"])
def test_lines_that_are_no_rows_do_no_harm(tmp_path: Path, line: str) -> None:
    folder, cache = folder_of(tmp_path, 2), tmp_path / "rows.jsonl"
    cache.write_text(f"{line}\n")
    assert measure(folder, cache=cache) == measure(folder)


def test_changed_files_are_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, cache = folder_of(tmp_path, 4), tmp_path / "rows.jsonl"
    measure(folder, cache=cache)
    change_image(folder, "case_1", lambda image: image + 1)
    touched = folder / "labelsTr" / "case_2.nii.gz"
    os.utime(touched, ns=(0, touched.stat().st_mtime_ns + 1))
    measured = counting(monkeypatch)
    found = measure(folder, cache=cache)
    assert measured == ["case_1", "case_2"]
    assert found == measure(folder)


def test_another_task_and_fewer_cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, cache = folder_of(tmp_path, 3), tmp_path / "rows.jsonl"
    measure(folder, cache=cache)
    measured = counting(monkeypatch)
    assert measure(describe(folder, "case_0", "case_2"), cache=cache).case_ids == ("case_0", "case_2")
    assert measured == []
    labels = {"0": "background", "1": "organ", "2": "other"}
    measure(describe(folder, "case_0", labels=labels), cache=cache)
    assert measured == ["case_0"]


def test_a_cache_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, 1)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"finished cases in .* cannot be read: .*; remove it"):
        measure(folder, cache=folder)
    with pytest.raises(UserError, match=r"finished cases .*file/rows\.jsonl.*; (remove|choose)"):
        measure(folder, cache=tmp_path / "file" / "rows.jsonl")


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2", True])
def test_workers_are_a_count(tmp_path: Path, workers: Any) -> None:
    with pytest.raises(UserError, match="workers must be a whole number from 1 on, got"):
        collect_fingerprint(folder_of(tmp_path, 1), workers=workers)


@pytest.mark.parametrize("factor", [1000, 1e-3])
def test_a_case_in_another_unit_than_the_others_is_named(tmp_path: Path, factor: float) -> None:
    folder = folder_of(tmp_path, 3)
    for kind in ("imagesTr", "labelsTr"):
        path = folder / kind / "case_1.nii.gz"
        volume = nibabel.load(path)
        nibabel.save(nibabel.Nifti1Image(np.asanyarray(volume.dataobj), volume.affine * factor), path)
    with pytest.raises(UserError) as caught:
        measure(folder)
    assert str(caught.value).startswith(f"dataset {folder}: imagesTr/case_1.nii.gz: spacing {factor * 0.5:g} x ")
    assert "is far from the dataset's median 0.5 x 1 x 2 mm; mend the sizes" in str(caught.value)


def test_fill_values_are_faults_of_channels_that_will_be_z_scored(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, 1)
    change_image(folder, "case_0", lambda image: np.where(np.arange(image.shape[2]) < 2, -1e6, image))
    with pytest.raises(UserError, match=r"dataset .*: imagesTr/case_0\.nii\.gz: value -1e\+06 in 84 voxel\(s\) lies"):
        measure(folder)
    assert measure(describe(folder, "case_0", modality=("CT",))).case_ids == ("case_0",)


def test_two_affines_that_differ_are_told_while_planning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = folder_of(tmp_path, 1)
    path = folder / "imagesTr" / "case_0.nii.gz"
    volume = nibabel.load(path)
    volume.set_qform(np.diag([-1.0, -1, 1, 1]), 1)
    volume.set_sform(volume.affine if volume.get_sform(coded=True)[1] else np.diag([0.5, 1, 2, 1]), 2)
    nibabel.save(volume, path)
    measure(folder)
    assert "imagesTr/case_0.nii.gz: sform and qform differ by up to" in caplog.text
