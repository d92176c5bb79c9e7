"""The page of searches for targets: one, or a set from one warm-up."""

import re
import shutil
from html import unescape
from pathlib import Path

import pytest
from fabricated_runs import search_row, train_row, write_run
from fabricated_sets import BEFORE_LANDING, SECONDS, Searches, search_rows, write_searches
from page_text import check_identifiers, facts, figure_names, missing_line, notes, references, table

from adw_components.reference import nnunet_default
from adw_components.report import build_report
from adw_components.report.notes import notes as remarks
from adw_components.report.set_table import set_table
from adw_components.report.sources import find_sources

MADE = Searches(saved=2)
NAMES = [target.name for target in MADE.targets]


@pytest.fixture(scope="module")
def set_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("set")
    write_searches(folder / "search", MADE)
    return build_report(folder).read_text()


def sentences(page: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", page)).replace("\N{NO-BREAK SPACE}", " ")


def test_the_table_is_that_of_the_records(set_page: str) -> None:
    default = MADE.cost(nnunet_default(strides=MADE.space.strides, kernel_sizes=MADE.space.kernel_sizes))
    last = {row["target"]["name"]: row for row in search_rows(MADE) if row["target"]}
    for cells, target in zip(table(set_page, "branches"), MADE.targets, strict=True):
        cost, row = MADE.cost(MADE.derived(target)), last[target.name]
        assert cells[0] == target.name
        assert cells[1:3] == [f"{target.value / 1e9:.3g}", f"{cost / 1e9:.3g}"]
        assert float(cells[3].removesuffix("\N{NO-BREAK SPACE}%")) == pytest.approx(
            100 * (cost / target.value - 1), abs=0.051
        )
        assert cells[4] == f"{cost / default:.3g}"
        assert cells[6:8] == [f"{row[name]['mean_dice']:.4f}" for name in ("validation", "supernet_validation")]
        assert cells[8] == (f"{MADE.max_epochs - 2}, stopped early" if target == MADE.targets[0] else "8")


def test_the_networks_stand_side_by_side(set_page: str) -> None:
    rows = table(set_page, "blocks")
    for column, target in enumerate(MADE.targets, start=1):
        widths = [[int(width) for width in row[column].split(", ")] for row in rows]
        assert widths == [list(block) for block in MADE.derived(target).blocks]


def test_every_search_has_a_fold_with_its_own_network_and_figures(set_page: str) -> None:
    folds = re.findall(r'<details data-branch="(.*?)">(.*?)</details>', set_page, re.DOTALL)
    assert [name for name, _ in folds] == NAMES
    for (_, fold), target in zip(folds, MADE.targets, strict=True):
        drawn = [int(width) for width in re.findall(r'data-width="(\d+)"', fold)]
        assert drawn == [width for block in MADE.derived(target).blocks for width in block]
        assert figure_names(fold) == [
            "The U-Net",
            "Loss over the epochs",
            "Dice on the validation cases over the epochs",
            "Learning rate of the weights over the epochs",
            "Temperature tau over the epochs",
            "Entropy of the depth and width choices over the epochs",
            "Cost in GFLOPs a patch over the epochs",
            "Probabilities of the depths and widths of every block by epoch",
        ]


def test_the_page_of_a_set_is_sound(set_page: str) -> None:
    assert references(set_page) == [f"./search/{name}/" for name in NAMES]
    check_identifiers(set_page)
    assert missing_line(set_page) == "Not in this run folder: a retraining; an evaluation (cases.json)."
    assert notes(set_page) == []
    assert '<section id="network"' not in set_page


def test_the_headline_of_a_set(set_page: str) -> None:
    validated = [row for row in search_rows(MADE) if row["target"] and row["validation"]]
    scores = {row["target"]["name"]: row["validation"]["mean_dice"] for row in validated}
    best = max(scores, key=lambda name: scores[name])
    value, note = facts(set_page)["mean Dice"]
    assert (value, note.partition(",")[0]) == (f"{scores[best]:.4f}", best)
    n_epochs = MADE.warm_up + 3 * (MADE.max_epochs - MADE.warm_up) - MADE.saved
    assert facts(set_page)["search"] == (
        f"{n_epochs * SECONDS / 60:.1f} min",
        f"{n_epochs} epochs in 3 searches; waited for data 4 % of the training time",
    )


def test_links_lead_to_the_folders_from_wherever_the_page_is(tmp_path: Path) -> None:
    run = tmp_path / "a run"
    write_searches(run / "search", MADE)
    write_run(run / "train", "train", [train_row(1)])
    shutil.copy(run / "search" / NAMES[1] / "architecture.json", run / "train")
    page = build_report(run, output=tmp_path / "pages" / "set.html")
    text = page.read_text()
    assert references(text) == [f"./../a%20run/search/{name}/" for name in NAMES]
    assert all((page.parent / link.replace("%20", " ") / "architecture.json").is_file() for link in references(text))
    # The retrained network is drawn as well, without a clash of names.
    assert '<section id="network"' in text
    check_identifiers(text)
    assert ["(retrained)" in row[0] for row in table(text, "branches")] == [False, True, False]


def test_searches_still_to_come_are_named(tmp_path: Path) -> None:
    write_searches(tmp_path, MADE, ended=1)
    text = build_report(tmp_path).read_text()
    assert notes(text) == ["The searches have not ended: 1 of 3 have derived their network."]
    assert f"Still to come: {', '.join(NAMES[1:])}." in text
    assert facts(text)["search"][1].startswith("search 1 of 3, epoch 6, unfinished")


def test_a_search_that_has_not_ended_has_no_link(tmp_path: Path) -> None:
    write_searches(tmp_path, MADE)
    (tmp_path / NAMES[2] / "architecture.json").unlink()
    sources = find_sources(tmp_path)
    assert sources.search
    rows = set_table(sources.search, retrained=None, default_cost=None, page_folder=tmp_path)
    assert [row.link for row in rows] == [f"./{name}/" for name in NAMES[:2]] + [""]
    assert rows[2].epochs == "8, unfinished"
    assert remarks(sources) == ["The searches have not ended: 2 of 3 have derived their network."]


def test_the_warm_up_of_a_set_gives_a_page(tmp_path: Path) -> None:
    write_searches(tmp_path, MADE, ended=0)
    text = build_report(tmp_path).read_text()
    assert "Only warm-up epochs so far: the choices have not begun to move." in notes(text)
    assert facts(text)["search"][1].startswith("search 1 of 3, epoch 3, unfinished")
    assert "<details" not in text and '<section id="network"' in text


@pytest.mark.parametrize("of_the_set", [True, False])
def test_a_retrained_network_that_is_none_of_the_set_is_noted(tmp_path: Path, of_the_set: bool) -> None:
    write_searches(tmp_path / "search", MADE)
    write_run(tmp_path / "train", "train", [train_row(1)])
    if of_the_set:
        shutil.copy(tmp_path / "search" / NAMES[1] / "architecture.json", tmp_path / "train")
    foreign = "The retrained network, which is drawn here, is not the one that this search derived."
    assert remarks(find_sources(tmp_path)) == ([] if of_the_set else [foreign])


def test_a_single_search_says_what_it_came_to(tmp_path: Path) -> None:
    made = Searches(kind="parameters", ratios=(0.05,), saved=2)
    text = sentences(build_report(write_searches(tmp_path, made)).read_text())
    (target,) = made.targets
    cost, row = made.cost(made.derived(target)), search_rows(made)[-1]
    supernet, derived = (row[name]["mean_dice"] for name in ("supernet_validation", "validation"))
    assert (
        f"The derived network costs {cost / 1e6:.3g} million parameters against a target of {target.value / 1e6:.3g} "
        f"({100 * (cost / target.value - 1):+.1f} %). The likeliest choices would cost "
        f"{BEFORE_LANDING * cost / 1e6:.3g}; 2 changes of a width or depth lead from them to it."
    ) in text
    assert (
        f"Stopped early after epoch 6 of 8: the choices had settled (entropy {row['entropy']:.2g}); about 2 min saved."
    ) in text
    assert f"supernet {supernet:.4f}, derived network with its weights {derived:.4f} (-0.0300)" in text
    assert "6 of 8 epochs, stopped early" in text
    assert "<details" not in text


def test_files_without_the_new_fields_say_nothing_of_them(tmp_path: Path) -> None:
    write_run(tmp_path, "search", [search_row(epoch, warm_up=epoch < 3) for epoch in range(1, 6)])
    text = build_report(tmp_path).read_text()
    for words in ("Stopped early", "supernet 0", "waited for data", "against a target", "Still to come", "<details"):
        assert words not in text
    assert "Cost of the derived network in GFLOPs a patch over the epochs" in figure_names(text)
    assert facts(text)["search"] == ("5.0 h", "5 epochs")
