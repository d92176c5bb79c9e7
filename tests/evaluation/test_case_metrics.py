"""Dice and Hausdorff distance against values by hand; tables of all cases."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from ignite.engine import Engine
from monai.data import MetaTensor

from adw_components.evaluation.case_metrics import CaseMetrics, case_metrics, mean_or_none
from adw_components.evaluation.case_table import CaseTable, summary

LABELS = {"1": "Anterior", "2": "Posterior"}
SPACING = (2.0, 0.5, 3.0)
Box = tuple[slice, slice, slice]


def volume(**boxes: Box) -> torch.Tensor:
    """A label map (1, 12, 12, 12) with a box per class, given as `c1`, `c2`."""
    values = torch.zeros(1, 12, 12, 12)
    for name, box in boxes.items():
        values[(0, *box)] = int(name[1:])
    return values


def box(*starts_and_sizes: tuple[int, int]) -> Box:
    """A box from (start, size) per axis."""
    x, y, z = (slice(start, start + size) for start, size in starts_and_sizes)
    return x, y, z


def metrics(prediction: torch.Tensor, label: torch.Tensor, spacing: tuple[float, ...] = SPACING) -> CaseMetrics:
    """Metrics of one case."""
    return case_metrics(prediction, label, spacing=spacing, labels=LABELS, case="a", files={"image": "a.nii.gz"})


def test_perfect_prediction() -> None:
    label = volume(c1=box((1, 3), (1, 3), (1, 3)), c2=box((6, 3), (6, 3), (6, 3)))
    found = metrics(label, label)
    assert found.dice == {"Anterior": 1.0, "Posterior": 1.0}
    assert found.hd95_mm == {"Anterior": 0.0, "Posterior": 0.0}


def test_dice_of_overlapping_boxes() -> None:
    """4 x 4 x 4 against the same box 1 further: 2 * 48 / 128; against one of 2 x 4 x 4 inside: 2 * 32 / 96."""
    label = volume(c1=box((0, 4), (0, 4), (0, 4)), c2=box((6, 4), (6, 4), (6, 4)))
    prediction = volume(c1=box((1, 4), (0, 4), (0, 4)), c2=box((6, 2), (6, 4), (6, 4)))
    assert metrics(prediction, label).dice == pytest.approx({"Anterior": 0.75, "Posterior": 2 / 3})


@pytest.mark.parametrize(("axis", "distance"), [(0, 3 * 2.0), (1, 3 * 0.5), (2, 3 * 3.0)])
def test_distance_between_plates_is_in_millimetres_of_their_axis(axis: int, distance: float) -> None:
    """Every voxel of a plate is as far from a parallel plate."""
    plates = []
    for start in (2, 5):
        sides = [(0, 12)] * 3
        sides[axis] = (start, 1)
        plates.append(volume(c1=box(*sides)))
    found = metrics(plates[0], plates[1])
    assert found.hd95_mm["Anterior"] == pytest.approx(distance)
    assert found.dice["Anterior"] == 0.0


def test_distance_between_voxels_is_euclidean() -> None:
    found = metrics(volume(c1=box((1, 1), (1, 1), (1, 1))), volume(c1=box((4, 1), (5, 1), (2, 1))))
    assert found.hd95_mm["Anterior"] == pytest.approx(((3 * 2.0) ** 2 + (4 * 0.5) ** 2 + 3.0**2) ** 0.5)


def test_distance_is_the_95th_percentile_of_the_worse_direction() -> None:
    """Label: one voxel. Prediction: that voxel and one 4 steps away. Distances 0 and 8 mm: 95 % lies at 7.6 mm."""
    label = volume(c1=box((1, 1), (1, 1), (1, 1)))
    prediction = label.clone()
    prediction[0, 5, 1, 1] = 1
    assert metrics(prediction, label).hd95_mm["Anterior"] == pytest.approx(7.6)
    assert metrics(label, prediction).hd95_mm["Anterior"] == pytest.approx(7.6)


@pytest.mark.parametrize("swap", [False, True])
def test_class_in_one_of_the_two_only(swap: bool) -> None:
    both = volume(c1=box((1, 3), (1, 3), (1, 3)))
    extra = both.clone()
    extra[0, 8, 8, 8] = 2
    found = metrics(extra, both) if swap else metrics(both, extra)
    assert found.dice == {"Anterior": 1.0, "Posterior": 0.0}
    assert found.hd95_mm == {"Anterior": 0.0, "Posterior": None}


def test_class_absent_in_both_has_no_metric() -> None:
    label = volume(c1=box((1, 3), (1, 3), (1, 3)))
    found = metrics(label, label)
    assert found.dice == {"Anterior": 1.0, "Posterior": None}
    assert found.hd95_mm == {"Anterior": 0.0, "Posterior": None}
    assert found.to_dict()["mean_dice"] == 1.0


def test_case_without_any_class() -> None:
    found = metrics(volume(), volume()).to_dict()
    assert (found["mean_dice"], found["mean_hd95_mm"]) == (None, None)
    json.dumps(found, allow_nan=False)


def test_two_dimensional_case() -> None:
    label, prediction = torch.zeros(1, 8, 8), torch.zeros(1, 8, 8)
    label[0, 2], prediction[0, 4] = 1, 1
    assert metrics(prediction, label, spacing=(1.5, 1.0)).hd95_mm["Anterior"] == pytest.approx(3.0)


def test_mean_leaves_none_out() -> None:
    assert mean_or_none([0.5, None, 1.0]) == 0.75
    assert mean_or_none([None]) is None
    assert mean_or_none([]) is None


def row(case: str, dice: list[float | None], distance: list[float | None]) -> dict[str, Any]:
    """A row of the table."""
    names = LABELS.values()
    return {
        "case": case,
        "dice": dict(zip(names, dice, strict=True)),
        "hd95_mm": dict(zip(names, distance, strict=True)),
    }


def test_summary_by_hand() -> None:
    rows = [row("a", [0.5, None], [2.0, None]), row("b", [0.9, 0.4], [4.0, 1.0]), row("c", [1.0, None], [0.0, None])]
    found = summary(rows, list(LABELS.values()))
    assert found["n_cases"] == 3
    assert found["mean_dice"] == pytest.approx((0.8 + 0.4) / 2)
    assert found["mean_hd95_mm"] == pytest.approx((2.0 + 1.0) / 2)
    variance = ((0.5 - 0.8) ** 2 + (0.9 - 0.8) ** 2 + (1.0 - 0.8) ** 2) / 2
    anterior = {"n": 3, "mean": 0.8, "std": variance**0.5, "median": 0.9, "min": 0.5, "max": 1.0}
    assert found["dice"]["Anterior"] == pytest.approx(anterior)
    posterior = {"n": 1, "mean": 0.4, "std": None, "median": 0.4, "min": 0.4, "max": 0.4}
    assert found["dice"]["Posterior"] == posterior


def test_summary_of_a_class_that_never_occurs() -> None:
    found = summary([row("a", [0.5, None], [1.0, None])], list(LABELS.values()))
    assert found["dice"]["Posterior"] == {
        "n": 0, "mean": None, "std": None, "median": None, "min": None, "max": None
    }  # fmt: skip
    assert found["mean_dice"] == 0.5


def meta(values: torch.Tensor, name: str) -> MetaTensor:
    """An image with spacing 2 x 0.5 x 3 mm that was read from a file."""
    affine = torch.diag(torch.tensor([*SPACING, 1.0], dtype=torch.float64))
    return MetaTensor(values, affine=affine, meta={"filename_or_obj": name})


def evaluate(folder: Path) -> None:
    """An evaluation of two cases, in the wrong order, run twice."""
    table = CaseTable(output_dir=folder, labels=LABELS, settings={"fold": 0})
    label = volume(c1=box((2, 1), (0, 12), (0, 12)))
    prediction = volume(c1=box((5, 1), (0, 12), (0, 12)))

    def step(engine: Engine, case: str) -> list[dict[str, Any]]:
        engine.state.batch = [{"image": meta(label, f"/data/{case}.nii.gz"), "case": case}]
        predicted = label if case == "a" else prediction
        return [{"pred": predicted, "label": meta(label, f"/labels/{case}.nii.gz")}]

    engine = Engine(step)
    table.attach(engine)
    for _ in range(2):
        engine.run(["b", "a"], max_epochs=1)


def test_tables_of_an_evaluation(tmp_path: Path) -> None:
    evaluate(tmp_path)
    stored = json.loads((tmp_path / "cases.json").read_text())
    assert stored["labels"] == LABELS
    assert [case["case"] for case in stored["cases"]] == ["a", "b"]
    last = stored["cases"][1]
    assert last["dice"] == {"Anterior": 0.0, "Posterior": None}
    assert last["hd95_mm"]["Anterior"] == pytest.approx(6.0)
    assert (last["image"], last["label"]) == ("/data/b.nii.gz", "/labels/b.nii.gz")
    assert last["prediction"] == "predictions/b.nii.gz"
    totals = json.loads((tmp_path / "summary.json").read_text())
    assert (totals["n_cases"], totals["mean_dice"], totals["settings"]) == (2, 0.5, {"fold": 0})


def test_csv_holds_the_same_numbers(tmp_path: Path) -> None:
    evaluate(tmp_path)
    with (tmp_path / "cases.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["case"] for row in rows] == ["a", "b"]
    assert [float(row["dice Anterior"]) for row in rows] == [1.0, 0.0]
    assert [row["dice Posterior"] for row in rows] == ["", ""]
    assert [float(row["hd95_mm Anterior"]) for row in rows] == pytest.approx([0.0, 6.0])


def test_table_needs_one_output_per_case(tmp_path: Path) -> None:
    table = CaseTable(output_dir=tmp_path, labels=LABELS)
    with pytest.raises(ValueError, match="zip"):
        table.measure(SimpleNamespace(state=SimpleNamespace(batch=[{}, {}], output=[{"pred": 0, "label": 0}][:0])))
