"""The page is one file that is sound HTML, whatever the records hold."""

import json
import re
from dataclasses import replace
from pathlib import Path

from fabricated_runs import DERIVED, train_row, write_evaluation, write_run
from page_text import References, check_identifiers, references

from adw_components.report import build_report


def test_the_page_refers_to_nothing_outside_itself(page: str) -> None:
    parser = References()
    parser.feed(page)
    assert parser.found
    assert references(page) == []
    assert re.findall(r"url\((?!#)", page) == []
    assert "http" not in page
    assert "@import" not in page


def test_references_inside_the_page_meet_one_target_each(page: str) -> None:
    check_identifiers(page)


def test_the_same_run_gives_the_same_page(run: Path, page: str, tmp_path: Path) -> None:
    assert build_report(run, output=tmp_path / "again.html").read_text() == page


def test_hostile_text_is_escaped(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>\"'<img src=http://evil>"
    write_evaluation(tmp_path / "evaluation", [0.8])
    cases = json.loads((tmp_path / "evaluation/cases.json").read_text())
    cases["labels"]["1"] = cases["cases"][0]["case"] = hostile
    (tmp_path / "evaluation/cases.json").write_text(json.dumps(cases))
    rows = [train_row(2) | {"validation": {"mean_dice": 0.5, "dice": {hostile: 0.5}}}]
    write_run(tmp_path / "train", "train", rows, dataset=hostile, note=hostile, **{hostile: 1})
    replace(DERIVED, provenance={hostile: hostile}).save(tmp_path / "train/architecture.json")
    text = build_report(tmp_path).read_text()
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert [found for found in references(text) if "evil" in found] == []
