"""One training by nnU-Net v2 itself; run by an interpreter that has nnunetv2, not by the one of this project.

    nnUNet_raw=... nnUNet_preprocessed=... nnUNet_results=... python nnunet_runner.py settings.json

The settings: `dataset` (name of the raw dataset, such as Dataset004_Hippocampus), `folds` (a list of training and
validation cases, as nnU-Net's splits_final.json), `fold` (its index), `plan` (what replaces nnU-Net's own choice of
`batch_size`, `patch_size` and the network's `arch_kwargs`), `mirror_axes`, all counted in z, y, x, `learning_rate`,
`momentum`, `epochs`, `iterations`, `seed`, `device`, `threads`.
"""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments, preprocess
from nnunetv2.paths import nnUNet_preprocessed
from nnunetv2.run.run_training import maybe_load_checkpoint
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

CONFIGURATION = "3d_fullres"


class CampaignTrainer(nnUNetTrainer):
    """nnU-Net's trainer with another length, other axes to mirror, another momentum, and a checkpoint every epoch."""

    campaign: dict[str, Any]

    def set_campaign(self, settings: dict[str, Any]) -> None:
        """Train as the campaign does; one batch an epoch validates, as the folder of predictions counts."""
        self.campaign = settings
        self.num_epochs, self.num_iterations_per_epoch = settings["epochs"], settings["iterations"]
        self.num_val_iterations_per_epoch = self.save_every = 1
        self.initial_lr = settings["learning_rate"]

    def save_checkpoint(self, filename: str) -> None:
        """Whole or not at all, so that a stop leaves what the next start reads."""
        partial = filename + ".partial"
        super().save_checkpoint(partial)
        if Path(partial).exists():
            Path(partial).replace(filename)

    def configure_optimizers(self) -> Any:
        """nnU-Net's own, but for the momentum."""
        optimizer, schedule = super().configure_optimizers()
        for group in optimizer.param_groups:
            group["momentum"] = self.campaign["momentum"]
        return optimizer, schedule

    def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self) -> Any:  # noqa: N802
        """nnU-Net's own choices, but for the axes."""
        rotation, flat, patch_size, _ = super().configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        self.inference_allowed_mirroring_axes = tuple(self.campaign["mirror_axes"])
        return rotation, flat, patch_size, self.inference_allowed_mirroring_axes


def planned(settings: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """nnU-Net's plan of the dataset with the campaign's batch, patch and network; the data are prepared once."""
    name = settings["dataset"]
    folder = Path(str(nnUNet_preprocessed)) / name
    plan_path = folder / "nnUNetPlans.json"
    if not (folder / "prepared").exists():
        number = int(name[len("Dataset") :].split("_")[0])
        extract_fingerprints([number], num_processes=1)
        plan_experiments([number])
        preprocess([number], configurations=(CONFIGURATION,), num_processes=[1])
        (folder / "prepared").touch()
    plans = json.loads(plan_path.read_text())
    configuration = plans["configurations"][CONFIGURATION]
    configuration |= {key: settings["plan"][key] for key in ("batch_size", "patch_size")}
    configuration["architecture"]["arch_kwargs"] |= settings["plan"]["arch_kwargs"]
    plans["plans_name"] = "nnUNetPlansCampaign"
    (folder / "splits_final.json").write_text(json.dumps(settings["folds"]))
    return plans, json.loads((folder / "dataset.json").read_text())


def main(settings: dict[str, Any]) -> None:
    """Prepare what is not prepared, train or go on, and predict the validation cases without mirroring."""
    random.seed(settings["seed"])
    np.random.seed(settings["seed"])
    torch.manual_seed(settings["seed"])
    torch.set_num_threads(settings["threads"] or torch.get_num_threads())
    plans, dataset = planned(settings)
    # The planner asks for at least one process; training with none needs no memory shared between processes.
    os.environ.update(nnUNet_n_proc_DA="0")
    device = torch.device(settings["device"])
    trainer = CampaignTrainer(
        plans={**plans, "continue_training": True},
        configuration=CONFIGURATION,
        fold=settings["fold"],
        dataset_json=dataset,
        device=device,
    )
    trainer.set_campaign(settings)
    maybe_load_checkpoint(trainer, continue_training=True, validation_only=False)
    if trainer.current_epoch < settings["epochs"]:
        trainer.run_training()
    # As in the evaluation of ours.
    trainer.inference_allowed_mirroring_axes = None
    trainer.perform_actual_validation(False)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
