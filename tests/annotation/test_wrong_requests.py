"""A wrong request gets a status and a line, and changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from .conftest import CLICKS, PLAIN
from .test_annotation import check, first, name


@pytest.fixture
def unchanged(server: Any, studies: Path) -> Any:
    """The datastore is as before, and the next good request works."""
    before = server.state()
    yield
    assert server.state() == before
    check(server.label_map(PLAIN, name(first(studies))), first(studies), {0, 1, 2})


def refused(answer: Any, *parts: str) -> None:
    assert answer.status_code == 400
    detail = answer.json()["detail"]
    assert all(part.casefold() in detail.casefold() for part in parts), detail


def test_four_channels_for_a_bundle_of_one(server: Any, modalities: Path, unchanged: None) -> None:
    refused(server.infer(PLAIN, file=modalities), "must have 1 channel(s), got 4 (shape (40, 36, 34, 4))")


def test_an_image_that_is_not_there(server: Any, unchanged: None) -> None:
    refused(server.infer(PLAIN, "nobody"), "must be the path or the name of an image")


def test_a_corrupt_image(server: Any, studies: Path, work: Path, unchanged: None) -> None:
    path = work / "corrupt.nii.gz"
    path.write_bytes(first(studies).read_bytes()[:3000])
    refused(server.infer(PLAIN, file=path), "cannot be read as")


def test_voxels_without_a_value(server: Any, work: Path, unchanged: None) -> None:
    path = work / "nan.nii.gz"
    nib.save(nib.Nifti1Image(np.full((30, 30, 30), np.nan, np.float32), np.eye(4)), path)
    refused(server.infer(PLAIN, file=path), "NaN or infinite")


def test_a_click_outside_the_image(server: Any, studies: Path, unchanged: None) -> None:
    refused(server.infer(CLICKS, name(first(studies)), anterior=[[500, 1, 1]]), "500")


def test_clicks_on_an_unknown_label(server: Any, studies: Path, unchanged: None) -> None:
    refused(server.infer(CLICKS, name(first(studies)), liver=[[5, 5, 5]]), "liver", "posterior")


def test_scribbles_without_scribbles(server: Any, studies: Path, unchanged: None) -> None:
    refused(server.infer("Histogram+GraphCut", name(first(studies))), "scribbles must be sent as a label map")


def test_a_training_that_cannot_start_says_why(server: Any, unchanged: None) -> None:
    """A `val_split` of -1 asks for the validation cases of the bundle's own dataset, which is not there."""
    done = server.train(PLAIN, val_split=-1)
    assert done["status"] == "ERROR"
    assert any("error: dataset_dir must be a folder" in line for line in done["details"])
