"""An MSD folder: its `dataset.json`, the training cases and the test images. No torch here."""

from __future__ import annotations

import itertools
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..dataset_description import NUMBER, refuse_unlearnable
from ..errors import UserError
from ..files import json_value
from ..record_fields import plain_text, shown

# .nii.gz or .nii, in capitals too; nibabel reads no .Nii.
_SUFFIX = re.compile(r"\.(nii|NII)(\.[gG][zZ])?$")
LOOKS_LIKE = "an MSD folder holds dataset.json, imagesTr/ and labelsTr/, such as Task04_Hippocampus"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One training case: the file of its image and the file of its label. The files need not exist."""

    id: str
    image: Path
    label: Path


@dataclass(frozen=True, kw_only=True)
class MSDDataset:
    """The content of the `dataset.json` of an MSD folder.

    Args:
        name: the dataset's name, such as "Hippocampus".
        root: the folder.
        modality: name of every channel of an image, in the order of the channels.
        labels: name of every label value, 0 (background) included.
        training: the training cases, sorted by id.
        test: the test images, sorted by case id.
    """

    name: str
    root: Path
    modality: tuple[str, ...]
    labels: Mapping[int, str]
    training: tuple[Case, ...]
    test: tuple[Path, ...]

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The ids of the training cases, sorted."""
        return tuple(case.id for case in self.training)


def case_id(path: str | Path) -> str:
    """File name without .nii.gz or .nii, in small letters or capitals."""
    return _SUFFIX.sub("", Path(path).name)


def is_nifti(path: str | Path) -> bool:
    """Tell whether a file's name is that of a NIfTI file."""
    return bool(_SUFFIX.search(str(path)))


def read_dataset(dataset_dir: str | Path) -> MSDDataset:
    """Read the `dataset.json` of an MSD folder; the images are not looked at.

    Raises:
        UserError: no folder, no `dataset.json`, a malformed field, or a case that is listed twice.
    """
    root = Path(dataset_dir)
    values = _read_description(root)
    try:
        _refuse_nnunet(values)
        refuse_unlearnable(values.get("labels"))
        return MSDDataset(
            name=plain_text("name", values.get("name") or root.name, longest=200),
            root=root,
            modality=tuple(_numbered(values, "modality").values()),
            labels=_numbered(values, "labels"),
            training=_training_cases(root, _listed(values, "training")),
            test=_test_images(root, _listed(values, "test") if "test" in values else []),
        )
    except UserError as error:
        raise UserError(f"{root / 'dataset.json'}: {error}") from None


def read_dataset_json(path: str | Path) -> dict[str, Any]:
    """The content of a `dataset.json`, whatever its fields; UTF-8 or Latin-1.

    Raises:
        UserError: the file is missing, no JSON, or holds something else than an object.
    """
    path = Path(path)
    try:
        values = json_value(_text(path))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist (current folder: {Path.cwd()}); check the path") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not valid JSON: {error}; mend it or download it again") from error
    if not isinstance(values, dict):
        raise UserError(f"{path} must hold a JSON object, got {type(values).__name__}; {LOOKS_LIKE}")
    return values


def datalist(dataset: MSDDataset, ids: Iterable[str]) -> list[dict[str, str]]:
    """MONAI's items `{"image": path, "label": path, "case": id}` of the training cases `ids`, in their order.

    Raises:
        UserError: an id is no training case.
    """
    cases = {case.id: case for case in dataset.training}
    wanted = list(ids)
    unknown = [name for name in wanted if name not in cases]
    if unknown:
        raise UserError(f"{dataset.root} has no training case {some(unknown)}; name cases that dataset.json lists")
    return [{"image": str(cases[name].image), "label": str(cases[name].label), "case": name} for name in wanted]


def name_of(items: Sequence[Mapping[str, Any]], *, dataset_dir: str | Path) -> str:
    """Name of the dataset that a run's cases come from, for its records.

    Args:
        items: MONAI's items; those of `datalist` belong to the MSD folder, others name no "case" and are given by
            their paths alone, as MONAI Label gives them.
        dataset_dir: the MSD folder.

    Returns:
        What its `dataset.json` says, or the folder of the first image.
    """
    if all("case" in item for item in items):
        return read_dataset(dataset_dir).name
    return Path(given_files(items)[0]["image"]).parent.name


