"""Which search finds the better network for its time? Same data, seeds and budget for every variant; one table.

    python scripts/compare_searches.py --dataset_dir /data/Task04_Hippocampus --output_dir runs/compare

Every part is a command of `monai.bundle`, as a user types it: a search, the retraining of what it derived from scratch
and from the supernet's weights (`--inherit true`), the evaluation. What is there already is kept: stopped, the same
command goes on. `comparison.json` and `comparison.md` are written anew after every part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import fire
from benchmarks.comparison import Run, summary, table
from helpers.workflows import run_workflow
from tqdm import tqdm

from adw_components.data.dataset import read_dataset
from adw_components.errors import UserError, exit_with
from adw_components.files import read_json, write_json, write_text

BUNDLE = Path(__file__).parents[1] / "bundles" / "hippocampus_mri_adwunet_segmentation"
VARIANTS: dict[str, dict[str, str]] = {
    "sequential": {"step_order": "sequential", "weight_step": "mixture", "mask_placement": "after_norm"},
    "before_norm": {"step_order": "sequential", "weight_step": "mixture", "mask_placement": "before_norm"},
    "simultaneous": {"step_order": "simultaneous", "weight_step": "mixture", "mask_placement": "after_norm"},
    "single_path": {"step_order": "simultaneous", "weight_step": "single_path", "mask_placement": "after_norm"},
}

# Those whose weights a retraining may start from: the two ways to train them, at the same order of steps.
INHERITED = ("simultaneous", "single_path")


def command(workflow: str, log: Path, **options: Any) -> None:
    """Run a workflow of the bundle with the settings for a CPU; its output goes to a log."""
    overlays = () if workflow == "evaluate" else ("quick",)
    run_workflow(workflow, bundle=BUNDLE, log=log, options=options, overlays=overlays)


class Comparison:
    """The runs of a comparison in one folder.

    Args:
        dataset_dir: MSD folder of the hippocampus task.
        output_dir: folder of all runs.
        variants: names of `VARIANTS`.
        seeds: number of seeds, from 0.
        search: options of every search.
        train: options of every retraining.
    """

    def __init__(
        self,
        *,
        dataset_dir: Path,
        output_dir: Path,
        variants: Sequence[str],
        seeds: int,
        search: dict[str, Any],
        train: dict[str, Any],
    ) -> None:
        self.folder = output_dir
        self.data = {"dataset_dir": dataset_dir, "cache_dir": output_dir / "cache", "fold": 0}
        self.search_options, self.train_options = search, train
        self.runs = [
            Run(output_dir / variant / f"seed_{seed}", variant, seed) for seed in range(seeds) for variant in variants
        ]

    def parts(self) -> Iterator[tuple[str, Run]]:
        """What is to be done, seed after seed, so that an early end has all variants; inherited weights come last."""
        for run in self.runs:
            yield from ((part, run) for part in ("search", "train"))
        yield from (("inherit", run) for run in self.runs if run.variant in INHERITED)

    def do(self, part: str, run: Run) -> None:
        """One part, unless it is done."""
        folder = run.folder / part
        done = folder / "done"
        if done.exists():
            return
        options = {**self.data, "output_dir": folder, "seed": run.seed, "resume": "true"}
        if part == "search":
            command("search", run.folder / "search.log", **options, **self.search_options, **VARIANTS[run.variant])
        else:
            architecture = run.folder / "search" / "architecture.json"
            options |= {"architecture_path": architecture, "inherit": str(part == "inherit").lower()}
            command("train", run.folder / f"{part}.log", **options, **self.train_options)
            self._evaluate(folder, run.folder / f"{part}.log")
        write_text(done, "")

    def _evaluate(self, folder: Path, log: Path) -> None:
        options = {**self.data, "model_dir": folder, "output_dir": folder / "evaluation", "num_workers": 0}
        command("evaluate", log, **options, checkpoint_path=folder / "model_last.pt", device="cpu")

    def require_same(self) -> None:
        """Raise a `UserError` if the folder holds a comparison with other options: what is done is not done again."""
        path = self.folder / "comparison.json"
        before = read_json(path, "comparison")["settings"] if path.exists() else self.settings
        for part, options in self.settings.items():
            changed = [name for name, value in options.items() if before[part].get(name) != value]
            if changed:
                name = changed[0]
                raise UserError(
                    f"{self.folder} holds a comparison with {name} {before[part].get(name)}, not {options[name]}; "
                    "go on with its options, or choose another --output_dir"
                )

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """Options of all searches and of all retrainings."""
        return {"search": self.search_options, "train": self.train_options}

    def report(self) -> str:
        """Write and give the table of what is done so far."""
        rows, settings = summary(self.runs), self.settings
        write_json(self.folder / "comparison.json", {"settings": settings, "variants": VARIANTS, "rows": rows})
        text = table(rows)
        write_text(self.folder / "comparison.md", text)
        return text


def main(
    dataset_dir: str,
    output_dir: str = "runs/compare",
    variants: Sequence[str] = tuple(VARIANTS),
    seeds: int = 3,
    base_widths: Sequence[int] = (4, 6, 8, 10, 12),
    patch_size: Sequence[int] = (24, 32, 24),
    batch_size: int = 2,
    warmup_epochs: int = 6,
    search_epochs: int = 12,
    iterations_per_epoch: int = 20,
    train_epochs: int = 20,
    train_iterations_per_epoch: int = 50,
    target_flops_ratio: float = 0.05,
) -> str:
    """Run what is missing, and give the table."""
    variants = (variants,) if isinstance(variants, str) else tuple(variants)
    unknown = sorted(set(variants) - set(VARIANTS))
    if unknown:
        raise UserError(f"variants must be of {', '.join(VARIANTS)}, got {', '.join(unknown)}")
    if not isinstance(target_flops_ratio, int | float) or not target_flops_ratio > 0:
        raise UserError(f"target_flops_ratio must be a number above 0, got {target_flops_ratio!r}")
    read_dataset(dataset_dir)
    common = {"patch_size": list(patch_size), "batch_size": batch_size}
    search = {
        **common,
        "base_widths": list(base_widths),
        "max_epochs": warmup_epochs + search_epochs,
        "warmup_epochs": warmup_epochs,
        "iterations_per_epoch": iterations_per_epoch,
        "val_interval": warmup_epochs + search_epochs,
        "target_flops_ratio": target_flops_ratio,
        # tau falls from 5 to 0.05, as in 150 epochs of the paper's schedule.
        "temperature_rate": round(0.01 ** (1 / max(1, search_epochs - 1)), 6),
    }
    train = {
        **common,
        "max_epochs": train_epochs,
        "iterations_per_epoch": train_iterations_per_epoch,
        "val_interval": max(1, train_epochs // 5),
    }
    comparison = Comparison(
        dataset_dir=Path(dataset_dir).resolve(),
        output_dir=Path(output_dir).resolve(),
        variants=variants,
        seeds=seeds,
        search=search,
        train=train,
    )
    comparison.require_same()
    for part, run in tqdm(list(comparison.parts()), desc="comparison"):
        comparison.do(part, run)
        comparison.report()
    return comparison.report()


if __name__ == "__main__":
    try:
        fire.Fire(main)
    except UserError as mistake:
        exit_with(mistake)
