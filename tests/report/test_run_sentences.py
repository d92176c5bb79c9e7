"""Sentences and shares of a run against what its records say."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fabricated_runs import DERIVED, search_row, train_row, validation, write_run

from adw_components.report.branches import Branch
from adw_components.report.epochs import Epoch, SearchEpoch
from adw_components.report.notes import notes
from adw_components.report.numbers import headline
from adw_components.report.progress import waiting
from adw_components.report.sentences import branch_sentences, landing
from adw_components.report.sources import find_sources
from adw_components.report.units import amount, digits, duration, percent

TARGET = {"kind": "flops", "value": 2e9, "ratio": 0.5, "name": "flops_0.5"}


def epochs(shares: list[float | None], seconds: list[float]) -> list[Epoch]:
    rows = zip(shares, seconds, strict=True)
    return [Epoch.of(train_row(1) | {"data_wait": share, "seconds": time}) for share, time in rows]


def test_waiting_is_the_mean_of_what_was_measured() -> None:
    assert waiting(epochs([0.5, 0.0, None], [10.0, 30.0, 1000.0])) == pytest.approx(0.25)
    assert waiting(epochs([None], [10.0])) is None
    assert waiting([]) is None


@pytest.mark.parametrize(("share", "is_noted"), [(0.1, False), (0.11, True)])
def test_much_waiting_is_noted(tmp_path: Path, share: float, is_noted: bool) -> None:
    write_run(tmp_path / "search", "search", [search_row(1, warm_up=False) | {"data_wait": share}])
    write_run(tmp_path / "train", "train", [train_row(1) | {"data_wait": share + 0.1}])
    sources = find_sources(tmp_path)
    facts = {fact.name: fact.note for fact in headline(sources, [])}
    for name, waited in {"search": share, "retraining": share + 0.1}.items():
        assert facts[name].endswith(f"; waited for data {100 * waited:.0f} % of the training time")
    found = [note for note in notes(sources) if "--num_workers" in note]
    names = ["search", "retraining"] if is_noted else ["retraining"]
    assert [note.split(" waited ")[0] for note in found] == [f"The {name}" for name in names]


def test_landing_without_a_change_is_one_sentence() -> None:
    provenance = {"target": TARGET, "cost": 2.1e9, "cost_before_landing": 2.1e9, "changes_to_meet_target": 0}
    found = landing(replace(DERIVED, provenance=provenance))
    assert found == "The derived network costs 2.1 GFLOPs a patch against a target of 2 (+5.0\N{NO-BREAK SPACE}%)."


@pytest.mark.parametrize(
    "provenance",
    [
        {},
        {"cost": 1.0},
        {"target": "half", "cost": 1.0},
        {"target": {"flops": 0.5}, "cost": 1.0},
        {"target": TARGET | {"kind": ["flops"]}, "cost": 1.0},
        {"target": TARGET | {"value": 0}, "cost": 1.0},
        {"target": TARGET, "cost": "much"},
    ],
)
def test_a_provenance_of_other_making_says_nothing(provenance: dict[str, Any]) -> None:
    assert landing(replace(DERIVED, provenance=provenance)) is None


@pytest.mark.parametrize("means", [(None, 0.5), (0.5, None)])
def test_a_dice_that_nobody_knows_is_no_gap(means: tuple[float | None, float | None]) -> None:
    fields = {"supernet_validation": validation(means[0]), "validation": validation(means[1])}
    epoch = SearchEpoch.of(search_row(1, warm_up=False) | fields)
    assert branch_sentences(Branch(name="", folder=Path(), epochs=(epoch,), derived=None)) == []


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (amount("flops", 30.46e9), "30.5 GFLOPs a patch"),
        (amount("parameters", 1.2345e6), "1.23 million parameters"),
        (amount("memory", 2864.4e6), "2,864 MB of activations"),
        (digits(999.4), "999"),
        (digits(999.6), "1,000"),
        (percent(-0.0001), "+0.0\N{NO-BREAK SPACE}%"),
        (percent(0.0166), "+1.7\N{NO-BREAK SPACE}%"),
        (duration(40.4), "40 s"),
        (duration(700), "12 min"),
        (duration(5400), "1.5 h"),
    ],
)
def test_numbers_in_words(found: str, expected: str) -> None:
    assert found == expected
