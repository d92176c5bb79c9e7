"""Small generated datasets of every task, made once for all tests of the phantoms."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nibabel
import numpy as np
import pytest

from adw_components.data.dataset import read_dataset
from adw_components.synthesis import synthesize

# The 4th and the 14th case are those that may lack a class.
CASES = 14
SIZE = [60, 54, 28]


@dataclass(frozen=True)
class Volume:
    """A training case as it lies on the disk, its label and its affine; `image` always has an axis of channels."""

    image: np.ndarray
    label: np.ndarray
    header: nibabel.Nifti1Header
    label_header: nibabel.Nifti1Header


@dataclass(frozen=True)
class Generated:
    """A generated dataset."""

    folder: Path
    cases: tuple[Volume, ...]

    def labelled(self, channel: int) -> np.ndarray:
        """Intensities of all labelled voxels of all cases."""
        return np.concatenate([case.image[..., channel][case.label > 0] for case in self.cases])


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Generated]:
    """The generated dataset of a task; do not write to it."""
    root = tmp_path_factory.mktemp("tasks")

    @cache
    def make(task: str) -> Generated:
        folder = synthesize(task, cases=CASES, output_dir=root / task, test_cases=1, size=SIZE)
        return Generated(folder, tuple(_read(case.image, case.label) for case in read_dataset(folder).training))

    return make


def _read(image_file: Path, label_file: Path) -> Volume:
    image, label = nibabel.load(image_file), nibabel.load(label_file)
    voxels, values = np.asanyarray(image.dataobj), np.asanyarray(label.dataobj)
    return Volume(voxels if voxels.ndim == 4 else voxels[..., None], values, image.header, label.header)
