"""Do the data keep up? How fast the bundles' own loaders are, beside the steps of a search and a retraining.

    python scripts/benchmark_loading.py --task Task04_Hippocampus --dataset_dir /data/Task04_Hippocampus
    python scripts/benchmark_loading.py --task Task09_Spleen --size 512,512,150 --cases 6 --iterations 20

Without `--dataset_dir` the data are generated. Printed are the time of every random transform; patches a second by
number of workers, with prepared cases in memory and in mapped files; and the share of its time that a run waits, as
expected from its step, and as measured in a short run. `--output F.json` keeps it.
How: `benchmarks/loading.py`, `benchmarks/waiting.py`.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from benchmarks.bundle_configs import parsed_config, training_loaders
from benchmarks.command import Parser, found_device, whole_number, whole_numbers
from benchmarks.loading import Flow, flows, transform_milliseconds
from benchmarks.results import Cell, table, write
from benchmarks.waiting import Waiting, expected_wait, measured_wait, prepare_run

from adw_components.data.dataset import read_dataset
from adw_components.errors import UserError, exit_with
from adw_components.record_fields import check_patch_size
from adw_components.reference import nnunet_default
from adw_components.synthesis import synthesize
from adw_components.tasks import task

# Storage of prepared cases -> memory for them, GB.
STORAGES = {"memory": 1000, "mapped": 0}
WORKFLOWS = {"search": "search", "retraining": "train"}

Rows = dict[str, dict[str, Cell]]


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line, or `arguments`."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("--task", default="Task04_Hippocampus", help="MSD task whose bundle is measured")
    parser.add_argument("--dataset_dir", type=Path, help="real data of the task; default: generated ones")
    parser.add_argument("--cases", type=whole_number, default=10, help="to generate")
    parser.add_argument("--size", type=whole_numbers, metavar="X,Y,Z", help="voxels of a generated case")
    parser.add_argument("--num_workers", type=worker_counts, default=default_counts(), metavar="N,N")
    parser.add_argument("--batch_size", type=whole_number, help="default: the plan's")
    parser.add_argument("--patch_size", type=whole_numbers, metavar="X,Y,Z", help="default: the plan's")
    parser.add_argument("--base_widths", type=whole_numbers, default=(16, 24, 32, 40, 48), metavar="N,N", help="search")
    parser.add_argument("--base_width", type=whole_number, default=32, help="of the network that is retrained")
    parser.add_argument("--iterations", type=whole_number, default=50, help="of an epoch")
    parser.add_argument("--patches", type=whole_number, default=50, help="of a repeat of the transforms")
    parser.add_argument("--repeats", type=whole_number, default=3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=whole_number, help="of torch on a CPU")
    parser.add_argument("--output", type=Path, metavar="F.json")
    return parser.parse_args(arguments)


def default_counts() -> tuple[int, ...]:
    """0, 1, 2, 4 ... workers, up to the cores of this machine, and no more than 8."""
    cores = len(os.sched_getaffinity(0))
    return (0, *(count for count in (1, 2, 4, 8) if count <= cores))


def worker_counts(text: str) -> tuple[int, ...]:
    """Numbers of workers, written as "0,1,2"."""
    if not all(part.strip().isdecimal() for part in text.split(",")):
        raise argparse.ArgumentTypeError(f"must be whole numbers from 0 on, such as 0,2,4, got {text!r}")
    return tuple(int(part) for part in text.split(","))


def checked_options(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """What every config is given; data are generated into `folder` where none were named."""
    plan = task(given.task).plan
    patch = plan.patch_size if given.patch_size is None else check_patch_size(given.patch_size, plan.strides)
    if given.iterations < 2:
        raise UserError(
            f"iterations must be at least 2, since the first batch of an epoch counts apart, got {given.iterations}"
        )
    if given.dataset_dir:
        read_dataset(given.dataset_dir)
    data = given.dataset_dir or synthesize(
        given.task,
        cases=given.cases,
        output_dir=folder / given.task,
        test_cases=0,
        size=given.size and list(given.size),
    )
    return {
        "dataset_dir": str(data),
        "output_dir": str(folder / "run"),
        "cache_dir": str(folder / "cache"),
        "patch_size": list(patch),
        "batch_size": given.batch_size or plan.batch_size,
        "iterations_per_epoch": given.iterations,
    }


def measured_flows(given: argparse.Namespace, options: Mapping[str, Any]) -> dict[str, dict[int, Flow]]:
    """Storage -> number of workers -> what the training loader gives; all of them in turn."""
    loaders = {}
    for storage, gigabytes in STORAGES.items():
        parser = parsed_config("search", given.task, **options, cache_gb=gigabytes)
        for count, loader in training_loaders(parser, given.num_workers).items():
            loaders[f"{storage} {count}"] = loader
    found = flows(loaders, repeats=given.repeats)
    return {storage: {n: found[f"{storage} {n}"] for n in given.num_workers} for storage in STORAGES}


def measured_waits(given: argparse.Namespace, options: Mapping[str, Any], device: torch.device) -> dict[str, Waiting]:
    """Workflow -> a short run of it, with the last of the given numbers of workers."""
    plan = task(given.task).plan
    architecture = Path(options["output_dir"]).with_name("architecture.json")
    nnunet_default(strides=plan.strides, kernel_sizes=plan.kernel_sizes, base_width=given.base_width).save(architecture)
    own: dict[str, dict[str, Any]] = {
        "search": {"base_widths": list(given.base_widths)},
        "retraining": {"architecture_path": str(architecture)},
    }
    found = {}
    for workflow, config in WORKFLOWS.items():
        shared = {"device": device, "amp": device.type == "cuda", "num_workers": given.num_workers[-1]}
        parser = parsed_config(config, given.task, **options, **own[workflow], **shared)
        prepare_run(parser)
        found[workflow] = measured_wait(parser)
    return found


def flow_rows(flow: Mapping[str, Mapping[int, Flow]], waits: Mapping[str, Waiting], batch_size: int) -> Rows:
    """A line for every number of workers: what the loaders give, and the wait that is to be expected of it."""
    rows: Rows = {}
    for count, in_memory in flow["memory"].items():
        cells = rows.setdefault(f"{count} workers", {})
        for storage, by_count in flow.items():
            cells[f"{storage} patches/s"] = by_count[count].patches_per_second
            cells[f"{storage} start s"] = by_count[count].start_seconds
        for workflow, wait in waits.items():
            sizes: Any = {"batch_size": batch_size, "step_seconds": wait.step_seconds, "loaders": wait.loaders}
            cells[f"{workflow} waits %"] = 100 * expected_wait(in_memory, num_workers=count, **sizes)
    return rows


def transform_rows(milliseconds: Mapping[str, float]) -> Rows:
    """A line for every transform, and their sum."""
    total = sum(milliseconds.values())
    lines = {**milliseconds, "all": total}
    return {name: {"ms a patch": value, "share %": 100 * value / total} for name, value in lines.items()}


def wait_rows(waits: Mapping[str, Waiting]) -> Rows:
    """A line for every workflow."""
    return {
        name: {
            "step ms": 1e3 * wait.step_seconds,
            "waits %": 100 * wait.share,
            "after the first batch %": 100 * wait.share_after_first,
        }
        for name, wait in waits.items()
    }


def keep(
    given: argparse.Namespace,
    options: Mapping[str, Any],
    device: torch.device,
    milliseconds: Mapping[str, float],
    flow: Mapping[str, Mapping[int, Flow]],
    waits: Mapping[str, Waiting],
) -> None:
    """Write what was measured as JSON."""
    named = ("task", "cases", "size", "num_workers", "base_widths", "base_width", "repeats")
    measured = ("patch_size", "batch_size", "iterations_per_epoch")
    sizes = {name: getattr(given, name) for name in named} | {name: options[name] for name in measured}
    loaders = {storage: {str(n): asdict(one) for n, one in by_count.items()} for storage, by_count in flow.items()}
    figures = {"transforms": milliseconds, "loaders": loaders, "runs": {name: asdict(w) for name, w in waits.items()}}
    last = {storage: by_count[given.num_workers[-1]].patches_per_second for storage, by_count in flow.items()}
    ratios = {f"{name}_wait": wait.share for name, wait in waits.items()}
    ratios["mapped_over_memory_throughput"] = last["mapped"] / last["memory"]
    facts = {**sizes, "generated": given.dataset_dir is None}
    write(given.output, device=device, sizes=facts, ratios=ratios, figures=figures)


def run(given: argparse.Namespace) -> str:
    """Measure, write the JSON if it was asked for, and give the tables."""
    if given.threads is not None:
        torch.set_num_threads(given.threads)
    device = found_device(given.device)
    with tempfile.TemporaryDirectory() as folder:
        options = checked_options(given, Path(folder))
        config = parsed_config("search", given.task, **options)
        milliseconds = transform_milliseconds(config, patches=given.patches, repeats=given.repeats)
        flow, waits = measured_flows(given, options), measured_waits(given, options, device)
    if given.output:
        keep(given, options, device, milliseconds, flow, waits)
    parts = {
        "transforms": transform_rows(milliseconds),
        "loaders, and the wait that is to be expected": flow_rows(flow, waits, options["batch_size"]),
        f"measured with {given.num_workers[-1]} workers, cases in memory": wait_rows(waits),
    }
    return "\n\n".join(f"{name}\n{table(cells)}" for name, cells in parts.items())


if __name__ == "__main__":
    try:
        print(run(parsed()))
    except UserError as mistake:
        exit_with(mistake)
