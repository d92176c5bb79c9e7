"""Faulty images, labels and weights end every command that reads them with one line that names the file."""

import gzip
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from .conftest import Ended
from .test_options import BUNDLE, TINY, require_one_line, snapshot

SHAPE = (35, 51, 35)
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def header(offset: int, content: bytes) -> Callable[[Path], None]:
    """Overwrite bytes of the header of a .nii.gz."""

    def change(path: Path) -> None:
        whole = bytearray(gzip.decompress(path.read_bytes()))
        whole[offset : offset + len(content)] = content
        path.write_bytes(gzip.compress(bytes(whole), compresslevel=1))

    return change


def voxels(change: Callable[[np.ndarray], np.ndarray], dtype: type = np.float32) -> Callable[[Path], None]:
    """Replace the voxels of an image."""

    def write(path: Path) -> None:
        image = nibabel.load(path)
        nibabel.save(nibabel.Nifti1Image(change(np.asarray(image.dataobj).astype(dtype)), image.affine), path)

    return write


def with_value(value: float, part: object = np.s_[:5]) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array[part] = value
        return array

    return change


def affine(matrix: np.ndarray) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        nibabel.save(nibabel.Nifti1Image(np.asarray(nibabel.load(path).dataobj), matrix), path)

    return write


# Kind -> what makes the image of one case faulty.
IMAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_bytes(b"no image"),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:3000]),
    "flat text": lambda path: path.write_bytes(gzip.compress(b"no image" * 100)),
    "NaN in the affine": header(280, np.float32(np.nan).tobytes()),
    "no spacing": header(312, bytes(16)),
    "axis of length 0": header(42, struct.pack("<h", 0)),
    "axis of negative length": header(42, struct.pack("<h", -5)),
    "more voxels than the file holds": header(42, struct.pack("<3h", 30000, 30000, 30000)),
    "no axes": header(40, struct.pack("<h", 0)),
    "micrometres": header(123, bytes([3])),
    "spacing of 1000 mm": affine(np.diag([1000.0, 1000.0, 1000.0, 1.0])),
    "spacing of 1 um": affine(np.diag([0.001, 0.001, 0.001, 1.0])),
    "singular": affine(np.array([[1.0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])),
    "NaN": voxels(with_value(np.nan, (5, 5, 5))),
    "infinite": voxels(with_value(np.inf, (5, 5, 5))),
    "overflow": voxels(with_value(1e39), np.float64),
    "fill value": voxels(with_value(-1e30)),
    "largest float": voxels(with_value(3.4e38)),
    "only 0": voxels(lambda array: array * 0),
    "two channels": voxels(lambda array: np.stack([array, array], axis=-1)),
    "two axes": voxels(lambda array: array[:, :, 5]),
    "complex": voxels(lambda array: array.astype(np.complex64)),
}
# Kinds that a label has as well, as a copy of the image's header.
OF_BOTH = ("spacing of 1000 mm", "spacing of 1 um", "NaN in the affine", "no spacing", "micrometres", "singular")
LABELS: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "cut": lambda path: path.write_bytes(path.read_bytes()[:300]),
    "value 7": voxels(with_value(7, (5, 5, 5))),
    "half a value": voxels(with_value(1.5, (5, 5, 5))),
    "NaN": voxels(with_value(np.nan, (5, 5, 5))),
    "other shape": voxels(lambda array: array[:-1]),
    "other affine": affine(np.diag([-1.0, -1.0, 1.2, 1.0])),
    "mirrored": affine(np.diag([1.0, -1.0, 1.0, 1.0])),
    "two channels": voxels(lambda array: np.stack([array, array], axis=-1)),
}


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


# What a finished training has written; nothing of it may be missing or changed when it is resumed.
RESUMED = ("checkpoint.pt", "model.pt", "model_last.pt")
WEIGHTS: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "a folder": replaced_by_a_folder,
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_bytes(b"no weights"),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1000]),
    "one bit flipped": flipped,
    "a list": lambda path: torch.save([1, 2], path),
    "of another network": lambda path: torch.save({"conv.weight": torch.zeros(3)}, path),
    "an object": lambda path: torch.save(nibabel.Nifti1Image(np.zeros((2, 2, 2)), LPS), path),
}


