"""Which cases train and which validate: nnU-Net's five folds, a split file, the search's halves. No torch here."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sklearn.model_selection import KFold

from ..errors import UserError
from ..files import read_json
from ..record_fields import shown
from .dataset import some

N_FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class Split:
    """The ids of the cases that train and of those that validate, each sorted."""

    training: tuple[str, ...]
    validation: tuple[str, ...]


def five_folds(case_ids: Iterable[str]) -> list[Split]:
    """The five folds that nnU-Net makes of these cases.

    Raises:
        UserError: there are fewer than five cases.
    """
    ids = sorted(case_ids)
    if len(ids) < N_FOLDS:
        raise UserError(f"{N_FOLDS} folds need at least {N_FOLDS} cases, got {len(ids)}; add cases or set fold to all")
    # nnU-Net's settings: nnunetv2/utilities/crossval_split.py.
    folds = KFold(n_splits=N_FOLDS, shuffle=True, random_state=12345).split(ids)
    return [Split(training=_pick(ids, train), validation=_pick(ids, validation)) for train, validation in folds]


def split_cases(case_ids: Iterable[str], *, fold: int | str, split_file: str | Path | None = None) -> Split:
    """The training and validation cases of a fold.

    Args:
        case_ids: ids of all training cases of the dataset.
        fold: 0 to 4, the fold of nnU-Net; or "all": every case in both, as nnU-Net does. With `split_file`,
            the entry of that file.
        split_file: JSON, nnU-Net's `splits_final.json` (a list of `{"train": [...], "val": [...]}`, `fold` counts
            from 0), or a mapping from fold to `{"validation": [...], "training": [...]}`, where all other cases
            train if "training" is absent. It does not matter for fold "all".

    Raises:
        UserError: unknown fold or case, too few cases, a case in both parts, or an empty part.
    """
    ids = sorted(case_ids)
    if fold == "all":
        return _all_cases(ids)
    if split_file is not None:
        return _checked(_entry(read_json(split_file, "split"), fold, split_file), ids, f"{split_file}, fold {fold}")
    if isinstance(fold, bool) or str(fold) not in {str(number) for number in range(N_FOLDS)}:
        raise UserError(f"fold must be 0 to {N_FOLDS - 1} or all, got {fold!r}; other folds need a split_file")
    return five_folds(ids)[int(fold)]


def search_halves(case_ids: Iterable[str], *, seed: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The training cases of a search in two random halves A and B, each sorted; A gets the odd case.

    Raises:
        UserError: there are fewer than two cases.
    """
    ids = sorted(case_ids)
    if len(ids) < 2:
        raise UserError(f"the search halves need at least 2 training cases, got {len(ids)}; add cases")
    random.Random(seed).shuffle(ids)
    middle = (len(ids) + 1) // 2
    return tuple(sorted(ids[:middle])), tuple(sorted(ids[middle:]))


def _pick(ids: Sequence[str], positions: Iterable[int]) -> tuple[str, ...]:
    return tuple(ids[position] for position in positions)


def _all_cases(ids: Sequence[str]) -> Split:
    if not ids:
        raise UserError("fold all needs at least 1 case, got 0; add cases")
    return Split(training=tuple(ids), validation=tuple(ids))


def _entry(content: Any, fold: int | str, path: str | Path) -> Mapping[str, Any]:
    """The entry of `fold` in a split file, with the keys "validation" and perhaps "training"."""
    if isinstance(content, list):
        content = {str(index): row for index, row in enumerate(content)}
    if not isinstance(content, dict) or not all(isinstance(row, dict) for row in content.values()):
        raise UserError(f"split_file {path} must list or map folds; write it as nnU-Net's splits_final.json")
    content = {name: _renamed(row) for name, row in content.items()}
    if isinstance(fold, bool) or str(fold) not in content:
        raise UserError(f"split_file {path} has no fold {shown(fold)}; its folds: {_listed(content)}")
    entry: Mapping[str, Any] = content[str(fold)]
    unknown = [name for name in entry if name not in ("training", "validation")]
    if unknown:
        raise UserError(
            f"split_file {path} fold {fold} has unknown part(s) {_listed(unknown)}; name training, validation"
        )
    return entry


def _listed(names: Iterable[str]) -> str:
    return some([name if name.isprintable() and len(name) < 80 else shown(name) for name in names]) or "none"


def _renamed(row: Mapping[str, Any]) -> dict[str, Any]:
    names = {"train": "training", "val": "validation"}
    return {names.get(key, key) if names.get(key) not in row else key: ids for key, ids in row.items()}


def _checked(entry: Mapping[str, Any], ids: Sequence[str], where: str) -> Split:
    validation = _known(entry.get("validation"), ids, f"validation of {where}")
    others = [name for name in ids if name not in set(validation)]
    training = _known(entry.get("training", others), ids, f"training of {where}")
    both = sorted(set(training) & set(validation))
    if both:
        raise UserError(f"{where}: cases in both training and validation: {some(both)}; keep each in one part")
    return Split(training=training, validation=validation)


def _known(names: Any, ids: Sequence[str], what: str) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UserError(
            f"{what} must be a list of case ids, got {shown(names)}; write it as nnU-Net's splits_final.json"
        )
    if not names:
        raise UserError(f"{what} is empty; it needs at least 1 case")
    unknown = sorted(set(names) - set(ids))
    if unknown:
        raise UserError(
            f"{what} has cases that the dataset lacks: {_listed(unknown)}; use the split file of this dataset"
        )
    return tuple(sorted(set(names)))
