"""Folders of runs as a search, a retraining and an evaluation write them, with numbers that tests know."""

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from adw_components.architecture import Architecture
from adw_components.cost import count_flops, count_parameters
from adw_components.search_space import SearchSpace

SPACE = SearchSpace(
    strides=((1, 1, 1), (2, 2, 1)), kernel_sizes=((3, 3, 1), (3, 3, 3)), base_widths=(4, 6), depths=(1, 2)
)
NETWORK: dict[str, Any] = {"in_channels": 1, "out_channels": 3, "patch_size": (16, 16, 8)}
DASH = "\N{EN DASH}"
LABELS = {"1": "Anterior", "2": "Posterior"}
DERIVED = SPACE.sample(seed=4)


def cost(architecture: Architecture) -> tuple[int, int]:
    """Parameters and FLOPs."""
    channels = {name: NETWORK[name] for name in ("in_channels", "out_channels")}
    return count_parameters(architecture, **channels), count_flops(architecture, **NETWORK)


def validation(mean: float | None) -> dict[str, Any]:
    """The field of a row."""
    return {"mean_dice": mean, "dice": {"Anterior": mean, "Posterior": None}}


def search_row(epoch: int, *, warm_up: bool, space: SearchSpace = SPACE) -> dict[str, Any]:
    """A row of search.jsonl as versions before targets wrote it: all fields that are read without a default."""
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
    """A row of train.jsonl."""
    found = validation(0.7) if epoch % 2 == 0 else None
    return {"epoch": epoch, "loss": 1.0 / epoch, "learning_rate": 0.01, "validation": found, "seconds": 900.0}


def write_run(folder: Path, kind: str, rows: list[dict[str, Any]], *, ended: bool = True, **settings: Any) -> None:
    """The folder of a search or a retraining."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {"kind": kind, "dataset": "Task04_Hippocampus", "labels": LABELS, "max_epochs": len(rows), **NETWORK}
    if kind == "search":
        values["search_space"] = space_settings(SPACE)
    (folder / "settings.json").write_text(json.dumps(values | settings))
    (folder / f"{kind}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if ended:
        DERIVED.save(folder / "architecture.json")


def space_settings(space: SearchSpace) -> dict[str, Any]:
    """The search space as settings.json has it."""
    return {name: value for name, value in space.to_dict().items() if name != "format_version"}


def write_image(path: Path, array: np.ndarray, affine: np.ndarray | None = None) -> None:
    """A NIfTI file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(array, np.diag([1.0, 1.0, 2.0, 1.0]) if affine is None else affine), path)


def write_evaluation(folder: Path, scores: list[float | None]) -> None:
    """The folder of an evaluation, with a case a score."""
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
    """A search, a retraining and an evaluation."""
    write_run(root / "search", "search", [search_row(epoch, warm_up=epoch < 3) for epoch in range(1, 6)])
    write_run(root / "train", "train", [train_row(epoch) for epoch in range(1, 5)])
    write_evaluation(root / "runs" / "evaluation", list(scores))
    return root
