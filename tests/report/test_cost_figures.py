"""The figures of cost over the epochs, and of the searches of a set, by what they draw."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import matplotlib.axes
import numpy as np
import pytest
from fabricated_runs import DERIVED, cost, search_row
from fabricated_sets import Searches, search_rows

from adw_components.cost import CostKind
from adw_components.reference import nnunet_default
from adw_components.report.branches import Branch, searches
from adw_components.report.cost_curve import cost_figure
from adw_components.report.epochs import SearchEpoch
from adw_components.report.set_figures import set_figures

SIZES = {"flops": 1e9, "parameters": 1e6, "memory": 1e6}
WORDS = {"flops": "GFLOPs a patch", "parameters": "million parameters", "memory": "MB of activations"}
Lines = dict[str, dict[str, np.ndarray]]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """Title of the figure -> label -> (2, n) points of every line that is drawn with a label."""
    lines: Lines = defaultdict(dict)

    def record(original: Any) -> Any:
        def method(axes: matplotlib.axes.Axes, *arguments: Any, **options: Any) -> Any:
            found = original(axes, *arguments, **options)
            for line in found if isinstance(found, list) else [found]:
                if not line.get_label().startswith("_"):
                    lines[axes.get_title(loc="left")][line.get_label()] = np.array(line.get_data())
            return found

        return method

    for name in ("plot", "axhline", "axvline"):
        monkeypatch.setattr(matplotlib.axes.Axes, name, record(getattr(matplotlib.axes.Axes, name)))
    return lines


def epochs_of(rows: list[dict[str, Any]]) -> list[SearchEpoch]:
    return [SearchEpoch.of(row) for row in rows]


@pytest.mark.parametrize("kind", ["flops", "parameters", "memory"])
def test_costs_are_drawn_against_the_target_in_its_unit(kind: CostKind, drawn: Lines) -> None:
    made = Searches(kind=kind, ratios=(0.05,))
    rows = search_rows(made)
    svg = cost_figure(epochs_of(rows))
    assert svg and f'aria-label="Cost in {WORDS[kind]} over the epochs"' in svg
    own = rows[made.warm_up :]
    expected = {
        "expected": [row["expected_cost"] for row in own],
        "of the likeliest choices": [row["cost_before_landing"] for row in own],
        "derived: changed for the target": [row["derived_cost"] for row in own],
        "target, ±10 %": [made.targets[0].value] * 2,
    }
    (lines,) = drawn.values()
    assert set(lines) == set(expected)
    for label, values in expected.items():
        assert lines[label][1] == pytest.approx(np.array(values) / SIZES[kind])
    assert lines["derived: changed for the target"][0].tolist() == [row["epoch"] for row in own]


@pytest.mark.parametrize("is_known", [True, False])
def test_a_cost_that_no_change_moved_is_drawn_once(is_known: bool, drawn: Lines) -> None:
    rows = search_rows(Searches(ratios=(0.05,)))
    for row in rows:
        row["cost_before_landing"] = row["derived_cost"] if is_known else None
    cost_figure(epochs_of(rows))
    assert [set(lines) for lines in drawn.values()] == [{"expected", "derived", "target, ±10 %"}]


def test_without_a_target_flops_are_drawn_beside_the_default(drawn: Lines) -> None:
    rows = [search_row(epoch, warm_up=epoch < 3) for epoch in range(1, 6)]
    default = cost(nnunet_default(strides=DERIVED.strides, kernel_sizes=DERIVED.kernel_sizes))[1]
    assert cost_figure(epochs_of(rows), default_flops=default)
    (lines,) = drawn.values()
    assert lines["derived"].tolist() == [[3, 4, 5], [pytest.approx(cost(DERIVED)[1] / 1e9)] * 3]
    assert lines["nnU-Net default"][1] == pytest.approx(default / 1e9)
    lines.clear()
    assert cost_figure(epochs_of(rows))
    assert set(lines) == {"derived"}


def test_nothing_is_drawn_before_the_search_begins_or_without_a_cost() -> None:
    assert cost_figure(epochs_of([search_row(1, warm_up=True)])) is None
    row = {name: value for name, value in search_row(1, warm_up=False).items() if name != "flops"}
    assert cost_figure(epochs_of([row])) is None


def branches(made: Searches, ended: int) -> list[Branch]:
    found = searches(epochs_of(search_rows(made)))
    derived = [made.derived(target) if index < ended else None for index, target in enumerate(made.targets)]
    return [
        Branch(name=name, folder=Path(), epochs=epochs, derived=architecture)
        for (name, epochs), architecture in zip(found.items(), derived, strict=True)
    ]


def test_every_search_of_a_set_has_a_line_from_the_end_of_the_warm_up_on(drawn: Lines) -> None:
    made = Searches()
    set_figures(branches(made, 0), kind="flops", default_cost=None)
    costs, dice = drawn["Expected cost (GFLOPs a patch)"], drawn["Dice (derived networks, supernet's weights)"]
    for target, branch in zip(made.targets, branches(made, 0), strict=True):
        own = branch.epochs[made.warm_up :]
        assert costs[target.name][0].tolist() == [epoch.epoch for epoch in own] == [4, 5, 6, 7, 8]
        assert costs[target.name][1] == pytest.approx([(epoch.expected_cost or 0) / 1e9 for epoch in own])
        # Even epochs and the last are validated.
        assert dice[target.name][0].tolist() == [2, 4, 6, 8]
    assert set(costs) == set(dice) == {target.name for target in made.targets}


@pytest.mark.parametrize(("ended", "figures"), [(0, 2), (1, 3), (3, 3)])
def test_searches_that_have_ended_are_points_over_cost(ended: int, figures: int) -> None:
    made = Searches()
    svgs = set_figures(branches(made, ended), kind="flops", default_cost=1e9)
    assert len(svgs) == figures
    names = [target.name for target in made.targets]
    pareto = svgs[0] if ended else ""
    assert [name in pareto for name in names] == [index < ended for index in range(len(names))]
    assert ("nnU-Net default" in pareto) is bool(ended)
