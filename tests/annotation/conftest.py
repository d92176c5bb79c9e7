"""Toy bundles with random weights, generated studies, and a server on them; needs MONAI Label's environment."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PLAIN = "hippocampus_mri_adwunet_segmentation"
CLICKS = "hippocampus_mri_adwunet_deepedit"
MODALITIES = "braintumour_mri_adwunet_segmentation"
# For a training of seconds on a CPU, whose few steps are long enough to change a label map.
SMALL = {"iterations_per_epoch": 2, "batch_size": 2, "num_workers": 0, "learning_rate": 0.3}
PATCH = {PLAIN: (24, 32, 24), CLICKS: (24, 32, 24), MODALITIES: (64, 64, 64)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if importlib.util.find_spec("monailabel") is not None:
        return
    skip = pytest.mark.skip(reason="needs MONAI Label's own environment: bash scripts/test_monailabel.sh")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    os.environ["MONAI_LABEL_TASKS_SCORING"] = "false"
    return tmp_path_factory.mktemp("monailabel")


@pytest.fixture(scope="session")
def labelled(work: Path) -> Path:
    """An MSD folder of generated cases, for images to send and labels to save."""
    from adw_components.synthesis import synthesize

    return synthesize("Task04_Hippocampus", cases=5, output_dir=work / "Task04_Hippocampus", test_cases=1)


@pytest.fixture(scope="session")
def modalities(work: Path) -> Path:
    """An image of four modalities in one file."""
    from adw_components.synthesis import synthesize

    folder = work / "Task01_BrainTumour"
    synthesize("Task01_BrainTumour", cases=1, output_dir=folder, test_cases=0, size=[40, 36, 34])
    return next((folder / "imagesTr").glob("*.nii.gz"))


@pytest.fixture(scope="session")
def studies(work: Path, labelled: Path) -> Path:
    return images_alone(labelled, work / "studies")


def images_alone(labelled: Path, folder: Path) -> Path:
    """The images of an MSD folder, as a folder of studies."""
    folder.mkdir()
    for path in (labelled / "imagesTr").glob("*.nii.gz"):
        shutil.copyfile(path, folder / path.name)
    return folder


def toy_bundle(name: str, folder: Path) -> Path:
    """A copy of a bundle with a narrow network of random weights."""
    import torch
    from monai.bundle import ConfigParser

    from adw_components.architecture import Architecture

    copy = folder / name
    shutil.copytree(ROOT / "bundles" / name / "configs", copy / "configs")
    shipped = Architecture.load(copy / "configs" / "architecture.json").to_dict()
    narrow = {key: [[4] * len(block) for block in shipped[key]] for key in ("encoder_widths", "decoder_widths")}
    Architecture.from_dict({**shipped, **narrow}).save(copy / "models" / "architecture.json")
    (copy / "models" / "settings.json").write_text(json.dumps({"patch_size": PATCH[name]}))
    _change(copy / "configs" / "train.json", SMALL)
    parser = ConfigParser()
    parser.read_config(copy / "configs" / "inference.json")
    parser["bundle_root"] = str(copy)
    torch.manual_seed(0)
    network = parser.get_parsed_content("network_def")
    torch.save(network.state_dict(), copy / "models" / "model.pt")
    return copy


def _change(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.fixture(scope="session")
def bundles(work: Path) -> list[Path]:
    return [toy_bundle(name, work / "bundles") for name in PATCH]


@pytest.fixture(scope="session")
def server(studies: Path, bundles: list[Path], work: Path) -> Iterator[Any]:
    from .server import Server

    running = Server(studies=studies, bundles=bundles, home=work / "home")
    try:
        yield running
    finally:
        running.stop()
        print(f"log: {running.log}")
        assert "Checkpoint keys don't match" not in running.log.read_text()