def given_files(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give MONAI's items back the paths "image" and "label" that a config has changed.

    MONAI turns every # in a text of a config into ::, and MONAI Label gives a training its paths in a config.

    Returns:
        The items, with :: turned back into # wherever that, and only that, makes a path the one of a file.
    """
    return [
        {key: _given_file(value) if key in ("image", "label") else value for key, value in item.items()}
        for item in items
    ]


def _given_file(path: Any) -> Any:
    parts = str(path).split("::")
    # Beyond a few marks the number of spellings explodes; then all or none of them were changed.
    marks = itertools.product(("::", "#"), repeat=len(parts) - 1) if len(parts) < 8 else [("#",) * (len(parts) - 1)]
    if len(parts) == 1 or Path(path).exists():
        return path
    spellings = ("".join(itertools.chain(*zip(parts, (*chosen, ""), strict=True))) for chosen in marks)
    return next((spelling for spelling in spellings if Path(spelling).exists()), path)


def some(names: Sequence[object], limit: int = 5) -> str:
    """The first names of a long list and how many more there are, for a message."""
    rest = len(names) - limit
    return ", ".join(map(str, names[:limit])) + (f" and {rest} more" if rest > 0 else "")


def what_it_is(path: Path) -> str:
    """Why a path is no folder, for a message."""
    return "a file" if path.exists() else "not there"


def is_litter(path: Path) -> bool:
    """Tell whether a file is none of the dataset's, whatever its name ends with."""
    # macOS archives carry a resource fork "._x.nii.gz" beside every x.nii.gz.
    return path.name.startswith("._") or not case_id(path)


def _read_description(root: Path) -> dict[str, Any]:
    if not root.is_dir():
        raise UserError(f"dataset_dir must be a folder, but {root} is {what_it_is(root)}; {LOOKS_LIKE}")
    path = root / "dataset.json"
    if not path.is_file():
        raise UserError(f"dataset_dir must be an MSD folder, but {root} has no dataset.json; {LOOKS_LIKE}")
    return read_dataset_json(path)


def _text(path: Path) -> str:
    # Some published dataset.json files have Latin-1 letters in the reference or the description.
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _refuse_nnunet(values: Mapping[str, Any]) -> None:
    if "channel_names" in values and "modality" not in values:
        raise UserError(
            "this is the dataset.json of an nnU-Net 2 folder (channel_names, no list of training cases), which is read "
            "with a fingerprint only; write modality, labels (number to name) and training (image and label of every "
            "case) as the MSD does"
        )


def _numbered(values: Mapping[str, Any], name: str) -> dict[int, str]:
    rows = values.get(name)
    rule = f'{name} must map numbers to names, such as {{"0": "..."}}'
    if (
        not isinstance(rows, dict)
        or not rows
        or not all(NUMBER.fullmatch(key) and isinstance(value, str) for key, value in rows.items())
    ):
        raise UserError(f"{rule}, got {shown(rows)}; write it as the MSD does")
    return {int(key): rows[key] for key in sorted(rows, key=int)}


def _listed(values: Mapping[str, Any], name: str) -> list[Any]:
    rows = values.get(name)
    if not isinstance(rows, list):
        raise UserError(f"{name} must be a list of cases, got {shown(rows)}; write it as the MSD does")
    return rows


def _training_cases(root: Path, rows: list[Any]) -> tuple[Case, ...]:
    wrong = [row for row in rows if not _is_pair(row)]
    if wrong or not rows:
        raise UserError(
            f"training must list objects with the paths image and label, got {_shown(wrong) or 'none'}; "
            'write {"image": "./imagesTr/x.nii.gz", "label": "./labelsTr/x.nii.gz"}'
        )
    _refuse_strange_paths([row[name] for row in rows for name in ("image", "label")])
    nameless = [row["image"] for row in rows if not case_id(row["image"])]
    if nameless:
        raise UserError(f"training must name images, got {some(nameless)}; a case is called as its file")
    cases = [Case(id=case_id(row["image"]), image=root / row["image"], label=root / row["label"]) for row in rows]
    cases = [case for case in cases if not is_litter(case.image)]
    refuse_repeated([case.id for case in cases], "training lists cases")
    return tuple(sorted(cases, key=lambda case: case.id))


def _test_images(root: Path, rows: list[Any]) -> tuple[Path, ...]:
    paths: list[Any] = [row.get("image") if isinstance(row, dict) else row for row in rows]
    if not all(isinstance(path, str) for path in paths):
        raise UserError(f"test must list paths of images, got {_shown(rows)}; write './imagesTs/x.nii.gz'")
    _refuse_strange_paths(paths)
    images = [root / path for path in paths]
    return tuple(sorted((path for path in images if not is_litter(path)), key=case_id))


def _shown(rows: Sequence[Any]) -> str:
    return some([shown(row) for row in rows])


def _refuse_strange_paths(paths: Sequence[str]) -> None:
    """Raise a `UserError` for a path that leaves the folder unseen, or that no file can have."""
    for path in paths:
        if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in path):
            raise UserError(f"paths must be without control characters, got {path!r}; rename the file")
        if not Path(path).is_absolute() and ".." in Path(os.path.normpath(path)).parts:
            raise UserError(f"relative paths must stay in the dataset's folder, got {path!r}; write an absolute path")


def _is_pair(row: Any) -> bool:
    return isinstance(row, dict) and all(isinstance(row.get(name), str) for name in ("image", "label"))


def refuse_repeated(ids: list[str], what: str) -> None:
    """Raise a `UserError` if an id is there twice."""
    repeated = sorted(name for name, count in Counter(ids).items() if count > 1)
    if repeated:
        raise UserError(f"{what} more than once: {some(repeated)}; keep one file a case")
