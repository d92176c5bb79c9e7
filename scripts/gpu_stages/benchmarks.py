"""What the benchmark scripts measure, on the device: costs of networks and searches, switches, waiting for data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from benchmark_memory import measure as measure_memory
from benchmark_networks import ratios_to_baseline
from benchmarks import network_costs
from benchmarks.bundle_configs import parsed_config
from benchmarks.device_augmentation import augment_on_device
from benchmarks.networks import builders, our_architectures
from benchmarks.search_parts import DTYPES, PARTS, switch
from benchmarks.search_sizes import Sizes
from benchmarks.waiting import measured_wait, prepare_run

from adw_components.builder.values import config_values
from adw_components.reference import nnunet_default
from adw_components.synthesis import synthesize
from adw_components.tasks import task

from .processes import choose_start_method, in_child
from .stage import Place, Stage

TASK = "Task04_Hippocampus"
# Above this share of an iteration the augmentation is tried on the device.
WAITING = 0.1
_TOY = Sizes(base_widths=(2, 3), n_stages=2, patch_size=(8, 8, 8), dints_patch_size=(32, 32, 32), repeats=1)
_WORKERS, _TOY_WORKERS = (2, 4, 8, 16), (1,)
_SWITCHES = ("default", "cudnn_benchmark", "float16", "bfloat16", "channels_last", "together")
# They compile for long before they begin.
_COMPILED = ("compiled", "together, compiled")


def benchmarks(stage: Stage) -> None:
    """Measure everything that is not measured yet, what informs a default first and what may take minutes last.

    Each step has a process of its own.
    """
    place = stage.place
    sizes = _TOY if place.toy else Sizes(repeats=3, batch_size=9)
    stage.run("processes", partial(choose_start_method, place.device))
    stage.run("passes", partial(in_child, _part, "passes", sizes, place.device))
    for name in _SWITCHES:
        if name in ("default", *DTYPES[place.device.type]) or name not in DTYPES["cuda"]:
            tries = name in ("cudnn_benchmark", "together")
            stage.run(f"switch {name}", partial(in_child, switch, name, sizes, place.device, cudnn_benchmark=tries))
    _waits(stage)
    stage.run("memory", partial(in_child, _memory, sizes, place.device))
    stage.run("networks", partial(in_child, _networks, place))
    stage.run("iterations", partial(in_child, _part, "iterations", sizes, place.device))
    # DiNTS is compared with at batch 1, as on a CPU.
    stage.run(
        "dints", partial(in_child, _part, "dints", sizes if place.toy else replace(sizes, batch_size=1), place.device)
    )
    for name in () if place.toy else _COMPILED:
        stage.run(f"switch {name}", partial(in_child, switch, name, sizes, place.device))


def _part(name: str, sizes: Sizes, device: torch.device) -> dict[str, Any]:
    torch.manual_seed(0)
    figures, ratios = PARTS[name](sizes, device)
    return {"batch_size": sizes.batch_size, "figures": figures, "ratios": ratios}


def _memory(sizes: Sizes, device: torch.device) -> dict[str, Any]:
    space = sizes.search_space
    return measure_memory(space, patch_size=sizes.patch_size, batch_size=sizes.batch_size, device=str(device))


def _networks(place: Place) -> dict[str, Any]:
    plan = task(TASK).plan
    patch, width = ((16, 16, 16), 2) if place.toy else (plan.patch_size, 32)
    sizes = network_costs.Sizes(
        task=TASK,
        base_width=width,
        patch_size=patch,
        batch_size=1 if place.toy else plan.batch_size,
        volume_size=tuple((1 if place.toy else 2) * length for length in patch),
        sw_batch_size=config_values(plan)["sw_batch_size"],
        repeats=1 if place.toy else 3,
        amp=place.device.type == "cuda",
    )
    ours = our_architectures(TASK, plan, base_width=width, patch_size=patch, derived=[])
    made, left_out = builders(plan, ours, base_width=width, patch_size=patch)
    figures = network_costs.measure(made, plan, sizes, place.device)
    return {"figures": figures, "ratios": ratios_to_baseline(figures), "left_out": left_out}


def _waits(stage: Stage) -> None:
    """How long a retraining and a search wait for their batches, by number of workers."""
    place = stage.place
    for workers in _TOY_WORKERS if place.toy else _WORKERS:
        stage.run(f"retraining, {workers} workers", partial(_waiting, place, "train", workers))
    for workers in _TOY_WORKERS if place.toy else (4, 16):
        stage.run(f"search, {workers} workers", partial(_waiting, place, "search", workers))
    most = max(_TOY_WORKERS if place.toy else _WORKERS)
    slow = f"retraining, {most} workers"
    if stage.has(slow) and (place.toy or stage.result(slow)["waits"] > WAITING):
        name = f"{slow}, augmentation on the device"
        stage.run(name, partial(_waiting, place, "train", most, augment_on_device))


def _waiting(place: Place, *arguments: Any) -> dict[str, Any]:
    """A run in a process of its own, in which cuDNN tries its algorithms, as the configs let it."""
    return in_child(_wait, place, *arguments, cudnn_benchmark=True)


def _wait(
    place: Place, workflow: str, workers: int, change: Callable[[Any, torch.device], None] | None = None
) -> dict[str, Any]:
    """A short run of a config of the bundle, with default settings."""
    architecture = place.work / "default.json"
    plan, width = task(TASK).plan, 2 if place.toy else 32
    nnunet_default(strides=plan.strides, kernel_sizes=plan.kernel_sizes, base_width=width).save(architecture)
    own = {"train": {"architecture_path": str(architecture)}, "search": {"base_widths": [2, 3]} if place.toy else {}}
    toy: Mapping[str, Any] = {"patch_size": [16, 16, 16], "batch_size": 2} if place.toy else {}
    folders = {name: str(place.work / name) for name in ("output_dir", "cache_dir")}
    parser = parsed_config(
        workflow,
        TASK,
        **{"dataset_dir": str(dataset_of(place)), "device": place.device, "num_workers": workers, **folders},
        **{"iterations_per_epoch": 3 if place.toy else 40, **own[workflow], **toy},
    )
    prepare_run(parser)
    if change is not None:
        change(parser, place.device)
    found = measured_wait(parser)
    speed = 1 / found.step_seconds
    batch = parser.get_parsed_content("batch_size")
    return {
        "iterations_per_second_of_ready_batches": speed,
        "patches_per_second_of_ready_batches": speed * batch * found.loaders,
        "waits": found.share,
        "waits_after_first_batch": found.share_after_first,
        "iterations_per_second": speed * (1 - found.share_after_first),
        "batch_size": batch,
        "workers": workers,
    }


def dataset_of(place: Place) -> Path:
    """The real cases, or generated ones."""
    if place.dataset_dir is not None:
        return place.dataset_dir
    folder = place.work / TASK
    if not (folder / "dataset.json").exists():
        synthesize(TASK, cases=10, output_dir=folder, test_cases=2, size=0.5 if place.toy else None)
    return folder
