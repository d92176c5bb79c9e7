"""Which cases are pictured, and which slices of them."""

from pathlib import Path

import numpy as np
import pytest
from fabricated_runs import write_evaluation, write_image

from adw_components.report import build_report
from adw_components.report.overlays import best_and_worst, field_of_view, fullest_slice, load_volumes
from adw_components.report.records import Case


def case(score: float | None, folder: Path = Path()) -> Case:
    paths = {kind: folder / f"{kind}.nii.gz" for kind in ("image", "label", "prediction")}
    return Case(case=str(score), dice={}, mean_dice=score, hd95_mm={}, mean_hd95_mm=None, **paths)


@pytest.mark.parametrize(
    ("scores", "best", "worst"),
    [
        ([0.1, 0.9, None, 0.5, 0.8, 0.2, 0.7, 0.6], [0.9, 0.8, 0.7], [0.1, 0.2, 0.5]),
        ([0.3, 0.1, 0.2], [0.3, 0.2], [0.1]),
        ([0.3], [0.3], []),
        ([None], [], []),
    ],
)
def test_best_and_worst(scores: list[float | None], best: list[float], worst: list[float]) -> None:
    found = best_and_worst([case(score) for score in scores])
    assert [[row.mean_dice for row in rows] for rows in found] == [best, worst]


def test_slices_and_field_respect_orientation_and_spacing(tmp_path: Path) -> None:
    label = np.zeros((20, 10, 8), np.uint8)
    label[2:4, 5:6, 1:7] = 1
    label[2:4, 4:6, 6] = 1
    # x runs to the patient's left, so the axis is turned when it is read.
    affine = np.diag([-1.0, 2.0, 4.0, 1.0])
    for kind in ("label", "prediction"):
        write_image(tmp_path / f"{kind}.nii.gz", label, affine)
    write_image(tmp_path / "image.nii.gz", np.stack([label, 0 * label], axis=-1), affine)
    volumes = load_volumes(case(0.5, tmp_path))
    assert volumes.spacing == (1.0, 2.0, 4.0)
    assert np.array_equal(volumes.image, label[::-1])
    assert [fullest_slice(volumes.label, axis) for axis in range(3)] == [16, 5, 6]
    middle, half = field_of_view(volumes)
    assert middle == (17.0, 10.0, 16.0)
    assert half >= 6 * 4 / 2


def test_a_prediction_on_another_grid_is_said_so(tmp_path: Path) -> None:
    write_evaluation(tmp_path, [0.8])
    write_image(tmp_path / "predictions/case_0.nii.gz", np.zeros((3, 3, 3), np.uint8))
    text = build_report(tmp_path).read_text()
    assert "No picture: image, label and prediction must have the same shape" in text
