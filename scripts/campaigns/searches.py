"""The searches of a campaign, and the networks of each fold: those derived, and those they are measured against."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from adw_components.architecture import Architecture

from .campaign import Campaign
from .cases import DEVELOPMENT_FOLD
from .contenders import contenders
from .jobs import Job
from .scale import FINALISTS

DERIVED, DEFAULT = "derived", "default"
SEARCHES = (DERIVED, "derived_free", "depth_only", "width_only")


def search_jobs(campaign: Campaign) -> list[Job]:
    """All kinds of search on the fold of development, and the one to the target on every other fold."""
    variants = _variants(campaign)
    development = [_job(campaign, name, DEVELOPMENT_FOLD, options) for name, options in variants.items()]
    others = [_job(campaign, DERIVED, fold, variants[DERIVED]) for fold in campaign.scale.confirming_folds]
    return [*development, *others]


def search_folder(campaign: Campaign, name: str, fold: int = DEVELOPMENT_FOLD) -> Path:
    """Of one of `SEARCHES`."""
    return campaign.folder / "search" / f"fold_{fold}" / name


def _variants(campaign: Campaign) -> dict[str, dict[str, Any]]:
    """Name -> options: to the target, to none, of depths alone, of widths alone."""
    scale = campaign.scale
    target = {"target": f"{{'flops': {target_flops(campaign)}}}"}
    epochs = _epochs(scale.warmup_epochs, scale.search_epochs)
    return {
        DERIVED: {**epochs, **target},
        "derived_free": epochs,
        "depth_only": {**epochs, **target, "searched": "depth", "base_widths": [scale.narrow_width]},
        "width_only": {**epochs, **target, "searched": "width"},
    }


def target_flops(campaign: Campaign) -> int:
    """FLOPs of a patch that the searches aim at."""
    setting = campaign.setting
    return round(campaign.scale.ratio * setting.flops(setting.default()))


def _epochs(warmup: int, search: int) -> dict[str, Any]:
    """A schedule in which tau falls from 5 to 0.05, as in 150 epochs of the paper's."""
    return {
        "warmup_epochs": warmup,
        "max_epochs": warmup + search,
        "val_interval": max(1, (warmup + search) // 2),
        "temperature_rate": round(0.01 ** (1 / max(1, search - 1)), 6),
    }


def _job(campaign: Campaign, name: str, fold: int, variant: dict[str, Any]) -> Job:
    return Job(search_folder(campaign, name, fold), _search(campaign, fold, variant))


def _search(campaign: Campaign, fold: int, variant: dict[str, Any]) -> Callable[[Path], None]:
    scale = campaign.scale
    options = {
        "fold": fold,
        "seed": 0,
        "base_widths": list(scale.base_widths),
        "iterations_per_epoch": scale.search_iterations,
        "architecture_learning_rate": scale.architecture_learning_rate,
        **variant,
    }
    return lambda folder: campaign.train("search", folder, **options)


def network_path(campaign: Campaign, network: str, fold: int = DEVELOPMENT_FOLD) -> Path:
    """Of the record of a network that is retrained on a fold."""
    return campaign.folder / "networks" / f"fold_{fold}" / f"{network}.json"


def networks(campaign: Campaign, fold: int = DEVELOPMENT_FOLD) -> dict[str, Architecture]:
    """Name -> network, of those of a fold whose record is written."""
    folder = network_path(campaign, "any", fold).parent
    return {path.stem: Architecture.load(path) for path in sorted(folder.glob("*.json"))}


def write_networks(campaign: Campaign) -> None:
    """Write the record of every network to retrain, as far as the searches that they need are done."""
    for fold in (DEVELOPMENT_FOLD, *campaign.scale.confirming_folds):
        for name, architecture in _networks_of(campaign, fold).items():
            architecture.save(network_path(campaign, name, fold))


def _networks_of(campaign: Campaign, fold: int) -> dict[str, Architecture]:
    paths = {name: search_folder(campaign, name, fold) / "architecture.json" for name in SEARCHES}
    found = {name: Architecture.load(path) for name, path in paths.items() if (path.parent / "done").exists()}
    development = fold == DEVELOPMENT_FOLD
    n_random = campaign.scale.n_random if development else 0
    others = contenders(campaign.setting, flops=target_flops(campaign), n_random=n_random)
    return {**found, **{name: each for name, each in others.items() if development or name in FINALISTS}}
