"""The page against what cost.py, the records and the images say."""

import json
import math
import os
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nibabel as nib
import numpy as np
import pytest

from adw_components.architecture import Architecture
from adw_components.cost import count_flops, count_parameters
from adw_components.describe import block_names
from adw_components.errors import UserError
from adw_components.reference import nnunet_default, published
from adw_components.report import build_report
from adw_components.report.curves import epoch_figures, points
from adw_components.report.drawing import HEIGHT, unet_svg
from adw_components.report.figures import thinned
from adw_components.report.overlays import best_and_worst, field_of_view, fullest_slice, load_volumes
from adw_components.report.page import render
from adw_components.report.probabilities import entropies, normalized_entropy, softmax
from adw_components.report.records import Case, Epoch
from adw_components.report.sources import find_sources
from adw_components.search_space import SearchSpace

SPACE = SearchSpace(
    strides=((1, 1, 1), (2, 2, 1)), kernel_sizes=((3, 3, 1), (3, 3, 3)), base_widths=(4, 6), depths=(1, 2)
)
NETWORK: dict[str, Any] = {"in_channels": 1, "out_channels": 3, "patch_size": (16, 16, 8)}
DASH = "\N{EN DASH}"
LABELS = {"1": "Anterior", "2": "Posterior"}
DERIVED = SPACE.sample(seed=4)


def cost(architecture: Architecture) -> tuple[int, int]:
    channels = {name: NETWORK[name] for name in ("in_channels", "out_channels")}
    return count_parameters(architecture, **channels), count_flops(architecture, **NETWORK)


def validation(mean: float | None) -> dict[str, Any]:
    return {"mean_dice": mean, "dice": {"Anterior": mean, "Posterior": None}}


def search_row(epoch: int, *, warm_up: bool, space: SearchSpace = SPACE) -> dict[str, Any]:
    parameters, flops = cost(DERIVED)
    return {
        "epoch": epoch,
        "phase": "warm-up" if warm_up else "search",
        "weight_loss": -0.1 * epoch,
        "architecture_loss_a": None if warm_up else 0.5,
        "architecture_loss_b": None if warm_up else 0.6,
        "tau": 5.0,
        "learning_rate": 0.01,
        "alpha": [[[0.1 * epoch * i for i in range(len(space.base_widths))]] * space.max_depth] * space.n_blocks,
        "beta": [[0.2 * epoch * i for i in range(len(space.depths))]] * space.n_blocks,
        "architecture": DERIVED.structure(),
        "parameters": parameters,
        "flops": flops,
        "validation": validation(0.5) if epoch % 2 else None,
        "seconds": 3600.0,
    }


def train_row(epoch: int) -> dict[str, Any]:
    found = validation(0.7) if epoch % 2 == 0 else None
    return {"epoch": epoch, "loss": 1.0 / epoch, "learning_rate": 0.01, "validation": found, "seconds": 900.0}


