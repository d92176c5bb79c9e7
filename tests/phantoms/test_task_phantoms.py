"""Generated data of all ten tasks against what is known of the real data: plans and fingerprints."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from adw_components.data.check import check_dataset
from adw_components.phantoms.protocols import PROTOCOLS
from adw_components.tasks import task, task_names

TASKS = task_names()
CT = [name for name in TASKS if task(name).plan.dataset.modality == ("CT",)]
Generated = Callable[[str], Any]


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_a_sound_msd_folder(generated: Generated, name: str) -> None:
    plan = task(name).plan
    folder = generated(name).folder
    report = check_dataset(folder, in_channels=plan.in_channels, labels=dict(enumerate(plan.dataset.labels)), fold=0)
    assert report.faults == report.warnings == ()
    values = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    assert tuple(values["modality"].values()) == plan.dataset.modality
    assert tuple(values["labels"].values()) == plan.dataset.labels
    assert values["tensorImageSize"] == ("4D" if plan.in_channels > 1 else "3D")
    assert {"relase", "licence", "numTest"} <= set(values)
    assert "no patient" in values["description"]


def test_a_letter_beyond_ascii_survives(generated: Generated) -> None:
    text = (generated("Task02_Heart").folder / "dataset.json").read_text(encoding="utf-8")
    assert "King\u2019s College London" in text


@pytest.mark.parametrize("name", TASKS)
def test_labelled_voxels_are_about_as_bright_as_the_real_ones(generated: Generated, name: str) -> None:
    data = generated(name)
    for channel, real in enumerate(task(name).plan.foreground_intensity):
        values = data.labelled(channel)
        assert abs(values.mean() - real["mean"]) < real["std"]
        assert 0.3 * real["std"] < values.std() < 1.5 * real["std"]
        low, high = np.percentile(values, (0.5, 99.5))
        # The real tails are longer: some scanners' scales are far off (T1w: 99.5 % is 5 deviations above the mean).
        assert real["mean"] - 5 * real["std"] < low < real["mean"] - 0.3 * real["std"]
        assert real["mean"] + 0.5 * real["std"] < high < real["percentile_99_5"] + real["std"]


@pytest.mark.parametrize("name", TASKS)
def test_every_class_occurs_and_only_the_cases_said_lack_one(generated: Generated, name: str) -> None:
    classes = set(range(1, task(name).plan.out_channels))
    lacking = {
        number: classes - set(np.unique(case.label).astype(int))
        for number, case in enumerate(generated(name).cases, start=1)
    }
    turns = PROTOCOLS[name].may_lack if name in PROTOCOLS else ()
    expected = {4: {turns[0]}, 14: {turns[-1]}} if turns else {}
    assert {number: missing for number, missing in lacking.items() if missing} == expected


def test_which_tasks_have_cases_without_a_class() -> None:
    assert {name for name, protocol in PROTOCOLS.items() if protocol.may_lack} == {
        "Task01_BrainTumour",
        "Task03_Liver",
        "Task05_Prostate",
    }


@pytest.mark.parametrize("name", CT)
def test_ct_is_in_hounsfield_units(generated: Generated, name: str) -> None:
    for case in generated(name).cases:
        image = case.image[..., 0]
        assert image.dtype == np.int16
        assert (image.min(), image.max() > 500) == (-1024, True)  # bone
        corners = image[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert (corners == -1024).all()
        front = image[image.shape[0] // 2, -2]
        assert abs(np.median(front) + 1000) < 30  # air before the patient, inside the reconstructed circle
        body = image[(image > -200) & (image < 300)]
        assert 0.15 < body.size / image.size < 0.75
        assert ((body > -130) & (body < -70)).mean() > 0.1  # fat


def test_lungs_are_mostly_air_and_the_tumour_is_in_one(generated: Generated) -> None:
    for case in generated("Task06_Lung").cases:
        image = case.image[..., 0]
        assert 0.05 < ((image > -930) & (image < -700)).mean() < 0.35
        rim = _around(case.label > 0)
        assert np.median(image[rim]) < -150


def test_the_brain_is_stripped(generated: Generated) -> None:
    shares = []
    for case in generated("Task01_BrainTumour").cases:
        inside = (case.image > 0).any(axis=-1)
        extent = [np.ptp(where) + 1 for where in np.nonzero(inside)]
        shares.append(np.prod(extent) / inside.size)
        assert not case.image[0].any()
        assert (case.image[case.label > 0] > 0).all()
        assert (case.image.dtype, case.image.shape[-1]) == (np.float32, 4)
    assert 0.25 < min(shares) <= max(shares) < 0.5
    assert abs(np.median(shares) - 0.36) < 0.06  # of the real data: median_relative_size_after_cropping


def test_the_brain_tumour_shows_as_radiologists_know_it(generated: Generated) -> None:
    flair, t1, contrast, _ = range(4)
    for case in generated("Task01_BrainTumour").cases:
        brain = np.median(case.image[(case.label == 0) & (case.image[..., flair] > 0)], axis=0)
        means = {
            value: case.image[case.label == value].mean(axis=0) for value in (1, 2, 3) if (case.label == value).any()
        }
        assert means[1][flair] > 1.2 * brain[flair]
        assert means[2][t1] < means[1][t1]
        if 3 in means:
            assert means[3][contrast] > 1.3 * max(means[1][contrast], means[2][contrast])


def test_the_sides_of_the_heart_images_are_empty(generated: Generated) -> None:
    for case in generated("Task02_Heart").cases:
        filled = case.image.any(axis=(1, 2, 3))
        assert filled.mean() == pytest.approx(0.725, abs=0.02)  # median_relative_size_after_cropping
        assert not filled[0] and not filled[-1]


@pytest.mark.parametrize(("name", "organ", "tumour"), [("Task03_Liver", 1, 2), ("Task07_Pancreas", 1, 2)])
def test_tumours_lie_in_their_organ(generated: Generated, name: str, organ: int, tumour: int) -> None:
    for case in generated(name).cases:
        if (case.label == tumour).any():
            rim = _around(case.label == tumour)
            assert (case.label[rim] == organ).mean() > (0.7 if name == "Task03_Liver" else 0.05)


def test_organs_lie_on_their_side_of_the_patient(generated: Generated) -> None:
    for name, on_the_right in (("Task03_Liver", True), ("Task09_Spleen", False)):
        for case in generated(name).cases:
            volume = nibabel.as_closest_canonical(nibabel.Nifti1Image(case.label, case.label_header.get_best_affine()))
            middle = np.nonzero(np.asanyarray(volume.dataobj))[0].mean() / volume.shape[0]
            assert middle > 0.55 if on_the_right else middle < 0.4


@pytest.mark.parametrize("name", ["Task02_Heart", "Task03_Liver", "Task07_Pancreas", "Task09_Spleen", "Task10_Colon"])
def test_a_threshold_does_not_find_the_structure(generated: Generated, name: str) -> None:
    for case in generated(name).cases[:4]:
        image, inside = case.image[..., 0], case.label > 0
        middle, deviation = image[inside].mean(), image[inside].std()
        near = [np.abs(image - middle) < width * deviation for width in (0.5, 1.0, 1.5, 2.0)]
        assert max(2 * (mask & inside).sum() / (mask.sum() + inside.sum()) for mask in near) < 0.75


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_headers_are_true_and_differ_from_case_to_case(generated: Generated, name: str) -> None:
    cases = generated(name).cases
    protocol = PROTOCOLS[name]
    for case in cases:
        sform, qform = (case.header.get_sform(coded=True), case.header.get_qform(coded=True))
        assert sform[1] == qform[1] == 1
        assert np.allclose(sform[0], qform[0], atol=1e-4)
        assert np.array_equal(sform[0], case.label_header.get_sform())
        assert case.header.get_xyzt_units()[0] == "mm"
        x, y, z = case.header.get_zooms()[:3]
        assert x == y and protocol.in_plane[0] - 1e-4 <= x <= protocol.in_plane[1] + 1e-4
        assert any(z == pytest.approx(thickness) for thickness in protocol.slices)
    affines = [case.header.get_best_affine() for case in cases]
    assert {float(np.sign(affine[0, 0])) for affine in affines} == {1.0, -1.0}
    assert len({tuple(affine[:3, 3]) for affine in affines}) == len(cases)


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_the_spacing_of_the_plan_lies_within_the_range(name: str) -> None:
    # The spacing of the plan is a median, or for thick slices the 10th percentile, of the real spacings.
    protocol, real = PROTOCOLS[name], task(name).plan.spacing_mm
    assert protocol.in_plane[0] - 1e-6 <= real[0] <= protocol.in_plane[1] + 1e-6
    assert min(protocol.slices) - 1e-6 <= real[2] + 0.11 and real[2] <= max(protocol.slices) + 1e-6


def test_stored_types_are_those_that_the_msd_mixes(generated: Generated) -> None:
    kinds = {generated(name).cases[0].label.dtype for name in TASKS}
    assert kinds == {np.dtype("uint8"), np.dtype("float32")}


def test_anisotropy(generated: Generated) -> None:
    zooms = np.array([case.header.get_zooms()[:3] for case in generated("Task09_Spleen").cases])
    assert (
        np.median(zooms[:, 2] / zooms[:, 0]) > 3
    )  # as in the real data: nnU-Net then resamples z by nearest neighbour
    assert {tuple(case.header.get_zooms()[:3]) for case in generated("Task01_BrainTumour").cases} == {(1.0, 1.0, 1.0)}


def _around(inside: np.ndarray) -> np.ndarray:
    """The voxels that touch a structure from outside."""
    grown = inside.copy()
    for axis in range(3):
        for step in (-1, 1):
            grown |= np.roll(inside, step, axis)
    return grown & ~inside


def test_no_file_is_left_beside(generated: Generated) -> None:
    folder: Path = generated("Task01_BrainTumour").folder
    assert {path.name for path in folder.iterdir()} == {"imagesTr", "labelsTr", "imagesTs", "dataset.json"}
