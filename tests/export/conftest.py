"""Exports of three bundles with tiny networks, and processes in which the repository is off the path."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from bundles.conftest import ROOT, quick_patch

from adw_components.architecture import Architecture
from adw_components.export.command import export_bundle
from adw_components.networks import AdwUNet

HIPPOCAMPUS = "hippocampus_mri_adwunet_segmentation"
# Isotropic, anisotropic, and one with 4 channels.
NAMES = (HIPPOCAMPUS, "prostate_mri_adwunet_segmentation", "braintumour_mri_adwunet_segmentation")

_BLOCKER = """
import sys

class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "adw_components":
            raise ImportError("adw_components is off the path")

sys.meta_path.insert(0, Gone())
"""


def bundle_of(name: str) -> Path:
    return ROOT / "bundles" / name


def tiny_architecture(name: str, width: int = 2) -> Architecture:
    """The bundle's geometry with blocks of one narrow convolution."""
    shipped = Architecture.load(bundle_of(name) / "configs" / "architecture.json")
    count = shipped.n_stages
    return Architecture(
        encoder_widths=((width,),) * count,
        decoder_widths=((width,),) * (count - 1),
        strides=shipped.strides,
        kernel_sizes=shipped.kernel_sizes,
        provenance={"source": "a test"},
    )


def write_weights(folder: Path, name: str, *, width: int = 2, **channels: int) -> Path:
    """What a retraining at the small patch leaves: random weights, their architecture, its settings."""
    config = json.loads((bundle_of(name) / "configs" / "inference.json").read_text())
    architecture = tiny_architecture(name, width)
    sizes = {part: channels.get(part, config[part]) for part in ("in_channels", "out_channels")}
    torch.manual_seed(0)
    network = AdwUNet(spatial_dims=3, architecture=architecture, **sizes)
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), folder / "model.pt")
    architecture.save(folder / "architecture.json")
    settings = {"kind": "train", "patch_size": quick_patch(bundle_of(name)), "spacing": config["spacing"]}
    (folder / "settings.json").write_text(json.dumps(settings))
    return folder / "model.pt"


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Name of a bundle -> its exported folder, beside its zip files. Do not write to it."""
    made: dict[str, Path] = {}

    def export(name: str) -> Path:
        if name not in made:
            folder = tmp_path_factory.mktemp("exported")
            weights = write_weights(folder / "weights", name)
            export_bundle(str(bundle_of(name)), output=str(folder / "served"), weights=str(weights))
            made[name] = folder / "served" / name
        return made[name]

    return export


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run Python with some words in a folder, where `adw_components` cannot be imported; gives what it printed."""
    blocker = tmp_path_factory.mktemp("blocker")
    (blocker / "sitecustomize.py").write_text(_BLOCKER)

    def run(*words: str, folder: Path) -> str:
        environment = {**os.environ, "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(blocker)}
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        done = subprocess.run(
            [sys.executable, *words], cwd=folder, capture_output=True, text=True, env=environment, timeout=300
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run
