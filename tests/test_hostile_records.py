"""Hostile values through every field of every record: each is refused with one line, or stays plain data.

The fields are found by walking a valid record, so that one that is added later is tried too. What a record takes goes
all the way: it is described, built, exported, and read and resolved by MONAI's own parser. Nothing may run.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigParser

from adw_components.architecture import Architecture
from adw_components.builder.build import COMMON, bundle_files
from adw_components.builder.documents import documents
from adw_components.builder.source import BundleSource, msd_source
from adw_components.builder.values import config_values
from adw_components.cost_target import CostTarget, cost_target
from adw_components.data.dataset import Case, read_dataset
from adw_components.data.folds import split_cases
from adw_components.data.volumes import Task
from adw_components.dataset_description import DatasetDescription
from adw_components.describe import describe
from adw_components.describe_plan import describe_plan
from adw_components.engines.checksums import require_all_intact
from adw_components.engines.run_folder import close_run, open_run
from adw_components.errors import UserError
from adw_components.export.evaluation import measured
from adw_components.export.index import add_to_index
from adw_components.export.records import config_files, metadata_text
from adw_components.export.source import read_source
from adw_components.fine_tuning import mirror_axes_to_train, patch_size_to_train
from adw_components.inference import mirror_axes_of, patch_size_of, require_same_preparation
from adw_components.locks import _Holder
from adw_components.normalization import Normalization
from adw_components.plan import Plan
from adw_components.planning.case_rows import CaseRows
from adw_components.planning.fingerprint import Fingerprint
from adw_components.planning.rules import make_plan
from adw_components.record_fields import INTENSITY_STATISTICS
from adw_components.report import build_report
from adw_components.report.sources import find_sources
from adw_components.run_files import _CHECKS, read_settings
from adw_components.search_space import SearchSpace
from adw_components.tasks import task

Used = Callable[[Any, Path], None]

PLAN = task("Task01_BrainTumour").plan
TAGS = re.compile("<script>alert|<img src")
# HTML, and a link or a picture of Markdown.
LIVE = re.compile(TAGS.pattern + r"|(?<!\\)\]\(javascript:|!\[y")


def hostile(mark: Path) -> dict[str, Any]:
    """Values that no field may run, follow or choke on; the file `mark` would tell."""
    run = f"touch {mark}"
    return {
        "expression": f"$__import__('os').system('{run}')",
        "expression after a space": f" $__import__('os').system('{run}')",
        "import": "$import antigravity",
        "reference": "@device",
        "relative reference": "x @#y",
        "macro": "%other.json::x",
        "component": {"_target_": "os.system", "command": run},
        "component in a list": [{"_target_": "os.system", "command": run}],
        "disabled": {"_disabled_": f"$__import__('os').system('{run}')"},
        "old path of keys": "a#b",
        "path of keys": "a::b",
        "HTML": "<script>alert(1)</script>",
        "Markdown": "[x](javascript:alert(1)) ![y](z) <img src=x onerror=alert(1)> | `c`",
        "path": "../../x",
        "absolute path": "/etc/x",
        "lines": "a\nb\n\n# c\n$d",
        "NUL": "a\0b",
        "escape": "a\x1b[2Jb",
        "surrogate": "a\ud800b",
        "long": "x" * 10**6,
        "list": ["a"],
        "nested": _nested(60),
        "number": 5,
        "fraction": 1.5,
        "negative": -1,
        "zero": 0,
        "huge": 10**9,
        "beyond floats": 10**400,
        "not a number": math.nan,
        "true": True,
        "nothing": None,
        "empty": "",
    }


def _nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


def fields(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all values in a record, itself included; of a list of equal kinds the first and the last entry."""
    yield path
    if isinstance(value, dict):
        for name, item in value.items():
            yield from fields(item, (*path, name))
    elif isinstance(value, list):
        for index in sorted({0, len(value) - 1} if value else ()):
            yield from fields(value[index], (*path, index))