def write_run(folder: Path, kind: str, rows: list[dict[str, Any]], *, ended: bool = True, **settings: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    values = {"kind": kind, "dataset": "Task04_Hippocampus", "labels": LABELS, "max_epochs": len(rows), **NETWORK}
    if kind == "search":
        space = SPACE.to_dict()
        values["search_space"] = {name: value for name, value in space.items() if name != "format_version"}
    (folder / "settings.json").write_text(json.dumps(values | settings))
    (folder / f"{kind}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if ended:
        DERIVED.save(folder / "architecture.json")


def write_image(path: Path, array: np.ndarray, affine: np.ndarray | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(array, np.diag([1.0, 1.0, 2.0, 1.0]) if affine is None else affine), path)


def write_evaluation(folder: Path, scores: list[float | None]) -> None:
    label = np.zeros((12, 10, 6), np.uint8)
    label[3:8, 3:6, 2:5], label[3:8, 6:8, 2:5] = 1, 2
    cases = []
    for index, score in enumerate(scores):
        name = f"case_{index}"
        write_image(folder / f"images/{name}.nii.gz", np.arange(720, dtype=np.float32).reshape(12, 10, 6))
        write_image(folder / f"labels/{name}.nii.gz", label)
        write_image(folder / f"predictions/{name}.nii.gz", np.roll(label, 1, axis=0))
        paths = {kind: f"{kind}s/{name}.nii.gz" for kind in ("image", "label", "prediction")}
        values = {"dice": {"Anterior": score, "Posterior": None}, "mean_dice": score}
        distances = {"hd95_mm": {"Anterior": 1.25, "Posterior": None}, "mean_hd95_mm": 1.25}
        cases.append({"case": name, **paths, **values, **distances})
    (folder / "cases.json").write_text(json.dumps({"labels": LABELS, "cases": cases}))
    row = {"mean": 0.81234, "std": 0.0123, "median": 0.8222, "min": 0.5005, "max": 0.9876}
    summary = {"n_cases": len(cases), "mean_dice": 0.81234, "dice": {"Anterior": row}, "mean_hd95_mm": 1.25}
    summary["hd95_mm"] = {"Anterior": {"mean": 1.25, "std": 0.5, "median": 1.11, "min": 1.0, "max": 7.75}}
    (folder / "summary.json").write_text(json.dumps(summary))


def whole_run(root: Path, *, scores: tuple[float | None, ...] = (0.9, 0.5)) -> Path:
    write_run(root / "search", "search", [search_row(epoch, warm_up=epoch < 3) for epoch in range(1, 6)])
    write_run(root / "train", "train", [train_row(epoch) for epoch in range(1, 5)])
    write_evaluation(root / "runs" / "evaluation", list(scores))
    return root


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = whole_run(tmp_path_factory.mktemp("run"))
    build_report(root)
    return root


@pytest.fixture(scope="module")
def page(run: Path) -> str:
    return (run / "report.html").read_text()


def table(page: str, name: str) -> list[list[str]]:
    body = re.search(rf'<table id="{name}".*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    assert body
    rows = re.findall(r"<tr>(.*?)</tr>", body.group(1), re.DOTALL)
    return [[unescape(cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)] for row in rows]


def missing_line(page: str) -> str:
    found = re.search(r'id="missing">(.*?)</p>', page)
    return unescape(found.group(1)) if found else ""


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
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))
    assert facts["mean Dice"] == "0.8123"
    assert facts["mean HD95"] == "1.25 mm"
    assert facts["search"] == "5.0 h"
    assert facts["retraining"] == "1.0 h"
    assert facts["parameters"] == f"{cost(DERIVED)[0] / 1e3:.3g} k"


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


class References(HTMLParser):
    """Collects what the page would load or link, and checks that every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")]
        if tag not in ("meta", "br", "img", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")]


def test_the_page_refers_to_nothing_outside_itself(page: str) -> None:
    parser = References()
    parser.feed(page)
    assert parser.open == []
    assert parser.found
    assert [found for found in parser.found if not found.startswith(("#", "data:image/png;base64,"))] == []
    assert re.findall(r"url\((?!#)", page) == []
    assert "http" not in page
    assert "@import" not in page


def test_references_inside_the_page_meet_one_target_each(page: str) -> None:
    identifiers = re.findall(r'\sid="([^"]*)"', page)
    used = set(re.findall(r"url\(#([^)]*)\)", page)) | set(re.findall(r'href="#([^"]*)"', page))
    assert used <= set(identifiers)
    assert len(identifiers) == len(set(identifiers))


def test_the_same_run_gives_the_same_page(run: Path, page: str, tmp_path: Path) -> None:
    assert build_report(run, output=tmp_path / "again.html").read_text() == page


@pytest.mark.parametrize(
    ("architecture", "space"),
    [
        (DERIVED, SPACE),
        (published("Task01_BrainTumour"), None),
        (SearchSpace(strides=((1, 1),) + ((2, 2),) * 6, kernel_sizes=((3, 3),) * 7).sample(seed=1), None),
    ],
)
def test_drawing_shows_every_block_and_width(architecture: Architecture, space: SearchSpace | None) -> None:
    svg = ElementTree.fromstring(unet_svg(architecture, space=space))
    groups = {group.get("data-block"): group for group in svg.findall("g")}
    assert tuple(groups) == block_names(architecture.n_stages)
    max_depth = space.max_depth if space else max(map(len, architecture.blocks))
    for group, widths in zip(groups.values(), architecture.blocks, strict=True):
        bars = [box for box in group.findall("rect") if box.get("class") == "conv"]
        outlines = [box for box in group.findall("rect") if box.get("class") == "ghost"]
        assert tuple(int(bar.get("data-width", "")) for bar in bars) == widths
        assert [text.text for text in group.findall("text") if text.get("class") == "channels"] == list(
            map(str, widths)
        )
        assert len(outlines) == max_depth
        per_channel = {round(float(bar.get("height", "")) / width, 2) for bar, width in zip(bars, widths, strict=True)}
        assert max(per_channel) - min(per_channel) < 0.02


def test_drawing_outlines_are_the_candidate_maximum() -> None:
    svg = ElementTree.fromstring(unet_svg(DERIVED, space=SPACE))
    for group, widths, candidates in zip(svg.findall("g"), DERIVED.blocks, SPACE.block_widths, strict=True):
        assert f"max {candidates[-1]}" in [text.text for text in group.findall("text")]
        bar = next(box for box in group.findall("rect") if box.get("class") == "conv")
        assert float(bar.get("height", "")) == pytest.approx(HEIGHT * widths[0] / candidates[-1], abs=0.01)


def test_drawing_is_a_symmetric_u_without_overlap() -> None:
    architecture = published("Task05_Prostate")
    svg = ElementTree.fromstring(unet_svg(architecture))
    width = float(svg.get("viewBox", "").split()[2])
    boxes = [[box for box in group.findall("rect") if box.get("class") == "ghost"] for group in svg.findall("g")]
    left = [float(row[0].get("x", "")) for row in boxes]
    right = [float(row[-1].get("x", "")) + float(row[-1].get("width", "")) for row in boxes]
    top = [float(row[0].get("y", "")) for row in boxes]
    encoder, decoder = (
        range(architecture.n_stages - 1),
        range(2 * architecture.n_stages - 2, architecture.n_stages - 1, -1),
    )
    for down, up in zip(encoder, decoder, strict=True):
        assert top[down] == top[up] < top[down + 1]
        assert right[down] < left[up]
        assert left[down] == pytest.approx(width - right[up], abs=0.01)


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
    write_run(tmp_path, "train", [], in_channels=None)
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
    parser = References()
    parser.feed(text)
    assert [found for found in parser.found if "evil" in found] == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"alpha": None}, "malformed"),
        ({"beta": [[0.0, 0.0]]}, "beta must have one entry for each of the 3 blocks"),
        ({"architecture": {"strides": []}}, "malformed"),
        ({"tau": ...}, "lacks the field 'tau'"),
    ],
)
def test_a_damaged_row_is_named(tmp_path: Path, change: dict[str, Any], rule: str) -> None:
    row = {name: value for name, value in (search_row(1, warm_up=True) | change).items() if value is not ...}
    write_run(tmp_path, "search", [search_row(1, warm_up=True), row])
    with pytest.raises(UserError, match=rf"search\.jsonl line 2 .*({rule})"):
        build_report(tmp_path)


@pytest.mark.parametrize("count", [0, 1, 299, 300, 301, 1000, 12345])
def test_thinning_keeps_the_ends_and_the_order(count: int) -> None:
    kept = thinned(range(count))
    assert len(kept) == min(count, 300)
    assert kept == sorted(set(kept))
    assert not count or (kept[0], kept[-1]) == (0, count - 1)


def test_long_runs_do_not_grow_the_page() -> None:
    def figures(count: int) -> int:
        return len("".join(epoch_figures([Epoch.of(train_row(epoch)) for epoch in range(1, count)], name="long")))

    assert figures(6000) < 1.2 * figures(600)


def test_points_leave_out_what_was_not_measured() -> None:
    epochs = [Epoch.of(train_row(epoch)) for epoch in range(1, 6)]
    assert points(epochs, lambda epoch: epoch.validation.mean_dice if epoch.validation else None) == (
        [2, 4],
        [0.7, 0.7],
    )


def test_probabilities_and_entropies() -> None:
    assert softmax([1000.0, 1000.0 + math.log(3)]) == pytest.approx([0.25, 0.75])
    assert normalized_entropy([0.0] * 5) == pytest.approx(1)
    assert normalized_entropy([0.0, 1000.0]) == pytest.approx(0)
    expected = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75)) / math.log(2)
    assert entropies([[0.0], [0.0, math.log(3)]]) == pytest.approx([expected])


def case(score: float | None, folder: Path = Path()) -> Case:
    paths = {kind: folder / f"{kind}.nii.gz" for kind in ("image", "label", "prediction")}
    return Case(case=str(score), dice={}, mean_dice=score, hd95_mm={}, mean_hd95_mm=None, **paths)


@pytest.mark.parametrize(
    ("scores", "best", "worst"),
    [
        ([0.1, 0.9, None, 0.5, 0.8, 0.2, 0.7, 0.6], [0.9, 0.8, 0.7], [0.1, 0.2, 0.5]),
        ([0.3, 0.1, 0.2], [0.3, 0.2], [0.1]),
        ([0.3], [0.3], []),
        ([None], [], []),
    ],
)
def test_best_and_worst(scores: list[float | None], best: list[float], worst: list[float]) -> None:
    found = best_and_worst([case(score) for score in scores])
    assert [[row.mean_dice for row in rows] for rows in found] == [best, worst]


def test_slices_and_field_respect_orientation_and_spacing(tmp_path: Path) -> None:
    label = np.zeros((20, 10, 8), np.uint8)
    label[2:4, 5:6, 1:7] = 1
    label[2:4, 4:6, 6] = 1
    # x runs to the patient's left, so the axis is turned when it is read.
    affine = np.diag([-1.0, 2.0, 4.0, 1.0])
    for kind in ("label", "prediction"):
        write_image(tmp_path / f"{kind}.nii.gz", label, affine)
    write_image(tmp_path / "image.nii.gz", np.stack([label, 0 * label], axis=-1), affine)
    volumes = load_volumes(case(0.5, tmp_path))
    assert volumes.spacing == (1.0, 2.0, 4.0)
    assert np.array_equal(volumes.image, label[::-1])
    assert [fullest_slice(volumes.label, axis) for axis in range(3)] == [16, 5, 6]
    middle, half = field_of_view(volumes)
    assert middle == (17.0, 10.0, 16.0)
    assert half >= 6 * 4 / 2


def test_a_prediction_on_another_grid_is_said_so(tmp_path: Path) -> None:
    write_evaluation(tmp_path, [0.8])
    write_image(tmp_path / "predictions/case_0.nii.gz", np.zeros((3, 3, 3), np.uint8))
    text = build_report(tmp_path).read_text()
    assert "No picture: image, label and prediction must have the same shape" in text
