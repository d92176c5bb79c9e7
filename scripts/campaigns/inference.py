"""What helps at inference: mirroring, overlap of windows, the largest component, an ensemble."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from adw_components.data.dataset import read_dataset

from .campaign import Campaign
from .cases import DEVELOPMENT_FOLD
from .jobs import Job
from .label_maps import write_cases, write_largest_components
from .longer import longer_folder
from .retrainings import PLAIN_INFERENCE, Retraining, train_folder
from .searches import DERIVED

PLAIN, MIRRORED, COMPONENT = "plain", "mirrored", "largest component"
# Name -> options of evaluate.json.
SETTINGS = MappingProxyType(
    {
        PLAIN: PLAIN_INFERENCE,
        MIRRORED: {"mirror_tta": "true"},
        "overlap 0.25": {**PLAIN_INFERENCE, "overlap": 0.25},
        "overlap 0.75": {**PLAIN_INFERENCE, "overlap": 0.75},
    }
)
# Of the seeds of the derived network on the fold of development; name -> setting.
ENSEMBLES = MappingProxyType({"ensemble of seeds": PLAIN, "ensemble of seeds, mirrored": MIRRORED})


def evaluation_folder(campaign: Campaign, name: str, fold: int = DEVELOPMENT_FOLD) -> Path:
    """Of the evaluation with a setting, of the largest components, or of an ensemble."""
    if name == PLAIN:
        return longer_folder(campaign, Retraining(network=DERIVED, fold=fold)) / "evaluation"
    return campaign.folder / "inference" / name.replace(",", "").replace(" ", "_") / f"fold_{fold}"


def inference_jobs(campaign: Campaign) -> list[Job]:
    """What is not plain, of the longer retraining of the derived network on every fold, and the ensembles."""
    folds = (DEVELOPMENT_FOLD, *campaign.scale.confirming_folds)
    works = [
        *((name, fold, _setting(campaign, name, fold)) for fold in folds for name in SETTINGS if name != PLAIN),
        *((COMPONENT, fold, _components(campaign, fold)) for fold in folds),
        *((name, DEVELOPMENT_FOLD, _ensemble(campaign, name)) for name in ENSEMBLES),
    ]
    return [Job(evaluation_folder(campaign, name, fold), work) for name, fold, work in works]


def _setting(campaign: Campaign, name: str, fold: int) -> Callable[[Path], None]:
    model = longer_folder(campaign, Retraining(network=DERIVED, fold=fold))
    return lambda folder: campaign.evaluate(folder, model_dir=model, fold=fold, **SETTINGS[name])


def _components(campaign: Campaign, fold: int) -> Callable[[Path], None]:
    plain = evaluation_folder(campaign, PLAIN, fold) / "predictions"

    def work(folder: Path) -> None:
        write_largest_components(plain, folder / "predictions")
        write_cases(folder / "predictions", read_dataset(campaign.cases.dataset_dir), folder)

    return work


def _ensemble(campaign: Campaign, name: str) -> Callable[[Path], None]:
    models = [train_folder(campaign, Retraining(network=DERIVED, seed=seed)) for seed in range(campaign.scale.n_seeds)]
    options: dict[str, Any] = {
        "checkpoint_path": [str(model / "model_last.pt") for model in models],
        **SETTINGS[ENSEMBLES[name]],
    }
    return lambda folder: campaign.evaluate(folder, model_dir=models[0], fold=DEVELOPMENT_FOLD, **options)
