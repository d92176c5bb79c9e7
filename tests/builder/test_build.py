"""Bundles from one source: the committed ones are what it gives, a hand edit is found, and only values differ."""

import json
import re
import shutil
from pathlib import Path

import pytest

from adw_components.architecture import Architecture
from adw_components.builder.build import BUNDLES, COMMON, bundle_files
from adw_components.builder.command import build
from adw_components.builder.compare import differences
from adw_components.builder.shipped import shipped_with
from adw_components.builder.source import msd_source, msd_sources, repository_sources
from adw_components.errors import UserError
from adw_components.plan import Plan
from adw_components.reference import nnunet_default, published, published_tasks
from adw_components.tasks import task_names


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """The committed bundles without the folders of a user."""
    for source in repository_sources():
        for part in ("configs", "docs"):
            shutil.copytree(BUNDLES / source.name / part, tmp_path / source.name / part)
        shutil.copy(BUNDLES / source.name / "LICENSE", tmp_path / source.name)
    return tmp_path


def test_the_committed_bundles_are_what_the_source_gives() -> None:
    assert differences() == []
    folders = {path.name for path in BUNDLES.iterdir() if path.is_dir()} - {COMMON.name}
    assert folders == {source.name for source in repository_sources()}


EDITED = ["configs/train.json", "configs/metadata.json", "configs/architecture.json", "docs/README.md", "LICENSE"]
PLAIN, INTERACTIVE = "heart_mri_adwunet_segmentation", "hippocampus_mri_adwunet_deepedit"


@pytest.mark.parametrize(
    ("bundle", "name"), [*((PLAIN, name) for name in EDITED), (INTERACTIVE, "configs/evaluate.json")]
)
def test_a_hand_edit_is_named_with_its_lines(copies: Path, bundle: str, name: str) -> None:
    path = copies / bundle / name
    lines = path.read_text().splitlines()
    lines[2] += " edited"
    path.write_text("\n".join(lines) + "\n")
    (text,) = differences(copies)
    assert str(path) in text and f"-{lines[2]}" in text.splitlines()
    with pytest.raises(UserError, match="1 file\\(s\\) are not what"):
        build(check=True, bundles=copies)


def test_missing_and_unknown_files_are_named(copies: Path) -> None:
    folder = copies / "colon_ct_adwunet_segmentation"
    (folder / "docs" / "data_license.txt").unlink()
    (folder / "configs" / "mine.json").write_text("{}")
    (folder / "models").mkdir()
    (folder / "models" / "model.pt").touch()  # a user's own
    missing, unknown = differences(copies)
    assert missing.endswith("data_license.txt: missing") and "mine.json: not generated" in unknown
    # A config that only plain bundles have is unknown in an interactive one.
    shutil.copy(copies / PLAIN / "configs" / "search.json", copies / INTERACTIVE / "configs")
    assert "search.json: not generated" in differences(copies)[-1]


def test_sound_bundles_are_counted(copies: Path) -> None:
    assert build(check=True, bundles=copies).startswith("11 bundles are what ")


def test_building_mends_what_differs_and_nothing_else(copies: Path) -> None:
    path = copies / "liver_ct_adwunet_segmentation" / "configs" / "search.json"
    path.write_text("{}")
    before = {file: file.stat().st_mtime_ns for file in copies.rglob("*") if file.is_file() and file != path}
    assert build(bundles=copies).splitlines() == [f"wrote {path}", "1 file(s) changed"]
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert differences(copies) == []


def mentioned(text: str) -> list[str]:
    """Names and labels of the tasks that are words of a text; those of few letters count between quotes only."""
    datasets = [source.plan.dataset for source in msd_sources()]
    words = {word for data in datasets for word in (data.name, data.name.partition("_")[2], *data.labels[1:])}
    found = []
    for word in sorted(words):
        # An underscore ends a word too, as in hippocampus_001.
        pattern = rf"(?<![a-z]){re.escape(word)}(?![a-z])" if len(word) > 3 else rf"""(["'`]){word}\1"""
        found += [word] if re.search(pattern, text, re.IGNORECASE) else []
    return found


def test_bodies_and_templates_mention_no_task() -> None:
    files = [*(COMMON / "bodies").iterdir(), *(COMMON / "docs").glob("*.j2")]
    assert len(files) > 10
    assert {path.name: words for path in files if (words := mentioned(path.read_text()))} == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"images": "./imagesTr/hippocampus_001.nii.gz"', ["Hippocampus"]),
        ("--dataset_dir /data/Task09_Spleen", ["Spleen", "Task09_Spleen", "spleen"]),
        ("Dice of the tumour: 0.7; `PZ` and Tz", ["PZ", "Tumour"]),
        ("labels of the background; lunge, delivery, {{ dataset.name }}, topz", []),
    ],
)
def test_a_task_in_a_text_is_found(text: str, words: list[str]) -> None:
    assert mentioned(text) == words


KINDS = [(config, False) for config in ("search", "train", "evaluate", "inference")]
KINDS += [(config, True) for config in ("train", "evaluate", "inference")]


@pytest.mark.parametrize(("config", "interactive"), KINDS)
def test_configs_of_two_bundles_differ_in_the_values_of_their_plans_only(config: str, interactive: bool) -> None:
    asked = set(json.loads((COMMON / "bodies" / f"{config}.json").read_text())["_values_"])
    asked |= {"num_workers", "sw_batch_size", "mirror_tta"} if config in ("evaluate", "inference") else set()
    asked |= {"patch_size"} if config == "train" else set()
    sources = [msd_source(name, interactive=interactive) for name in task_names()]
    contents = [json.loads(bundle_files(source)[f"configs/{config}.json"]) for source in sources]
    for content in contents:
        # How many windows of the validation fit into memory is a value of the plan too.
        content.get("validate", {}).get("inferer", {}).pop("sw_batch_size", None)
    for content in contents[1:]:
        assert list(content) == list(contents[0])
        assert {name for name in content if content[name] != contents[0][name]} <= asked


def test_values_come_first() -> None:
    for source in repository_sources():
        files = bundle_files(source)
        for config in ("search", "train", "evaluate", "inference", "metadata"):
            if source.interactive and config == "search":
                continue
            asked = json.loads((COMMON / "bodies" / f"{config}.json").read_text())["_values_"]
            assert list(json.loads(files[f"configs/{config}.json"]))[: len(asked)] == asked


def test_each_bundle_ships_its_architecture_and_its_plan() -> None:
    for source in repository_sources():
        files = bundle_files(source)
        architecture = Architecture.from_dict(json.loads(files["configs/architecture.json"]))
        assert Plan.from_dict(json.loads(files["configs/plan.json"])) == source.plan
        assert architecture.strides == source.plan.strides
        assert source.task is not None
        if found := shipped_with(source.name, COMMON):
            assert architecture == found.architecture and architecture.provenance["retrained"]
        elif source.task.name in published_tasks():
            assert architecture == published(source.task.name)
        else:
            default = nnunet_default(strides=source.plan.strides, kernel_sizes=source.plan.kernel_sizes)
            assert architecture.structure() == default.structure()
            assert "starting point" in architecture.provenance["status"]
            assert architecture.provenance["network"]["in_channels"] == source.network_channels
    assert set(published_tasks()) == {"Task01_BrainTumour", "Task02_Heart", "Task05_Prostate", "Task07_Pancreas"}


def test_bodies_that_are_not_there_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not in .*; run from a checkout"):
        bundle_files(msd_sources()[0], tmp_path)
