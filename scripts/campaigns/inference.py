"""What helps at inference: mirroring, overlap of windows, an ensemble, the largest component. Measured, on one fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from scipy import ndimage

from adw_components.data.dataset import read_dataset

from .campaign import DERIVED, Campaign, Retraining
from .cases import DEVELOPMENT_FOLD
from .jobs import Job
from .nnunet import write_cases

PLAIN = "plain"
COMPONENT = "largest component"


def settings_tried(campaign: Campaign) -> Mapping[str, dict[str, Any]]:
    """Name -> options of evaluate.json, of the derived network; the first one is the config's own."""
    runs = [Retraining(network=DERIVED, fold=DEVELOPMENT_FOLD, seed=seed) for seed in range(campaign.scale.n_seeds)]
    seeds = {"checkpoint_path": [str(campaign.train_folder(run) / "model_last.pt") for run in runs]}
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
    """An evaluation with each of the settings, then the largest components of the first one's predictions."""
    model = campaign.train_folder(Retraining(network=DERIVED, fold=DEVELOPMENT_FOLD, seed=0))

    def evaluation(options: dict[str, Any]) -> Callable[[Path], None]:
        return lambda folder: campaign.evaluate(folder, model_dir=model, fold=DEVELOPMENT_FOLD, **options)

    jobs = [
        Job(inference_folder(campaign, name), evaluation(options)) for name, options in settings_tried(campaign).items()
    ]
    return [*jobs, Job(inference_folder(campaign, COMPONENT), lambda folder: _largest_components(campaign, folder))]


def _largest_components(campaign: Campaign, folder: Path) -> None:
    """Keep the largest connected component of every class of the plain predictions, and measure them."""
    dataset = read_dataset(campaign.cases.dataset_dir)
    predictions = folder / "predictions"
    predictions.mkdir(parents=True, exist_ok=True)
    plain = inference_folder(campaign, PLAIN) / "predictions"
    for path in sorted(plain.glob("*.nii.gz")):
        image = nib.load(path)
        kept = largest_components(np.asarray(image.dataobj).astype(np.uint8))
        nib.save(nib.Nifti1Image(kept, image.affine, image.header), predictions / path.name)
    write_cases(predictions, dataset, folder)


def largest_components(label_map: np.ndarray) -> np.ndarray:
    """The label map with the largest connected component of every class; voxels that touch by a corner are connected.

    Args:
        label_map: label values, 0 for the background.
    """
    kept = np.zeros_like(label_map)
    for value in set(np.unique(label_map)) - {0}:
        components, _ = ndimage.label(label_map == value, structure=np.ones((3,) * label_map.ndim))
        sizes = np.bincount(components.ravel())
        kept[components == sizes[1:].argmax() + 1] = value
    return kept
