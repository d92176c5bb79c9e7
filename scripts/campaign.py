"""Does the search find better networks than a person would pick? One script runs or resumes every part.

    python scripts/campaign.py --dataset_dir /data/Task04_Hippocampus --output_dir runs/campaign --jobs 2 --threads 1
    python scripts/campaign.py --toy

Every part is a command of `monai.bundle`, as a user types it. What is there already is kept: stopped, the same command
goes on. `results.md`, and the Dice of every case behind it, are written anew after every job.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import fire
from campaigns.campaign import Campaign
from campaigns.cases import prepare_cases
from campaigns.final import final_jobs
from campaigns.folder import require_same
from campaigns.inference import inference_jobs
from campaigns.install import install
from campaigns.jobs import Job, run_all
from campaigns.longer import longer_jobs
from campaigns.nnunet import check_jobs
from campaigns.report import write_report
from campaigns.retrainings import train_jobs
from campaigns.scale import scale_of
from campaigns.searches import search_jobs, write_networks

from adw_components.errors import UserError, exit_with
from adw_components.locks import held_folder
from adw_components.synthesis import synthesize

PARTS: dict[str, Callable[[Campaign], Sequence[Job]]] = {
    "search": search_jobs,
    "train": train_jobs,
    "longer": longer_jobs,
    "nnunet": check_jobs,
    "inference": inference_jobs,
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
        parts: those to run: search, train, longer, nnunet, inference, final.
        jobs: how many run at a time.
        threads: of the CPU, for each job; all of them by default.
        nnunet_python: interpreter of an environment with nnunetv2 (scripts/nnunet.sh), for the outside check, which is
            left out without it.
        ship: put the final network into the bundle of this repository; build the bundles then.
        **changes: other values of the scale, such as `--train_epochs 20`.
    """
    wanted = _parts(parts, nnunet_python)
    _require_counts(jobs=jobs, threads=1 if threads is None else threads)
    if toy and ship:
        raise UserError("a toy campaign's network is not worth shipping; leave --ship or --toy out")
    folder, size = Path(output_dir).resolve(), scale_of("toy" if toy else scale, changes)
    if dataset_dir is None and not toy:
        raise UserError("dataset_dir is missing; give the folder of Task04_Hippocampus, or --toy for generated data")
    with held_folder(folder, "output_dir"):
        source = Path(dataset_dir) if dataset_dir is not None else toy_dataset(folder)
        campaign = Campaign(
            scale=size,
            cases=prepare_cases(source, folder),
            folder=folder,
            threads=threads,
            nnunet_python=_interpreter(nnunet_python),
        )
        require_same(folder, size)
        for part in wanted:
            write_networks(campaign)
            run_all(PARTS[part](campaign), title=part, at_a_time=jobs, after_each=lambda: write_report(campaign))
        if ship:
            install(campaign)
        return write_report(campaign)


def _parts(given: Any, nnunet_python: str | None) -> tuple[str, ...]:
    """The parts in their order, whatever order they are given in."""
    wanted = (given,) if isinstance(given, str) else given
    if not isinstance(wanted, list | tuple) or not set(wanted) <= set(PARTS):
        raise UserError(f"parts must be of {', '.join(PARTS)}, got {given!r}")
    if nnunet_python is None and "nnunet" in wanted and tuple(wanted) != tuple(PARTS):
        raise UserError('the part nnunet needs --nnunet_python "$(bash scripts/nnunet.sh)"')
    return tuple(part for part in PARTS if part in wanted)


def _require_counts(**counts: Any) -> None:
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise UserError(f"{name} must be a whole number from 1 on, got {count!r}")


def _interpreter(given: str | None) -> Path | None:
    """Its links are not followed: an environment's interpreter is a link."""
    if given is None:
        return None
    path = Path(str(given)).absolute()
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise UserError(f"nnunet_python must be a Python interpreter, got {given!r}; scripts/nnunet.sh prints one")
    return path


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
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command goes on")
