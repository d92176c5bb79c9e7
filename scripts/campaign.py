"""Does the search find better networks than a person would pick? One script runs or resumes every part.

    python scripts/campaign.py --dataset_dir /data/Task04_Hippocampus --output_dir runs/campaign --jobs 2 --threads 1
    python scripts/campaign.py --toy

Every part is a command of `monai.bundle`, as a user types it. What is there already is kept: stopped, the same command
goes on. `results.md` is written anew after every job.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import fire
from campaigns.campaign import Campaign
from campaigns.cases import prepare_cases
from campaigns.final import estimate_jobs, final_jobs, install
from campaigns.inference import inference_jobs
from campaigns.jobs import Job, run_all
from campaigns.nnunet import check_jobs
from campaigns.report import write_report
from campaigns.scale import scale_of

from adw_components.errors import UserError, exit_with
from adw_components.files import read_json, write_json
from adw_components.synthesis import synthesize

PARTS: dict[str, Callable[[Campaign], Sequence[Job]]] = {
    "search": lambda campaign: campaign.searches(),
    "train": lambda campaign: campaign.train_jobs(),
    "nnunet": check_jobs,
    "inference": inference_jobs,
    "estimate": estimate_jobs,
    "final": final_jobs,
}


def main(
    dataset_dir: str | None = None,
    output_dir: str = "runs/campaign",
    scale: str = "cpu",
    toy: bool = False,
    parts: Sequence[str] = tuple(PARTS),
    jobs: int = 1,
    threads: int | None = None,
    nnunet_python: str | None = None,
    ship: bool = False,
    **changes: Any,
) -> str:
    """Run what is missing, and give the tables.

    Args:
        dataset_dir: MSD folder of the hippocampus task; the cases of nnU-Net's fold 0 are not looked at.
        output_dir: folder of everything.
        scale: "cpu" or "gpu": widths, batch and iterations.
        toy: all parts in miniature, on generated cases.
        parts: those to run, in this order: search, train, nnunet, inference, estimate, final.
        jobs: how many run at a time.
        threads: of the CPU, for each job; all of them by default.
        nnunet_python: interpreter of an environment with nnunetv2 (requirements-nnunet.txt), for the outside check,
            which is left out without it.
        ship: put the final network into the bundle of this repository; build the bundles then.
        **changes: other values of the scale, such as `--train_epochs 20`.
    """
    parts = (parts,) if isinstance(parts, str) else tuple(parts)
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise UserError(f"parts must be of {', '.join(PARTS)}, got {unknown[0]}")
    folder = Path(output_dir).resolve()
    scale_now = scale_of("toy" if toy else scale, changes)
    require_same_scale(folder, asdict(scale_now))
    if toy and dataset_dir is None:
        dataset_dir = str(toy_dataset(folder))
    if dataset_dir is None:
        raise UserError("dataset_dir is missing; give the folder of Task04_Hippocampus, or --toy for generated data")
    campaign = Campaign(
        scale=scale_now,
        cases=prepare_cases(Path(dataset_dir), folder),
        folder=folder,
        threads=threads,
        nnunet_python=nnunet_python and Path(nnunet_python).absolute(),
    )
    for part in parts:
        if part != "search":
            campaign.write_networks()
        run_all(PARTS[part](campaign), title=part, at_a_time=jobs, after_each=lambda: write_report(campaign))
    if ship:
        install(campaign)
    return write_report(campaign)


def require_same_scale(folder: Path, scale: dict[str, Any]) -> None:
    """Keep the scale with the results; raise a `UserError` if they have another: what is done is not done again."""
    path = folder / "scale.json"
    now = {name: list(value) if isinstance(value, tuple) else value for name, value in scale.items()}
    before = read_json(path, "scale") if path.exists() else now
    changed = [name for name, value in now.items() if before.get(name) != value]
    if changed:
        name = changed[0]
        raise UserError(
            f"{folder} holds a campaign with {name} {before.get(name)}, not {now[name]}; "
            "go on with its options, or choose another --output_dir"
        )
    write_json(path, now)


def toy_dataset(folder: Path) -> Path:
    """Ten small generated cases."""
    made = folder / "generated"
    if not (made / "dataset.json").exists():
        synthesize("Task04_Hippocampus", cases=10, output_dir=made, test_cases=2, size=0.5)
    return made


if __name__ == "__main__":
    try:
        fire.Fire(main)
    except UserError as mistake:
        exit_with(mistake)
