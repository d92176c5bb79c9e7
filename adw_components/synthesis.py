"""Generated datasets in the MSD's layout, to try everything without a download. No torch here."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from .errors import UserError
from .files import write_json
from .phantom import hippocampus

TASKS = ("Task04_Hippocampus",)


def synthesize(task: str, *, cases: int, output_dir: str | Path, seed: int = 0, test_cases: int = 4) -> Path:
    """Write an MSD folder of generated volumes that resemble those of `task`; the same seed gives the same bytes.

    Case k depends on the seed and k only. The folder appears whole or not at all.

    Args:
        task: "Task04_Hippocampus".
        cases: number of training cases, with labels.
        output_dir: the folder to write, which holds `dataset.json` afterwards; new or empty.
        seed: of the random numbers, 0 or more.
        test_cases: number of test images, without labels.

    Returns:
        `output_dir`.

    Raises:
        UserError: unknown task, a negative number, or a folder that holds something.
    """
    if task not in TASKS:
        raise UserError(f"no data can be generated for {task!r}; there are {', '.join(TASKS)}")
    if cases < 1 or test_cases < 0 or seed < 0:
        raise UserError(
            f"cases must be 1 or more, test_cases and seed 0 or more, got {cases}, {test_cases} and {seed}; change them"
        )
    with _new_folder(Path(output_dir)) as folder:
        _write_dataset(folder, cases, test_cases, seed)
    return Path(output_dir)


@contextmanager
def _new_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `target` that takes its name once the block ends without an error."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UserError(f"output_dir must be new or empty, but {target} is not; choose another or remove it")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=target.parent) as holder:
        folder = Path(holder) / "dataset"
        folder.mkdir()
        yield folder
        if target.exists():
            target.rmdir()
        folder.rename(target)


def _write_dataset(folder: Path, cases: int, test_cases: int, seed: int) -> None:
    for name in ("imagesTr", "labelsTr", "imagesTs"):
        (folder / name).mkdir()
    training = [f"hippocampus_{number:03d}.nii.gz" for number in range(1, cases + 1)]
    test = [f"hippocampus_test_{number:03d}.nii.gz" for number in range(1, test_cases + 1)]
    for number, name in enumerate(training):
        image, label = hippocampus(np.random.default_rng([seed, 0, number]))
        _save(image, folder / "imagesTr" / name)
        _save(label, folder / "labelsTr" / name)
    for number, name in enumerate(test):
        _save(hippocampus(np.random.default_rng([seed, 1, number]))[0], folder / "imagesTs" / name)
    write_json(folder / "dataset.json", _description(training, test, seed))


def _description(training: list[str], test: list[str], seed: int) -> dict[str, object]:
    return {
        "name": "Hippocampus",
        "description": "Generated data that resembles hippocampus MRI; no patient was imaged",
        "reference": f"adw_components synthesize, Task04_Hippocampus, seed {seed}",
        "licence": "CC0 1.0",
        "relase": "1.0",  # misspelt in every dataset.json of the MSD
        "tensorImageSize": "3D",
        "modality": {"0": "MRI"},
        "labels": {"0": "background", "1": "Anterior", "2": "Posterior"},
        "numTraining": len(training),
        "numTest": len(test),
        "training": [{"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"} for name in training],
        "test": [f"./imagesTs/{name}" for name in test],
    }


def _save(voxels: NDArray[np.generic], path: Path) -> None:
    affine = np.eye(4)
    affine[:3, 3] = 1.0  # as in the real data: 1 mm voxels, RAS axes, origin (1, 1, 1)
    volume = nibabel.Nifti1Image(voxels, affine)
    volume.set_sform(affine, code=1)
    volume.set_qform(affine, code=1)
    volume.header.set_xyzt_units("mm", "sec")
    nibabel.save(volume, path)
