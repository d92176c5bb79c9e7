"""Time and memory of searching: the supernet, our iterations, and MONAI's DiNTS, side by side in one run.

    python scripts/benchmark_search.py --threads 1 --output search.json

Parts: `passes` (one forward and backward of the supernet beside the plain network of its largest size, and beside
supernets built less frugally), `iterations` (our orders of a search iteration), `dints` (ours beside an iteration of
DiNTS), `switches` (bfloat16, channels last, cuDNN's benchmark, torch.compile). `--growth` adds how an iteration grows
with widths, patch and stages. What is compared: `benchmarks/variants.py`, `search_steps.py`, `dints.py`; how it is
timed: `benchmarks/timing.py`. Weights and images are random: cost does not depend on them.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from benchmarks.command import Parser, found_device, whole_number, whole_numbers
from benchmarks.results import Cell, table, write
from benchmarks.search_parts import PARTS, Ratios
from benchmarks.search_sizes import Sizes
from benchmarks.search_steps import ITERATIONS, Figures

from adw_components.errors import UserError, exit_with

GROWTH = "growth"
DEFAULT_PARTS = tuple(name for name in PARTS if name != GROWTH)


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line, or `arguments`."""
    formatter, default = argparse.RawDescriptionHelpFormatter, Sizes()
    parser = Parser(description=__doc__, formatter_class=formatter, allow_abbrev=False)
    parser.add_argument("--base_widths", type=whole_numbers, default=default.base_widths, metavar="[N,N]")
    parser.add_argument("--stages", type=whole_number, default=default.n_stages)
    parser.add_argument("--patch_size", type=whole_numbers, default=default.patch_size, metavar="[N,N,N]")
    parser.add_argument("--dints_patch_size", type=whole_numbers, default=default.dints_patch_size, metavar="[N,N,N]")
    parser.add_argument("--batch_size", type=whole_number, default=default.batch_size)
    parser.add_argument("--repeats", type=whole_number, default=default.repeats)
    parser.add_argument("--iteration", choices=ITERATIONS, default=default.iteration, help="what ours_over_dints means")
    parser.add_argument("--parts", type=lambda text: text.split(","), default=list(DEFAULT_PARTS), metavar="PART,PART")
    parser.add_argument("--growth", action="store_true", help="adds the part growth")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=whole_number, help="of torch on a CPU")
    parser.add_argument("--output", type=Path, metavar="F.json")
    return parser.parse_args(arguments)


def checked_parts(given: argparse.Namespace) -> list[str]:
    """The parts that were asked for, in their usual order."""
    wanted = {*given.parts, *([GROWTH] if given.growth else [])}
    unknown = sorted(wanted - set(PARTS))
    if unknown:
        raise UserError(f"parts must be some of {', '.join(PARTS)}, got {', '.join(unknown)}")
    return [name for name in PARTS if name in wanted]


def checked_sizes(given: argparse.Namespace) -> Sizes:
    """The options as sizes."""
    same = ("base_widths", "patch_size", "dints_patch_size", "batch_size", "repeats", "iteration")
    return Sizes(n_stages=given.stages, **{name: getattr(given, name) for name in same})


def rows(figures: Figures) -> dict[str, dict[str, Cell]]:
    """The table's cells, in units to read; the last two columns are ratios to the first step of a part."""
    base = next(iter(figures.values()))
    return {
        name: {
            "ms": row["seconds"] * 1e3,
            "MB": row["bytes"] / 1e6,
            "time ratio": row["seconds"] / base["seconds"],
            "memory ratio": row["bytes"] / base["bytes"],
        }
        for name, row in figures.items()
    }


def run(given: argparse.Namespace) -> str:
    """Measure, write the JSON if it was asked for, and give the tables."""
    if given.threads is not None:
        torch.set_num_threads(given.threads)
    device, sizes, parts = found_device(given.device), checked_sizes(given), checked_parts(given)
    torch.manual_seed(0)
    figures: dict[str, Figures] = {}
    ratios: Ratios = {}
    for part in parts:
        figures[part], found = PARTS[part](sizes, device)
        ratios |= found
    if given.output:
        write(given.output, device=device, sizes=asdict(sizes), ratios=ratios, figures=figures)
    return report(figures, ratios)


def report(figures: Mapping[str, Figures], ratios: Mapping[str, Any]) -> str:
    """A table of every part, and one of the ratios."""
    tables = [f"{part}\n{table(rows(figures[part]))}" for part in figures]
    return "\n\n".join([*tables, table({name: {"ratio": value} for name, value in ratios.items()})])


if __name__ == "__main__":
    try:
        print(run(parsed()))
    except UserError as mistake:
        exit_with(mistake)
