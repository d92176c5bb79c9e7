"""Measuring NIfTI files whose answers are known, and going on after an interruption."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from adw_components.data.dataset import Case
from adw_components.data.volumes import Fault, Task
from adw_components.errors import UserError
from adw_components.planning import collect
from adw_components.planning.collect import collect_fingerprint
from adw_components.planning.fingerprint import Fingerprint
from adw_components.planning.measure import CaseRow

NNUNET = Path(__file__).parent / "fingerprints" / "Task04_Hippocampus.json"
# Axes that run right, anterior, superior, with unequal steps; and the same in other orders and directions.
RAS = np.diag([0.5, 1.0, 2.0, 1.0])
LPS = np.diag([-0.5, -1.0, 2.0, 1.0])
# First axis: superior; second: left; third: anterior.
SLA = np.array([[0, -0.5, 0, 9], [0, 0, 1.0, 9], [2.0, 0, 0, 9], [0, 0, 0, 1]])


def save(folder: Path, name: str, image: np.ndarray, label: np.ndarray | None, affine: np.ndarray = RAS) -> None:
    """A case; if no label is given, one that is 1 where the image is over 5."""
    for kind in ("imagesTr", "labelsTr"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(image, affine), folder / "imagesTr" / f"{name}.nii.gz")
    label = (image.reshape(*image.shape[:3], -1)[..., 0] > 5) if label is None else label
    nibabel.save(nibabel.Nifti1Image(label.astype(np.uint8), affine), folder / "labelsTr" / f"{name}.nii.gz")


def describe(folder: Path, *names: str, modality: tuple[str, ...] = ("MRI",), **changes: Any) -> Path:
    """Write the `dataset.json` of these cases."""
    cases = [{"image": f"./imagesTr/{name}.nii.gz", "label": f"./labelsTr/{name}.nii.gz"} for name in names]
    values = {
        "modality": {str(index): name for index, name in enumerate(modality)},
        "labels": {"0": "background", "1": "organ"},
        "training": cases,
        **changes,
    }
    (folder / "dataset.json").write_text(json.dumps(values))
    return folder


def block(shape: tuple[int, ...], inside: tuple[slice, ...], value: float, dtype: Any = np.float32) -> np.ndarray:
    """Zeros around a box of one value."""
    image = np.zeros(shape, dtype=dtype)
    image[inside] = value
    return image


def folder_of(tmp_path: Path, count: int) -> Path:
    """A dataset of small random cases, all of other shapes."""
    rng = np.random.default_rng(0)
    names = [f"case_{index}" for index in range(count)]
    for index, name in enumerate(names):
        save(tmp_path, name, rng.normal(5, 3, (6 + index, 7, 8)).astype(np.float32), None)
    return describe(tmp_path, *names)


def measure(folder: Path, workers: int = 1, cache: Path | None = None) -> Fingerprint:
    return collect_fingerprint(folder, workers=workers, cache=cache)


@pytest.mark.parametrize("affine", [RAS, LPS], ids=["RAS", "LPS"])
def test_shape_spacing_and_share_of_the_box_that_is_not_zero(tmp_path: Path, affine: np.ndarray) -> None:
    image = block((10, 9, 8), (slice(2, 9), slice(1, 6), slice(4, 7)), 7)
    image[4:6, 3, 5] = 0  # a hole, which a box does not see
    save(tmp_path, "a", image, None, affine)
    found = measure(describe(tmp_path, "a"))
    assert found.spacings == ((0.5, 1.0, 2.0),)
    assert found.shapes_after_crop == ((7, 5, 3),)
    assert found.median_relative_size_after_cropping == pytest.approx(7 * 5 * 3 / (10 * 9 * 8))
    assert found.case_ids == ("a",)


def test_axes_are_put_in_the_order_x_y_z(tmp_path: Path) -> None:
    image = block((8, 10, 9), (slice(4, 7), slice(2, 9), slice(1, 6)), 7)  # z, x, y
    save(tmp_path, "a", image, None, SLA)
    found = measure(describe(tmp_path, "a"))
    assert found.spacings == ((0.5, 1.0, 2.0),)
    assert found.shapes_after_crop == ((7, 5, 3),)


def test_an_oblique_volume_has_the_length_of_its_steps(tmp_path: Path) -> None:
    turn = np.deg2rad(20)
    affine = np.diag([0.5, 1.0, 2.0, 1.0])
    affine[:2, :2] = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.diag([0.5, 1.0])
    save(tmp_path, "a", np.ones((4, 5, 6), np.float32), None, affine)
    assert measure(describe(tmp_path, "a")).spacings[0] == pytest.approx((0.5, 1.0, 2.0), abs=1e-6)


def test_channels_lie_on_the_last_axis_and_any_of_them_makes_the_box(tmp_path: Path) -> None:
    image = np.zeros((6, 7, 8, 2), np.int16)
    image[1:3, 2:4, 3:5, 0] = 10
    image[2:5, 2:4, 3:7, 1] = 20
    save(tmp_path, "a", image, np.where(image[..., 0] > 0, 1, 0))
    found = measure(describe(tmp_path, "a", modality=("T1", "T2")))
    assert found.shapes_after_crop == ((4, 2, 4),)
    assert [row["mean"] for row in found.foreground_intensity] == [10, 10]  # half of the labelled have 20, half 0
    assert [row["std"] for row in found.foreground_intensity] == [0, 10]
    assert [(row["min"], row["max"]) for row in found.foreground_intensity] == [(10, 10), (0, 20)]


def test_slope_and_intercept_of_the_header_count(tmp_path: Path) -> None:
    # Stored 50 is 50 * 2 - 100 = 0: the border. Stored 100 is 100, stored 0 is -100.
    stored = np.full((6, 6, 6), 50, np.int16)
    stored[1:4, 1:5, 2:4], stored[1, 1, 2] = 100, 0
    for kind in ("imagesTr", "labelsTr"):
        (tmp_path / kind).mkdir()
    # nibabel would choose its own scale on saving, so the file is written byte for byte.
    header, path = nibabel.Nifti1Image(stored, RAS).header, tmp_path / "imagesTr" / "a.nii"
    header["magic"], header["vox_offset"] = b"n+1", 352
    header["scl_slope"], header["scl_inter"] = 2.0, -100.0
    path.write_bytes(header.binaryblock + bytes(4) + stored.tobytes(order="F"))
    assert np.asanyarray(nibabel.load(path).dataobj)[1, 1, 2] == -100
    label = nibabel.Nifti1Image((stored != 50).astype(np.uint8), RAS)
    nibabel.save(label, tmp_path / "labelsTr" / "a.nii.gz")
    rows = [{"image": "imagesTr/a.nii", "label": "labelsTr/a.nii.gz"}]
    found = measure(describe(tmp_path, training=rows))
    assert found.shapes_after_crop == ((3, 4, 2),)
    statistics = found.foreground_intensity[0]
    assert (statistics["min"], statistics["max"]) == (-100, 100)
    assert statistics["mean"] == pytest.approx((23 * 100 - 100) / 24)


def test_only_labelled_voxels_have_statistics_and_each_case_counts_the_same(tmp_path: Path) -> None:
    for name, value, size in (("a", 10, 1), ("b", 30, 6)):
        image = np.full((8, 8, 8), 1000, np.int16)
        label = np.zeros(image.shape)
        image[:size, :size, :size], label[:size, :size, :size] = value, 1
        save(tmp_path, name, image, label)
    (statistics,) = measure(describe(tmp_path, "a", "b")).foreground_intensity
    assert (statistics["mean"], statistics["std"], statistics["min"], statistics["max"]) == (20, 10, 10, 30)


def test_an_empty_label_is_left_out_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(tmp_path, "a", np.full((4, 4, 4), 9, np.int16), None)
    save(tmp_path, "b", np.full((4, 4, 4), 2, np.int16), None)
    found = measure(describe(tmp_path, "a", "b"))
    assert found.foreground_intensity[0]["mean"] == 9
    assert len(found.spacings) == 2
    assert "no voxel is labelled in 1 case(s): b" in caplog.text
    assert measure(describe(tmp_path, "b")).foreground_intensity == ()


def test_shapes_of_the_real_data_are_among_those_that_nnunet_measured(real_dataset: Path) -> None:
    theirs = Fingerprint.load(NNUNET)
    found = measure(real_dataset, workers=2)
    assert set(found.shapes_after_crop) <= set(theirs.shapes_after_crop)
    assert set(found.spacings) == {(1.0, 1.0, 1.0)}


def break_(folder: Path, name: str, change: Callable[[np.ndarray], np.ndarray], affine: np.ndarray = RAS) -> None:
    """Replace the image of a case."""
    path = folder / "imagesTr" / f"{name}.nii.gz"
    nibabel.save(nibabel.Nifti1Image(change(np.asanyarray(nibabel.load(path).dataobj)), affine), path)


def test_all_faults_are_listed_one_line_each(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, 7)
    break_(folder, "case_0", np.zeros_like)
    (folder / "imagesTr" / "case_1.nii.gz").write_bytes(b"")
    (folder / "labelsTr" / "case_2.nii.gz").unlink()
    break_(folder, "case_3", lambda image: np.stack([image, image], axis=-1))
    break_(folder, "case_4", lambda image: image[:, :, 1:])
    break_(folder, "case_5", lambda image: image[:, :, 0])
    cache = tmp_path / "rows.jsonl"
    with pytest.raises(UserError) as error:
        measure(folder, workers=2, cache=cache)
    first, *lines = str(error.value).splitlines()
    assert first == f"7 faults in dataset {folder}:"
    expected = [
        "imagesTr/case_0.nii.gz: every voxel is 0; restore",
        "imagesTr/case_1.nii.gz: cannot be read as NIfTI",
        "labelsTr/case_2.nii.gz: the file is missing",
        "imagesTr/case_3.nii.gz: must have 1 channel(s), got 2",
        "labelsTr/case_4.nii.gz: shape (10, 7, 8) differs from the image's (10, 7, 7)",
        "imagesTr/case_5.nii.gz: must have 3 axes, and one more for several channels, got shape (11, 7)",
        "labelsTr/case_5.nii.gz: shape (11, 7, 8) differs from the image's (11, 7)",
    ]
    for line, text in zip(lines, expected, strict=True):
        assert line.startswith(f"{folder}/{text}"), line
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
    break_(folder, "case_1", lambda image: image + 1)
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
