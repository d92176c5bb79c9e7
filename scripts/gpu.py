"""What a GPU gives, in one run that ends by itself: smoke tests, benchmarks, a campaign at full widths.

    bash scripts/gpu.sh                                      # all three, nine minutes at most
    bash scripts/gpu.sh --stages campaign --seconds 400 --done runs/gpu/smoke.json runs/gpu/campaign.json
    bash scripts/gpu.sh --toy                                # a rehearsal on a CPU

Each stage writes STAGE.json to `--output` after every step; a run that is stopped, or that gets files of an earlier one
by `--done`, does what they lack. What is cut in the campaign comes back as checkpoints, as far as they fit.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any

from benchmarks.command import Parser, found_device, whole_number
from gpu_stages.benchmarks import benchmarks
from gpu_stages.campaign import campaign, unfinished
from gpu_stages.packing import check_carried, check_output, pack, unpack
from gpu_stages.smoke import smoke
from gpu_stages.stage import Place, Stage, TimeUp, steps_of, time_limit

from adw_components.errors import UserError, exit_with
from adw_components.files import write_text

ROOT = Path(__file__).parents[1]
# Stage -> what runs it, and its seconds; the last takes what is left.
STAGES: dict[str, tuple[Callable[[Stage], None], float]] = {
    "smoke": (smoke, 90.0),
    "benchmarks": (benchmarks, 150.0),
    "campaign": (campaign, float("inf")),
}
# For packing, and for processes that end.
_RESERVE = 25.0
# Two trainings at a time must do so much more than one does to be worth it.
_FASTER = 1.1


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line, or `arguments`."""
    parser = Parser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, prog="gpu.sh"
    )
    parser.add_argument("--stages", type=lambda text: text.split(","), default=list(STAGES), metavar="STAGE,STAGE")
    parser.add_argument("--seconds", type=whole_number, default=540, help="until the run ends by itself; default 540")
    parser.add_argument("--toy", action="store_true", help="everything in miniature, on a CPU")
    parser.add_argument("--done", type=Path, nargs="+", default=[], metavar="F.json", help="what earlier runs wrote")
    parser.add_argument("--output", type=Path, default=Path(os.environ.get("OUT") or "runs/gpu"), metavar="FOLDER")
    return parser.parse_args(arguments)


def run(given: argparse.Namespace) -> int:
    """Run the stages; the exit status: 0 if all that was begun has its result."""
    # The clock runs since the shell script began, whose imports take a while on a fresh machine.
    started = float(os.environ.get("ADW_GPU_STARTED") or time())
    unknown = [name for name in given.stages if name not in STAGES]
    if unknown:
        raise UserError(f"stages must be some of {', '.join(STAGES)}, got {', '.join(unknown)}")
    place = _place(given)
    earlier = _earlier(given, place)
    print(check_carried(ROOT), flush=True)
    failed: list[str] = []
    for name in (name for name in STAGES if name in given.stages):
        left = given.seconds - _RESERVE - (time() - started)
        work, seconds = STAGES[name]
        # A rehearsal has no share for each stage: a CPU's are others.
        seconds = left if given.toy else min(left, seconds)
        place = replace(place, faster_together=_is_faster_together(earlier.get("smoke", {})))
        stage = Stage(name, place, seconds, earlier.get(name, {}))
        _run_stage(stage, work, seconds)
        earlier[name] = stage.steps
        failed += [f"{name}: {step}" for step in stage.failed]
    _write_log(place)
    kept = pack(unfinished(place), place.work, place.output)
    for folder in kept:
        print(f"comes back: {folder.relative_to(place.work)}")
    print(check_output(place.output))
    for step in failed:
        print(f"failed: {step}")
    print(f"took {time() - started:.0f} s; {place.output}")
    return int(bool(failed))


def _run_stage(stage: Stage, work: Callable[[Stage], None], seconds: float) -> None:
    print(f"== {stage.name}: {len(stage.steps)} step(s) done, {seconds:.0f} s", flush=True)
    if seconds <= 0:
        print(f"{stage.name}: no time is left")
        return
    try:
        with time_limit(seconds):
            work(stage)
        stage.finish()
    except TimeUp:
        print(f"{stage.name}: its time is over; the next run goes on there", flush=True)
    except Exception as error:
        # A run on a GPU is rare: one stage's fault costs no other.
        stage.fail("stage", error)


def _place(given: argparse.Namespace) -> Place:
    output = given.output.resolve()
    # Runs know their paths: one that goes on on another machine must lie where it lay.
    beside = Path("/tmp/adw_gpu_work") if "OUT" in os.environ else output.with_name(f"{output.name}_work")
    work = Path(os.environ.get("ADW_GPU_WORK") or beside).resolve()
    for folder in (output, work):
        folder.mkdir(parents=True, exist_ok=True)
    root = os.environ.get("ADW_MSD_ROOT")
    data = Path(root) / "Task04_Hippocampus" if root and not given.toy else None
    if data is not None and not data.is_dir():
        raise UserError(f"ADW_MSD_ROOT names a folder without Task04_Hippocampus: {root}")
    device = found_device("cpu" if given.toy else "cuda:0")
    return Place(device=device, toy=given.toy, output=output, work=work, dataset_dir=data)


def _is_faster_together(smoke: Mapping[str, Any]) -> bool:
    """Tell whether the smoke tests saw two trainings at once do more than one."""
    rates = {
        step[-2]: row["result"]["steps_per_second"]
        for step, row in smoke.items()
        if "side_by_side" in step and "result" in row
    }
    return rates.keys() >= {"1", "2"} and rates["2"] > _FASTER * rates["1"]


def _write_log(place: Place) -> None:
    """Put the ends of all logs into one file of the results, since their folder stays behind."""
    paths = sorted({*place.work.rglob("*.log")}, key=lambda path: path.stat().st_mtime)
    ends = [f"== {path.relative_to(place.work)}\n{path.read_text(errors='replace')[-4000:]}" for path in paths[-20:]]
    write_text(place.output / "log.txt", "\n".join(ends))


def _earlier(given: argparse.Namespace, place: Place) -> dict[str, dict[str, Any]]:
    """Stage -> steps of the given files, and of those that an earlier run has left in the same place."""
    own = [path for name in STAGES if (path := place.output / f"{name}.json").is_file()]
    found: dict[str, dict[str, Any]] = {}
    for path in [*given.done, *own]:
        stage, steps = steps_of(path, toy=given.toy)
        found.setdefault(stage, {}).update({name: row for name, row in steps.items() if "result" in row})
        if stage == "campaign" and path.parent.resolve() != place.output:
            unpack(path.parent, place.work)
    return found


if __name__ == "__main__":
    try:
        sys.exit(run(parsed()))
    except UserError as mistake:
        exit_with(mistake)
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command goes on")
