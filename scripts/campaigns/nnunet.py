"""The outside check: the default network trained by nnU-Net v2 itself, for as many iterations."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch

from adw_components.architecture import Architecture
from adw_components.data.dataset import MSDDataset, read_dataset
from adw_components.errors import UserError
from adw_components.evaluation.case_metrics import case_metrics
from adw_components.files import read_json, write_json

from .campaign import Campaign
from .cases import DEVELOPMENT_FOLD
from .jobs import Job

NETWORK = "nnU-Net v2"
_DATASET = "Dataset004_Hippocampus"
_RUNNER = Path(__file__).with_name("nnunet_runner.py")


def check_jobs(campaign: Campaign) -> list[Job]:
    """nnU-Net's own training of the default network on the fold of development; none without its interpreter."""
    python = campaign.nnunet_python
    return [] if python is None else [Job(check_folder(campaign), lambda folder: _check(campaign, python, folder))]


def _check(campaign: Campaign, python: Path, folder: Path) -> None:
    dataset = read_dataset(campaign.cases.dataset_dir)
    write_raw(dataset, folder / "raw" / _DATASET)
    settings = _settings(campaign)
    write_json(folder / "settings.json", settings)
    _run(python, folder)
    (predictions,) = (folder / "results").glob(f"{_DATASET}/*/fold_{settings['fold']}/validation")
    write_cases(predictions, dataset, folder / "evaluation")


def check_folder(campaign: Campaign) -> Path:
    """Of nnU-Net's files, and of `evaluation/cases.json`."""
    return campaign.folder / "nnunet" / f"fold_{DEVELOPMENT_FOLD}"


def write_raw(dataset: MSDDataset, folder: Path) -> None:
    """An MSD dataset of one channel as nnU-Net wants it: links, and its own dataset.json."""
    for case in dataset.training:
        for part, file, name in (
            ("imagesTr", case.image, f"{case.id}_0000.nii.gz"),
            ("labelsTr", case.label, f"{case.id}.nii.gz"),
        ):
            link = folder / part / name
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.exists():
                link.symlink_to(file.resolve())
    labels = {name: value for value, name in dataset.labels.items()}
    values = {
        "channel_names": dict(enumerate(dataset.modality)),
        "labels": {"background": 0, **{name: value for name, value in labels.items() if value}},
        "numTraining": len(dataset.training),
        "file_ending": ".nii.gz",
    }
    write_json(folder / "dataset.json", values)


def _settings(campaign: Campaign) -> dict[str, Any]:
    scale = campaign.scale
    folds = read_json(campaign.cases.split_file, "folds")
    return {
        "dataset": _DATASET,
        "folds": [{"train": fold["training"], "val": fold["validation"]} for fold in folds.values()],
        "fold": list(folds).index(str(DEVELOPMENT_FOLD)),
        "plan": {
            "batch_size": scale.batch_size,
            "patch_size": list(scale.patch_size[::-1]),
            "arch_kwargs": network_arguments(campaign.setting.default()),
        },
        "mirror_axes": [len(scale.patch_size) - 1 - axis for axis in scale.mirror_axes],
        "learning_rate": scale.learning_rate,
        "momentum": scale.momentum,
        "epochs": scale.train_epochs,
        "iterations": scale.train_iterations,
        "device": scale.device,
        "threads": campaign.threads,
    }


def network_arguments(architecture: Architecture) -> dict[str, Any]:
    """A network of one width a stage in the terms of nnU-Net's plans, axes z, y, x."""
    return {
        "n_stages": len(architecture.encoder_widths),
        "features_per_stage": [block[0] for block in architecture.encoder_widths],
        "n_conv_per_stage": [len(block) for block in architecture.encoder_widths],
        "n_conv_per_stage_decoder": [len(block) for block in architecture.decoder_widths],
        "strides": [list(row[::-1]) for row in architecture.strides],
        "kernel_sizes": [list(row[::-1]) for row in architecture.kernel_sizes],
    }


def _run(python: Path, folder: Path) -> None:
    places = {f"nnUNet_{part}": str(folder / part) for part in ("raw", "preprocessed", "results")}
    log = folder / "nnunet.log"
    with log.open("a") as output:
        done = subprocess.run(
            [str(python), str(_RUNNER), str(folder / "settings.json")],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **places, "nnUNet_n_proc_DA": "1", "nnUNet_def_n_proc": "1", "nnUNet_compile": "false"},
        )
    if done.returncode:
        last = log.read_text(errors="replace").rstrip().rsplit("\n", 1)[-1]
        raise UserError(f"nnU-Net ended with status {done.returncode}: {last} ({log} has all of it)")


def write_cases(predictions: Path, dataset: MSDDataset, folder: Path) -> None:
    """Measure a folder of label maps as evaluate.json measures its own, and write `cases.json`."""
    labels = {str(value): name for value, name in dataset.labels.items() if value}
    known = {case.id: case for case in dataset.training}
    rows = []
    for path in sorted(predictions.glob("*.nii.gz")):
        case = known[path.name.removesuffix(".nii.gz")]
        predicted, true = (nib.load(file) for file in (path, case.label))
        files = {"image": str(case.image), "label": str(case.label), "prediction": str(path)}
        spacing = [float(size) for size in true.header.get_zooms()]
        maps = [torch.from_numpy(np.asarray(volume.dataobj).astype(np.uint8))[None] for volume in (predicted, true)]
        rows.append(case_metrics(*maps, spacing=spacing, labels=labels, case=case.id, files=files).to_dict())
    write_json(folder / "cases.json", {"labels": labels, "cases": rows})
