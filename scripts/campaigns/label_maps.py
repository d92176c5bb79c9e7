"""Label maps that lie in a folder, measured as evaluate.json measures its own."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from scipy import ndimage

from adw_components.data.dataset import MSDDataset
from adw_components.evaluation.case_metrics import case_metrics
from adw_components.files import write_json


def write_cases(predictions: Path, dataset: MSDDataset, folder: Path) -> None:
    """Measure the label maps of training cases, named as these, and write `cases.json`.

    Args:
        predictions: folder of the label maps.
        dataset: with the true labels.
        folder: of `cases.json`.
    """
    labels = {str(value): name for value, name in dataset.labels.items() if value}
    known = {case.id: case for case in dataset.training}
    rows = []
    for path in sorted(predictions.glob("*.nii.gz")):
        case = known[path.name.removesuffix(".nii.gz")]
        predicted, true = (nib.load(file) for file in (path, case.label))
        files = {"image": str(case.image), "label": str(case.label), "prediction": str(path)}
        spacing = [float(size) for size in true.header.get_zooms()]
        maps = [torch.from_numpy(np.asarray(volume.dataobj).astype(np.uint8))[None] for volume in (predicted, true)]
        rows.append(case_metrics(*maps, spacing=spacing, labels=labels, case=case.id, files=files).to_dict())
    write_json(folder / "cases.json", {"labels": labels, "cases": rows})


def write_largest_components(predictions: Path, folder: Path) -> None:
    """Write every label map of a folder with the largest connected component of each class only."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(predictions.glob("*.nii.gz")):
        image = nib.load(path)
        kept = largest_components(np.asarray(image.dataobj).astype(np.uint8))
        nib.save(nib.Nifti1Image(kept, image.affine, image.header), folder / path.name)


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
