"""A run killed ten times and resumed ends as one that nobody touched, byte for byte."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from .conftest import BUNDLE, TOY_SEARCH, TOY_TRAIN

SERVER = Path(__file__).with_name("kill_server.py")
KILLS = 10


def kill_and_resume(folder: Path, arguments: dict[str, Any], longest: float) -> None:
    order = folder / "order.json"
    order.write_text(
        json.dumps({"arguments": arguments, "folder": str(folder), "kills": KILLS, "seed": 1, "longest": longest})
    )
    done = subprocess.run([sys.executable, SERVER, order], cwd=BUNDLE, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int((folder / "kills").read_text()) == KILLS


def without_wall_times(path: Path) -> list[str]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    kept = [{name: value for name, value in row.items() if name not in ("seconds", "data_wait")} for row in rows]
    return [json.dumps(row) for row in kept]


@pytest.mark.parametrize(
    "more",
    [
        {"max_epochs": 24, "warmup_epochs": 6},
        {"max_epochs": 14, "warmup_epochs": 4, "target_flops_ratio": [0.004, 0.008], "weight_step": "single_path"},
    ],
    ids=["one search", "two searches after one warm-up"],
)
def test_search(tmp_path: Path, generated_dataset: Path, more: dict[str, Any]) -> None:
    arguments = {
        "run_id": "search",
        "config_file": "configs/search.json",
        "dataset_dir": str(generated_dataset),
        "cache_dir": str(tmp_path / "cache"),
        **TOY_SEARCH,
        **more,
        "val_interval": 4,
    }
    kill_and_resume(tmp_path, arguments, longest=3.0)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert without_wall_times(whole / "search.jsonl") == without_wall_times(killed / "search.jsonl")
    derived = [path.relative_to(whole) for path in whole.rglob("architecture.json")]
    assert len(derived) == len(more.get("target_flops_ratio", [1]))
    assert all((whole / path).read_bytes() == (killed / path).read_bytes() for path in derived)


def test_retraining(tmp_path: Path, generated_dataset: Path, runs: Path) -> None:
    arguments = {
        "run_id": "train",
        "config_file": "configs/train.json",
        "dataset_dir": str(generated_dataset),
        "cache_dir": str(tmp_path / "cache"),
        "architecture_path": f"{runs}/search/architecture.json",
        **TOY_TRAIN,
        "max_epochs": 24,
        "val_interval": 4,
    }
    kill_and_resume(tmp_path, arguments, longest=3.0)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert without_wall_times(whole / "train.jsonl") == without_wall_times(killed / "train.jsonl")
    for name in ("model.pt", "model_last.pt"):
        one, other = (torch.load(folder / name, weights_only=True) for folder in (whole, killed))
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)
    one, other = (torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (whole, killed))
    assert all(torch.equal(one["network"][key], other["network"][key]) for key in one["network"])
