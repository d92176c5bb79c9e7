"""Small NIfTI datasets whose measurements are known."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from adw_components.planning.collect import collect_fingerprint
from adw_components.planning.fingerprint import Fingerprint

# Axes that run right, anterior, superior, with unequal steps; and the same in other orders and directions.
RAS = np.diag([0.5, 1.0, 2.0, 1.0])
LPS = np.diag([-0.5, -1.0, 2.0, 1.0])
# First axis: superior; second: left; third: anterior.
SLA = np.array([[0, -0.5, 0, 9], [0, 0, 1.0, 9], [2.0, 0, 0, 9], [0, 0, 0, 1]])


def save(folder: Path, name: str, image: np.ndarray, label: np.ndarray | None, affine: np.ndarray = RAS) -> None:
    """A case; if no label is given, one that is 1 where the image is over 5."""
    for kind in ("imagesTr", "labelsTr"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(image, affine), folder / "imagesTr" / f"{name}.nii.gz")
    label = (image.reshape(*image.shape[:3], -1)[..., 0] > 5) if label is None else label
    nibabel.save(nibabel.Nifti1Image(label.astype(np.uint8), affine), folder / "labelsTr" / f"{name}.nii.gz")


def describe(folder: Path, *names: str, modality: tuple[str, ...] = ("MRI",), **changes: Any) -> Path:
    """Write the `dataset.json` of these cases."""
    cases = [{"image": f"./imagesTr/{name}.nii.gz", "label": f"./labelsTr/{name}.nii.gz"} for name in names]
    values = {
        "modality": {str(index): name for index, name in enumerate(modality)},
        "labels": {"0": "background", "1": "organ"},
        "training": cases,
        **changes,
    }
    (folder / "dataset.json").write_text(json.dumps(values))
    return folder


def block(shape: tuple[int, ...], inside: tuple[slice, ...], value: float, dtype: Any = np.float32) -> np.ndarray:
    """Zeros around a box of one value."""
    image = np.zeros(shape, dtype=dtype)
    image[inside] = value
    return image


def folder_of(tmp_path: Path, count: int) -> Path:
    """A dataset of small random cases, all of other shapes."""
    rng = np.random.default_rng(0)
    names = [f"case_{index}" for index in range(count)]
    for index, name in enumerate(names):
        save(tmp_path, name, rng.normal(5, 3, (6 + index, 7, 8)).astype(np.float32), None)
    return describe(tmp_path, *names)


def measure(folder: Path, workers: int = 1, cache: Path | None = None) -> Fingerprint:
    return collect_fingerprint(folder, workers=workers, cache=cache)


def change_image(folder: Path, name: str, change: Callable[[np.ndarray], np.ndarray], affine: np.ndarray = RAS) -> None:
    """Replace the image of a case."""
    path = folder / "imagesTr" / f"{name}.nii.gz"
    nibabel.save(nibabel.Nifti1Image(change(np.asanyarray(nibabel.load(path).dataobj)), affine), path)
