"""A longer budget: the derived network and those it is measured against, and how the first two do on every fold."""

from __future__ import annotations

from pathlib import Path

from .campaign import Campaign
from .cases import DEVELOPMENT_FOLD
from .jobs import Job
from .retrainings import Retraining, retrained
from .searches import DEFAULT, DERIVED, network_path, networks


def longer_runs(campaign: Campaign) -> list[Retraining]:
    """The derived network of every fold and the default one, and all others on the fold of development."""
    compared = (DERIVED, DEFAULT)
    others = [name for name in networks(campaign) if name not in compared]
    folds = (DEVELOPMENT_FOLD, *campaign.scale.confirming_folds)
    return [
        *(Retraining(network=name, fold=fold) for fold in folds for name in compared),
        *(Retraining(network=name) for name in others),
    ]


def longer_folder(campaign: Campaign, run: Retraining) -> Path:
    """Of a retraining, with its evaluation in it."""
    return campaign.folder / "longer" / run.network / f"fold_{run.fold}"


def longer_jobs(campaign: Campaign) -> list[Job]:
    """The retrainings, as the short ones but for their length."""
    epochs = campaign.scale.longer_epochs
    return [
        Job(
            longer_folder(campaign, run),
            retrained(
                campaign,
                network=network_path(campaign, run.network, run.fold),
                trained_on=run.fold,
                fold=run.fold,
                epochs=epochs,
            ),
        )
        for run in longer_runs(campaign)
    ]
