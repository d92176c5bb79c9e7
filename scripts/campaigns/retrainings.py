"""The retrainings of a campaign: every network under one budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .campaign import Campaign
from .cases import DEVELOPMENT_FOLD
from .jobs import Job
from .scale import FINALISTS
from .searches import SEARCHES, network_path, networks

# Networks are compared without averaging.
PLAIN_INFERENCE = MappingProxyType({"mirror_tta": "false"})


@dataclass(frozen=True, kw_only=True)
class Retraining:
    """One network trained on one fold from one seed."""

    network: str
    fold: int = DEVELOPMENT_FOLD
    seed: int = 0


def retrainings(campaign: Campaign) -> list[Retraining]:
    """All networks on the fold of development, the finalists from further seeds there, and on the other folds."""
    names = sorted(networks(campaign), key=lambda name: (name not in FINALISTS, name not in SEARCHES, name))
    finalists = [name for name in names if name in FINALISTS]
    return [
        *(Retraining(network=name) for name in names),
        *(Retraining(network=name, seed=seed) for seed in range(1, campaign.scale.n_seeds) for name in finalists),
        *(
            Retraining(network=name, fold=fold)
            for fold in campaign.scale.confirming_folds
            for name in FINALISTS
            if name in networks(campaign, fold)
        ),
    ]


def train_folder(campaign: Campaign, run: Retraining) -> Path:
    """Of a retraining, with its evaluation in it."""
    return campaign.folder / "train" / run.network / f"fold_{run.fold}_seed_{run.seed}"


def train_jobs(campaign: Campaign) -> list[Job]:
    """The retrainings, each with its evaluation."""
    epochs = campaign.scale.train_epochs
    return [
        Job(
            train_folder(campaign, run),
            retrained(
                campaign,
                network=network_path(campaign, run.network, run.fold),
                trained_on=run.fold,
                fold=run.fold,
                seed=run.seed,
                epochs=epochs,
            ),
        )
        for run in retrainings(campaign)
    ]


def retrained(
    campaign: Campaign,
    *,
    network: Path,
    trained_on: int | str,
    fold: int,
    epochs: int,
    seed: int = 0,
    inference: Mapping[str, Any] = PLAIN_INFERENCE,
) -> Callable[[Path], None]:
    """What retrains a network in a folder, and evaluates it.

    Args:
        campaign: whose budget it has, but for the epochs.
        network: record of the network.
        trained_on: fold whose training cases are used, or "all".
        fold: whose validation cases it is evaluated on.
        epochs: length of the training.
        seed: of the training.
        inference: options of evaluate.json.
    """
    budget: dict[str, Any] = {
        "fold": trained_on,
        "seed": seed,
        "max_epochs": epochs,
        "iterations_per_epoch": campaign.scale.train_iterations,
        "val_interval": max(1, epochs // 2) if trained_on != "all" else epochs,
    }

    def work(folder: Path) -> None:
        campaign.train("train", folder, architecture_path=network, **budget)
        campaign.evaluate(folder / "evaluation", model_dir=folder, fold=fold, **inference)

    return work
