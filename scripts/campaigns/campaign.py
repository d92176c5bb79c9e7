"""What is searched and retrained, and where each result lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.bundle_runs import run_workflow

from adw_components.architecture import Architecture
from adw_components.plan import Plan
from adw_components.search_space import SearchSpace

from .cases import DEVELOPMENT_FOLD, Cases
from .contenders import Setting, contenders
from .jobs import Job
from .scale import Scale

BUNDLE = Path(__file__).parents[2] / "bundles" / "hippocampus_mri_adwunet_segmentation"
DERIVED, DEFAULT = "derived", "default"
SEARCHES = (DERIVED, "derived_free", "depth_only", "width_only")
FINALISTS = (DERIVED, DEFAULT, "uniform_2")


@dataclass(frozen=True, kw_only=True)
class Retraining:
    """One network trained on one fold from one seed."""

    network: str
    fold: int
    seed: int

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"fold_{self.fold}_seed_{self.seed}"


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

    @property
    def common_options(self) -> dict[str, Any]:
        """Options of every workflow."""
        return {
            "dataset_dir": self.cases.dataset_dir,
            "split_file": self.cases.split_file,
            "cache_dir": self.folder / "cache",
            "device": self.scale.device,
            "num_workers": self.scale.num_workers,
        }

    @property
    def training_options(self) -> dict[str, Any]:
        """Options of every search and retraining."""
        scale = self.scale
        return {
            **self.common_options,
            "batch_size": scale.batch_size,
            "patch_size": list(scale.patch_size),
            "mirror_axes": list(scale.mirror_axes),
            "learning_rate": scale.learning_rate,
            "momentum": scale.momentum,
            "resume": "true",
        }

    def run(self, workflow: str, folder: Path, **options: Any) -> None:
        """Run a workflow of the bundle; its log lies beside the folder's results."""
        run_workflow(workflow, bundle=BUNDLE, log=folder / f"{workflow}.log", options=options, threads=self.threads)

    def search_folder(self, name: str) -> Path:
        """Of one of `SEARCHES`."""
        return self.folder / "search" / name

    def searches(self) -> list[Job]:
        """The searches: to the target, to none, of depths alone and of widths alone."""
        target = f"{{'flops': {round(self.scale.ratio * self.setting.flops(self.setting.default()))}}}"
        narrow = {"searched": "depth", "base_widths": [self.scale.narrow_width], "target": target}
        variants: dict[str, dict[str, Any]] = {
            DERIVED: {"target": target},
            "derived_free": {},
            "depth_only": narrow,
            "width_only": {"searched": "width", "target": target},
        }
        return [Job(self.search_folder(name), self._search(variants[name])) for name in SEARCHES]

    def _search(self, variant: dict[str, Any]) -> Any:
        scale = self.scale
        epochs = scale.warmup_epochs + scale.search_epochs
        options = {
            **self.training_options,
            "fold": DEVELOPMENT_FOLD,
            "seed": 0,
            "base_widths": list(scale.base_widths),
            "warmup_epochs": scale.warmup_epochs,
            "max_epochs": epochs,
            "iterations_per_epoch": scale.search_iterations,
            "val_interval": max(1, epochs // 2),
            "architecture_learning_rate": scale.architecture_learning_rate,
            "temperature_rate": scale.temperature_rate,
            **variant,
        }
        return lambda folder: self.run("search", folder, output_dir=folder, **options)

    def network_path(self, network: str) -> Path:
        """Of the record of a network."""
        return self.folder / "networks" / f"{network}.json"

    @property
    def networks(self) -> dict[str, Architecture]:
        """Name -> network, of those whose record is written."""
        return {path.stem: Architecture.load(path) for path in sorted((self.folder / "networks").glob("*.json"))}

    def write_networks(self) -> None:
        """Write the record of every network to retrain, as far as the searches that they need are done."""
        paths = {name: self.search_folder(name) / "architecture.json" for name in SEARCHES}
        found = {name: Architecture.load(path) for name, path in paths.items() if path.exists()}
        if DERIVED in found:
            found |= contenders(self.setting, found[DERIVED], n_random=self.scale.n_random)
        for name, architecture in found.items():
            architecture.save(self.network_path(name))

    def retrainings(self) -> Iterator[Retraining]:
        """All networks on the fold of development, the finalists from further seeds and on the other folds."""
        names = sorted(self.networks, key=lambda name: (name not in FINALISTS, name))
        for seed in range(self.scale.n_seeds):
            yield from (
                Retraining(network=name, fold=DEVELOPMENT_FOLD, seed=seed)
                for name in names
                if seed == 0 or name in FINALISTS
            )
        for fold in self.scale.confirming_folds:
            yield from (Retraining(network=name, fold=fold, seed=0) for name in FINALISTS)

    def train_folder(self, retraining: Retraining) -> Path:
        """Of a retraining."""
        return self.folder / "train" / retraining.network / retraining.name

    def train_jobs(self) -> list[Job]:
        """The retrainings, each with its evaluation."""
        return [Job(self.train_folder(each), self._retrain(each)) for each in self.retrainings()]

    def _retrain(self, retraining: Retraining) -> Any:
        def work(folder: Path) -> None:
            self.train(folder, network=self.network_path(retraining.network), **self._budget(retraining))
            self.evaluate(folder / "evaluation", model_dir=folder, fold=retraining.fold)

        return work

    def _budget(self, retraining: Retraining) -> dict[str, Any]:
        epochs = self.scale.train_epochs
        return {
            "fold": retraining.fold,
            "seed": retraining.seed,
            "max_epochs": epochs,
            "val_interval": max(1, epochs // 2),
        }

    def train(self, folder: Path, *, network: Path, **options: Any) -> None:
        """Retrain a network, or go on with it."""
        self.run(
            "train",
            folder,
            output_dir=folder,
            architecture_path=network,
            iterations_per_epoch=self.scale.train_iterations,
            **self.training_options,
            **options,
        )

    def evaluate(self, folder: Path, *, model_dir: Path, fold: int | str, **options: Any) -> None:
        """Evaluate the last weights of a retraining on the whole validation cases of a fold."""
        last = {"checkpoint_path": model_dir / "model_last.pt"}
        options = {**self.common_options, **last, **options}
        self.run("evaluate", folder, output_dir=folder, model_dir=model_dir, fold=fold, **options)
