"""Exported bundles train, evaluate and infer with the repository off the path, as the zoo's own tests do it."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from bundles.conftest import data_of
from bundles.test_every_bundle import check_prediction

from adw_components.data.dataset import read_dataset
from adw_components.plan import Plan

from .conftest import INTERACTIVE, NAMES, bundle_of

Exported, Outside = Callable[[str], Path], Callable[..., str]


@pytest.mark.parametrize("name", NAMES)
def test_the_form_of_the_zoos_unit_test(
    name: str, exported: Exported, outside: Outside, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data, plan = data_of(bundle_of(name), tmp_path_factory), Plan.load(bundle_of(name) / "configs" / "plan.json")
    script = Path(__file__).with_name("zoo_form.py")
    outside(str(script), str(exported(name)), str(data), str(tmp_path), folder=tmp_path)
    assert (tmp_path / "train" / "model.pt").is_file()
    cases = json.loads((tmp_path / "evaluate" / "cases.json").read_text())["cases"]
    assert [set(case["dice"]) for case in cases] == [set(plan.dataset.labels[1:])] * len(cases)
    if name == INTERACTIVE:
        curve = json.loads((tmp_path / "evaluate" / "clicks.json").read_text())["curve"]
        assert [point["clicks"] for point in curve] == [0, 1] and all(point["mean_dice"] is not None for point in curve)
    pairs = [(path, tmp_path / "predictions" / path.name) for path in read_dataset(data).test]
    pairs += [(Path(case["image"]), tmp_path / "evaluate" / case["prediction"]) for case in cases]
    for image, prediction in pairs:
        check_prediction(nib.load(image), nib.load(prediction), len(plan.dataset.labels))


def test_two_processes_train_an_exported_bundle(
    exported: Exported, outside: Outside, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    name = "prostate_mri_adwunet_segmentation"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "config_file": "['configs/train.json','configs/quick.json','configs/multi_gpu_train.json']",
        "dataset_dir": str(data_of(bundle_of(name), tmp_path_factory)),
        "output_dir": f"{tmp_path}/train",
        "cache_dir": f"{tmp_path}/cache",
        "max_epochs": "1",
        "iterations_per_epoch": "1",
        "batch_size": "1",
    }
    words = ["-m", "torch.distributed.run", "--nproc_per_node=2", f"--master_port={port}", "-m", "monai.bundle", "run"]
    words += ["train", *(word for pair in options.items() for word in (f"--{pair[0]}", pair[1]))]
    outside(*words, folder=exported(name))
    rows = [json.loads(line) for line in (tmp_path / "train" / "train.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1] and np.isfinite(rows[0]["validation"]["mean_dice"])


def test_the_commands_of_the_readme_run(exported: Exported, outside: Outside, tmp_path: Path) -> None:
    bundle = exported(NAMES[0])
    made = outside(*["-m", "scripts", "describe", "configs/architecture.json"], folder=bundle)
    assert "bottleneck" in made and "a test" in made
    assert "patch_size" in outside(*["-m", "scripts", "describe", "configs/plan.json"], folder=bundle)
    words = ["-m", "scripts", "synthesize", "--task", "Task04_Hippocampus", "--cases", "1", "--test_cases", "0"]
    outside(*words, "--output", str(tmp_path / "msd"), folder=bundle)
    assert (tmp_path / "msd" / "dataset.json").is_file()
    (tmp_path / "runs").mkdir()


def test_the_search_of_an_exported_bundle_runs(
    exported: Exported, outside: Outside, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = data_of(bundle_of(NAMES[0]), tmp_path_factory)
    options = ["--dataset_dir", str(data), "--output_dir", str(tmp_path / "search"), "--cache_dir", f"{tmp_path}/cache"]
    options += ["--max_epochs", "1", "--iterations_per_epoch", "1", "--batch_size", "1", "--base_widths", "[2,3]"]
    config = "['configs/search.json','configs/quick.json']"
    outside("-m", "monai.bundle", "run", "search", "--config_file", config, *options, folder=exported(NAMES[0]))
    outside("-m", "scripts", "report", str(tmp_path / "search"), folder=exported(NAMES[0]))
    assert "<svg" in (tmp_path / "search" / "report.html").read_text()
