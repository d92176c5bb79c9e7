"""A search ends before its last epoch once it has settled."""

from __future__ import annotations

import logging

from ignite.engine import Engine, Events

from .searcher import ArchitectureSearcher

logger = logging.getLogger(__name__)


class SkipSettledEpochs:
    """Pass over the epochs that are left of a search that has settled; another search of the run may follow."""

    def attach(self, engine: Engine) -> None:
        """Register on `engine`; attach it after what looks at the last epoch, and before `RunCheckpoint`."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Set the count of epochs and iterations to the end of the search."""
        assert isinstance(engine, ArchitectureSearcher)
        saved = engine.epochs_saved
        if saved:
            logger.info("the choices have settled: the search ends %d epochs early", saved)
            engine.state.epoch += saved
            engine.state.iteration = engine.state.epoch * (engine.state.epoch_length or 0)
