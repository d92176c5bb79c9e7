"""The command `plan`: from data, from a fingerprint, and what it says to a mistake."""

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adw_components.__main__ import Commands
from adw_components.data.dataset import Case
from adw_components.data.volumes import Task
from adw_components.describe_plan import describe_plan
from adw_components.errors import UserError
from adw_components.plan import Plan
from adw_components.planning import command
from adw_components.planning.collect import collect_fingerprint
from adw_components.planning.fingerprint import Fingerprint
from adw_components.planning.rules import make_plan
from adw_components.tasks import task

SPLEEN = Path(__file__).parent / "fingerprints" / "Task09_Spleen.json"
MSD_FORM = {"modality": {"0": "CT"}, "labels": {"0": "background", "1": "spleen"}, "numTraining": 41, "numTest": 20}
NNUNET_FORM = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "spleen": 1}, "numTraining": 41}


@pytest.fixture
def spleen(tmp_path: Path) -> Path:
    """A folder with the dataset.json of Task09, and no data."""
    folder = tmp_path / "Task09_Spleen"
    folder.mkdir()
    (folder / "dataset.json").write_text(json.dumps(MSD_FORM))
    return folder


def test_data_are_measured_and_planned(generated_dataset: Path, tmp_path: Path) -> None:
    printed = Commands().plan(str(tmp_path / "new" / "plan.json"), dataset_dir=str(generated_dataset), workers=2)
    plan = Plan.load(tmp_path / "new" / "plan.json")
    fingerprint = Fingerprint.load(tmp_path / "new" / "plan_fingerprint.json")
    assert fingerprint == collect_fingerprint(generated_dataset, workers=1)
    assert plan == make_plan(fingerprint, plan.dataset)
    assert (plan.dataset.name, plan.dataset.num_training) == ("Task04_Hippocampus", 10)
    assert printed.splitlines()[-1] == f"plan: {tmp_path / 'new' / 'plan.json'}"
    assert printed.startswith(describe_plan(tmp_path / "new" / "plan.json"))
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        "plan.json",
        "plan_fingerprint.json",
        "plan_cases.jsonl",
    }


