"""Cost of networks for one task: ours beside MONAI's DynUNet and SegResNet, at the same patch and batch.

    python scripts/benchmark_networks.py --task Task04_Hippocampus --architectures runs/search/architecture.json

Every network's parameters, forward FLOPs of a patch, latency of a patch, throughput of a sliding window, and time and
memory of a training step are printed as a table; `--output F.json` keeps them, with their ratios to DynUNet.
What is compared: `benchmarks/networks.py`; how it is timed: `benchmarks/timing.py`. Weights and images are random: cost
does not depend on them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from benchmarks.command import Parser, found_device, whole_number, whole_numbers
from benchmarks.network_costs import Figures, Sizes, measure
from benchmarks.networks import builders, our_architectures
from benchmarks.results import Cell, table, write

from adw_components.builder.values import config_values
from adw_components.errors import UserError, exit_with
from adw_components.flags import flag
from adw_components.record_fields import check_patch_size
from adw_components.tasks import task

BASELINE = "dynunet"
# Figure -> its word in the name of a ratio.
RATIOS = {
    "parameters": "parameters",
    "flops": "flops",
    "latency_seconds": "latency",
    "voxels_per_second": "throughput",
    "step_seconds": "time",
    "step_bytes": "memory",
}


def ratios_to_baseline(figures: Figures) -> dict[str, float]:
    """ "derived_over_dynunet_time" and so on: every figure of every network over DynUNet's."""
    base = figures[BASELINE]
    others = {name: row for name, row in figures.items() if name != BASELINE}
    return {f"{n}_over_{BASELINE}_{w}": row[f] / base[f] for n, row in others.items() for f, w in RATIOS.items()}


def rows(figures: Figures) -> dict[str, dict[str, Cell]]:
    """The table's cells, in units to read; the last two columns are ratios to DynUNet."""
    base = figures[BASELINE]
    return {
        name: {
            "parameters M": row["parameters"] / 1e6,
            "GFLOPs": row["flops"] / 1e9,
            "latency ms": row["latency_seconds"] * 1e3,
            "Mvoxel/s": row["voxels_per_second"] / 1e6,
            "step ms": row["step_seconds"] * 1e3,
            "step MB": row["step_bytes"] / 1e6,
            "step time ratio": row["step_seconds"] / base["step_seconds"],
            "memory ratio": row["step_bytes"] / base["step_bytes"],
        }
        for name, row in figures.items()
    }


def checked_sizes(given: argparse.Namespace, device: torch.device) -> Sizes:
    """The options as sizes, with the plan's where nothing was given."""
    plan = task(given.task).plan
    patch = plan.patch_size if given.patch_size is None else check_patch_size(given.patch_size, plan.strides)
    volume = given.volume_size or tuple(2 * length for length in patch)
    if len(volume) != len(patch):
        raise UserError(f"volume_size must have {len(patch)} axes like the patch, got {volume}")
    return Sizes(
        task=given.task,
        base_width=given.base_width,
        patch_size=patch,
        batch_size=given.batch_size or plan.batch_size,
        volume_size=volume,
        sw_batch_size=config_values(plan)["sw_batch_size"],
        repeats=given.repeats,
        amp=device.type == "cuda" if given.amp is None else flag(given.amp, name="amp"),
        architectures=tuple(given.architectures),
    )


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line, or `arguments`."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = Parser(description=__doc__, formatter_class=formatter, allow_abbrev=False)
    parser.add_argument("--task", default="Task04_Hippocampus", help="MSD task whose plan is used")
    parser.add_argument("--architectures", type=lambda text: text.split(","), default=[], metavar="PATH,PATH")
    parser.add_argument("--base_width", type=whole_number, default=32, help="channels of the first stage")
    parser.add_argument("--patch_size", type=whole_numbers, metavar="X,Y,Z", help="default: the plan's")
    parser.add_argument("--batch_size", type=whole_number, help="of a training step; default: the plan's")
    parser.add_argument("--volume_size", type=whole_numbers, metavar="X,Y,Z", help="default: twice the patch")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--amp", help="mixed precision, true or false; default: on a GPU, as in the bundles")
    parser.add_argument("--repeats", type=whole_number, default=5)
    parser.add_argument("--threads", type=whole_number, help="of torch on a CPU")
    parser.add_argument("--output", type=Path, metavar="F.json")
    return parser.parse_args(arguments)


def run(given: argparse.Namespace) -> str:
    """Measure, write the JSON if it was asked for, and give the table."""
    if given.threads is not None:
        torch.set_num_threads(given.threads)
    device = found_device(given.device)
    sizes, plan = checked_sizes(given, device), task(given.task).plan
    derived = [Path(path) for path in sizes.architectures]
    scale: Any = {"base_width": sizes.base_width, "patch_size": sizes.patch_size}
    ours = our_architectures(sizes.task, plan, derived=derived, **scale)
    made, left_out = builders(plan, ours, **scale)
    for name, reason in left_out.items():
        print(f"{name} is left out: {reason}", file=sys.stderr)
    figures = measure(made, plan, sizes, device)
    if given.output:
        facts: dict[str, Any] = {**asdict(sizes), "left_out": left_out}
        write(given.output, device=device, sizes=facts, ratios=ratios_to_baseline(figures), figures=figures)
    return table(rows(figures))


if __name__ == "__main__":
    try:
        print(run(parsed()))
    except UserError as mistake:
        exit_with(mistake)
