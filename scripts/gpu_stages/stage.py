"""What a stage has measured, on disk after every step, and the time that it has left."""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from benchmarks.results import device_facts

from adw_components.errors import UserError
from adw_components.files import json_text, read_json, write_json


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the stages run.

    Attributes:
        device: on which they compute.
        toy: whether everything has the size that a CPU carries in minutes.
        output: folder of the results, which are few and small.
        work: folder of everything else: data, caches, runs.
        dataset_dir: MSD folder of Task04; generated cases if None.
        faster_together: whether two trainings at once do more than one, if that is known.
    """

    device: torch.device
    toy: bool
    output: Path
    work: Path
    dataset_dir: Path | None
    faster_together: bool | None = None


class TimeUp(BaseException):
    """The time of a stage is over; no `except Exception` on the way up may hold it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TimeUp` in the block once so many seconds are over."""

    def end(*_: object) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Stage:
    """The steps of a stage: what each gave, or why it failed.

    Every step that ends is written at once. Those that an earlier file has are not repeated; those that failed are.

    Args:
        name: of the stage.
        place: where it runs.
        seconds: until it is cut.
        earlier: steps of earlier files, by name.
    """

    def __init__(self, name: str, place: Place, seconds: float, earlier: Mapping[str, Any]) -> None:
        self.name, self.place = name, place
        self.path = place.output / f"{name}.json"
        self.steps: dict[str, Any] = {step: row for step, row in earlier.items() if "result" in row}
        self.complete = False
        self._end = perf_counter() + seconds
        self._facts = device_facts(place.device)
        self._write()

    @property
    def seconds_left(self) -> float:
        """Until the stage is cut."""
        return self._end - perf_counter()

    def has(self, step: str) -> bool:
        """Whether a step has its result."""
        return "result" in self.steps.get(step, {})

    def result(self, step: str) -> Any:
        """Of a step that is done."""
        return self.steps[step]["result"]

    def run(self, step: str, work: Callable[[], Any]) -> None:
        """Do a step unless it is done; its fault is kept, and the steps after it go on."""
        if self.has(step):
            return
        print(f"{self.name}: {step} ({self.seconds_left:.0f} s left)", flush=True)
        started = perf_counter()
        try:
            result = work()
            self.keep(step, {"result": result, "seconds": round(perf_counter() - started, 2)})
        except Exception as error:
            self.fail(step, error)

    def keep(self, step: str, row: Mapping[str, Any]) -> None:
        """Write what a step came to: its `result` or its `error`."""
        json_text(dict(row))  # so that a figure that is no number fails here, before it is among the others
        self.steps[step] = {**row, "device": self._facts["name"]}
        self._write()

    def fail(self, step: str, error: Exception) -> None:
        """Write why a step failed; the next run tries it again."""
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        print(f"{self.name}: {step} failed: {reason}", file=sys.stderr, flush=True)
        self.keep(step, {"error": reason})

    def finish(self) -> None:
        """Note that every step was done or has failed."""
        self.complete = True
        self._write()

    @property
    def failed(self) -> list[str]:
        """Steps without a result."""
        return [step for step, row in self.steps.items() if "error" in row]

    def _write(self) -> None:
        content = {"stage": self.name, "toy": self.place.toy, "complete": self.complete, "device": self._facts}
        write_json(self.path, {**content, "steps": self.steps})


def steps_of(path: Path, *, toy: bool) -> tuple[str, dict[str, Any]]:
    """Stage and steps of an earlier file.

    Raises:
        UserError: it is no file of a stage, or of another size.
    """
    content = read_json(path, "results")
    if not isinstance(content, dict) or not isinstance(content.get("steps"), dict) or "stage" not in content:
        raise UserError(f"done must name the JSON of a stage that this script wrote, got {path}")
    if content.get("toy") is not toy:
        raise UserError(f"{path} is of a run {'with' if content.get('toy') else 'without'} --toy; run it as this one")
    return str(content["stage"]), {step: row for step, row in content["steps"].items() if isinstance(row, dict)}
