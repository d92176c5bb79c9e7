"""Folds and halves: equal to nnU-Net's, complete, without overlap."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import KFold

from adw_components.data.folds import Split, five_folds, search_halves, split_cases
from adw_components.errors import UserError

IDS = [f"case_{number:03d}" for number in range(11)]
case_ids = st.lists(st.text("abcxyz0189_", min_size=1, max_size=6), min_size=5, max_size=60, unique=True)

# The fold in which nnU-Net's published Task04 results validate each of 208 of the 260 cases, cases in the
# order of their ids; those of fold 0 are left out.
OFFICIAL_HIPPOCAMPUS = (
    "3123243424321111334221124434243313242332124113422334313143434223433212431241122421121414422144434433421441422412"
    "244131231111331331223224123312231443124113232132413321424113343114321114113133244222432342432444"
)


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_folds_agree_with_the_published_ones_of_the_hippocampus() -> None:
    ids = [f"hippocampus_{number:03d}" for number in range(260)]
    fold_of = {name: str(index) for index, split in enumerate(five_folds(ids)) for name in split.validation}
    assert "".join(fold_of[name] for name in ids if fold_of[name] != "0") == OFFICIAL_HIPPOCAMPUS


@given(case_ids)
def test_folds_are_those_of_sklearn_on_sorted_ids(ids: list[str]) -> None:
    ordered = np.array(sorted(ids))
    expected = KFold(n_splits=5, shuffle=True, random_state=12345).split(ordered)
    for split, (train, validation) in zip(five_folds(ids), expected, strict=True):
        assert split == Split(training=tuple(ordered[train]), validation=tuple(ordered[validation]))


@given(case_ids)
def test_every_case_validates_once_and_trains_otherwise(ids: list[str]) -> None:
    folds = five_folds(ids)
    assert sorted(name for split in folds for name in split.validation) == sorted(ids)
    for split in folds:
        assert sorted(split.training + split.validation) == sorted(ids)


@pytest.mark.parametrize("fold", [0, 3, "0", "4"])
def test_a_fold_is_an_integer_or_a_digit(fold: int | str) -> None:
    assert split_cases(IDS, fold=fold) == five_folds(IDS)[int(fold)]


def test_fold_all_trains_and_validates_on_all() -> None:
    assert split_cases(reversed(IDS), fold="all") == Split(training=tuple(IDS), validation=tuple(IDS))


@pytest.mark.parametrize("fold", [5, -1, "5", "01", "ALL", 1.5, True, None])
def test_other_folds_are_refused(fold: Any) -> None:
    with pytest.raises(UserError, match="fold must be 0 to 4 or all"):
        split_cases(IDS, fold=fold)


def test_too_few_cases_are_refused() -> None:
    with pytest.raises(UserError, match="at least 5 cases, got 4"):
        split_cases(IDS[:4], fold=0)
    with pytest.raises(UserError, match="at least 1 case, got 0"):
        split_cases([], fold="all")
    with pytest.raises(UserError, match="at least 2 training cases, got 1"):
        search_halves(IDS[:1], seed=0)


def test_split_file_of_nnunet_counts_from_zero(tmp_path: Path) -> None:
    folds = [{"train": IDS[:6], "val": IDS[6:8]}, {"train": IDS[5:2:-1], "val": IDS[:2]}]
    path = write(tmp_path / "splits_final.json", folds)
    assert split_cases(IDS, fold=0, split_file=path) == Split(training=tuple(IDS[:6]), validation=tuple(IDS[6:8]))
    assert split_cases(IDS, fold="1", split_file=path) == Split(training=tuple(IDS[3:6]), validation=tuple(IDS[:2]))


def test_split_file_by_fold_trains_on_all_others(tmp_path: Path) -> None:
    path = write(
        tmp_path / "f.json", {"1": {"validation": IDS[:3]}, "4": {"validation": IDS[:1], "training": IDS[1:4]}}
    )
    assert split_cases(IDS, fold=1, split_file=path) == Split(training=tuple(IDS[3:]), validation=tuple(IDS[:3]))
    assert split_cases(IDS, fold="4", split_file=path) == Split(training=tuple(IDS[1:4]), validation=tuple(IDS[:1]))


def test_the_parts_of_a_fold_are_called_as_by_nnunet_in_either_form(tmp_path: Path) -> None:
    path = write(tmp_path / "f.json", {"0": {"val": IDS[:3], "train": IDS[3:5]}})
    assert split_cases(IDS, fold=0, split_file=path) == Split(training=tuple(IDS[3:5]), validation=tuple(IDS[:3]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"2": {"validation": IDS[:2]}}, "has no fold 1; its folds: 2"),
        ([{"train": IDS[2:], "val": IDS[:2]}], "has no fold 1; its folds: 0"),
        ({"1": {"validation": ["case_000", "case_x"]}}, "validation of .* the dataset lacks: case_x"),
        ({"1": {"validation": IDS[:2], "training": ["case_y", IDS[3]]}}, "training of .* the dataset lacks: case_y"),
        ({"1": {"validation": IDS[:2], "training": IDS[1:]}}, "in both training and validation: case_001"),
        ({"1": {"validation": []}}, "validation of .* is empty"),
        ({"1": {"validation": IDS}}, "training of .* is empty"),
        ({"1": {"training": IDS}}, "validation of .* must be a list of case ids, got None"),
        ({"1": {"validation": [1]}}, "validation of .* must be a list of case ids"),
        (
            {"1": {"validation": IDS[:2], "test": IDS[3:]}},
            r"fold 1 has unknown part\(s\) test; name",
        ),
        ({"1": IDS}, "must list or map folds"),
        (3, "must list or map folds"),
    ],
)
def test_wrong_split_files_are_named(tmp_path: Path, content: Any, message: str) -> None:
    path = write(tmp_path / "split.json", content)
    with pytest.raises(UserError, match=message) as caught:
        split_cases(IDS, fold=1, split_file=path)
    assert str(path) in str(caught.value)


def test_missing_split_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        split_cases(IDS, fold=1, split_file=tmp_path / "absent.json")


@given(case_ids, st.integers(0, 2**31))
def test_halves_part_the_cases(ids: list[str], seed: int) -> None:
    first, second = search_halves(ids, seed=seed)
    assert sorted(first + second) == sorted(ids)
    assert len(first) - len(second) == len(ids) % 2
    assert (first, second) == search_halves(reversed(ids), seed=seed)  # the order given does not matter


def test_halves_depend_on_the_seed() -> None:
    assert len({search_halves(IDS, seed=seed) for seed in range(5)}) > 1
    # A literal, so that a search can be repeated by a later version.
    assert search_halves(IDS, seed=0)[1] == ("case_000", "case_004", "case_006", "case_007", "case_010")
