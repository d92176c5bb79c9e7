"""An annotator's session, in the order of the file: look, pre-segment, click, save, fine-tune, go on."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import requests

from .conftest import CLICKS, MODALITIES, PLAIN, ROOT
from .server import as_image

LABELS = {"anterior": 1, "posterior": 2}


def grid(image: nib.Nifti1Image) -> tuple[Any, Any]:
    return image.shape[:3], image.affine


def first(studies: Path) -> Path:
    return min(studies.glob("*.nii.gz"))


def name(path: Path) -> str:
    return path.name.removesuffix(".nii.gz")


def check(found: nib.Nifti1Image, image: Path, values: set[int]) -> None:
    """A label map lies on the grid of its image and holds the bundle's labels."""
    shape, affine = grid(nib.load(image))
    assert found.shape == shape
    np.testing.assert_allclose(found.affine, affine, atol=1e-4)
    assert set(np.unique(found.get_fdata())) <= values


def test_the_bundles_are_listed_with_their_labels(server: Any) -> None:
    info = server.get("info/")
    assert set(info["models"]) == {PLAIN, MODALITIES, CLICKS, f"{CLICKS}_seg", "Histogram+GraphCut"}
    assert set(info["trainers"]) == {PLAIN, MODALITIES, CLICKS}
    assert info["models"][PLAIN]["type"] == "segmentation" and info["models"][PLAIN]["labels"] == LABELS
    assert info["models"][CLICKS]["type"] == "deepedit"
    assert info["models"][CLICKS]["labels"] == {"background": 0, **LABELS}


def test_pages_of_other_sites_may_not_use_the_server(server: Any) -> None:
    answer = requests.get(f"{server.url}/info/", headers={"Origin": "https://elsewhere.example"}, timeout=60)
    assert answer.status_code == 200 and "access-control-allow-origin" not in answer.headers


def test_monailabel_adds_no_loader_of_weights_to_a_training(bundles: list[Path]) -> None:
    from monailabel.tasks.train.bundle import BundleTrainTask

    for folder in bundles:
        task = BundleTrainTask(str(folder), {})
        handlers = list(task.bundle_config.get("train#handlers"))
        task._load_checkpoint(str(folder / "models" / "model.pt"), True, handlers)
        assert handlers == task.bundle_config.get("train#handlers")


def test_a_sample_is_drawn(server: Any, studies: Path) -> None:
    answer = requests.post(f"{server.url}/activelearning/random", json={}, timeout=60).json()
    assert (studies / f"{answer['id']}.nii.gz").is_file()


@pytest.mark.parametrize("model", [PLAIN, CLICKS, f"{CLICKS}_seg"])
def test_an_image_is_segmented_on_its_own_grid(server: Any, studies: Path, model: str) -> None:
    found = server.label_map(model, name(first(studies)))
    check(found, first(studies), {0, 1, 2})
    assert found.get_data_dtype() == np.uint8


def test_an_oblique_image_is_segmented_on_its_own_grid(server: Any, work: Path) -> None:
    affine = np.array([[0, -1.5, 0, 10], [0.8, 0, 0, -20], [0, 0, -2.0, 5], [0, 0, 0, 1.0]])
    volume = np.random.default_rng(0).normal(size=(40, 30, 21)).astype(np.float32)
    nib.save(nib.Nifti1Image(volume, affine), work / "oblique.nii.gz")
    check(as_image(server.infer(PLAIN, file=work / "oblique.nii.gz")), work / "oblique.nii.gz", {0, 1, 2})


def test_four_modalities_in_one_file(server: Any, modalities: Path) -> None:
    check(as_image(server.infer(MODALITIES, file=modalities)), modalities, {0, 1, 2, 3})


