"""Kill runs at random moments, run them again to the end, and look for what is lost, left behind or different.

    python scripts/kills.py --kills 100 --folder /tmp/kills
    python scripts/kills.py --two_processes 50 --folder /tmp/kills

Every job runs at toy size on generated data: once untouched, then killed by SIGKILL several times and run again, until
there were enough kills. Each time it has ended, its files must be those of the untouched one, with no lock and no
temporary file among them, and after every kill its children must end within ten seconds. Jobs are forks of this
process, which computes nothing itself, so that they start at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fire
import torch
from monai.bundle import run

from adw_components.builder.command import build
from adw_components.export.command import export_bundle
from adw_components.planning.command import write_plan
from adw_components.synthesis import synthesize

BUNDLE = Path(__file__).parents[1] / "bundles" / "hippocampus_mri_adwunet_segmentation"
TOY: dict[str, Any] = {"patch_size": [16, 16, 16], "batch_size": 2, "iterations_per_epoch": 2, "val_interval": 2}
CPU = {"device": "cpu", "amp": False, "num_workers": 1}
# Kills of a job before it may end, and seconds that its children may outlive it.
IN_A_ROW, PATIENCE = 4, 10.0
# They hold times, or the bytes of files that do.
_TIMED = ("checkpoint.pt", "checksums.json", "published.json")


class Jobs:
    """What is killed, by name; each writes to a folder that it is given, and goes on where it was killed.

    Args:
        folder: of the data, and of the weights that some start from.
    """

    def __init__(self, folder: Path) -> None:
        self.data, self.cache, self.model = folder / "data", folder / "cache", folder / "whole" / "train"

    def search(self, out: Path) -> None:
        self._workflow("search", out, base_widths=[2, 3], max_epochs=6, warmup_epochs=2, resume=True, **TOY)

    def train(self, out: Path) -> None:
        self._workflow("train", out, max_epochs=8, resume=True, **TOY)

    def fine_tuning(self, out: Path) -> None:
        if not (out / "models" / "model.pt").exists():
            (out / "models").mkdir(parents=True, exist_ok=True)
            for name in ("architecture.json", "settings.json", "model.pt"):
                shutil.copyfile(self.model / name, out / "models" / name)
        toy = {name: value for name, value in TOY.items() if name != "patch_size"}
        folders = {"model_dir": str(out / "models"), "fine_tuning": True}
        self._workflow("train", out / "run", max_epochs=4, resume=True, **folders, **toy)

    def evaluate(self, out: Path) -> None:
        self._workflow("evaluate", out, model_dir=str(self.model))

    def infer(self, out: Path) -> None:
        self._workflow("infer", out, data=self.data / "imagesTr", model_dir=str(self.model))

    def plan(self, out: Path) -> None:
        del sys.modules["__main__"].__file__  # which the workers would import, and torch with it
        write_plan(out / "plan.json", dataset_dir=self.data, workers=2)

    def build(self, out: Path) -> None:
        for name in ("one", "two"):
            if not (out / f"{name}_adwunet_segmentation").exists():
                plan = str(BUNDLE / "configs" / "plan.json")
                build(plan=plan, name=f"{name}_adwunet_segmentation", output=str(out))

    def export(self, out: Path) -> None:
        export_bundle(str(BUNDLE), output=str(out), weights=str(self.model / "model.pt"))

    def _workflow(self, name: str, out: Path, data: Path | None = None, **options: Any) -> None:
        config = {"infer": "inference"}.get(name, name)
        os.chdir(BUNDLE)
        folders = {"dataset_dir": str(data or self.data), "output_dir": str(out)}
        cache = {} if name == "infer" else {"cache_dir": str(self.cache)}
        run(run_id=name, config_file=f"configs/{config}.json", **folders, **cache, **CPU, **options)


NAMES = ("train", "search", "fine_tuning", "evaluate", "infer", "plan", "build", "export")


def start(job: Callable[[Path], None], out: Path, log: Path) -> int:
    """A child that does `job`; its process number."""
    child = os.fork()
    if child:
        return child
    torch.seed()  # forks would share the state of the generator, which processes of a user do not
    for stream in (1, 2):
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    try:
        job(out)
    except BaseException as error:
        print(f"failed: {error!r}", file=sys.stderr, flush=True)
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)


def finished(job: Callable[[Path], None], out: Path, log: Path) -> None:
    """Do `job` to its end."""
    if os.waitpid(start(job, out, log), 0)[1] != 0:
        raise SystemExit(f"{out.name} fails; {log} says why")


def untouched(job: Callable[[Path], None], whole: Path, log: Path) -> float:
    """Do `job` to its end, unless that was done; how many seconds it took."""
    note = whole.with_name(f"{whole.name}.seconds")
    if not note.exists():
        shutil.rmtree(whole, ignore_errors=True)
        started = time.monotonic()
        finished(job, whole, log)
        note.write_text(str(time.monotonic() - started))
    return float(note.read_text())


def processes() -> dict[int, int]:
    """Number of every process that runs -> that of its parent."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state not in "ZX":
            found[int(path.parent.name)] = int(parent)
    return found


def below(process: int) -> set[int]:
    """The children of a process, and theirs."""
    parents, found = processes(), {process}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {process}


