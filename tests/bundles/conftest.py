"""Runs of the bundles at toy size, through `monai.bundle` itself."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import run

from adw_components.plan import Plan
from adw_components.search_space import SearchSpace
from adw_components.synthesis import synthesize

ROOT = Path(__file__).parents[2]
BUNDLES = sorted(path.parent.parent for path in (ROOT / "bundles").glob("*/configs/metadata.json"))
# Those that search; an interactive bundle trains what the plain one found.
PLAIN = [bundle for bundle in BUNDLES if (bundle / "configs" / "search.json").is_file()]
BUNDLE = ROOT / "bundles" / "hippocampus_mri_adwunet_segmentation"
INTERACTIVE = ROOT / "bundles" / "hippocampus_mri_adwunet_deepedit"

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


def quick_patch(bundle: Path) -> list[int]:
    """Patch of a bundle's small setting."""
    return json.loads((bundle / "configs" / "quick.json").read_text())["patch_size"]


def tiny(config: str, folder: Path) -> dict[str, Any]:
    """What makes the small setting of a workflow tiny; prepared cases go into `folder`."""
    once = {"max_epochs": 1, "iterations_per_epoch": 1, "batch_size": 1, "cache_dir": str(folder / "cache")}
    if config == "search":
        return {**once, "base_widths": [2, 3], "depths": [1, 2]}
    return once if config == "train" else {}


def tiny_architecture(bundle: Path, folder: Path) -> Path:
    """The smallest network with the strides and kernels of a bundle's plan."""
    plan, path = Plan.load(bundle / "configs" / "plan.json"), folder / "architecture.json"
    space = SearchSpace(strides=plan.strides, kernel_sizes=plan.kernel_sizes, base_widths=(2,), depths=(1,))
    space.uniform(width=0, depth=1).save(path)
    return path


def data_of(bundle: Path, factory: pytest.TempPathFactory) -> Path:
    """Generated data of a bundle's task, a little larger than the patch of the small setting: 5 cases, 1 test image."""
    name = Plan.load(bundle / "configs" / "plan.json").dataset.name
    if name not in _DATA:
        size = [size + 5 for size in quick_patch(bundle)]
        folder = factory.mktemp(bundle.name) / name
        _DATA[name] = synthesize(name, cases=5, output_dir=folder, test_cases=1, size=size)
    return _DATA[name]


_DATA: dict[str, Path] = {}


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
    if names[0] in ("search", "train"):
        overrides.setdefault("cache_dir", f"{overrides['dataset_dir']}_cache")
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
