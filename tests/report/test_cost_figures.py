"""The figures of cost over the epochs, and of the searches of a set, by what they draw."""

from collections.abc import Iterator
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
Lines = dict[str, np.ndarray]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """Label -> (2, n) points of every line that is drawn with one."""
    lines: Lines = {}

    def record(original: Any) -> Any:
        def method(axes: matplotlib.axes.Axes, *arguments: Any, **options: Any) -> Any:
            found = original(axes, *arguments, **options)
            for line in found if isinstance(found, list) else [found]:
                if not line.get_label().startswith("_"):
                    lines[line.get_label()] = np.array(line.get_data())
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
        "expected": [row["expected_cost"] for row in rows],
        "of the likeliest choices": [row["cost_before_landing"] for row in own],
        "derived: changed for the target": [row["derived_cost"] for row in own],
        "target, ±10 %": [made.targets[0].value] * 2,
    }
    assert set(drawn) == set(expected)
    for label, values in expected.items():
        assert drawn[label][1] == pytest.approx(np.array(values) / SIZES[kind])
    assert drawn["derived: changed for the target"][0].tolist() == [row["epoch"] for row in own]


@pytest.mark.parametrize("changed", [True, False])
def test_a_cost_that_no_change_moved_is_drawn_once(changed: bool, drawn: Lines) -> None:
    rows = search_rows(Searches(ratios=(0.05,)))
    for row in rows:
        row["cost_before_landing"] = row["derived_cost"] if changed else None
    cost_figure(epochs_of(rows))
    assert set(drawn) == {"expected", "derived", "target, ±10 %"}


def test_without_a_target_flops_are_drawn_beside_the_default(drawn: Lines) -> None:
    rows = [search_row(epoch, warm_up=epoch < 3) for epoch in range(1, 6)]
    default = cost(nnunet_default(strides=DERIVED.strides, kernel_sizes=DERIVED.kernel_sizes))[1]
    assert cost_figure(epochs_of(rows), default_flops=default)
    assert drawn["derived"].tolist() == [[3, 4, 5], [pytest.approx(cost(DERIVED)[1] / 1e9)] * 3]
    assert drawn["nnU-Net default"][1] == pytest.approx(default / 1e9)
    drawn.clear()
    assert cost_figure(epochs_of(rows))
    assert set(drawn) == {"derived"}


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


def test_every_search_of_a_set_has_a_line_from_the_warm_up_on(drawn: Lines) -> None:
    made = Searches()
    set_figures(branches(made, 0), kind="flops", default_cost=None)
    assert set(drawn) == {target.name for target in made.targets}
    for numbers, values in drawn.values():
        # The last figure is that of Dice: even epochs and the last are validated.
        assert numbers.tolist() == [2, 4, 6, 8]
        assert all(values[1:] > values[:-1])


def test_costs_of_a_set_share_the_last_warm_up_epoch(drawn: Lines) -> None:
    made = Searches()
    rows = search_rows(made)
    for row in rows:
        row["validation"] = None
    found = searches(epochs_of(rows))
    unvalidated = [Branch(name=name, folder=Path(), epochs=epochs, derived=None) for name, epochs in found.items()]
    assert len(set_figures(unvalidated, kind="flops", default_cost=None)) == 2
    # Without a validation the Dice figure has an empty line a search, so that those of the cost are replaced.
    assert all(points.size == 0 for points in drawn.values())


@pytest.mark.parametrize(("ended", "figures"), [(0, 2), (1, 3), (3, 3)])
def test_searches_that_have_ended_are_points_over_cost(ended: int, figures: int) -> None:
    made = Searches()
    svgs = set_figures(branches(made, ended), kind="flops", default_cost=1e9)
    assert len(svgs) == figures
    names = [target.name for target in made.targets]
    pareto = svgs[0] if ended else ""
    assert [name in pareto for name in names] == [index < ended for index in range(len(names))]
    assert ("nnU-Net default" in pareto) is bool(ended)
