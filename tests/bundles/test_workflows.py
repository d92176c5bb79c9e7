"""The whole flow of the bundle on generated data: what each command leaves behind."""

import json
import random
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch

from adw_components.architecture import Architecture
from adw_components.data.dataset import read_dataset
from adw_components.data.folds import five_folds
from adw_components.errors import user_error_behind
from adw_components.networks import AdwUNet
from adw_components.report import build_report
from adw_components.search_space import SearchSpace

from .conftest import TOY_PREDICTION, TOY_SEARCH, TOY_TRAIN, run_bundle


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_search_leaves_a_record_and_an_architecture_of_its_space(runs: Path) -> None:
    record = rows(runs / "search" / "search.jsonl")
    assert [row["epoch"] for row in record] == [1, 2, 3]
    assert [row["phase"] for row in record] == ["warm-up", "search", "search"]
    assert all(set(row["validation"]["dice"]) == {"Anterior", "Posterior"} for row in record)
    architecture = Architecture.load(runs / "search" / "architecture.json")
    assert architecture.structure() == record[-1]["architecture"]
    settings = json.loads((runs / "search" / "settings.json").read_text())
    assert architecture in SearchSpace.from_dict(settings["search_space"])
    assert architecture.provenance["settings"]["seed"] == 0
    assert set(settings) - {"kind", "package_version"} == set(architecture.provenance["settings"])


def test_weights_move_in_the_warm_up_and_choices_only_after_it(runs: Path) -> None:
    record = rows(runs / "search" / "search.jsonl")
    assert not np.any(np.concatenate([np.ravel(block) for block in record[0]["alpha"]]))
    assert np.any(np.concatenate([np.ravel(block) for block in record[1]["alpha"]]))
    assert record[0]["architecture_loss_a"] is None and record[1]["architecture_loss_b"] > 0


def test_a_search_in_bfloat16_differs_by_no_more_than_rounding(
    runs: Path, generated_dataset: Path, tmp_path: Path
) -> None:
    own = {"amp": True, "amp_dtype": "bfloat16", "max_epochs": 2}
    options = {**TOY_SEARCH, **own, "dataset_dir": str(generated_dataset), "output_dir": str(tmp_path / "search")}
    run_bundle("search", "search", **options)
    (half, *_), (whole, *_) = (rows(folder / "search" / "search.jsonl") for folder in (tmp_path, runs))
    assert half["weight_loss"] != whole["weight_loss"]
    assert half["weight_loss"] == pytest.approx(whole["weight_loss"], rel=0.02)


def test_retraining_keeps_best_and_last_weights_of_the_derived_network(runs: Path) -> None:
    architecture = Architecture.load(runs / "train" / "architecture.json")
    assert architecture == Architecture.load(runs / "search" / "architecture.json")
    network = AdwUNet(3, 1, 3, architecture)
    for name in ("model.pt", "model_last.pt"):
        network.load_state_dict(torch.load(runs / "train" / name, weights_only=True))
    assert [row["epoch"] for row in rows(runs / "train" / "train.jsonl")] == [1, 2]


def test_evaluation_covers_the_fold_and_its_dice_is_that_of_the_written_files(
    runs: Path, generated_dataset: Path
) -> None:
    folder = runs / "evaluate"
    cases = json.loads((folder / "cases.json").read_text())["cases"]
    fold = five_folds(read_dataset(generated_dataset).case_ids)[0]
    assert tuple(case["case"] for case in cases) == fold.validation
    for case in cases:
        prediction = nib.load(folder / case["prediction"]).get_fdata()
        label = nib.load(case["label"]).get_fdata()
        for value, name in ((1, "Anterior"), (2, "Posterior")):
            overlap = 2 * np.sum((prediction == value) & (label == value))
            total = np.sum(prediction == value) + np.sum(label == value)
            assert case["dice"][name] == pytest.approx(overlap / total, abs=1e-6)
    summary = json.loads((folder / "summary.json").read_text())
    mean = np.mean([[case["dice"][name] for case in cases] for name in ("Anterior", "Posterior")])
    assert summary["mean_dice"] == pytest.approx(mean)
    assert len((folder / "cases.csv").read_text().splitlines()) == len(cases) + 1


def test_predictions_have_the_grid_and_the_header_of_their_images(runs: Path, generated_dataset: Path) -> None:
    written = sorted((runs / "predictions").glob("*.nii.gz"))
    images = sorted((generated_dataset / "imagesTs").glob("*.nii.gz"))
    assert [path.name for path in written] == [path.name for path in images]
    for prediction, image in zip(map(nib.load, written), map(nib.load, images), strict=True):
        assert prediction.shape == image.shape and prediction.get_data_dtype() == np.uint8
        np.testing.assert_array_equal(prediction.affine, image.affine)
        for field in ("qform_code", "sform_code", "xyzt_units", "pixdim"):
            np.testing.assert_array_equal(prediction.header[field], image.header[field])
        assert set(np.unique(prediction.get_fdata())) <= {0, 1, 2}


