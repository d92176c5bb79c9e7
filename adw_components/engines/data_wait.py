"""How much of its time a run waits for data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ignite.engine import Engine, Events
from ignite.handlers import Timer


class DataWait:
    """Measure the share of an epoch's time in which the trainer waited for a batch.

    What counts is the time from asking the loader for a batch until it is there, in the process that drives the device;
    without workers that is all of the loading. On a GPU, work that was queued before goes on meanwhile: the share is
    the most that the device can have idled for want of data. Starting the workers of the first epoch comes before it
    and does not count. Each of several processes measures its own.

    After every iteration `engine.state.data_wait` holds the share of the time since the epoch began, from 0 to 1; the
    epoch's last value stays until the next one begins, so that validation is no part of it.
    ignite's `BasicTimeProfiler` sees the engine's own loader only, and a whole run at a time.
    """

    def __init__(self) -> None:
        self._epoch, self._waiting = Timer(), Timer()

    def attach(self, engine: Engine) -> None:
        """Register on `engine`; attach it before the handlers that read the share."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._start)
        engine.add_event_handler(Events.GET_BATCH_STARTED, self._waiting.resume)
        engine.add_event_handler(Events.GET_BATCH_COMPLETED, self._waiting.pause)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._update)

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """Count the block as waiting: for batches that an iteration fetches itself."""
        self._waiting.resume()
        try:
            yield
        finally:
            self._waiting.pause()

    def _start(self, engine: Engine) -> None:
        self._epoch.reset()
        self._waiting.reset().pause()

    def _update(self, engine: Any) -> None:
        engine.state.data_wait = self._waiting.value() / max(self._epoch.value(), 1e-9)


def data_wait(engine: Engine) -> float | None:
    """The share for a row of the record; None where nothing measures it."""
    share = getattr(engine.state, "data_wait", None)
    return None if share is None else round(share, 4)
