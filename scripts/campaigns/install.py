"""The final network and its weights, put into the bundle that ships them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from adw_components.architecture import Architecture
from adw_components.engines.checkpoint import load_torch
from adw_components.errors import UserError
from adw_components.export.evaluation import measured
from adw_components.export.weights import of_any_machine, saved_bytes
from adw_components.files import json_text, read_json, read_json_lines, replacing, write_json, write_text

from .campaign import BUNDLE, Campaign
from .final import final_folder, unseen_evaluations
from .measured import cases_of, dice_of_runs, joined

SHIPPED = BUNDLE.parent / "common" / "shipped" / BUNDLE.name


def install(campaign: Campaign, *, bundle: Path = BUNDLE, shipped: Path = SHIPPED) -> None:
    """Put the weights into the bundle, and their record and metrics where `adw_components build` reads them.

    Args:
        campaign: whose final network is trained and evaluated, and whose like is measured on every fold.
        bundle: folder of the bundle.
        shipped: folder of the record and the metrics in the source of the bundles.

    Raises:
        UserError: something of that is not done.
    """
    needed = (*unseen_evaluations(campaign).values(), final_folder(campaign))
    missing = [folder for folder in needed if not (folder / "done").exists()]
    if missing:
        raise UserError(f"{missing[0]} is not done; run the parts longer, inference and final first")
    folder = final_folder(campaign)
    settings = of_any_machine(read_json(folder / "settings.json", "settings"))
    weights = saved_bytes(load_torch(folder / "model_last.pt"))
    record, metrics = _record(folder, settings), _metrics(campaign, weights)
    record.save(shipped / "architecture.json")
    write_json(shipped / "metrics.json", metrics)
    write_text(bundle / "models" / "settings.json", json_text(settings) + "\n")
    with replacing(bundle / "models" / "model.pt") as temporary:
        temporary.write_bytes(weights)


def _record(folder: Path, settings: dict[str, Any]) -> Architecture:
    """The architecture with how it was searched and how its weights came about; no path of any machine."""
    found = Architecture.load(folder / "architecture.json")
    searched = of_any_machine(found.provenance.get("settings", {}))
    seconds = sum(row["seconds"] for row in read_json_lines(folder / "train.jsonl"))
    trained = {name: value for name, value in settings.items() if name != "architecture"}
    retrained = {**trained, "hours": round(seconds / 3600, 2)}
    return replace(found, provenance={**found.provenance, "settings": searched, "retrained": retrained})


def _metrics(campaign: Campaign, weights: bytes) -> dict[str, Any]:
    """What the final training reached on cases it had not seen, and what evaluate.json gives of what ships."""
    folder = final_folder(campaign)
    return {
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "unseen": _unseen(campaign),
        "seen_in_training": measured(folder / "evaluation", folder / "model_last.pt"),
    }


def _unseen(campaign: Campaign) -> dict[str, Any]:
    evaluations = unseen_evaluations(campaign)
    cases: pd.DataFrame = joined(cases_of(folder, run) for run, folder in evaluations.items())
    dice, scale = dice_of_runs(cases), campaign.scale
    return {
        "what": (
            "search and training without the validation cases of each fold, measured on these; "
            f"{scale.longer_epochs} epochs of {scale.train_iterations} iterations"
        ),
        "folds": [run.fold for run in evaluations],
        "mean_dice": round(float(dice.mean()), 4),
        "mean_dice_of_folds": [round(float(value), 4) for value in dice],
        "dice": {str(name): round(float(value), 4) for name, value in cases.groupby("class")["dice"].mean().items()},
        "mean_hd95_mm": round(float(cases["hd95_mm"].mean()), 2),
        "n_cases": int(cases["case"].nunique()),
    }