def test_clicks_change_the_answer_and_no_clicks_are_the_automatic_one(server: Any, studies: Path) -> None:
    image = name(first(studies))
    centre = [size // 2 for size in nib.load(first(studies)).shape]
    automatic, none = server.label_map(f"{CLICKS}_seg", image), server.label_map(CLICKS, image, anterior=[])
    np.testing.assert_array_equal(automatic.get_fdata(), none.get_fdata())
    clicks = {"anterior": [centre], "posterior": [[1, 1, 1]], "background": [], "label": "anterior"}
    clicked = server.label_map(CLICKS, image, **clicks)
    check(clicked, first(studies), {0, 1, 2})
    assert np.any(clicked.get_fdata() != automatic.get_fdata())
    np.testing.assert_array_equal(server.label_map(CLICKS, image, **clicks).get_fdata(), clicked.get_fdata())


def test_scribbles_find_what_they_were_drawn_on(server: Any, studies: Path, labelled: Path, work: Path) -> None:
    """2 is background, 3 is foreground, on a few voxels; what is found overlaps a bright block that they mark."""
    shape, block = (40, 36, 30), (slice(12, 28), slice(10, 26), slice(8, 22))
    volume = np.random.default_rng(0).normal(100, 5, shape).astype(np.float32)
    volume[block] += 100
    affine = np.diag([1.0, 1.2, 2.0, 1.0])
    scribbles = np.zeros(shape, np.uint8)
    scribbles[18:22, 18, 15], scribbles[2:38, 3, 15] = 3, 2
    for file, voxels in (("scribbled", volume), ("scribbles", scribbles)):
        nib.save(nib.Nifti1Image(voxels, affine), work / f"{file}.nii.gz")
    answer = server.infer("Histogram+GraphCut", file=work / "scribbled.nii.gz", label_file=work / "scribbles.nii.gz")
    found = as_image(answer)
    check(found, work / "scribbled.nii.gz", {0, 1})
    truth = np.zeros(shape)
    truth[block] = 1
    overlap = np.sum(truth * found.get_fdata())
    assert 2 * overlap / (truth.sum() + found.get_fdata().sum()) > 0.95


def save_labels(server: Any, labelled: Path, count: int) -> None:
    for label in sorted((labelled / "labelsTr").glob("*.nii.gz"))[:count]:
        server.save_label(name(label), label)


def test_a_saved_label_is_in_the_datastore(server: Any, labelled: Path, studies: Path) -> None:
    save_labels(server, labelled, 3)
    listing = server.get("datastore/", output="all")["objects"]
    assert sum("final" in entry["labels"] for entry in listing.values()) == 3
    saved = studies / "labels" / "final" / first(studies).name
    original = nib.load(labelled / "labelsTr" / saved.name).get_fdata()
    np.testing.assert_array_equal(nib.load(saved).get_fdata(), original)


@pytest.mark.parametrize(("model", "val_split"), [(PLAIN, 0.0), (PLAIN, 0.34), (CLICKS, 0.0)])
def test_fine_tuning_changes_the_weights_and_what_is_found_next(
    server: Any, studies: Path, bundles: list[Path], model: str, val_split: float
) -> None:
    image, weights = name(first(studies)), server.weights(model)
    before, found = weights.read_bytes(), server.label_map(model, image).get_fdata()
    done = server.train(model, max_epochs=2, val_split=val_split)
    assert done["status"] == "DONE", "\n".join(done["details"])
    assert weights.read_bytes() != before
    run = weights.parents[1] / "runs" / "fine_tuning"
    assert next((run / "previous").iterdir()).read_bytes() == before
    rows = [json.loads(line) for line in (run / "train.jsonl").read_text().splitlines()]
    assert len(rows) == 2 and (rows[-1]["validation"] is not None) == (val_split > 0)
    assert np.any(server.label_map(model, image).get_fdata() != found)
    # The bundle that was given is as it was.
    (given,) = (folder for folder in bundles if folder.name == model)
    assert not (given / "runs").exists() and (given / "models" / "model.pt").is_file()


def test_the_weights_of_before_come_back_by_a_copy(server: Any, studies: Path) -> None:
    """By the command of docs/monailabel.md."""
    image, weights = name(first(studies)), server.weights(PLAIN)
    tuned, copy = server.label_map(PLAIN, image).get_fdata(), weights.parents[1]
    # A training that is stopped leaves no weights of before.
    (copy / "runs" / "fine_tuning").rename(copy / "runs" / "fine_tuning_002")
    (copy / "runs" / "fine_tuning").mkdir()
    undo = 'cp "$(ls -t runs/fine_tuning*/previous/model_*.pt | head -n 1)" models/model.pt'
    assert undo in (ROOT / "docs" / "monailabel.md").read_text()
    subprocess.run(["bash", "-c", undo], cwd=copy, check=True)
    assert weights.read_bytes() == next((copy / "runs" / "fine_tuning_002" / "previous").iterdir()).read_bytes()
    assert np.any(server.label_map(PLAIN, image).get_fdata() != tuned)


def test_a_batch_is_segmented_and_kept(server: Any, studies: Path) -> None:
    done = server.batch_infer(PLAIN)
    assert done["status"] == "DONE", "\n".join(done["details"])
    listing = server.get("datastore/", output="all")["objects"]
    unlabelled = [entry for entry in listing.values() if "final" not in entry["labels"]]
    assert unlabelled and all("original" in entry["labels"] for entry in unlabelled)
    for path in sorted((studies / "labels" / "original").glob("*.nii.gz")):
        check(nib.load(path), studies / path.name, {0, 1, 2})
