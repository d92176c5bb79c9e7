"""Where a file cannot be written to its end a command ends with one line, and a run can go on later."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Ended
from .test_files import options
from .test_options import BUNDLE, require_one_line

# Command -> the size of a file, in bytes, above which it has to write one.
LIMITS = {
    "plan": 300,
    "build": 3000,
    "export": 100_000,
    "synthesize": 20_000,
    "report": 2000,
    "search": 20_000,
    "train": 20_000,
    "evaluate": 300,
    "infer": 300,
}


def words(command: str, place: Path, folder: Path) -> list[str]:
    data, ours = place / "data", ["adw_components", command]
    if command == "plan":
        return [*ours, str(folder / "plan.json"), "--dataset_dir", str(data), "--workers", "1"]
    if command == "build":
        return [*ours, "--task", "Task09_Spleen", "--output", str(folder / "new")]
    if command == "export":
        return [*ours, str(BUNDLE), "--output", str(folder / "new")]
    if command == "synthesize":
        return [*ours, str(folder / "new"), "--cases", "2"]
    if command == "report":
        run = folder / "run"
        run.mkdir()
        (run / "settings.json").write_text(json.dumps({"kind": "train"}))
        row = {"epoch": 1, "loss": 1.0, "learning_rate": 0.1, "seconds": 1.0, "validation": None}
        (run / "train.jsonl").write_text(json.dumps(row) + "\n")
        return [*ours, str(run)]
    split = folder / "split.json"
    split.write_text(json.dumps({"0": {"validation": ["hippocampus_001"]}}))
    more = {} if command == "infer" else {"split_file": split}
    source = data / "imagesTr" if command == "infer" else data
    return options(folder, command, dataset_dir=source, **more)


@pytest.mark.parametrize("command", LIMITS)
def test_what_does_not_fit_is_one_line_with_the_path_and_leaves_no_part(
    command: str, place: Path, tmp_path: Path, run_module: Callable[..., Ended]
) -> None:
    line = require_one_line(run_module(*words(command, place, tmp_path), folder=tmp_path, file_size=LIMITS[command]))
    assert "file too large" in line and "ulimit -f" in line and str(tmp_path) in line
    assert not [path for path in tmp_path.rglob("*") if ".partial" in path.name or path.name.endswith(".lock")]


def test_a_training_goes_on_once_there_is_room(place: Path, tmp_path: Path, run_module: Callable[..., Ended]) -> None:
    start = options(tmp_path, "train", dataset_dir=place / "data")
    require_one_line(run_module(*start, folder=tmp_path, file_size=20_000))
    assert run_module(*start, "--resume", "true", folder=tmp_path).status == 0
    assert len((tmp_path / "out" / "train.jsonl").read_text().splitlines()) == 2
    shutil.rmtree(tmp_path / "out")
