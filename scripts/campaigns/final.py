"""The network that ships: retrained on every case of the campaign, evaluated, and put into the bundle."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from adw_components.architecture import Architecture
from adw_components.data.dataset import read_dataset
from adw_components.export.evaluation import measured
from adw_components.files import read_json_lines, replacing, write_json

from .campaign import BUNDLE, Campaign
from .cases import DEVELOPMENT_FOLD
from .jobs import Job

SHIPPED = BUNDLE.parent / "common" / "shipped" / BUNDLE.name


def final_folder(campaign: Campaign) -> Path:
    """Of the retraining on all cases."""
    return campaign.folder / "final"


def final_jobs(campaign: Campaign) -> list[Job]:
    """The retraining on all cases, with its evaluation on cases that it has seen: a check of the files, not of Dice."""
    epochs = campaign.scale.final_epochs

    def work(folder: Path) -> None:
        network = campaign.network_path(campaign.scale.final_network)
        budget = {"fold": "all", "seed": 0, "max_epochs": epochs, "val_interval": epochs}
        campaign.train(folder, network=network, **budget)
        campaign.evaluate(folder / "evaluation", model_dir=folder, fold=DEVELOPMENT_FOLD)

    return [Job(final_folder(campaign), work)]


def provenance(campaign: Campaign) -> dict[str, Any]:
    """How the weights that ship came about."""
    scale = campaign.scale
    rows = read_json_lines(final_folder(campaign) / "train.jsonl")
    return {
        "retrained": {
            "cases": len(read_dataset(campaign.cases.dataset_dir).case_ids),
            "epochs": scale.final_epochs,
            "iterations_per_epoch": scale.train_iterations,
            "batch_size": scale.batch_size,
            "patch_size": list(scale.patch_size),
            "seed": 0,
            "device": scale.device,
            "hours": round(sum(row["seconds"] for row in rows) / 3600, 2),
        }
    }


def install(campaign: Campaign, *, bundle: Path = BUNDLE, shipped: Path = SHIPPED) -> None:
    """Put the weights into the bundle, and their record and metrics where `adw_components build` reads them.

    Args:
        campaign: whose final network is trained and evaluated.
        bundle: folder of the bundle.
        shipped: folder of the record and the metrics in the source of the bundles.
    """
    folder = final_folder(campaign)
    weights = folder / "model_last.pt"
    architecture = Architecture.load(folder / "architecture.json")
    replace(architecture, provenance={**architecture.provenance, **provenance(campaign)}).save(
        shipped / "architecture.json"
    )
    write_json(shipped / "metrics.json", measured(folder / "evaluation", weights))
    with replacing(bundle / "models" / "model.pt") as temporary:
        shutil.copyfile(weights, temporary)
