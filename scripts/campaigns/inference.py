"""What helps at inference: mirroring, overlap of windows, an ensemble, the largest component. Measured, on one fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from adw_components.data.dataset import read_dataset

from .campaign import Campaign
from .cases import DEVELOPMENT_FOLD
from .jobs import Job
from .label_maps import write_cases, write_largest_components
from .retrainings import Retraining, train_folder
from .searches import DERIVED

PLAIN = "plain"
COMPONENT = "largest component"


def settings_tried(campaign: Campaign) -> Mapping[str, dict[str, Any]]:
    """Name -> options of evaluate.json, of the derived network; the first one is the config's own."""
    runs = [Retraining(network=DERIVED, seed=seed) for seed in range(campaign.scale.n_seeds)]
    seeds = {"checkpoint_path": [str(train_folder(campaign, run) / "model_last.pt") for run in runs]}
    mirrored = {"mirror_tta": "true"}
    return {
        PLAIN: {},
        "mirrored": mirrored,
        "overlap 0.25": {"overlap": 0.25},
        "overlap 0.75": {"overlap": 0.75},
        "ensemble of seeds": seeds,
        "ensemble of seeds, mirrored": {**seeds, **mirrored},
    }


def inference_folder(campaign: Campaign, name: str) -> Path:
    """Of an evaluation with one of the settings."""
    return campaign.folder / "inference" / name.replace(",", "").replace(" ", "_")


def inference_jobs(campaign: Campaign) -> list[Job]:
    """An evaluation with each of the settings; the largest components are those of the plain predictions."""
    model = train_folder(campaign, Retraining(network=DERIVED))

    def evaluation(name: str, options: dict[str, Any]) -> Callable[[Path], None]:
        def work(folder: Path) -> None:
            campaign.evaluate(folder, model_dir=model, fold=DEVELOPMENT_FOLD, **options)
            if name == PLAIN:
                _measure_components(campaign, folder / "predictions")

        return work

    return [
        Job(inference_folder(campaign, name), evaluation(name, options))
        for name, options in settings_tried(campaign).items()
    ]


def _measure_components(campaign: Campaign, predictions: Path) -> None:
    folder = inference_folder(campaign, COMPONENT)
    write_largest_components(predictions, folder / "predictions")
    write_cases(folder / "predictions", read_dataset(campaign.cases.dataset_dir), folder)
