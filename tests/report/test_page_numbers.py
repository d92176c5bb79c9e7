"""The numbers of a whole run's page against what cost.py and the records say."""

from fabricated_runs import DASH, DERIVED, SPACE, cost
from page_text import facts, missing_line, table

from adw_components.reference import nnunet_default


def test_costs_are_those_of_cost_py(page: str) -> None:
    default = nnunet_default(strides=SPACE.strides, kernel_sizes=SPACE.kernel_sizes)
    uniform = list(SPACE.uniform_scalings())
    rows = table(page, "costs")
    for row, network in zip(rows, (DERIVED, default, uniform[0], uniform[-1]), strict=True):
        parameters, flops = cost(network)
        assert row[1] == f"{parameters:,}"
        assert row[2] == f"{parameters / cost(default)[0]:.3g}"
        assert row[4] == f"{flops / cost(default)[1]:.3g}"
        assert f'title="{flops}"' in page


def test_headline(page: str) -> None:
    values = {name: value for name, (value, _) in facts(page).items()}
    assert values["mean Dice"] == "0.8123"
    assert values["mean HD95"] == "1.25 mm"
    assert values["search"] == "5.0 h"
    assert values["retraining"] == "1.0 h"
    assert values["parameters"] == f"{cost(DERIVED)[0] / 1e3:.3g} k"


def test_scores_are_those_of_the_evaluation(page: str) -> None:
    assert table(page, "summary") == [
        ["Anterior", "Dice", "0.8123", "0.0123", "0.8222", "0.5005", "0.9876"],
        ["Anterior", "HD95 in mm", "1.25", "0.50", "1.11", "1.00", "7.75"],
    ]
    assert table(page, "cases")[1] == ["case_1", "0.5000", "0.5000", DASH, "1.25", "1.25", DASH]


def test_nothing_is_missing_from_a_whole_run(page: str) -> None:
    assert missing_line(page) == ""
    assert [
        name
        for name in ("network", "evaluation", "search", "retraining", "settings")
        if f'<section id="{name}"' not in page
    ] == []
    assert "No picture" not in page