def options(place: Path, workflow: str, **given: object) -> list[str]:
    config = {"infer": "inference"}.get(workflow, workflow)
    values = {
        "config_file": BUNDLE / "configs" / f"{config}.json",
        "bundle_root": BUNDLE,
        "output_dir": place / "out",
        "num_workers": 0,
        "device": "cpu",
        **({} if workflow == "infer" else {"cache_dir": place / "cache"}),
        **(TINY if workflow in ("search", "train") else {}),
        **({"warmup_epochs": 1, "base_widths": "[2,3]"} if workflow == "search" else {}),
        **given,
    }
    return ["monai.bundle", "run", workflow, *(f"--{name}={value}" for name, value in values.items())]


def reading(command: str, place: Path, data: Path) -> list[str]:
    """Words of a command that reads all of a dataset."""
    if command == "plan":
        return ["adw_components", "plan", str(place / "plan.json"), "--dataset_dir", str(data), "--workers", "1"]
    if command == "evaluate":
        split = place / "split.json"
        split.write_text(json.dumps({"0": {"validation": ["hippocampus_001"]}}))
        return options(place, command, dataset_dir=data, split_file=split)
    return options(place, command, dataset_dir=data / "imagesTr" if command == "infer" else data)


@pytest.fixture()
def data(place: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(place / "data", tmp_path / "data"))


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("command", ["plan", "search", "train", "evaluate", "infer"])
def test_a_faulty_image_is_one_line_that_names_it(
    command: str, kind: str, data: Path, tmp_path: Path, run_module: Callable[..., Ended]
) -> None:
    if (command, kind) == ("infer", "missing"):
        pytest.skip("an inference takes what lies in the folder")
    for part in ("imagesTr", "labelsTr") if kind in OF_BOTH else ("imagesTr",):
        IMAGES[kind](data / part / "hippocampus_001.nii.gz")
    refused(command, kind, data, tmp_path, run_module, file="imagesTr/hippocampus_001.nii.gz")


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("command", ["plan", "search", "train", "evaluate"])
def test_a_faulty_label_is_one_line_that_names_it(
    command: str, kind: str, data: Path, tmp_path: Path, run_module: Callable[..., Ended]
) -> None:
    LABELS[kind](data / "labelsTr" / "hippocampus_001.nii.gz")
    refused(command, kind, data, tmp_path, run_module, file="labelsTr/hippocampus_001.nii.gz")


def refused(command: str, kind: str, data: Path, place: Path, run_module: Callable[..., Ended], *, file: str) -> None:
    words = reading(command, place, data)
    before = snapshot(place)
    line = require_one_line(run_module(*words, folder=place))
    assert file in line, (kind, line)
    left = {path for path in {*snapshot(place)} - {*before} if not path.endswith("plan_cases.jsonl")}
    assert not left


@pytest.fixture(scope="module")
def trained(place: Path, tmp_path_factory: pytest.TempPathFactory, run_module: Callable[..., Ended]) -> Path:
    """The folder of a finished training."""
    folder = tmp_path_factory.mktemp("trained")
    assert run_module(*options(folder, "train", dataset_dir=place / "data"), folder=folder).status == 0
    return folder / "out"


@pytest.mark.parametrize("kind", WEIGHTS)
@pytest.mark.parametrize("reader", ["infer", "evaluate", "fine-tune", "inherit", "export", *RESUMED])
def test_faulty_weights_are_one_line_that_names_them(
    reader: str, kind: str, place: Path, trained: Path, tmp_path: Path, run_module: Callable[..., Ended]
) -> None:
    folder = tmp_path / "weights"
    if reader in RESUMED:
        shutil.copytree(trained, folder)
        path = folder / reader
    else:
        folder.mkdir()
        path = folder / "model.pt"
        shutil.copyfile(BUNDLE / "models" / "model.pt", path)
    WEIGHTS[kind](path)
    images = place / "data" / "imagesTr"
    words = {
        "infer": options(tmp_path, "infer", dataset_dir=images, checkpoint_path=path),
        "evaluate": options(tmp_path, "evaluate", dataset_dir=place / "data", checkpoint_path=path),
        "fine-tune": options(tmp_path, "train", dataset_dir=place / "data", model_dir=folder, fine_tuning="true"),
        "inherit": options(tmp_path, "train", dataset_dir=place / "data", inherit="true", supernet_path=path),
        "export": ["adw_components", "export", str(BUNDLE), "--output", str(tmp_path / "out"), "--weights", str(path)],
    }.get(reader) or options(tmp_path, "train", dataset_dir=place / "data", output_dir=folder, resume="true")
    before = snapshot(tmp_path)
    line = require_one_line(run_module(*words, folder=tmp_path))
    assert str(path) in line or path.name in line
    assert snapshot(tmp_path) == before
