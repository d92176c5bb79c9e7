"""The network that ships: the derived one, trained on all cases. What it reaches on others, the longer budget tells."""

from __future__ import annotations

from pathlib import Path

from .campaign import Campaign
from .cases import DEVELOPMENT_FOLD
from .inference import SETTINGS, evaluation_folder
from .jobs import Job
from .longer import longer_runs
from .retrainings import Retraining, retrained
from .searches import DERIVED, network_path

# Of `SETTINGS`: the one that the configs of the bundle have.
INFERENCE = "mirrored"


def final_folder(campaign: Campaign) -> Path:
    """Of the retraining on all cases."""
    return campaign.folder / "final"


def final_jobs(campaign: Campaign) -> list[Job]:
    """Its evaluation is on cases that it has seen, a check of the files and not of Dice."""
    work = retrained(
        campaign,
        network=network_path(campaign, DERIVED),
        trained_on="all",
        fold=DEVELOPMENT_FOLD,
        epochs=campaign.scale.final_epochs,
        inference=SETTINGS[INFERENCE],
    )
    return [Job(final_folder(campaign), work)]


def unseen_evaluations(campaign: Campaign) -> dict[Retraining, Path]:
    """The derived network of every fold -> folder of its evaluation as it ships, on cases that it has not seen."""
    runs = [run for run in longer_runs(campaign) if run.network == DERIVED]
    return {run: evaluation_folder(campaign, INFERENCE, run.fold) for run in runs}
