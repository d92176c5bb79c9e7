"""How long a run waits for its batches: expected from the parts, and measured in the run itself."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter
from typing import Any

from ignite.engine import Engine, Events
from monai.bundle import ConfigParser
from monai.data import DataLoader

from adw_components.engines.data_wait import DataWait
from adw_components.engines.seeding import seed_everything

from .loading import Flow

# Handlers that belong to a step; the others write files, validate or draw.
OF_A_STEP = ("EpochSeeds", "StopAtNonFiniteLoss", "ClipGradients")
# A run has two epochs: batches that are there at once, then those of the loaders.
EPOCHS = 2


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What a short run of a workflow came to.

    Args:
        step_seconds: median time of an iteration whose batches are there at once.
        loaders: that an iteration takes a batch from, 2 in a search.
        share: of an epoch's time that was spent waiting for the bundle's loaders.
        share_after_first: the same from the second iteration on; starting the workers weighs less in a longer epoch.
    """

    step_seconds: float
    loaders: int
    share: float
    share_after_first: float


class AtOnceThenLoaded:
    """A loader whose first epoch is one batch again and again, and the next the loader's own batches.

    Args:
        loader: the loader.
        batch: given in the first epoch.
    """

    def __init__(self, loader: DataLoader, batch: Any) -> None:
        self.loader, self.batch, self.epochs = loader, batch, 0

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        self.epochs += 1
        return iter([self.batch] * len(self)) if self.epochs == 1 else iter(self.loader)


def expected_wait(flow: Flow, *, num_workers: int, batch_size: int, step_seconds: float, loaders: int = 1) -> float:
    """Share of its time that a run waits once it is under way, if every worker has a core of its own.

    Workers load while the device computes, so that the slower of the two sets the pace; without workers the times of
    computing and of loading, for one loader after the other, add up.
    """
    loading = batch_size / flow.patches_per_second
    if num_workers == 0:
        return loaders * loading / (loaders * loading + step_seconds)
    return max(0.0, 1 - step_seconds / loading)


def prepare_run(parser: ConfigParser) -> None:
    """Leave out of a config, before it is built, what is no part of a step; give it two epochs without a warm-up."""
    handlers = [handler for handler in parser["train#handlers"] if handler["_target_"].endswith(OF_A_STEP)]
    parser["train#handlers"] = handlers
    parser["max_epochs"] = EPOCHS
    if "warmup_epochs" in parser:
        parser["warmup_epochs"] = 0


def measured_wait(parser: ConfigParser) -> Waiting:
    """Run the workflow of a config that `prepare_run` has seen."""
    seed_everything(seed=0)
    trainer = parser.get_parsed_content("train#trainer")
    searches = hasattr(trainer, "architecture_data_loader")
    batch = next(iter(trainer.data_loader))
    trainer.data_loader = AtOnceThenLoaded(trainer.data_loader, batch)
    if searches:
        trainer.architecture_data_loader = AtOnceThenLoaded(trainer.architecture_data_loader, batch)
    else:  # A search measures its own waiting.
        DataWait().attach(trainer)
    seconds, shares = _watched_run(trainer)
    steps = [after - before for before, after in pairwise(seconds[0])]
    waited = [share * elapsed for share, elapsed in zip(shares[1], seconds[1], strict=True)]
    return Waiting(
        step_seconds=statistics.median(steps),
        loaders=1 + searches,
        share=shares[1][-1],
        share_after_first=(waited[-1] - waited[0]) / (seconds[1][-1] - seconds[1][0]),
    )


def _watched_run(trainer: Engine) -> tuple[list[list[float]], list[list[float]]]:
    """For both epochs: seconds since it began after every iteration, and the share of waiting until then."""
    started = 0.0
    seconds: list[list[float]] = []
    shares: list[list[float]] = []

    def start(engine: Engine) -> None:
        nonlocal started
        started = perf_counter()
        seconds.append([])
        shares.append([])

    def note(engine: Engine) -> None:
        seconds[-1].append(perf_counter() - started)
        shares[-1].append(engine.state.data_wait)

    trainer.add_event_handler(Events.EPOCH_STARTED, start)
    trainer.add_event_handler(Events.ITERATION_COMPLETED, note)
    trainer.run()
    return seconds, shares
