"""Every wrong value of every option of every workflow ends with one line, before anything is written."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import ROOT, Ended

BUNDLE = ROOT / "bundles" / "hippocampus_mri_adwunet_segmentation"
WORKFLOWS = {"search": "search", "train": "train", "evaluate": "evaluate", "infer": "inference"}
BIG = 10**9

_COUNT = ["0", "-1", "two", "1.5", str(10**9), "[1]", "{'a':1}", "true", "nan"]
_RATE = ["0", "-1", "fast", "nan", "inf", "[0.1]", "true"]
_AXES = ["5", "axes", "[]", "[1,1]", "[0.1,'x',0.1]", "{'a':1}"]
_SWITCH = ["maybe", "2", "[true]", "{'a':1}"]
_PATH = ["5", "[]", "{'a':1}", "a#b", "a::b"]
# Option -> wrong values. A workflow is tried with those options that its config has.
WRONG: dict[str, list[str]] = {
    **dict.fromkeys(("max_epochs", "iterations_per_epoch", "batch_size", "sw_batch_size"), _COUNT),
    "val_interval": ["0", "two", "[1]", str(BIG)],
    "num_workers": ["-1", "many", "1.5", str(BIG)],
    "seed": ["-1", str(2**32), str(2**64), "x", "1.5"],
    "warmup_epochs": ["-1", "250", "many", "1.5"],
    "learning_rate": _RATE,
    "architecture_learning_rate": _RATE,
    "momentum": ["0", "1", "-0.1", "x", "true"],
    "overlap": ["1", "-0.1", "x", "true"],
    "cache_gb": ["-1", "much", "nan"],
    "initial_temperature": ["0", "-5", "hot"],
    "temperature_rate": ["0", "1.5", "slow"],
    "target_rate": ["0", "2", "x"],
    "target_ramp": ["-1", "2", "x"],
    "stop_entropy": ["0", "2", "x"],
    "target": ["0.5", "{'flop': 0.5}", "{'flops': 0}", "{'flops': 99}", "{'flops': 'half'}", "{}", "[]"],
    "target_flops_ratio": ["0", "half", "[0.5,0.5]", "[]", "200"],
    "architecture_interval": ["0", "1.5", "x"],
    "patch_size": [
        *_AXES,
        "[8,8,8]",
        "[0,0,0]",
        "[40,56,30]",
        "[-8,8,8]",
        f"[{BIG},{BIG},{BIG}]",
        "[40,56]",
        "[40.0,56,40]",
    ],
    "spacing": [*_AXES, "[0,1,1]", "[1,1]", "[1,1,nan]"],
    "rotate_range": _AXES,
    "scale_range": [*_AXES, "[1.5,0,0]", "[-1,0,0]"],
    "mirror_axes": ["5", "x", "[3]", "[[0]]", "{'a':1}", "[True]", "[0,0]"],
    "base_widths": ["0", "[0]", "[3,2]", "[2,2]", "['x']", "[]", f"[{BIG}]", "[1.5]", "wide"],
    "depths": ["0", "[0]", "[2,1]", "[100000]", "[]", "['x']"],
    "searched": ["all", "5", "[]"],
    "step_order": ["parallel", "5"],
    "weight_step": ["mix", "5"],
    "mask_placement": ["after", "5"],
    "strides": ["5", "[]", "[[1,1,1]]", "[[2,2,2],[2,2,2]]", "[[1,1,1],[2,2]]", f"[[1,1,1],[{BIG},2,2]]", "x"],
    "kernel_sizes": ["5", "[]", "[[3,3,3]]", "[[2,2,2],[3,3,3]]", "x"],
    "in_channels": ["0", "2", "one", "1.5", str(BIG)],
    "out_channels": ["1", "4", "x", str(BIG)],
    "labels": ["[]", "x", "5", "{'5':'a','6':'b'}", "{'1':5,'2':'b'}", "{'1':'a<b','2':'b'}"],
    "normalization": ["x", "[]", "[5]", "[{'scheme':'minmax'}]", "[{'scheme':'ct'}]"],
    "spatial_dims": ["2", "4", "x"],
    "batch_dice": ["maybe", "2"],
    "fold": ["7", "-1", "one", "1.5", "[0]"],
    "split_file": ["nowhere.json", ".", "5"],
    "device": ["meta", "gpu", "cuda:99", "5.5", "[]"],
    "amp": _SWITCH,
    "amp_dtype": ["half", "16", "[]"],
    "compile": _SWITCH,
    "cudnn_benchmark": _SWITCH,
    "resume": _SWITCH,
    "inherit": _SWITCH,
    "fine_tuning": _SWITCH,
    "mirror_tta": _SWITCH,
    "dataset_dir": [*_PATH, "nowhere"],
    "output_dir": [*_PATH, "x" * 300],
    "cache_dir": [*_PATH, "x" * 300],
    "model_dir": _PATH,
    "architecture_path": [*_PATH, "nowhere.json", "."],
    "checkpoint_path": ["5", "[]", "nowhere.pt", ".", "{'a':1}"],
    "supernet_path": [],
    "bundle_root": ["5", "[]"],
    "modality": [],
    "max_epoch": ["1"],  # misspelt
    "Batch_size": ["1"],
}
# A value that is not refused runs to its end soon.
TINY = {"max_epochs": "2", "iterations_per_epoch": "1", "batch_size": "1", "device": "cpu"}
# These are nobody's option: each workflow refuses them by name.
UNKNOWN = ("max_epoch", "Batch_size")
# Options that a line may call by what they name.
CALLED = {
    "split_file": "split file",
    "architecture_path": "architecture file",
    "checkpoint_path": "checkpoint",
    "in_channels": "channel(s)",
    "bundle_root": "an expression in a config",
}
EXPRESSIONS = ["@nothing", "$1+", "$unknown_name", "$1/0", "@nothing#more"]


def wrong_options() -> list[tuple[str, str, str]]:
    """Workflow, option and wrong value: each value in one workflow, and each option in all that have it.

    With ADW_WRONG_INPUTS=all each value is tried in each workflow.
    """
    configs = {flow: json.loads((BUNDLE / "configs" / f"{name}.json").read_text()) for flow, name in WORKFLOWS.items()}
    everything = os.environ.get("ADW_WRONG_INPUTS") == "all"
    rows = []
    for name, values in WRONG.items():
        flows = [flow for flow, keys in configs.items() if name in keys or name in UNKNOWN]
        for place, flow in enumerate(flows):
            chosen = values if everything else values[place :: len(flows)] or values[:1]
            rows += [(flow, name, value) for value in chosen]
    return rows + [(flow, "patch_size", value) for flow in WORKFLOWS for value in EXPRESSIONS]


def snapshot(folder: Path) -> dict[str, tuple[int, int] | None]:
    """Every folder, and every file with its size and time, but for what a check may remember."""
    paths = (path for path in folder.rglob("*") if "cache" not in path.relative_to(folder).parts)
    return {str(path): None if path.is_dir() else (path.lstat().st_size, path.lstat().st_mtime_ns) for path in paths}


def require_one_line(ended: Ended) -> str:
    """The line for the user, if the command ended with it, and with nothing else for the user."""
    assert ended.status == 1, f"status {ended.status}: {ended.text[-2000:]}"
    assert "Traceback" not in ended.text, ended.text[-3000:]
    assert len(ended.errors) == 1, ended.text[-2000:]
    assert ended.text.rstrip().splitlines()[-1] == ended.errors[0], ended.text[-2000:]
    return ended.errors[0]


@pytest.mark.parametrize(("workflow", "name", "value"), wrong_options())
def test_a_wrong_value_is_one_line_and_nothing_is_written(
    workflow: str, name: str, value: str, place: Path, run_module: Callable[..., Ended]
) -> None:
    options = {
        "config_file": str(BUNDLE / "configs" / f"{WORKFLOWS[workflow]}.json"),
        "bundle_root": str(BUNDLE),
        "dataset_dir": str(place / "data" / ("imagesTr" if workflow == "infer" else "")),
        "output_dir": str(place / "out"),
        "cache_dir": str(place / "cache"),
        "num_workers": "0",
        **(TINY if workflow in ("search", "train") else {}),
        **({"warmup_epochs": "1", "base_widths": "[2,3]"} if workflow == "search" else {}),
        name: value,
    }
    if workflow == "infer":
        del options["cache_dir"]
    before = snapshot(place)
    ended = run_module(
        "monai.bundle", "run", workflow, *(f"--{key}={item}" for key, item in options.items()), folder=place
    )
    line = require_one_line(ended)
    assert name in line or CALLED.get(name, name) in line or value in EXPRESSIONS, line
    assert snapshot(place) == before
