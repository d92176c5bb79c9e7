"""Exports of four bundles with tiny networks, and processes in which the repository is off the path."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from bundles.conftest import BUNDLES, ROOT, quick_patch

from adw_components.architecture import Architecture
from adw_components.errors import UserError
from adw_components.export.command import export_bundle
from adw_components.networks import AdwUNet

HIPPOCAMPUS = "hippocampus_mri_adwunet_segmentation"
PROSTATE = "prostate_mri_adwunet_segmentation"  # ships without weights
INTERACTIVE = "hippocampus_mri_adwunet_deepedit"
# Isotropic, anisotropic, one with 4 channels, and one that takes clicks.
NAMES = (HIPPOCAMPUS, PROSTATE, "braintumour_mri_adwunet_segmentation", INTERACTIVE)

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


def read(bundle: Path, name: str) -> dict[str, Any]:
    """A config of a bundle."""
    return json.loads((bundle / "configs" / f"{name}.json").read_text())


def network_channels(name: str) -> dict[str, int]:
    """Of a bundle's network: those of the image, and one a class for the clicks where it takes any."""
    inference = read(bundle_of(name), "inference")
    classes = inference["out_channels"]
    clicks = classes if "guidance_sigma" in inference else 0
    return {"in_channels": inference["in_channels"] + clicks, "out_channels": classes}


def tiny_network(name: str) -> AdwUNet:
    """The network of `write_weights`, for prediction."""
    architecture = tiny_architecture(name)
    return AdwUNet(spatial_dims=3, architecture=architecture, deep_supervision=False, **network_channels(name)).eval()


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
    config = read(bundle_of(name), "inference")
    architecture = tiny_architecture(name, width)
    torch.manual_seed(0)
    network = AdwUNet(spatial_dims=3, architecture=architecture, **{**network_channels(name), **channels})
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), folder / "model.pt")
    architecture.save(folder / "architecture.json")
    settings = {"kind": "train", "patch_size": quick_patch(bundle_of(name)), "spacing": config["spacing"]}
    settings |= {key: config[key] for key in ("guidance_sigma",) if key in config}
    (folder / "settings.json").write_text(json.dumps(settings))
    return folder / "model.pt"


def write_summary(folder: Path, checkpoints: list[str]) -> Path:
    """What an evaluation of some checkpoints leaves."""
    dice = {"Anterior": {"mean": 0.81234567}, "Posterior": {"mean": None}}
    folder.mkdir()
    settings = {"checkpoints": checkpoints, "fold": 0, "mirror_tta": True, "device": "cpu"}
    content = {"mean_dice": 0.81234567, "dice": dice, "n_cases": 3, "settings": settings}
    (folder / "summary.json").write_text(json.dumps(content))
    return folder


def refused(output: Path, message: str, *, bundle: Path | None = None, **options: str) -> None:
    """Export, see that one line with `message` refuses it, and that nothing is written."""
    before = sorted(output.rglob("*")) if output.exists() else None
    with pytest.raises(UserError, match=message) as raised:
        export_bundle(str(bundle or bundle_of(HIPPOCAMPUS)), output=str(output), **options)
    assert "\n" not in str(raised.value)
    assert (sorted(output.rglob("*")) if output.exists() else None) == before


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
def without_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All bundles of the repository, exported without the weights that one has. Do not write to it."""
    folder, copies = tmp_path_factory.mktemp("all"), tmp_path_factory.mktemp("copies")
    for bundle in BUNDLES:
        copy = shutil.copytree(bundle, copies / bundle.name, ignore=shutil.ignore_patterns("models", "runs", "cache"))
        assert "no weights: " in export_bundle(str(copy), output=str(folder))
    return folder


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
