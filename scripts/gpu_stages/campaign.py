"""A search at full widths; the derived network, nnU-Net's default and a uniform one, retrained and compared."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import torch
from benchmarks.search_sizes import Sizes
from benchmarks.search_steps import SearchIteration, random_batch
from benchmarks.timing import alternate
from campaigns.campaign import Campaign
from campaigns.cases import DEVELOPMENT_FOLD, prepare_cases
from campaigns.jobs import Job, run_all
from campaigns.measured import cases_of, dice_of_cases, dice_of_runs, training_minutes
from campaigns.retrainings import Retraining, retrainings, train_folder, train_jobs
from campaigns.scale import SCALES, Scale
from campaigns.searches import DEFAULT, DERIVED, network_path, search_folder, search_jobs, write_networks

from adw_components.architecture import Architecture
from adw_components.cost import count_parameters
from adw_components.files import read_json, read_json_lines, write_text

from .benchmarks import dataset_of
from .processes import in_child
from .stage import Place, Stage

# The default first: its checkpoint is too large to come back, so that it has to end where it began.
NETWORKS = (DEFAULT, DERIVED, "uniform_2")
# The search of the campaign, and what it may take.
_SEARCH_SECONDS = 110.0
_SEARCH, _SCALE = "search", "length of the search"
# Seconds below which no retraining begins.
_LEAST = 30.0


def campaign(stage: Stage) -> None:
    """Search on the development fold, to half of the default's FLOPs, and retrain three networks."""
    place = stage.place
    stage.run(_SCALE, partial(in_child, _search_iterations, place))
    if not stage.has(_SCALE):
        return
    folder = place.work / "campaign"
    experiment = Campaign(
        scale=_scale(place, stage.result(_SCALE)["iterations_per_epoch"]),
        cases=prepare_cases(dataset_of(place), folder),
        folder=folder,
        threads=1 if place.toy else None,
    )
    found = search_folder(experiment, DERIVED)
    if stage.has(_SEARCH) and not (found / "done").exists():
        Architecture.from_dict(stage.result(_SEARCH)["architecture"]).save(found / "architecture.json")
        write_text(found / "done", "")
    (search,) = [job for job in search_jobs(experiment) if job.folder == found]
    stage.run(_SEARCH, partial(_searched, experiment, search))
    if stage.has(_SEARCH):
        write_networks(experiment)
        _retrain(stage, experiment)


def unfinished(place: Place) -> list[Any]:
    """Folders of retrainings that were cut, so that they may go on elsewhere."""
    found = (place.work / "campaign" / "train").glob("*/*/checkpoint.pt")
    return sorted(path.parent for path in found if not (path.parent / "done").exists())


def _scale(place: Place, search_iterations: int) -> Scale:
    alone = {"n_random": 0, "n_seeds": 1, "confirming_folds": (), "search_iterations": search_iterations}
    if place.toy:
        return replace(SCALES["toy"], **alone)
    return replace(SCALES["gpu"], **alone, num_workers=5)


def _search_iterations(place: Place) -> dict[str, Any]:
    """How many iterations an epoch of the search may have, from the time of one."""
    scale = SCALES["toy" if place.toy else "gpu"]
    if place.toy:
        return {"iterations_per_epoch": scale.search_iterations}
    space, device = Sizes(base_widths=scale.base_widths).search_space, place.device
    batches = [random_batch(scale.patch_size, scale.batch_size, device=device, seed=seed) for seed in (0, 1)]
    autocast = partial(torch.autocast, device.type, dtype=torch.float16)
    step = SearchIteration(space, *batches, name="simultaneous", autocast=autocast)
    seconds = alternate({"search": step}, repeats=5, device=device, warm_ups=3)["search"]
    epochs = scale.warmup_epochs + scale.search_epochs
    return {
        "seconds_per_iteration": seconds,
        "iterations_per_epoch": min(scale.search_iterations, max(4, int(_SEARCH_SECONDS / epochs / seconds))),
    }


def _searched(experiment: Campaign, job: Job) -> dict[str, Any]:
    run_all([job], title=_SEARCH, at_a_time=1, after_each=lambda: None)
    rows = read_json_lines(job.folder / "search.jsonl")
    derived, setting = Architecture.load(job.folder / "architecture.json"), experiment.setting
    kept = ("epoch", "phase", "tau", "entropy", "weight_loss", "seconds", "data_wait", "validation")
    return {
        "architecture": derived.to_dict(),
        "flops_over_default": setting.flops(derived) / setting.flops(setting.default()),
        "minutes": sum(row["seconds"] for row in rows) / 60,
        "epochs": [{name: row.get(name) for name in kept} for row in rows],
    }


def _retrain(stage: Stage, experiment: Campaign) -> None:
    """Retrain what has no result yet, side by side where the smoke tests found that faster."""
    known = dict(zip(retrainings(experiment), train_jobs(experiment), strict=True))
    left = sorted((run for run in known if run.network in NETWORKS), key=lambda run: NETWORKS.index(run.network))
    jobs = {run: known[run] for run in left if not stage.has(run.network)}
    if not stage.place.toy and stage.seconds_left < _LEAST:
        print(f"campaign: {stage.seconds_left:.0f} s are too few to begin a retraining", flush=True)
        return

    def keep() -> None:
        for run, job in jobs.items():
            if job.done and not stage.has(run.network):
                stage.run(run.network, partial(_retrained, experiment, run))

    at_a_time = len(NETWORKS) if stage.place.faster_together else 1
    print(f"campaign: {len(jobs)} retrainings, {at_a_time} at a time", flush=True)
    run_all(list(jobs.values()), title="retraining", at_a_time=at_a_time, after_each=keep)


def _retrained(experiment: Campaign, run: Retraining) -> dict[str, Any]:
    folder = train_folder(experiment, run)
    network = Architecture.load(network_path(experiment, run.network, DEVELOPMENT_FOLD))
    cases, setting = cases_of(folder / "evaluation", run), experiment.setting
    rows = read_json_lines(folder / "train.jsonl")
    return {
        "mean_dice": float(dice_of_runs(cases).iloc[0]),
        "dice_of_cases": {str(case): round(float(dice), 5) for case, dice in dice_of_cases(cases).items()},
        "flops_over_default": setting.flops(network) / setting.flops(setting.default()),
        "parameters": count_parameters(network, in_channels=setting.in_channels, out_channels=setting.out_channels),
        "iterations": len(rows) * experiment.scale.train_iterations,
        "minutes": training_minutes(folder),
        "waits": [row["data_wait"] for row in rows],
        "amp": read_json(folder / "settings.json", "settings")["amp"],
    }
