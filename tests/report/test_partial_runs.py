"""The page of a run that is not whole, or whose files are damaged."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fabricated_runs import DERIVED, SPACE, cost, search_row, write_evaluation, write_run
from page_text import missing_line, table

from adw_components.errors import UserError
from adw_components.report import build_report
from adw_components.report.page import render
from adw_components.report.sources import find_sources

PARTS: list[tuple[str, dict[str, Any], str]] = [
    ("search", {"search": None}, "a search"),
    ("retraining", {"train": None}, "a retraining"),
    ("evaluation", {"evaluation": None}, "an evaluation (cases.json)"),
]


@pytest.mark.parametrize(("part", "without", "named"), PARTS)
def test_a_missing_part_is_left_out_and_named(run: Path, part: str, without: dict[str, Any], named: str) -> None:
    found = replace(find_sources(run), **without)
    # The overlays and figures of the other parts are drawn elsewhere.
    if found.evaluation:
        found = replace(found, evaluation=replace(found.evaluation, cases=()))
    text = render(found)
    assert missing_line(text) == f"Not in this run folder: {named}."
    assert f'<section id="{part}"' not in text
    assert f'<section id="{"retraining" if part != "retraining" else "search"}"' in text


def test_an_evaluation_alone_has_neither_network_nor_curves(tmp_path: Path) -> None:
    write_evaluation(tmp_path, [0.8])
    (tmp_path / "summary.json").unlink()
    (tmp_path / "images/case_0.nii.gz").unlink()
    text = build_report(tmp_path).read_text()
    assert "No picture: no file" in text
    assert "images/case_0.nii.gz" in text
    for named in ("a search", "a retraining", "summary.json", "architecture.json"):
        assert named in missing_line(text)
    assert '<svg role="img"' not in text


def test_costs_need_channels(tmp_path: Path) -> None:
    write_run(tmp_path, "train", [])
    settings = json.loads((tmp_path / "settings.json").read_text())
    del settings["in_channels"]
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    text = build_report(tmp_path).read_text()
    assert "its costs (in_channels, out_channels, patch_size in settings.json)" in missing_line(text)
    assert "train.jsonl" in missing_line(text)
    assert 'data-block="bottleneck"' in text


def test_nothing_found(tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    write_run(tmp_path / "a/b/c", "train", [])
    (tmp_path / "settings.json").write_text("{ // of another program")
    with pytest.raises(UserError, match=r"no settings\.json of kind search or train and no cases\.json"):
        build_report(tmp_path)
    with pytest.raises(UserError, match="is not a folder"):
        build_report(tmp_path / "nowhere")


def test_a_search_that_still_warms_up(tmp_path: Path) -> None:
    write_run(tmp_path, "search", [search_row(1, warm_up=True)], ended=False, max_epochs=7)
    text = build_report(tmp_path).read_text()
    assert "The search has not ended" in text
    assert "Only warm-up epochs so far" in text
    assert "1 of 7 epochs, unfinished" in text
    assert table(text, "costs")[0][1] == f"{cost(DERIVED)[0]:,}"
    drawn = re.findall(r'data-width="(\d+)"', text)
    assert list(map(int, drawn)) == [width for block in DERIVED.blocks for width in block]


def test_choices_that_are_fixed(tmp_path: Path) -> None:
    space = replace(SPACE, base_widths=(4,), depths=(2,))
    values = {name: value for name, value in space.to_dict().items() if name != "format_version"}
    write_run(tmp_path, "search", [search_row(1, warm_up=False, space=space)], search_space=values)
    assert build_report(tmp_path).read_text().count(">fixed ") == space.n_blocks * 3


def test_the_newest_of_several_counts_and_a_foreign_network_is_noted(tmp_path: Path) -> None:
    for age, name in enumerate(("new", "old")):
        write_run(tmp_path / name, "search", [search_row(1, warm_up=True)], dataset=name)
        for file in ("settings.json", "search.jsonl"):
            os.utime(tmp_path / name / file, (1e9 - age, 1e9 - age))
    write_run(tmp_path / "train", "train", [])
    SPACE.sample(seed=9).save(tmp_path / "train/architecture.json")
    found = find_sources(tmp_path)
    assert found.search is not None
    assert found.search.settings["dataset"] == "new"
    assert "is not the one that this search derived" in render(replace(found, search=replace(found.search, epochs=())))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"alpha": None}, "alpha must be a list"),
        ({"beta": [[0.0, 0.0]]}, "beta must be a list with an entry for each of the 3 blocks"),
        ({"beta": [[0.0, "x"]] * 3}, r"beta\[0\]\[1\] must be a number"),
        ({"tau": "x"}, "tau must be a number"),
        ({"stopped_early": {"epochs_saved": "x", "seconds_saved": 1.0}}, "epochs_saved must be a whole number"),
        ({"architecture": {"strides": []}}, "malformed"),
        ({"tau": ...}, "lacks the field 'tau'"),
    ],
)
def test_a_damaged_row_is_named(tmp_path: Path, change: dict[str, Any], rule: str) -> None:
    row = {name: value for name, value in (search_row(1, warm_up=True) | change).items() if value is not ...}
    write_run(tmp_path, "search", [search_row(1, warm_up=True), row])
    with pytest.raises(UserError, match=rf"search\.jsonl line 2 .*({rule})"):
        build_report(tmp_path)
