"""The network that ships: its training estimated on every fold, then repeated on all cases, and put into the bundle."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from adw_components.architecture import Architecture
from adw_components.export.evaluation import measured
from adw_components.export.weights import settings_beside
from adw_components.files import json_text, read_json_lines, replacing, write_json, write_text

from .campaign import BUNDLE, Campaign
from .cases import DEVELOPMENT_FOLD
from .jobs import Job

SHIPPED = BUNDLE.parent / "common" / "shipped" / BUNDLE.name


def final_folder(campaign: Campaign) -> Path:
    """Of the retraining on all cases."""
    return campaign.folder / "final"


def estimate_folder(campaign: Campaign, fold: int) -> Path:
    """Of the same retraining without the validation cases of a fold."""
    return campaign.folder / "estimate" / f"fold_{fold}"


def estimate_jobs(campaign: Campaign) -> list[Job]:
    """The training of the network that ships, on every fold: what its Dice on new cases may be."""
    folds = (DEVELOPMENT_FOLD, *campaign.scale.confirming_folds)
    return [Job(estimate_folder(campaign, fold), _trained(campaign, trained_on=fold, fold=fold)) for fold in folds]


def final_jobs(campaign: Campaign) -> list[Job]:
    """The same on all cases; its evaluation is on cases that it has seen, a check of the files and not of Dice."""
    return [Job(final_folder(campaign), _trained(campaign, trained_on="all", fold=DEVELOPMENT_FOLD))]


def _trained(campaign: Campaign, *, trained_on: int | str, fold: int) -> Callable[[Path], None]:
    """Train the final network, and evaluate it on the validation cases of `fold`."""
    epochs = campaign.scale.final_epochs
    budget = {"fold": trained_on, "seed": 0, "max_epochs": epochs, "val_interval": epochs}

    def work(folder: Path) -> None:
        campaign.train(folder, network=campaign.network_path(campaign.scale.final_network), **budget)
        campaign.evaluate(folder / "evaluation", model_dir=folder, fold=fold)

    return work


def install(campaign: Campaign, *, bundle: Path = BUNDLE, shipped: Path = SHIPPED) -> None:
    """Put the weights into the bundle, and their record and metrics where `adw_components build` reads them.

    Args:
        campaign: whose final network is trained and evaluated.
        bundle: folder of the bundle.
        shipped: folder of the record and the metrics in the source of the bundles.
    """
    folder = final_folder(campaign)
    weights = folder / "model_last.pt"
    settings = settings_beside(weights)
    architecture = Architecture.load(folder / "architecture.json")
    provenance = {**architecture.provenance, "retrained": _retrained(folder, settings)}
    replace(architecture, provenance=provenance).save(shipped / "architecture.json")
    metrics = measured(folder / "evaluation", weights)
    write_json(shipped / "metrics.json", {**metrics, "cases": "seen in training"})
    write_text(bundle / "models" / "settings.json", json_text(settings) + "\n")
    with replacing(bundle / "models" / "model.pt") as temporary:
        shutil.copyfile(weights, temporary)


def _retrained(folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """How the weights that ship came about."""
    names = ("n_cases", "max_epochs", "iterations_per_epoch", "batch_size", "patch_size", "seed", "device")
    seconds = sum(row["seconds"] for row in read_json_lines(folder / "train.jsonl"))
    return {**{name: settings[name] for name in names}, "hours": round(seconds / 3600, 2)}
