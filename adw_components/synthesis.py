"""Generated datasets in the MSD's layout, to try everything without a download. No torch here."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from .errors import UserError
from .files import new_folder, write_json
from .locks import sole_writer
from .phantoms.recipes import custom_recipe, task_recipe
from .phantoms.volumes import Recipe

# What is no task's data may be called so, or not at all.
_CUSTOM = (None, "custom")
_MOST_CASES = 10**5
# Where nobody watches, a bar is worth its lines from so many cases on, and then every so many seconds.
_BAR_FROM, _BAR_EVERY = 20, 10.0


def synthesize(
    task: str | None,
    *,
    cases: int,
    output_dir: str | Path,
    seed: int = 0,
    test_cases: int = 4,
    size: Any = None,
    modality: Any = None,
    labels: Any = None,
    spacing: Any = None,
    empty_labels: int = 0,
) -> Path:
    """Write an MSD folder of generated volumes that resemble those of `task`; the same seed gives the same bytes.

    Case k depends on the seed and k only. The folder appears whole or not at all. With `modality` the dataset is
    nobody's task: every label is a blob with a contrast of its own in every channel. Where the real data have cases
    without a class (brain, liver, prostate), the 4th, 14th, 24th ... case lacks one.

    Args:
        task: name of the MSD's folder, such as "Task09_Spleen"; none or "custom" with `modality`.
        cases: number of training cases, with labels.
        output_dir: the folder to write, which holds `dataset.json` afterwards; new or empty.
        seed: of the random numbers, 0 or more.
        test_cases: number of test images, without labels.
        size: voxels along x, y, z of the first case, about which the others vary; or, for a task, a factor of the real
            size, with which no axis gets fewer than 24 voxels unless the real one has. By default Task04 has its
            natural size, other tasks 0.25, other datasets 64 x 64 x 40.
        modality: names of the channels; CT is in Hounsfield units, all others are MRI-like.
        labels: names of the classes without background.
        spacing: mm along x, y, z, or several such that the cases take by turns.
        empty_labels: number of cases, from the second on, that have no labelled voxel.

    Returns:
        `output_dir`.

    Raises:
        UserError: unknown task, a wrong number or list, settings that exclude each other, or a folder that holds
            something.
    """
    ranges = (
        ("cases", cases, 1, _MOST_CASES),
        ("test_cases", test_cases, 0, _MOST_CASES),
        ("seed", seed, 0, 2**32 - 1),
    )
    for name, value, least, most in ranges:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise UserError(f"{name} must be from {least} to {most}, got {value!r}; give a whole number")
    own = {"modality": modality, "labels": labels, "spacing": spacing, "empty_labels": empty_labels or None}
    recipe = _recipe(task, size, {name: value for name, value in own.items() if value is not None}, seed)
    if empty_labels >= cases:
        raise UserError(f"empty_labels must be less than the {cases} cases, got {empty_labels}; the first has labels")
    target = Path(output_dir)
    with sole_writer(target, "output_dir"):
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise UserError(f"output_dir must be new or empty, but {target} is not; choose another or remove it")
        with new_folder(target) as folder:
            _write_dataset(folder, recipe, cases, test_cases, seed, str(task or _CUSTOM[1]))
    return target


def _recipe(task: str | None, size: Any, own: dict[str, Any], seed: int) -> Recipe:
    if task in _CUSTOM:
        if "modality" not in own:
            raise UserError(
                "a dataset that is no task's needs modality, got none; name its channels, such as [MRI, CT]"
            )
        return custom_recipe(size=size, seed=seed, **own)
    if own:
        raise UserError(f"{', '.join(own)} cannot go with task, got {task}; leave out the one or the other")
    return task_recipe(str(task), size)


def _write_dataset(folder: Path, recipe: Recipe, cases: int, test_cases: int, seed: int, source: str) -> None:
    for name in ("imagesTr", "labelsTr", "imagesTs"):
        (folder / name).mkdir()
    training = [f"{recipe.stem}_{number:03d}.nii.gz" for number in range(1, cases + 1)]
    test = [f"{recipe.stem}_test_{number:03d}.nii.gz" for number in range(1, test_cases + 1)]
    jobs = [(0, *job) for job in enumerate(training, start=1)] + [(1, *job) for job in enumerate(test, start=1)]
    for is_test, number, name in _with_bar(jobs):
        drawing = recipe.draw(number, np.random.default_rng([seed, is_test, number - 1]))
        _save(drawing.image, drawing.affine, folder / ("imagesTs" if is_test else "imagesTr") / name)
        if not is_test:
            _save(drawing.label, drawing.affine, folder / "labelsTr" / name)
    write_json(folder / "dataset.json", _description(recipe, training, test, f"{source}, seed {seed}"))


def _with_bar(jobs: list[tuple[int, int, str]]) -> Iterable[tuple[int, int, str]]:
    watched = sys.stderr.isatty()
    silent = not watched and len(jobs) < _BAR_FROM
    return tqdm(jobs, "generating", unit="case", disable=silent, mininterval=0.1 if watched else _BAR_EVERY, delay=2)


def _description(recipe: Recipe, training: list[str], test: list[str], source: str) -> dict[str, object]:
    dataset = recipe.dataset
    real = f"; the real data are from {dataset.reference}" if dataset.reference else ""
    return {
        "name": dataset.name.partition("_")[2] or dataset.name,
        "description": f"Generated data that resembles {dataset.description}; no patient was imaged",
        "reference": f"adw_components synthesize, {source}{real}",
        "licence": "CC0 1.0",
        "relase": "1.0",  # misspelt in every dataset.json of the MSD
        "tensorImageSize": "4D" if len(dataset.modality) > 1 else "3D",
        "modality": {str(number): name for number, name in enumerate(dataset.modality)},
        "labels": {str(number): name for number, name in enumerate(dataset.labels)},
        "numTraining": len(training),
        "numTest": len(test),
        "training": [{"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"} for name in training],
        "test": [f"./imagesTs/{name}" for name in test],
    }


def _save(voxels: NDArray[np.generic], affine: NDArray[np.float64], path: Path) -> None:
    volume = nibabel.Nifti1Image(voxels, affine)
    volume.set_sform(affine, code=1)
    volume.set_qform(affine, code=1)
    volume.header.set_xyzt_units("mm", "sec")
    nibabel.save(volume, path)