def test_a_second_call_measures_nothing(
    generated_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "plan.json"
    command.write_plan(output, dataset_dir=generated_dataset, workers=1)
    before = output.read_bytes()

    def refuse(case: Case, task: Task) -> None:
        raise AssertionError(f"{case.id} is measured again")

    monkeypatch.setattr("adw_components.planning.collect.measure_case", refuse)
    command.write_plan(output, dataset_dir=generated_dataset, workers=1)
    assert output.read_bytes() == before


def test_a_saved_fingerprint_gives_the_same_plan_and_one_for_another_memory(
    generated_dataset: Path, tmp_path: Path
) -> None:
    measured = command.write_plan(tmp_path / "plan.json", dataset_dir=generated_dataset, workers=1)
    again = {"fingerprint": tmp_path / "plan_fingerprint.json", "dataset_json": generated_dataset / "dataset.json"}
    assert Plan.load(command.write_plan(tmp_path / "again.json", **again)) == Plan.load(measured)
    small = Plan.load(command.write_plan(tmp_path / "small.json", **again, memory_gb=0.1))
    assert small.memory_gb == 0.1
    assert small.patch_size < Plan.load(measured).patch_size


@pytest.mark.parametrize("form", [MSD_FORM, NNUNET_FORM], ids=["MSD", "nnU-Net"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
def test_nnunets_fingerprint_with_either_dataset_json(spleen: Path, form: dict[str, Any], encoding: str) -> None:
    text = json.dumps({**form, "reference": "Zürich"}, ensure_ascii=False)
    (spleen / "dataset.json").write_bytes(text.encode(encoding))
    output = spleen / "plan.json"
    Commands().plan(str(output), fingerprint=str(SPLEEN), dataset_json=str(spleen / "dataset.json"))
    found, expected = Plan.load(output), task("Task09_Spleen").plan
    assert found.patch_size == expected.patch_size
    assert found.normalization == expected.normalization
    assert (found.dataset.name, found.dataset.reference) == ("Task09_Spleen", "Zürich")


def test_a_count_that_differs_is_told_and_not_used(spleen: Path, caplog: pytest.LogCaptureFixture) -> None:
    (spleen / "dataset.json").write_text(json.dumps({**MSD_FORM, "numTraining": 4000}))
    with caplog.at_level(logging.WARNING):
        output = command.write_plan(spleen / "plan.json", fingerprint=SPLEEN, dataset_json=spleen / "dataset.json")
    assert "dataset.json has 4000 training cases, but 41 were measured" in caplog.text
    assert Plan.load(output).dataset.num_training == 41


def test_another_name_of_the_file_names_the_dataset(spleen: Path) -> None:
    (spleen / "dataset.json").rename(spleen / "Spleens.json")
    output = command.write_plan(spleen / "plan.json", fingerprint=SPLEEN, dataset_json=spleen / "Spleens.json")
    assert Plan.load(output).dataset.name == "Spleens"


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "needs data or their fingerprint, but got neither; give dataset_dir"),
    "half": ({"fingerprint": "f.json"}, "but got fingerprint; give dataset_dir"),
    "both": ({"dataset_dir": "d", "fingerprint": "f.json"}, "dataset_dir excludes fingerprint and dataset_json"),
    "workers": ({"fingerprint": "f", "dataset_json": "d", "workers": 2}, "leave workers out"),
    "memory": ({"dataset_dir": "d", "memory_gb": 0}, "memory_gb must be a number above 0 and at most 1000, got 0"),
    "no folder": ({"dataset_dir": "absent"}, "absent is not there; an MSD folder holds"),
    "a flag": ({"dataset_dir": True}, "dataset_dir must be a path, got True"),
    "no file": ({"fingerprint": "absent.json", "dataset_json": "{spleen}/dataset.json"}, "absent.json does not exist"),
    "no description": ({"fingerprint": "{file}", "dataset_json": "absent.json"}, "absent.json does not exist"),
    "a description that is none": (
        {"fingerprint": "{file}", "dataset_json": "{file}"},
        "modality must map the numbers",
    ),
    "a fingerprint that is none": (
        {"fingerprint": "{spleen}/dataset.json", "dataset_json": "{spleen}/dataset.json"},
        r"dataset.json: fingerprint lacks the field\(s\) spacings",
    ),
    "a folder as output": ({"output": "{spleen}", "dataset_dir": "{spleen}"}, "must be a list of cases"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_mistakes_are_one_line_and_leave_no_plan(
    spleen: Path, tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    names = {"spleen": spleen, "file": SPLEEN}
    given = {name: value.format(**names) if isinstance(value, str) else value for name, value in arguments.items()}
    output = tmp_path / "plan.json"
    with pytest.raises(UserError, match=message) as error:
        Commands().plan(**{"output": str(output), **given})
    assert "\n" not in str(error.value)
    assert not output.exists()


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("{spleen}", r"output must be a file, but .* is a folder; write .*/plan\.json"),
        ("{spleen}/dataset.json", "output must be another file than what the plan is made from"),
        ("{spleen}/dataset.json/plan.json", "cannot be written: .*; choose another folder"),
    ],
)
def test_outputs_that_cannot_be_are_refused(spleen: Path, output: str, message: str) -> None:
    before = (spleen / "dataset.json").read_bytes()
    with pytest.raises(UserError, match=message):
        command.write_plan(output.format(spleen=spleen), fingerprint=SPLEEN, dataset_json=spleen / "dataset.json")
    assert (spleen / "dataset.json").read_bytes() == before


def test_a_failed_plan_leaves_the_older_one(spleen: Path) -> None:
    output = spleen / "plan.json"
    output.write_text("older")
    flat = json.loads(SPLEEN.read_text())
    flat["shapes_after_crop"] = [[1, 512, 512]] * len(flat["shapes_after_crop"])
    (spleen / "flat.json").write_text(json.dumps(flat))
    with pytest.raises(UserError, match="plans are made for 3D images"):
        command.write_plan(output, fingerprint=spleen / "flat.json", dataset_json=spleen / "dataset.json")
    assert output.read_text() == "older"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "adw_components", *arguments], capture_output=True, text=True, timeout=120
    )


def test_the_command_line_both_ways(generated_dataset: Path, tmp_path: Path) -> None:
    made = run("plan", str(tmp_path / "plan.json"), "--dataset_dir", str(generated_dataset), "--workers", "2")
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.splitlines()[-1] == f"plan: {tmp_path / 'plan.json'}"
    described = run("describe", str(tmp_path / "plan.json"))
    assert made.stdout.startswith(described.stdout.rstrip("\n"))
    wrong = run("plan", str(tmp_path / "other.json"), "--fingerprint", str(tmp_path / "plan_fingerprint.json"))
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("error: a plan needs data or their fingerprint, but got fingerprint; give")
    assert len(wrong.stderr.splitlines()) == 1