def with_value(record: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of a record with another value at `path`."""
    if not path:
        return value
    changed = copy.deepcopy(record)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


def with_key(record: Any, path: tuple[Any, ...], key: str) -> Any:
    """A copy of a record whose object at `path` has one more key, with the value of its first one."""
    inner = record
    for step in path:
        inner = inner[step]
    return with_value(record, path, {**inner, key: next(iter(inner.values()), "x")})


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A record: a valid one, and what becomes of a changed one; that raises a `UserError`, or asserts it is plain."""

    valid: Any
    used: Used


def parsed(files: dict[str, str]) -> dict[str, ConfigParser]:
    """Configs of a bundle after MONAI's parser has read them with the metadata, as `monai.bundle run` does."""
    parsers = {}
    for name in ("search", "train", "inference"):
        if f"configs/{name}.json" in files:
            parser = ConfigParser()
            parser.read_meta(json.loads(files["configs/metadata.json"]))
            parser.read_config(json.loads(files[f"configs/{name}.json"]))
            parser.parse()
            parsers[name] = parser
    return parsers


def assert_inert(files: dict[str, str]) -> None:
    """What MONAI reads is what the plan says, the metadata resolve to themselves, and the documents hold no tags."""
    plan = Plan.from_dict(json.loads(files["configs/plan.json"]))
    values = {name: value for name, value in config_values(plan).items() if name != "val_interval"}
    for parser in parsed(files).values():
        for name in values.keys() & parser.get().keys():
            assert parser.get_parsed_content(name) == values[name]
        assert parser.get_parsed_content("_meta_") == json.loads(files["configs/metadata.json"])
    assert not LIVE.search(files["docs/README.md"] + files["docs/architecture.svg"])
    assert "<" not in files["docs/data_license.txt"]


def use_plan(values: Any, folder: Path) -> None:
    path = written(values, folder / "plan.json")
    plan = Plan.load(path)
    assert json.loads(json.dumps(plan.to_dict())) == {
        **plan.to_dict(),
        **values,
        "axis_order": plan.to_dict()["axis_order"],
    }
    assert all(line.isprintable() for line in describe_plan(path).splitlines())
    assert_built(plan)
    bare = replace(plan.dataset, description="", reference="", licence="")
    assert_built(replace(plan, dataset=bare), interactive=True)


def assert_built(plan: Plan, *, interactive: bool = False) -> None:
    """The bundle of a plan is inert; reasons and figures stand in plan.json alone, and the rest is built but once."""
    shipped = replace(plan, reasons={}, foreground_intensity=(), memory_gb=8.0)
    _assert_built(json.dumps(shipped.to_dict()), interactive)


@cache
def _assert_built(plan: str, interactive: bool) -> None:
    name = f"x_adwunet_{'deepedit' if interactive else 'segmentation'}"
    source = BundleSource(name=name, plan=Plan.from_dict(json.loads(plan)), interactive=interactive)
    assert_inert(bundle_files(source))


def use_dataset_json(values: Any, folder: Path) -> None:
    dataset = DatasetDescription.from_dataset_json(values, name="x", cases=9)
    for field in ("modality", "labels"):
        names = values[field] if isinstance(values[field], list) else values[field].values()
        assert set(getattr(dataset, field)) == set(names)
    changed = replace(PLAN, dataset=dataset, normalization=PLAN.normalization[:1], foreground_intensity=())
    assert_built(changed)


def use_dataset(values: Any, folder: Path) -> None:
    """An MSD folder whose name goes into the settings of a run, which the run must be able to read again."""
    written(values, folder / "dataset.json")
    found = read_dataset(folder)
    assert all(path.is_relative_to(folder) or path.is_absolute() for case in found.training for path in (case.image,))
    open_run(folder / "run", kind="train", settings={"dataset": found.name}, resume=False)
    assert read_settings(folder / "run" / "settings.json")["dataset"] == found.name
    close_run()


def use_search_row(values: Any, folder: Path) -> None:
    written(SEARCH, folder / "settings.json")
    (folder / "search.jsonl").write_text(json.dumps(values) + "\n")
    assert find_sources(folder).search is not None
    if "<" in json.dumps(values):  # the page takes half a second
        assert not TAGS.search(build_report(folder).read_text())


def use_shown_summary(values: Any, folder: Path) -> None:
    written(values, folder / "summary.json")
    written(CASES, folder / "cases.json")
    assert not TAGS.search(build_report(folder).read_text())


def use_lock(values: Any, folder: Path) -> None:
    """Held by another process, which a file stands for where storage has no locks."""
    try:
        held = _Holder.from_bytes(json.dumps(values).encode())
    except ValueError:
        return  # it says nothing of its holder
    assert str(held).isprintable() and len(str(held)) < 1500


def use_checksums(values: Any, folder: Path) -> None:
    written(values, folder / "checksums.json")
    (folder / "model.pt").write_bytes(b"weights")
    require_all_intact(folder)


def use_architecture(values: Any, folder: Path) -> None:
    path = written(values, folder / "architecture.json")
    architecture = Architecture.load(path)
    assert architecture.to_dict()["provenance"] == values.get("provenance", {})
    text = describe(path, in_channels=1, out_channels=3, patch_size=(40, 56, 40))
    assert all(line.isprintable() for line in text.splitlines())
    if "<" not in json.dumps(values):  # documents and page take a second
        return
    texts = documents(msd_source("Task04_Hippocampus"), architecture=architecture, common=COMMON)
    assert not any(map(LIVE.search, texts.values()))
    written(TRAIN, folder / "settings.json")
    (folder / "train.jsonl").write_text(
        '{"epoch": 1, "loss": 1, "learning_rate": 1, "seconds": 1, "validation": null}\n'
    )
    assert not TAGS.search(build_report(folder).read_text())


def use_search_space(values: Any, folder: Path) -> None:
    assert json.loads(json.dumps(SearchSpace.from_dict(values).to_dict())) == values


def use_normalization(values: Any, folder: Path) -> None:
    assert Normalization.from_dict(values).to_dict() == values


def use_target(values: Any, folder: Path) -> None:
    assert CostTarget.from_dict(values).to_dict() == values


def use_goal(values: Any, folder: Path) -> None:
    space = SearchSpace(strides=PLAN.strides, kernel_sizes=PLAN.kernel_sizes)
    found = cost_target(values, search_space=space, in_channels=1, out_channels=2, patch_size=PLAN.patch_size)
    assert math.isfinite(found.value)


def use_fingerprint(values: Any, folder: Path) -> None:
    found = Fingerprint.load(written(values, folder / "fingerprint.json"))
    dataset = DatasetDescription(name="x", modality=("MRI",), labels=("b", "a"), num_training=2)
    assert make_plan(found, dataset).dataset == dataset
    assert all(name in values["case_ids"] for name in found.case_ids)


def use_case_row(values: Any, folder: Path) -> None:
    """What is no row of ours is left out, and the case measured again."""
    path = folder / "cases.jsonl"
    path.write_text(json.dumps(values) + "\n")
    rows = CaseRows(path, Task(in_channels=1, label_values=frozenset({0, 1}), spatial_dims=3))
    assert all(row.shape and math.isfinite(row.relative_size) for _, row in rows._rows.values())
    rows.get(Case(id="a", image=folder / "a", label=folder / "b"))


def use_settings(values: Any, folder: Path) -> None:
    """Settings beside weights, which reach predictions, fine-tuning, exported configs and a resumed run."""
    path = written(values, folder / "settings.json")
    for name in ("checkpoint.pt", "model.pt", "model_last.pt"):
        (folder / name).touch()
    assert read_settings(path) == values
    sizes = [patch_size_of(model_dir=folder, shipped=(1, 1)), mirror_axes_of(model_dir=folder, shipped=())]
    sizes += [patch_size_to_train(fine_tuning=True, model_dir=folder, planned=(1, 1))]
    sizes += [mirror_axes_to_train(fine_tuning=True, model_dir=folder, default=())]
    assert all(type(size) is int for row in sizes for size in row)
    require_same_preparation(model_dir=folder, settings={"spacing": values.get("spacing")})
    assert_exported(tuple(sizes[0]), "null")
    open_run(folder, kind=values["kind"], settings={"seed": 0}, resume=True)


def use_summary(values: Any, folder: Path) -> None:
    weights = folder / "model.pt"
    weights.write_bytes(b"weights")
    written(_at(values, weights), folder / "summary.json")
    figures = measured(folder, weights)
    assert_exported((), json.dumps(figures))


@cache
def assert_exported(patch_size: tuple[int, ...], figures: str) -> None:
    """What an export writes of weights is what MONAI reads; the same is exported but once."""
    source, metrics = read_source(BUNDLE), json.loads(figures)
    files = config_files(source, patch_size=patch_size)
    files["configs/metadata.json"] = metadata_text(source.metadata, patch_size=patch_size, eval_metrics=metrics)
    for parser in parsed(files).values():
        if patch_size and "shipped_patch_size" in parser:
            assert parser.get_parsed_content("shipped_patch_size") == list(patch_size)
        assert parser.get_parsed_content("_meta_::eval_metrics") == (metrics or source.metadata["eval_metrics"])


def _at(values: Any, weights: Path) -> Any:
    return json.loads(json.dumps(values).replace("WEIGHTS", str(weights)))


def use_split(values: Any, folder: Path) -> None:
    split = split_cases(["a", "b", "c"], fold=0, split_file=written(values, folder / "split.json"))
    assert {*split.training, *split.validation} <= {"a", "b", "c"}


def use_epoch(values: Any, folder: Path) -> None:
    written(TRAIN, folder / "settings.json")
    (folder / "train.jsonl").write_text(json.dumps(values) + "\n")
    for name in ("checkpoint.pt", "model.pt", "model_last.pt"):
        (folder / name).touch()
    assert find_sources(folder).train is not None
    if "<" in json.dumps(values):  # the page takes half a second
        assert not TAGS.search(build_report(folder).read_text())
    open_run(folder, kind="train", settings={"max_epochs": 10}, resume=True)


def use_cases(values: Any, folder: Path) -> None:
    written(values, folder / "cases.json")
    assert not TAGS.search(build_report(folder).read_text())


def use_clicks(values: Any, folder: Path) -> None:
    written(values, folder / "clicks.json")
    written(CASES, folder / "cases.json")
    assert find_sources(folder).evaluation is not None
    if not {"<", "$"}.isdisjoint(json.dumps(values)):  # the page takes half a second
        assert not TAGS.search(build_report(folder).read_text())


def use_index(values: Any, folder: Path) -> None:
    written(values, folder / "model_info.json")
    (folder / "b_v1.zip").touch()
    path = add_to_index(folder / "b_v1.zip", url=None)
    assert json.loads(path.read_text()).keys() == values.keys() | {"b_v1"}


def use_metadata(values: Any, folder: Path) -> None:
    (folder / "configs").mkdir(exist_ok=True)
    written(values, folder / "configs" / "metadata.json")
    written({}, folder / "configs" / "inference.json")
    assert read_source(folder).version == values["version"]


def written(values: Any, path: Path) -> Path:
    path.write_text(json.dumps(values))
    return path


BUNDLE = COMMON.parent / "hippocampus_mri_adwunet_segmentation"
PROVENANCE = {
    "source": "a search",
    "network": {"in_channels": 1, "patch_size": [40, 56, 40]},
    "target": {"kind": "flops"},
}
PROVENANCE |= {"settings": {"task": "Task04", "fold": 1, "list": [1]}}
EPOCH = {"epoch": 1, "loss": 1.0, "learning_rate": 0.1, "seconds": 1.0, "data_wait": 0.1}
EPOCH |= {"validation": {"mean_dice": 0.5, "dice": {"Anterior": 0.5}}}
CASES = {
    "labels": {"1": "Anterior"},
    "cases": [
        {
            **{"case": "a", "image": "a.nii.gz", "label": "b.nii.gz", "prediction": "c.nii.gz", "mean_dice": 0.5},
            **{"dice": {"Anterior": 0.5}, "hd95_mm": {"Anterior": 1.0}, "mean_hd95_mm": 1.0},
        }
    ],
}
CLICKS = {"curve": [{"clicks": count, "mean_dice": 0.5, "dice": {"Anterior": {"mean": 0.5}}} for count in (0, 1)]}
STATISTICS = dict.fromkeys(INTENSITY_STATISTICS, 5.0)
ARCHITECTURE = json.loads((BUNDLE / "configs" / "architecture.json").read_text())
TRAIN = {"kind": "train", **{k: v for k, v in ARCHITECTURE["provenance"]["retrained"].items() if k != "hours"}}
TRAIN |= {"architecture": {k: v for k, v in ARCHITECTURE.items() if k not in ("provenance", "format_version")}}
TRAIN |= {"device": "cpu", "num_workers": 4, "split_file": None, "package_version": "0.5.0"}
TRAIN |= {"guidance_sigma": 2.0, "automatic_share": 0.3, "seed_share": 0.5, "max_corrections": 6, "network_channels": 4}
SEARCH = {**ARCHITECTURE["provenance"]["settings"], "kind": "search", "device": "cpu", "num_workers": 4}
SEARCH |= {"split_file": None, "package_version": "0.5.0"}
SEARCH_ROW = {
    **{"epoch": 3, "search_epoch": 3, "phase": "search", "learning_rate": 0.1, "seconds": 1.0, "data_wait": 0.1},
    **{"weight_loss": 1.0, "architecture_loss_a": 1.0, "architecture_loss_b": None, "tau": 1.0, "entropy": 0.5},
    **{"alpha": [[[0.0] * 5] * 3] * 7, "beta": [[0.0] * 3] * 7, "validation": None, "supernet_validation": None},
    **{"target": {"kind": "flops", "value": 5.0, "ratio": 0.5, "name": "flops_0.5"}, "expected_cost": 5.0},
    **{"derived_cost": 5, "cost_before_landing": 5, "parameters": 5, "flops": 5},
    **{"stopped_early": {"epochs_saved": 3, "seconds_saved": 1.0}},
    "architecture": {k: v for k, v in ARCHITECTURE.items() if k not in ("provenance", "format_version")},
}
LABELLED = {"mean": 1.0, "std": 1.0, "min": 0.0, "max": 2.0, "values": [0, 1, 2]}
SCORE = {"n": 1, "mean": 0.5, "std": None, "median": 0.5, "min": 0.5, "max": 0.5}

SUBJECTS = {
    "plan": Subject(valid=json.loads(json.dumps(PLAN.to_dict())), used=use_plan),
    "dataset.json": Subject(
        valid={
            **{"name": "x", "description": "d", "reference": "r", "licence": "l", "numTraining": 9, "numTest": 0},
            "modality": {"0": "MRI"},
            "labels": {"0": "background", "1": "organ"},
        },
        used=use_dataset_json,
    ),
    "MSD folder": Subject(
        valid={
            **{"name": "x", "modality": {"0": "MRI"}, "labels": {"0": "background", "1": "organ"}},
            **{
                "training": [{"image": "imagesTr/a.nii.gz", "label": "labelsTr/a.nii.gz"}],
                "test": ["imagesTs/b.nii.gz"],
            },
        },
        used=use_dataset,
    ),
    "row of a search": Subject(valid=SEARCH_ROW, used=use_search_row),
    "summary on a page": Subject(
        valid={
            **{"n_cases": 1, "mean_dice": 0.5, "dice": {"Anterior": SCORE}, "mean_hd95_mm": 1.0},
            "hd95_mm": {"Anterior": SCORE},
        },
        used=use_shown_summary,
    ),
    "lock": Subject(
        valid={"machine": "01234567", "pid": 5, "start": 6, "host": "here", "since": "2026-01-01"}, used=use_lock
    ),
    "checksums": Subject(valid={"model.pt": [hashlib.sha256(b"weights").hexdigest(), None]}, used=use_checksums),
    "architecture": Subject(valid={**ARCHITECTURE, "provenance": PROVENANCE}, used=use_architecture),
    "row of an epoch": Subject(valid=EPOCH, used=use_epoch),
    "cases of an evaluation": Subject(valid=CASES, used=use_cases),
    "clicks of an evaluation": Subject(valid=CLICKS, used=use_clicks),
    "index of exports": Subject(valid={"a_v1": {"checksum": "0", "source": "a.zip"}}, used=use_index),
    "search space": Subject(valid=ARCHITECTURE["provenance"]["settings"]["search_space"], used=use_search_space),
    "CT normalization": Subject(
        valid={"scheme": "ct", "low": -1.0, "high": 2.0, "mean": 0.0, "std": 1.0}, used=use_normalization
    ),
    "normalization": Subject(valid={"scheme": "z_score", "nonzero": False}, used=use_normalization),
    "target": Subject(valid={"kind": "flops", "value": 5.0, "ratio": 0.5, "name": "flops_0.5"}, used=use_target),
    "goal": Subject(valid={"flops": 0.5}, used=use_goal),
    "fingerprint": Subject(
        valid=Fingerprint(
            spacings=((1.0, 1.0, 1.0),) * 2,
            shapes_after_crop=((40, 50, 60),) * 2,
            median_relative_size_after_cropping=0.9,
            foreground_intensity=(STATISTICS,),
            case_ids=("a", "b"),
        ).to_dict(),
        used=use_fingerprint,
    ),
    "row of a case": Subject(
        valid={
            "case": "a",
            "stamp": {"image": [1, 2], "label": [1, 2], "channels": 1, "labels": [0, 1], "version": 1},
            "row": {"spacing": [1.0] * 3, "shape": [4] * 3, "relative_size": 1.0, "channels": [LABELLED]},
        },
        used=use_case_row,
    ),
    "settings of a training": Subject(valid=TRAIN, used=use_settings),
    "settings of a search": Subject(valid=SEARCH, used=use_settings),
    "summary of an evaluation": Subject(
        valid={
            **{"n_cases": 1, "mean_dice": 0.5, "dice": {"Anterior": SCORE}, "mean_hd95_mm": 1.0},
            "hd95_mm": {"Anterior": SCORE},
            "settings": {
                **{"fold": 0, "checkpoints": ["WEIGHTS"], "mirror_tta": True, "mirror_axes": [0], "overlap": 0.5},
                **{"patch_size": [8, 8, 8], "spacing": [1.0, 1.0, 1.0], "architecture_path": "x", "amp": False},
                **{"task": "t", "dataset": "d", "device": "cpu", "normalization": TRAIN["normalization"]},
            },
        },
        used=use_summary,
    ),
    "split file": Subject(valid=[{"train": ["a", "b"], "val": ["c"]}], used=use_split),
    "metadata": Subject(valid={"version": "1.0.0", "changelog": {"1.0.0": "x"}}, used=use_metadata),
}


@pytest.mark.parametrize("name", SUBJECTS)
def test_no_hostile_value_runs_or_passes_as_syntax(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    subject, mark = SUBJECTS[name], tmp_path / "MARK"
    subject.used(subject.valid, _folder(tmp_path, 0))  # the record itself is sound
    changes: list[tuple[str, Any]] = []
    places = list(fields(subject.valid))
    values = hostile(mark)
    for path in places:
        changes += [(f"{path} {kind}", with_value(subject.valid, path, value)) for kind, value in values.items()]
        if isinstance(_at_path(subject.valid, path), dict):
            keys = {kind: value for kind, value in values.items() if isinstance(value, str)} | {"target": "_target_"}
            changes += [(f"{path} key {kind}", with_key(subject.valid, path, key)) for kind, key in keys.items()]
    refused = 0
    for number, (what, changed) in enumerate(changes, start=1):
        try:
            subject.used(changed, _folder(tmp_path, number))
        except UserError as error:
            refused += 1
            assert "\n" not in str(error) and len(str(error)) < 1500, what
        except BaseException as error:
            raise AssertionError(f"{name}: {what}: {type(error).__name__}: {error!s:.300}") from error
        assert not mark.exists(), what
    with capsys.disabled():
        print(f"\n{name}: {len(places)} fields, {len(changes)} pairs of field and value, {refused} refused", end="")


def _at_path(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def _folder(root: Path, number: int) -> Path:
    """A folder of its own, since a case that is refused leaves files there."""
    path = root / str(number)
    path.mkdir()
    return path


@pytest.mark.parametrize("config", ["train", "search"])
@pytest.mark.parametrize("bundle", ["segmentation", "deepedit"])
def test_every_setting_of_a_run_has_a_check(config: str, bundle: str) -> None:
    path = BUNDLE.with_name(f"hippocampus_mri_adwunet_{bundle}") / "configs" / f"{config}.json"
    if path.is_file():
        assert json.loads(path.read_text())["settings"].keys() <= _CHECKS.keys()
        assert json.loads(path.read_text())["settings"].keys() <= (SEARCH if config == "search" else TRAIN).keys()
