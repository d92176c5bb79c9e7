"""The rows of one file belong to a shared warm-up and to several searches."""

import json
from pathlib import Path
from typing import Any

import pytest
from fabricated_runs import SPACE, search_row, write_run
from fabricated_sets import Searches, search_rows, write_rows, write_searches

from adw_components.errors import UserError
from adw_components.report.branches import searches
from adw_components.report.epochs import SearchEpoch
from adw_components.report.records import SearchRun
from adw_components.report.sources import find_sources


def search_in(folder: Path) -> SearchRun:
    found = find_sources(folder).search
    assert found
    return found


@pytest.mark.parametrize("saved", [0, 2])
def test_every_search_has_the_warm_up_and_its_own_epochs_from_one_on(saved: int) -> None:
    made = Searches(saved=saved)
    rows = search_rows(made)
    assert len({row["epoch"] for row in rows}) == len(rows)
    found = searches([SearchEpoch.of(row) for row in rows])
    assert list(found) == [target.name for target in made.targets]
    for index, (name, epochs) in enumerate(found.items()):
        last = made.max_epochs - (0 if index else saved)
        assert [epoch.epoch for epoch in epochs] == list(range(1, last + 1))
        own = [row["weight_loss"] for row in rows if row["target"] and row["target"]["name"] == name]
        assert [epoch.losses["weights"] for epoch in epochs if not epoch.warm_up] == own
        assert sum(epoch.warm_up for epoch in epochs) == made.warm_up


def test_without_a_warm_up_no_epoch_is_shared() -> None:
    made = Searches(warm_up=0)
    found = searches([SearchEpoch.of(row) for row in search_rows(made)])
    assert [len(epochs) for epochs in found.values()] == [made.max_epochs] * 3


def test_rows_of_earlier_versions_are_one_search() -> None:
    rows = [SearchEpoch.of(search_row(epoch, warm_up=epoch < 3)) for epoch in range(1, 6)]
    assert searches(rows) == {"": tuple(rows)}
    assert searches([]) == {}


def test_each_search_finds_its_architecture_in_its_folder(tmp_path: Path) -> None:
    made = Searches()
    search = search_in(write_searches(tmp_path, made))
    assert search.is_set and search.has_ended and search.architecture is None
    for branch, target in zip(search.branches, made.targets, strict=True):
        assert branch.folder == tmp_path / target.name
        assert branch.derived == made.derived(target)
        assert branch.target == target
        assert branch.deviation == pytest.approx(made.cost(made.derived(target)) / target.value - 1)


def test_a_single_search_has_its_architecture_in_the_folder_of_the_run(tmp_path: Path) -> None:
    made = Searches(ratios=(0.03,))
    search = search_in(write_searches(tmp_path, made))
    assert not search.is_set and search.has_ended
    assert search.architecture == made.derived(made.targets[0])
    assert [branch.folder for branch in search.branches] == [tmp_path]


@pytest.mark.parametrize("only_warm_up", [True, False])
def test_a_set_is_one_once_its_first_search_has_begun(tmp_path: Path, only_warm_up: bool) -> None:
    made = Searches()
    write_searches(tmp_path, made, ended=1)
    rows = search_rows(made)[: made.warm_up + (0 if only_warm_up else 1)]
    write_rows(tmp_path, rows, json.loads((tmp_path / "settings.json").read_text()))
    (tmp_path / made.targets[0].name / "architecture.json").unlink()
    search = search_in(tmp_path)
    assert search.is_set is not only_warm_up
    assert not search.has_ended
    assert [branch.name for branch in search.branches] == ["" if only_warm_up else made.targets[0].name]
    assert search.n_searches == 3


@pytest.mark.parametrize(
    "change",
    [
        {"target": {"kind": "joules", "value": 1.0, "ratio": None, "name": "joules_1"}},
        {"target": {"kind": "flops", "value": 0, "ratio": None, "name": "flops_0"}},
        {"target": {"kind": "flops", "value": 1.0, "ratio": None, "name": "../elsewhere"}},
        {"target": {"kind": "flops", "value": 1.0, "ratio": None, "name": "C:\\elsewhere"}},
        {"target": {"kind": "flops", "value": 1.0, "ratio": None, "name": ""}},
        {"target": {"kind": "flops", "value": 1.0}},
        {"target": 0.5},
        {"derived_cost": "cheap"},
        {"data_wait": []},
        {"stopped_early": {"epochs_saved": 3}},
        {"supernet_validation": 0.8},
    ],
)
def test_a_damaged_field_is_named_with_its_line(tmp_path: Path, change: dict[str, Any]) -> None:
    write_run(tmp_path, "search", [search_row(1, warm_up=True), search_row(2, warm_up=False) | change])
    with pytest.raises(UserError, match=r"search\.jsonl line 2 (is malformed|lacks the field)"):
        find_sources(tmp_path)


def test_fields_of_later_versions_are_passed_over(tmp_path: Path) -> None:
    made = Searches(ratios=(0.03,), space=SPACE)
    write_searches(tmp_path, made, note="of a later version")
    rows = [row | {"later": 1} for row in search_rows(made)]
    write_rows(tmp_path, rows, json.loads((tmp_path / "settings.json").read_text()))
    assert len(search_in(tmp_path).epochs) == made.max_epochs
