"""The derived network and the default one under a longer budget, on every fold: does the first one stay behind?"""

from __future__ import annotations

from pathlib import Path

from .campaign import Campaign
from .cases import DEVELOPMENT_FOLD
from .jobs import Job
from .retrainings import Retraining, retrained
from .searches import DEFAULT, DERIVED, network_path


def longer_runs(campaign: Campaign) -> list[Retraining]:
    """Both networks on every fold; a derived one is of the fold's own search."""
    folds = (DEVELOPMENT_FOLD, *campaign.scale.confirming_folds)
    return [Retraining(network=name, fold=fold) for fold in folds for name in (DERIVED, DEFAULT)]


def longer_folder(campaign: Campaign, run: Retraining) -> Path:
    """Of one of them, with its evaluation in it."""
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
