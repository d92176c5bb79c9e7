"""The record of a run: one JSON line an epoch."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events

from ..distributed import rank
from ..files import write_json_lines

Row = dict[str, Any]


class EpochRecord:
    """Append a row after every epoch and rewrite the file, whole or not at all.

    The rows belong to the state of the run: a checkpoint carries them, and resuming cuts the file back to them.

    Args:
        path: the JSON-lines file.
        row: gives the row of the epoch just completed; `epoch` and `seconds` are added here.
    """

    def __init__(self, *, path: str | Path, row: Callable[[Engine], Row]) -> None:
        self.path = Path(path)
        self.row = row
        self.rows: list[Row] = []
        self._started = 0.0

    def attach(self, engine: Engine) -> None:
        """Register on `engine`; attach it after validation and before `RunCheckpoint`."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._start_clock)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.append)

    def _start_clock(self, engine: Engine) -> None:
        self._started = time.monotonic()

    def append(self, engine: Engine) -> None:
        """Add the row of the epoch just completed."""
        seconds = round(time.monotonic() - self._started, 3)
        self.rows.append({"epoch": engine.state.epoch, **self.row(engine), "seconds": seconds})
        self._write()

    def _write(self) -> None:
        if rank() == 0:
            write_json_lines(self.path, self.rows)

    def state_dict(self) -> dict[str, Any]:
        """The rows so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on after these rows."""
        self.rows = list(state_dict["rows"])
        self._write()
