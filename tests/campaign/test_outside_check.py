"""nnU-Net v2 itself trains the default network of the toy campaign; its label maps are measured as ours are."""

import os
from importlib import import_module
from pathlib import Path

import pytest
import torch

from adw_components.data.dataset import read_dataset
from adw_components.files import read_json

SEEDS = (0, 1)


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder and tables of a campaign of which only the outside check was run."""
    python = os.environ.get("ADW_NNUNET_PYTHON")
    if not python:
        pytest.skip("ADW_NNUNET_PYTHON does not name an interpreter with nnunetv2; scripts/test_nnunet.sh does")
    folder, script = tmp_path_factory.mktemp("outside"), import_module("campaign")
    return folder, script.main(output_dir=str(folder), toy=True, parts="nnunet", threads=1, nnunet_python=python)


def run_of(folder: Path, seed: int = 0) -> Path:
    return folder / "nnunet" / f"fold_1_seed_{seed}"


def results(folder: Path, seed: int = 0) -> Path:
    (found,) = (run_of(folder, seed) / "results").glob("Dataset004_Hippocampus/*/fold_0")
    return found


def test_network_batch_patch_and_length_are_the_campaigns(checked: tuple[Path, str]) -> None:
    plan = read_json(results(checked[0]).parent / "plans.json", "plans")["configurations"]["3d_fullres"]
    assert (plan["batch_size"], plan["patch_size"]) == (2, [16, 16, 16])
    arguments = plan["architecture"]["arch_kwargs"]
    assert arguments["features_per_stage"] == [3, 6, 12, 24] and arguments["n_conv_per_stage"] == [2, 2, 2, 2]
    (log,) = results(checked[0]).glob("training_log_*.txt")
    text = log.read_text()
    assert "Epoch 0" in text and "Epoch 1" not in text


def test_optimizer_and_mirroring_are_the_campaigns(checked: tuple[Path, str]) -> None:
    state = torch.load(results(checked[0]) / "checkpoint_final.pth", weights_only=False)
    (group,) = state["optimizer_state"]["param_groups"]
    assert (group["initial_lr"], group["momentum"], group["weight_decay"]) == (0.1, 0.9, 3e-5) and group["nesterov"]
    # Ours is x; nnU-Net counts z, y, x.
    assert state["inference_allowed_mirroring_axes"] == (2,)


def test_seeds_differ_and_dice_of_every_case_is_nnunets_own(checked: tuple[Path, str]) -> None:
    folder, tables = checked
    fold = read_json(folder / "folds.json", "folds")["1"]
    found = []
    for seed in SEEDS:
        theirs = read_json(results(folder, seed) / "validation" / "summary.json", "summary")
        ours = read_json(run_of(folder, seed) / "evaluation" / "cases.json", "cases")["cases"]
        assert [case["case"] for case in ours] == sorted(fold["validation"])
        by_case = {Path(case["prediction_file"]).name: case["metrics"] for case in theirs["metric_per_case"]}
        for case in ours:
            metrics = by_case[f"{case['case']}.nii.gz"]
            for value, name in (("1", "Anterior"), ("2", "Posterior")):
                assert case["dice"][name] == pytest.approx(metrics[value]["Dice"], abs=1e-6)
        assert f"| nnU-Net v2 | {seed} | {theirs['foreground_mean']['Dice']:.4f} |" in tables
        found.append([case["dice"] for case in ours])
    assert found[0] != found[1]


def test_the_cases_that_are_put_aside_are_not_in_nnunets_folder(checked: tuple[Path, str]) -> None:
    folder = checked[0]
    raw = run_of(folder) / "raw" / "Dataset004_Hippocampus"
    names = {path.name.removesuffix(".nii.gz") for path in (raw / "labelsTr").iterdir()}
    assert names == set(read_dataset(folder / "data").case_ids) and len(names) == 8
