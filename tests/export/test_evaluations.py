"""An evaluation of the weights goes into the metadata, one of others nowhere."""

import json
import shutil
from pathlib import Path

import monai.bundle
import pytest
from bundles.conftest import data_of, inside

from adw_components.export.command import export_bundle

from .conftest import HIPPOCAMPUS, PROSTATE, bundle_of, read, refused, write_summary, write_weights


def test_an_evaluation_of_other_weights(tmp_path: Path) -> None:
    weights, others = (str(write_weights(tmp_path / name, HIPPOCAMPUS, width=w)) for name, w in (("a", 2), ("b", 3)))
    run = write_summary(tmp_path / "run", [others])
    refused(tmp_path / "out", "must be one of .*a/model.pt", weights=weights, evaluation=str(run))
    both = write_summary(tmp_path / "both", [weights, others])
    refused(tmp_path / "out", "must be one of", weights=weights, evaluation=str(both))
    refused(tmp_path / "out", "must be one of .*models/model.pt", evaluation=str(run))
    refused(tmp_path / "out", "evaluation belongs to weights", bundle=bundle_of(PROSTATE), evaluation=str(run))
    refused(tmp_path / "out", "does not exist", weights=weights, evaluation=str(tmp_path))


def test_an_evaluation_of_these_weights_fills_the_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adw_components.export.command.write_torchscript", lambda _: None)
    weights = str(write_weights(tmp_path / "a", HIPPOCAMPUS))
    run = write_summary(tmp_path / "run", [weights])
    export_bundle(str(bundle_of(HIPPOCAMPUS)), output=str(tmp_path / "out"), weights=weights, evaluation=str(run))
    metadata = json.loads((tmp_path / "out" / HIPPOCAMPUS / "configs" / "metadata.json").read_text())
    dice = {"Anterior": 0.8123, "Posterior": None}
    assert metadata["eval_metrics"] == {"mean_dice": 0.8123, "dice": dice, "n_cases": 3, "fold": 0, "mirror_tta": True}


def test_the_commands_of_the_document_run_as_typed(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`evaluate` in the bundle's folder, `export` from another one, all paths relative."""
    monkeypatch.setattr("adw_components.export.command.write_torchscript", lambda _: None)
    bundle = Path(shutil.copytree(bundle_of(HIPPOCAMPUS), tmp_path / "bundles" / HIPPOCAMPUS))
    write_weights(bundle / "runs" / "train", HIPPOCAMPUS)
    options = {"dataset_dir": str(data_of(bundle, tmp_path_factory)), "device": "cpu", "num_workers": 0}
    with inside(bundle):
        monai.bundle.run("evaluate", config_file="configs/evaluate.json", model_dir="runs/train", **options)
    here = f"bundles/{HIPPOCAMPUS}"
    with inside(tmp_path):
        weights = f"{here}/runs/train/model.pt"
        export_bundle(here, output="served", weights=weights, evaluation=f"{here}/runs/evaluate")
    found = json.loads((bundle / "runs" / "evaluate" / "summary.json").read_text())
    metrics = read(tmp_path / "served" / HIPPOCAMPUS, "metadata")["eval_metrics"]
    assert metrics["mean_dice"] == round(found["mean_dice"], 4) and metrics["n_cases"] == found["n_cases"]