def test_a_rotated_anisotropic_image_is_predicted_on_its_own_grid(runs: Path, tmp_path: Path) -> None:
    affine = np.array([[0, -1.5, 0, 10], [0.8, 0, 0, -20], [0, 0, -2.0, 5], [0, 0, 0, 1.0]])
    volume = np.random.default_rng(0).normal(size=(40, 30, 21)).astype(np.float32)
    nib.save(nib.Nifti1Image(volume, affine), tmp_path / "case_7.nii.gz")
    model = {"model_dir": f"{runs}/train", **TOY_PREDICTION}
    run_bundle("infer", "inference", dataset_dir=str(tmp_path), output_dir=str(tmp_path / "out"), **model)
    prediction = nib.load(tmp_path / "out" / "case_7.nii.gz")
    assert prediction.shape == volume.shape
    np.testing.assert_allclose(prediction.affine, affine, atol=1e-6)


def test_ensemble_and_mirroring_run_without_a_run_id(runs: Path, generated_dataset: Path, tmp_path: Path) -> None:
    checkpoints = [f"{runs}/train/model.pt", f"{runs}/train/model_last.pt"]
    run_bundle(
        None,
        "evaluate",
        dataset_dir=str(generated_dataset),
        output_dir=str(tmp_path),
        model_dir=f"{runs}/train",
        checkpoint_path=checkpoints,
        mirror_tta=True,
        **TOY_PREDICTION,
    )
    settings = json.loads((tmp_path / "summary.json").read_text())["settings"]
    assert settings["checkpoints"] == checkpoints and settings["mirror_tta"] is True


def test_a_finished_search_is_not_overwritten_and_resuming_it_changes_nothing(
    runs: Path, generated_dataset: Path
) -> None:
    before = (runs / "search" / "search.jsonl").read_bytes()
    arguments = {"dataset_dir": str(generated_dataset), "output_dir": f"{runs}/search", **TOY_SEARCH}
    with pytest.raises(RuntimeError) as raised:
        run_bundle("search", "search", **arguments)
    assert "--resume true" in str(user_error_behind(raised.value))
    run_bundle(None, "search", resume=True, **arguments)
    assert (runs / "search" / "search.jsonl").read_bytes() == before


def test_search_refuses_to_write_over_the_architecture_that_ships(generated_dataset: Path) -> None:
    with pytest.raises(RuntimeError) as raised:
        run_bundle("search", "search", dataset_dir=str(generated_dataset), output_dir="configs", **TOY_SEARCH)
    assert "architecture.json" in str(user_error_behind(raised.value))


def test_weights_of_another_architecture_are_refused_plainly(
    runs: Path, generated_dataset: Path, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError) as raised:
        run_bundle(
            "evaluate",
            "evaluate",
            dataset_dir=str(generated_dataset),
            output_dir=str(tmp_path),
            architecture_path="configs/architecture.json",
            checkpoint_path=f"{runs}/train/model.pt",
            **TOY_PREDICTION,
        )
    assert "belongs to another architecture" in str(user_error_behind(raised.value))


def test_the_report_of_the_flow_is_one_page(runs: Path) -> None:
    page = build_report(runs).read_text()
    assert "hippocampus_" in page and "<svg" in page


def test_the_tensorrt_overlay_runs_the_plain_network_where_there_is_no_tensorrt(
    runs: Path, generated_dataset: Path, tmp_path: Path
) -> None:
    model = {"model_dir": f"{runs}/train", **TOY_PREDICTION}
    names = ["inference", "inference_trt"]
    run_bundle("infer", names, dataset_dir=str(generated_dataset), output_dir=str(tmp_path), **model)
    for path in (runs / "predictions").glob("*.nii.gz"):
        given = nib.load(tmp_path / path.name).get_fdata()
        np.testing.assert_array_equal(given, nib.load(path).get_fdata())


@pytest.mark.parametrize("searched", ["width", "depth"])
def test_depth_only_and_width_only_are_one_switch(searched: str, generated_dataset: Path, tmp_path: Path) -> None:
    toy = {**TOY_SEARCH, "max_epochs": 2, "iterations_per_epoch": 1, "val_interval": 2}
    run_bundle(
        "search",
        "search",
        dataset_dir=str(generated_dataset),
        output_dir=str(tmp_path),
        searched=searched,
        step_order="simultaneous",
        **toy,
    )
    architecture = Architecture.load(tmp_path / "architecture.json")
    if searched == "width":
        assert {len(block) for block in architecture.blocks} == {2}
    else:
        stages = [0, 1, 2, 3, 2, 1, 0]
        for stage, block in zip(stages, architecture.blocks, strict=True):
            assert set(block) == {3 * 2**stage}


def test_a_seed_gives_one_training_whatever_the_process_drew_before(
    runs: Path, generated_dataset: Path, tmp_path: Path
) -> None:
    def weights(name: str, drawn: int, **more: Any) -> dict[str, torch.Tensor]:
        torch.manual_seed(drawn)
        random.seed(drawn)
        np.random.seed(drawn)
        folder, architecture = tmp_path / name, f"{runs}/search/architecture.json"
        data = {"dataset_dir": str(generated_dataset), "architecture_path": architecture}
        run_bundle("train", "train", output_dir=str(folder), **data, **{**TOY_TRAIN, "max_epochs": 1}, **more)
        return torch.load(folder / "model_last.pt", weights_only=True)

    one, other, otherwise = weights("one", 1), weights("other", 2), weights("otherwise", 1, seed=5)
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert not all(torch.equal(one[key], otherwise[key]) for key in one)
