"""What every part of a campaign needs: its scale, cases and folder, and the workflows with their common options."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from helpers.workflows import run_workflow

from adw_components.plan import Plan
from adw_components.search_space import SearchSpace

from .cases import Cases
from .contenders import Setting
from .scale import Scale

BUNDLE = Path(__file__).parents[2] / "bundles" / "hippocampus_mri_adwunet_segmentation"


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """The experiment in one folder.

    Attributes:
        scale: budget of every part.
        cases: that it may see.
        folder: of all results.
        threads: of the CPU, for each job; all if None.
        nnunet_python: interpreter of an environment with nnunetv2; None leaves the outside check out.
    """

    scale: Scale
    cases: Cases
    folder: Path
    threads: int | None = None
    nnunet_python: Path | None = None

    @cached_property
    def setting(self) -> Setting:
        """The search space, and what costs depend on."""
        plan = Plan.load(BUNDLE / "configs" / "plan.json")
        return Setting(
            space=SearchSpace(strides=plan.strides, kernel_sizes=plan.kernel_sizes, base_widths=self.scale.base_widths),
            default_width=self.scale.default_width,
            in_channels=plan.in_channels,
            out_channels=plan.out_channels,
            patch_size=self.scale.patch_size,
        )

    def train(self, workflow: str, folder: Path, **options: Any) -> None:
        """Search or retrain in a folder, or go on there."""
        scale = self.scale
        common = {
            "batch_size": scale.batch_size,
            "patch_size": list(scale.patch_size),
            "mirror_axes": list(scale.mirror_axes),
            "learning_rate": scale.learning_rate,
            "momentum": scale.momentum,
            "resume": "true",
        }
        self._run(workflow, folder, **{**common, **options})

    def evaluate(self, folder: Path, *, model_dir: Path, fold: int, **options: Any) -> None:
        """Evaluate the last weights of a retraining on the whole validation cases of a fold."""
        last = {"checkpoint_path": model_dir / "model_last.pt"}
        self._run("evaluate", folder, model_dir=model_dir, fold=fold, **{**last, **options})

    def _run(self, workflow: str, folder: Path, **options: Any) -> None:
        """Run a workflow of the bundle; its log lies beside its results."""
        common = {
            "dataset_dir": self.cases.dataset_dir,
            "split_file": self.cases.split_file,
            "cache_dir": self.folder / "cache",
            "device": self.scale.device,
            "num_workers": self.scale.num_workers,
            "output_dir": folder,
        }
        log = folder / f"{workflow}.log"
        run_workflow(workflow, bundle=BUNDLE, log=log, options={**common, **options}, threads=self.threads)
