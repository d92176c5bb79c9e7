"""The cases of a campaign: all but those of the fold that is put aside, and the four other folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adw_components.data.dataset import MSDDataset, read_dataset, read_dataset_json
from adw_components.data.folds import five_folds
from adw_components.files import read_json, write_json

# Numbers of the validation cases of nnU-Net's folds 1 to 4 of Task04.
HIPPOCAMPUS_FOLDS = Path(__file__).with_name("hippocampus_folds.json")
DEVELOPMENT_FOLD = 1


@dataclass(frozen=True, kw_only=True)
class Cases:
    """What a campaign may see.

    Attributes:
        dataset_dir: MSD folder with the cases of the four folds and no others.
        split_file: the folds.
    """

    dataset_dir: Path
    split_file: Path


def prepare_cases(dataset_dir: Path, folder: Path) -> Cases:
    """Write the folds, and a folder of links to their cases if the dataset holds more.

    The first of nnU-Net's five folds is put aside: nothing is trained, searched or chosen on it.

    Args:
        dataset_dir: MSD folder; of Task04 with or without the first fold's cases.
        folder: of the campaign.
    """
    dataset = read_dataset(dataset_dir)
    validation = validation_cases(dataset.case_ids)
    kept = sorted(case for cases in validation.values() for case in cases)
    split_file = folder / "folds.json"
    folds = {
        fold: {"training": [case for case in kept if case not in set(cases)], "validation": list(cases)}
        for fold, cases in validation.items()
    }
    write_json(split_file, folds)
    if set(dataset.case_ids) != set(kept):
        dataset_dir = _linked(dataset, folder / "data", kept)
    return Cases(dataset_dir=dataset_dir.resolve(), split_file=split_file.resolve())


def validation_cases(case_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Fold, "1" to "4", -> its validation cases: of Task04 those of all 260 cases, else of the cases given."""
    known = {
        fold: tuple(f"hippocampus_{number:03}" for number in numbers)
        for fold, numbers in read_json(HIPPOCAMPUS_FOLDS, "folds").items()
    }
    if {case for cases in known.values() for case in cases} <= set(case_ids):
        return known
    return {str(fold): split.validation for fold, split in enumerate(five_folds(case_ids)) if fold}


def _linked(dataset: MSDDataset, folder: Path, kept: Sequence[str]) -> Path:
    """An MSD folder whose images and labels are links into another one's."""
    rows = []
    for case in (case for case in dataset.training if case.id in set(kept)):
        row = {"image": f"imagesTr/{case.image.name}", "label": f"labelsTr/{case.label.name}"}
        rows.append(row)
        for part, file in (("image", case.image), ("label", case.label)):
            link(file, folder / row[part])
    description = read_dataset_json(dataset.root / "dataset.json")
    write_json(folder / "dataset.json", {**description, "training": rows, "numTraining": len(rows), "test": []})
    return folder


def link(file: Path, place: Path) -> None:
    """Make `place` a link to a file, whatever it led to before."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_symlink() and place.readlink() != file.resolve():
        place.unlink()
    if not place.is_symlink():
        place.symlink_to(file.resolve())
