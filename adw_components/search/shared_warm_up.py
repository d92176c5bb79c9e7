"""Several searches leave one warm-up: each starts from its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ignite.engine import Engine, Events

from ..distributed import rank
from ..engines.checkpoint import Stateful, load_torch, restore, save_torch, states_of
from .searcher import ArchitectureSearcher


class SharedWarmUp:
    """Keep the state at the end of the warm-up, and start every further search of the run from it.

    Args:
        path: the file.
        objects: as those of `RunCheckpoint`, without the record of the run.
    """

    def __init__(self, *, path: str | Path, objects: Mapping[str, Stateful]) -> None:
        self.path = Path(path)
        self.objects = objects

    def attach(self, engine: Engine) -> None:
        """Register on `engine`."""
        engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Save at the start of the first search, restore at the start of the others."""
        assert isinstance(engine, ArchitectureSearcher)
        branches, epoch = engine.branches, engine.state.epoch
        if branches.n == 1 or not branches.is_first(epoch):
            return
        if branches.branch(epoch) > 0:
            restore(self.objects, engine, load_torch(self.path))
        elif rank() == 0:
            save_torch(self.path, states_of(self.objects, engine))
