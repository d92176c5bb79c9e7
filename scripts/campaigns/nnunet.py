"""The outside check: the default network trained by nnU-Net v2 itself, for as many iterations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers.logged import run_logged

from adw_components.architecture import Architecture
from adw_components.data.dataset import MSDDataset, read_dataset
from adw_components.errors import UserError
from adw_components.files import read_json, write_json

from .campaign import Campaign
from .cases import DEVELOPMENT_FOLD, link
from .jobs import Job
from .label_maps import write_cases

NETWORK = "nnU-Net v2"
_DATASET = "Dataset004_Hippocampus"
_RUNNER = Path(__file__).with_name("nnunet_runner.py")


def check_jobs(campaign: Campaign) -> list[Job]:
    """nnU-Net's own trainings of the default network on the fold of development; none without its interpreter."""
    python = campaign.nnunet_python
    if python is None:
        return []
    seeds = range(campaign.scale.n_seeds)
    return [Job(check_folder(campaign, seed), _check(campaign, python, seed)) for seed in seeds]


def check_folder(campaign: Campaign, seed: int) -> Path:
    """Of nnU-Net's files, and of `evaluation/cases.json`."""
    return campaign.folder / "nnunet" / f"fold_{DEVELOPMENT_FOLD}_seed_{seed}"


def _check(campaign: Campaign, python: Path, seed: int) -> Callable[[Path], None]:
    def work(folder: Path) -> None:
        dataset, settings = read_dataset(campaign.cases.dataset_dir), runner_settings(campaign, seed)
        write_raw(dataset, folder / "raw" / _DATASET)
        write_json(folder / "settings.json", settings)
        places = {f"nnUNet_{part}": str(folder / part) for part in ("raw", "preprocessed", "results")}
        environment = {**places, "nnUNet_n_proc_DA": "1", "nnUNet_def_n_proc": "1", "nnUNet_compile": "false"}
        command = [python, _RUNNER, folder / "settings.json"]
        run_logged(command, name="nnU-Net", log=folder / "nnunet.log", environment=environment)
        (predictions,) = (folder / "results").glob(f"{_DATASET}/*/fold_{settings['fold']}/validation")
        write_cases(predictions, dataset, folder / "evaluation")

    return work


def write_raw(dataset: MSDDataset, folder: Path) -> None:
    """An MSD dataset of one channel as nnU-Net wants it: links, and its own dataset.json.

    Raises:
        UserError: its images have several channels, which nnU-Net wants in files of their own.
    """
    if len(dataset.modality) != 1:
        raise UserError(
            f"the outside check takes images of one channel, but {dataset.root} has {len(dataset.modality)}"
        )
    for case in dataset.training:
        link(case.image, folder / "imagesTr" / f"{case.id}_0000.nii.gz")
        link(case.label, folder / "labelsTr" / f"{case.id}.nii.gz")
    foreground = {name: value for value, name in dataset.labels.items() if value}
    values = {
        "channel_names": dict(enumerate(dataset.modality)),
        "labels": {"background": 0, **foreground},
        "numTraining": len(dataset.training),
        "file_ending": ".nii.gz",
    }
    write_json(folder / "dataset.json", values)


def runner_settings(campaign: Campaign, seed: int) -> dict[str, Any]:
    """What nnunet_runner.py reads; axes in nnU-Net's order z, y, x."""
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
        "seed": seed,
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