def killed(job: Callable[[Path], None], out: Path, log: Path, after: float) -> tuple[bool, int]:
    """Kill `job` after so many seconds; whether it still ran, and how many of its children outlived it for too long."""
    child = start(job, out, log)
    time.sleep(after)
    children = below(child)
    os.kill(child, signal.SIGKILL)
    was_alive = os.WIFSIGNALED(os.waitpid(child, 0)[1])
    deadline = time.monotonic() + PATIENCE
    while (left := children & processes().keys()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return was_alive, len(left)


def content(out: Path) -> Counter[tuple[str, str]]:
    """Names and bytes of the files of a job, without what tells the time."""
    found: Counter[tuple[str, str]] = Counter()
    for path in out.rglob("*"):
        if path.is_file() and path.name not in _TIMED and path.parent.name != "tensorboard":
            name = "previous" if path.parent.name == "previous" else str(path.relative_to(out))
            text = _timeless(path) if path.suffix == ".jsonl" else path.read_bytes()
            found[name, hashlib.sha256(text).hexdigest()] += 1
    return found


def _timeless(path: Path) -> bytes:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    kept = [{name: value for name, value in row.items() if name not in ("seconds", "data_wait")} for row in rows]
    # Cases are measured in any order.
    return json.dumps(sorted(json.dumps(row) for row in kept)).encode()


def trial(name: str, job: Callable[[Path], None], folder: Path, kills: int, draw: random.Random) -> dict[str, int]:
    """Kill a job until it was met alive so often; what was wrong then."""
    whole, out, log = folder / "whole" / name, folder / "killed" / name, folder / f"{name}.log"
    longest, row = untouched(job, whole, log), Counter(kills=0, orphans=0, litter=0, different=0, ends=0)
    while row["kills"] < kills:
        for _ in range(min(IN_A_ROW, kills - row["kills"])):
            was_alive, orphans = killed(job, out, log, draw.uniform(0.05, 0.9) * longest)
            row.update(kills=int(was_alive), orphans=orphans)
        finished(job, out, log)
        litter = [
            path for path in out.parent.rglob(".*") if path.name.startswith(".partial-") or path.name.endswith(".lock")
        ]
        row.update(litter=len(litter), different=int(content(out) != content(whole)), ends=1)
        if content(out) == content(whole) and not litter:
            shutil.rmtree(out)
    return dict(row)


def two_processes(jobs: Jobs, folder: Path, runs: int) -> int:
    """Trainings in two processes that end as Python does; how many of the processes ended otherwise."""
    wrong = 0
    for number in range(runs):
        shutil.rmtree(folder / "pair", ignore_errors=True)
        children = [_of_two(jobs, folder, rank, 20_000 + number) for rank in range(2)]
        wrong += sum(os.waitpid(child, 0)[1] != 0 for child in children)
        print(f"{number + 1} run(s), {wrong} process(es) ended badly", end="\r", flush=True)
    print()
    return wrong


def _of_two(jobs: Jobs, folder: Path, rank: int, port: int) -> int:
    child = os.fork()
    if child:
        return child
    log = os.open(folder / "two_processes.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1), os.dup2(log, 2)
    places = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    os.environ.update(places, RANK=str(rank), LOCAL_RANK=str(rank))
    os.chdir(BUNDLE)
    configs = ["configs/train.json", "configs/multi_gpu_train.json"]
    options = {"dataset_dir": str(jobs.data), "cache_dir": str(jobs.cache), "max_epochs": 1, "num_workers": 1}
    run(run_id="train", config_file=configs, output_dir=str(folder / "pair"), **options, **{**TOY, "val_interval": 1})
    sys.exit(0)  # not os._exit: what Python does at its end is what is tried


def main(folder: str, kills: int = 100, seed: int = 0, only: str | None = None, two_processes: int = 0) -> None:
    """Print a table with a row a job; exit with status 1 where anything was wrong.

    Args:
        folder: for data and runs; what is there of an earlier call is used.
        kills: of all jobs together.
        seed: of the moments.
        only: names of jobs, by commas.
        two_processes: instead of kills, so many trainings in two processes, which must end as they should.
    """
    place, draw = Path(folder).resolve(), random.Random(seed)
    jobs = Jobs(place)
    if not jobs.data.exists():
        synthesize("Task04_Hippocampus", cases=5, output_dir=jobs.data, test_cases=1, size=0.5)
    if two_processes:
        sys.exit(int(globals()["two_processes"](jobs, place, two_processes) > 0))
    names = only.split(",") if isinstance(only, str) else list(only or NAMES)
    if not {*names} <= {"train", "search", "plan", "build"}:
        untouched(jobs.train, jobs.model, place / "train.log")
    wrong = 0
    print(f"{'job':<12}{'kills':>8}{'ends':>8}{'different':>11}{'litter':>8}{'orphans':>9}")
    for number, name in enumerate(names):
        share = kills // len(names) + (number < kills % len(names))
        row = trial(name, getattr(jobs, name), place, share, draw)
        wrong += row["different"] + row["litter"] + row["orphans"]
        cells = f"{row['kills']:>8}{row['ends']:>8}{row['different']:>11}{row['litter']:>8}{row['orphans']:>9}"
        print(f"{name:<12}{cells}", flush=True)
    sys.exit(int(wrong > 0))


if __name__ == "__main__":
    fire.Fire(main)
