"""The network that ships: a finalist, wider; its training tried on every fold, then repeated on all cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from adw_components.architecture import Architecture

from .campaign import Campaign
from .cases import DEVELOPMENT_FOLD
from .jobs import Job
from .retrainings import Retraining, retrained
from .searches import network_path

SHIPPED = "shipped"


def final_folder(campaign: Campaign) -> Path:
    """Of the retraining on all cases."""
    return campaign.folder / "final"


def estimate_folder(campaign: Campaign, fold: int) -> Path:
    """Of the same retraining without the validation cases of a fold."""
    return campaign.folder / "estimate" / f"fold_{fold}"


def estimate_runs(campaign: Campaign) -> list[Retraining]:
    """One on every fold, in which neither the search nor the training has seen the validation cases."""
    return [Retraining(network=SHIPPED, fold=fold) for fold in (DEVELOPMENT_FOLD, *campaign.scale.confirming_folds)]


def estimate_jobs(campaign: Campaign) -> list[Job]:
    """The final training on every fold, of the fold's own network."""
    return [
        Job(estimate_folder(campaign, run.fold), _work(campaign, fold=run.fold, trained_on=run.fold))
        for run in estimate_runs(campaign)
    ]


def final_jobs(campaign: Campaign) -> list[Job]:
    """The same on all cases; its evaluation is on cases that it has seen, a check of the files and not of Dice."""
    return [Job(final_folder(campaign), _work(campaign, fold=DEVELOPMENT_FOLD, trained_on="all"))]


def _work(campaign: Campaign, *, fold: int, trained_on: int | str) -> Callable[[Path], None]:
    """Train the network of a fold on the cases named, and evaluate it on that fold."""
    scale = campaign.scale

    def work(folder: Path) -> None:
        network = campaign.folder / "networks" / SHIPPED / f"fold_{fold}.json"
        narrow = Architecture.load(network_path(campaign, scale.final_network, fold))
        widened(narrow, scale.final_width).save(network)
        options = {"epochs": scale.final_epochs, "mirror_axes": scale.final_mirror_axes}
        retrained(campaign, network=network, trained_on=trained_on, fold=fold, **options)(folder)

    return work


def widened(architecture: Architecture, factor: float) -> Architecture:
    """All widths times a factor; the record says so."""

    def times(blocks: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(max(1, round(factor * width)) for width in block) for block in blocks)

    return replace(
        architecture,
        encoder_widths=times(architecture.encoder_widths),
        decoder_widths=times(architecture.decoder_widths),
        provenance={**architecture.provenance, "widths_times": factor},
    )
