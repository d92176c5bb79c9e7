"""The page of an interactive bundle's evaluation: its click curve, and the costs of its network."""

import json
import re
from pathlib import Path

import pytest
from fabricated_runs import LABELS, write_evaluation, write_run
from page_text import table

from adw_components.cost import count_parameters
from adw_components.errors import UserError
from adw_components.reference import nnunet_default
from adw_components.report import build_report

MEANS = {0: 0.7, 1: 0.75, 5: 0.8125}


def write_clicks(folder: Path) -> None:
    names = list(LABELS.values())
    curve = [
        {"clicks": count, "mean_dice": mean, "dice": {names[0]: {"mean": mean + 0.1}, names[1]: {"mean": None}}}
        for count, mean in MEANS.items()
    ]
    (folder / "clicks.json").write_text(json.dumps({"curve": curve, "settings": {}}))


def test_the_table_and_the_figure_are_those_of_the_record(tmp_path: Path) -> None:
    write_evaluation(tmp_path, [0.7])
    write_clicks(tmp_path)
    text = build_report(tmp_path).read_text()
    assert [row[:2] for row in table(text, "clicks")] == [[str(count), f"{mean:.4f}"] for count, mean in MEANS.items()]
    assert [row[2:] for row in table(text, "clicks")] == [
        [score, "\N{EN DASH}"] for score in ("0.8000", "0.8500", "0.9125")
    ]
    (figure,) = re.findall(r'<svg role="img" aria-label="Dice after simulated clicks".*?</svg>', text, re.DOTALL)
    # As many circles as there are values: those of the mean and of the one class that has some.
    assert len(re.findall(r"<use", figure)) >= 2 * len(MEANS)


def test_without_clicks_nothing_is_said_of_them(tmp_path: Path) -> None:
    write_evaluation(tmp_path, [0.7])
    assert "With clicks" not in build_report(tmp_path).read_text()


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    write_evaluation(tmp_path, [0.7])
    (tmp_path / "clicks.json").write_text('{"curve": [{"clicks": 0}]}')
    with pytest.raises(UserError, match=r"clicks\.json lacks the field 'mean_dice'"):
        build_report(tmp_path)


def test_the_costs_count_the_guidance_channels(tmp_path: Path) -> None:
    architecture = nnunet_default(strides=[[1, 1, 1], [2, 2, 2]], kernel_sizes=[[3, 3, 3]] * 2)
    sizes = {"in_channels": 1, "network_channels": 4, "out_channels": 3, "patch_size": [8, 8, 8]}
    write_run(tmp_path, "train", [], **sizes)
    architecture.save(tmp_path / "architecture.json")
    expected = count_parameters(architecture, in_channels=4, out_channels=3)
    assert f"{expected:,}" in build_report(tmp_path).read_text()
