"""The weights that ship with the hippocampus bundle: what its metadata and README state of them."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from campaigns.cases import prepare_cases

from adw_components.architecture import Architecture
from adw_components.networks import AdwUNet

from .conftest import BUNDLE, run_bundle

WEIGHTS = BUNDLE / "models" / "model.pt"
# What a zoo takes without storage of its own.
MOST_BYTES = 25_000_000
ON_CPU = {"device": "cpu", "amp": False, "num_workers": 0}


def stated() -> dict[str, Any]:
    return json.loads((BUNDLE / "configs" / "metadata.json").read_text())["eval_metrics"]


def test_metadata_are_of_these_weights() -> None:
    content = WEIGHTS.read_bytes()
    assert hashlib.sha256(content).hexdigest() == stated()["weights_sha256"]
    assert len(content) <= MOST_BYTES


def test_weights_are_of_the_architecture_that_ships() -> None:
    architecture = Architecture.load(BUNDLE / "configs" / "architecture.json")
    network = AdwUNet(spatial_dims=3, in_channels=1, out_channels=3, architecture=architecture)
    network.load_state_dict(torch.load(WEIGHTS, weights_only=True))
    provenance = architecture.provenance
    assert provenance["source"] == "search by adw_components" and provenance["retrained"]["n_cases"] == 208
    assert json.loads((WEIGHTS.parent / "settings.json").read_text())["architecture"] == architecture.structure()


def test_the_readme_states_the_metrics_of_the_metadata() -> None:
    readme, metrics = (BUNDLE / "docs" / "README.md").read_text(), stated()
    for part in (metrics["unseen"], metrics["seen_in_training"]):
        for value in (part["mean_dice"], *part["dice"].values(), *part.get("mean_dice_of_folds", [])):
            assert f"{value:.4f}" in readme, value


@pytest.fixture(scope="module")
def evaluated(real_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an evaluation of the bundle as it is, on the fold that its metadata name."""
    folder = tmp_path_factory.mktemp("evaluated")
    cases = prepare_cases(real_dataset, folder)
    fold, data = stated()["seen_in_training"]["fold"], str(cases.dataset_dir)
    options = {"split_file": str(cases.split_file), "fold": fold, "cache_dir": str(folder / "cache"), **ON_CPU}
    run_bundle("evaluate", "evaluate", dataset_dir=data, output_dir=str(folder / "out"), **options)
    return folder / "out"


def test_evaluation_gives_the_stated_dice(evaluated: Path) -> None:
    """Another CPU may sum in another order: a voxel here or there, not the fourth digit of the mean of 52 cases."""
    found, known = json.loads((evaluated / "summary.json").read_text()), stated()["seen_in_training"]
    assert found["n_cases"] == known["n_cases"] == 52
    assert found["mean_dice"] == pytest.approx(known["mean_dice"], abs=1e-4)
    dice = {name: values["mean"] for name, values in found["dice"].items()}
    assert dice == pytest.approx(known["dice"], abs=1e-4)


def test_a_folder_of_raw_images_is_predicted_as_in_the_evaluation(
    evaluated: Path, real_dataset: Path, tmp_path: Path
) -> None:
    names = sorted(path.name for path in (evaluated / "predictions").glob("*.nii.gz"))[:2]
    (tmp_path / "raw").mkdir()
    for name in names:
        shutil.copy(real_dataset / "imagesTr" / name, tmp_path / "raw")
    run_bundle("infer", "inference", dataset_dir=str(tmp_path / "raw"), output_dir=str(tmp_path / "out"), **ON_CPU)
    for name in names:
        one, other = (
            np.asarray(nib.load(folder / name).dataobj) for folder in (tmp_path / "out", evaluated / "predictions")
        )
        assert set(np.unique(one)) == {0, 1, 2}
        np.testing.assert_array_equal(one, other)
