"""Runs of the hippocampus bundle at toy size, through `monai.bundle` itself."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import run

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "bundles" / "hippocampus_mri_adwunet_segmentation"

PATCH = [24, 32, 24]
TOY = {
    "base_widths": [2, 3],
    "patch_size": PATCH,
    "batch_size": 2,
    "iterations_per_epoch": 2,
    "val_interval": 1,
    "num_workers": 0,
    "device": "cpu",
    "amp": False,
}
TOY_SEARCH = {**TOY, "max_epochs": 3, "warmup_epochs": 1}
TOY_TRAIN = {name: value for name, value in TOY.items() if name != "base_widths"} | {"max_epochs": 2}
TOY_PREDICTION = {"patch_size": PATCH, "num_workers": 0, "device": "cpu", "amp": False}


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in `folder`, as a user of a bundle does."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def run_bundle(run_id: str | None, config: str | list[str], **overrides: Any) -> None:
    """`python -m monai.bundle run` in the bundle's folder, in this process."""
    names = [config] if isinstance(config, str) else config
    with inside(BUNDLE):
        run(run_id=run_id, config_file=[f"configs/{name}.json" for name in names], **overrides)


@pytest.fixture(scope="session")
def runner() -> Callable[..., None]:
    return run_bundle


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, generated_dataset: Path) -> Path:
    """A folder with a whole flow: search, retraining of the derived network, evaluation, prediction."""
    folder = tmp_path_factory.mktemp("runs")
    data = str(generated_dataset)
    run_bundle("search", "search", dataset_dir=data, output_dir=f"{folder}/search", **TOY_SEARCH)
    architecture = f"{folder}/search/architecture.json"
    run_bundle(
        "train", "train", dataset_dir=data, output_dir=f"{folder}/train", architecture_path=architecture, **TOY_TRAIN
    )
    model = {"model_dir": f"{folder}/train", **TOY_PREDICTION}
    run_bundle("evaluate", "evaluate", dataset_dir=data, output_dir=f"{folder}/evaluate", **model)
    run_bundle("infer", "inference", dataset_dir=data, output_dir=f"{folder}/predictions", **model)
    return folder
