"""How far a run is, how long it took, and how much of that it waited for data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .epochs import Epoch
from .records import SearchRun, TrainRun

# From here on the page says what to do about it.
MUCH_WAITING = 0.1


def hours(epochs: Sequence[Epoch]) -> str:
    """Time of all epochs in words."""
    seconds = sum(epoch.seconds for epoch in epochs)
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.1f} min"


def progress(run: SearchRun | TrainRun) -> str:
    """How far a run with at least one epoch is: "250 epochs", or "12 of 250 epochs, unfinished"."""
    if not isinstance(run, SearchRun):
        return _of_epochs(run.epochs[-1].epoch, run.settings)
    if run.n_searches > 1:
        return _of_searches(run)
    last = run.epochs[-1]
    if last.stopped_early:
        return f"{last.search_epoch} of {last.search_epoch + last.stopped_early.epochs_saved} epochs, stopped early"
    return _of_epochs(last.search_epoch, run.settings)


def _of_epochs(last: int, settings: Mapping[str, Any]) -> str:
    planned = settings.get("max_epochs")
    if isinstance(planned, int) and last < planned:
        return f"{last} of {planned} epochs, unfinished"
    return f"{last} epochs"


def _of_searches(run: SearchRun) -> str:
    if run.has_ended:
        return f"{len(run.epochs)} epochs in {run.n_searches} searches"
    return f"search {len(run.branches)} of {run.n_searches}, epoch {run.epochs[-1].search_epoch}, unfinished"


def waiting(epochs: Sequence[Epoch]) -> float | None:
    """Mean over the epochs of the share of training time that passed waiting for batches; None where no row has it.

    An epoch's seconds are no weights: they hold its validation, the share does not.
    """
    shares = [epoch.data_wait for epoch in epochs if epoch.data_wait is not None]
    return math.fsum(shares) / len(shares) if shares else None


def waiting_note(name: str, epochs: Sequence[Epoch]) -> str | None:
    """What to do where a run waits for its data for long; `name` is that of the run."""
    share = waiting(epochs)
    if share is None or share <= MUCH_WAITING:
        return None
    return (
        f"The {name} waited for data {100 * share:.0f} % of its training time: raise --num_workers, or --cache_gb if "
        "there is memory to keep more of the prepared cases."
    )
