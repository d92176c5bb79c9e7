"""The network that ships: its training estimated on every fold, then repeated on all cases."""

from __future__ import annotations

from pathlib import Path

from .campaign import Campaign
from .cases import DEVELOPMENT_FOLD
from .jobs import Job
from .retrainings import retrained
from .searches import network_path


def final_folder(campaign: Campaign) -> Path:
    """Of the retraining on all cases."""
    return campaign.folder / "final"


def estimate_folder(campaign: Campaign, fold: int) -> Path:
    """Of the same retraining without the validation cases of a fold."""
    return campaign.folder / "estimate" / f"fold_{fold}"


def estimate_jobs(campaign: Campaign) -> list[Job]:
    """The final training on every fold, of the fold's own network: its search has not seen the cases either."""
    name, epochs = campaign.scale.final_network, campaign.scale.final_epochs
    return [
        Job(
            estimate_folder(campaign, fold),
            retrained(campaign, network=network_path(campaign, name, fold), trained_on=fold, fold=fold, epochs=epochs),
        )
        for fold in (DEVELOPMENT_FOLD, *campaign.scale.confirming_folds)
    ]


def final_jobs(campaign: Campaign) -> list[Job]:
    """The same on all cases; its evaluation is on cases that it has seen, a check of the files and not of Dice."""
    name, epochs = campaign.scale.final_network, campaign.scale.final_epochs
    network = network_path(campaign, name)
    work = retrained(campaign, network=network, trained_on="all", fold=DEVELOPMENT_FOLD, epochs=epochs)
    return [Job(final_folder(campaign), work)]
