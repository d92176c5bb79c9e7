"""What may be said about sizes."""

from pathlib import Path

import nibabel
import pytest

from adw_components.data.dataset import read_dataset
from adw_components.errors import UserError
from adw_components.phantoms.protocols import PROTOCOLS
from adw_components.phantoms.recipes import task_recipe
from adw_components.phantoms.sizes import scaled_size, spacings
from adw_components.phantoms.volumes import LEAST
from adw_components.synthesis import synthesize


def shapes(folder: Path) -> list[tuple[int, ...]]:
    return [nibabel.load(case.image).shape for case in read_dataset(folder).training]


@pytest.mark.parametrize("task", ["Task04_Hippocampus", "Task09_Spleen"])
def test_the_first_case_has_the_size_and_others_about_it(tmp_path: Path, task: str) -> None:
    folder = synthesize(task, cases=5, output_dir=tmp_path / "x", test_cases=1, size=(40, 33, 25))
    found = shapes(folder)
    assert found[0] == nibabel.load(read_dataset(folder).test[0]).shape == (40, 33, 25)
    assert len(set(found)) > 3
    assert all(abs(n - mean) <= 0.13 * mean for shape in found for n, mean in zip(shape, (40, 33, 25), strict=True))


def test_a_factor_keeps_thin_axes_and_enough_voxels() -> None:
    assert scaled_size(1.0, (512, 512, 90)) == scaled_size(1, (512, 512, 90)) == (512, 512, 90)
    assert scaled_size(0.25, (512, 512, 90)) == (128, 128, 24)
    assert scaled_size(0.25, (320, 320, 20)) == (80, 80, 20)
    assert task_recipe("Task05_Prostate").size == (80, 80, 20)
    assert task_recipe("Task04_Hippocampus").size is None
    assert task_recipe("Task04_Hippocampus", 2).size == (70, 100, 72)


@pytest.mark.parametrize("task", list(PROTOCOLS))
def test_the_least_size_works(tmp_path: Path, task: str) -> None:
    folder = synthesize(task, cases=2, output_dir=tmp_path / "x", test_cases=0, size=[LEAST] * 3)
    assert all(min(shape[:3]) >= LEAST for shape in shapes(folder))


@pytest.mark.parametrize(
    "size", [[8, 8, 7], [64, 64], [64, 64, 40, 2], [64.5, 64, 40], [2000, 64, 40], ["a", 1, 1], [float("inf")] * 3, []]
)
def test_a_wrong_list_is_told(tmp_path: Path, size: list[object]) -> None:
    with pytest.raises(
        UserError, match=r"size must list three whole numbers from 8 to 1024.*write such as \[64, 64, 40\]"
    ):
        synthesize("Task09_Spleen", cases=1, output_dir=tmp_path / "x", size=size)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [64, 0, -1, "large", True, float("nan")])
def test_a_wrong_factor_is_told(tmp_path: Path, size: object) -> None:
    with pytest.raises(UserError, match=r"or be a factor of the real size from 0\.05 to 2"):
        synthesize("Task02_Heart", cases=1, output_dir=tmp_path / "x", size=size)


def test_spacings_are_one_or_several() -> None:
    assert spacings([1, 1, 2.5]) == ((1.0, 1.0, 2.5),)
    assert spacings(((1, 1, 1), [2, 2, 2])) == ((1.0, 1.0, 1.0), (2.0, 2.0, 2.0))
