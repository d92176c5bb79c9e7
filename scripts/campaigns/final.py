"""The network that ships: its training tried on every fold, as is the default network's, then repeated on all cases."""

from __future__ import annotations

from pathlib import Path

from .campaign import Campaign
from .cases import DEVELOPMENT_FOLD
from .jobs import Job
from .retrainings import Retraining, retrained
from .searches import DEFAULT, network_path


def final_folder(campaign: Campaign) -> Path:
    """Of the retraining on all cases."""
    return campaign.folder / "final"


def estimates(campaign: Campaign, network: str) -> list[Retraining]:
    """The final training of a network without the validation cases of each fold."""
    return [Retraining(network=network, fold=fold) for fold in (DEVELOPMENT_FOLD, *campaign.scale.confirming_folds)]


def estimate_folder(campaign: Campaign, run: Retraining) -> Path:
    """Of one of the estimates, with its evaluation in it."""
    return campaign.folder / "estimate" / run.network / f"fold_{run.fold}"


def estimate_jobs(campaign: Campaign) -> list[Job]:
    """Those of the network that ships, of the fold's own search that has not seen the cases either; of the default."""
    names = dict.fromkeys([campaign.scale.final_network, DEFAULT])
    return [_estimate_job(campaign, run) for name in names for run in estimates(campaign, name)]


def _estimate_job(campaign: Campaign, run: Retraining) -> Job:
    network, epochs = network_path(campaign, run.network, run.fold), campaign.scale.final_epochs
    work = retrained(campaign, network=network, trained_on=run.fold, fold=run.fold, epochs=epochs)
    return Job(estimate_folder(campaign, run), work)


def final_jobs(campaign: Campaign) -> list[Job]:
    """The same on all cases; its evaluation is on cases that it has seen, a check of the files and not of Dice."""
    name, epochs = campaign.scale.final_network, campaign.scale.final_epochs
    network = network_path(campaign, name)
    work = retrained(campaign, network=network, trained_on="all", fold=DEVELOPMENT_FOLD, epochs=epochs)
    return [Job(final_folder(campaign), work)]
