"""Validation of a search: the derived network as it goes, and the supernet itself at the end."""

from __future__ import annotations

from ignite.engine import Engine, Events
from monai.engines import Evaluator

from .discretized import DiscretizedEvaluator
from .searcher import ArchitectureSearcher


class SearchValidation:
    """Validate every `interval` epochs of a search and after its last one.

    After the last epoch the supernet is validated as well: how much Dice does the derived network lose before it is
    retrained, when it takes the supernet's weights (the discretization gap)?

    Args:
        validator: evaluator of the derived network.
        interval: epochs.
        supernet_validator: evaluator of the supernet.
    """

    def __init__(self, *, validator: DiscretizedEvaluator, interval: int, supernet_validator: Evaluator) -> None:
        self.validator = validator
        self.interval = interval
        self.supernet_validator = supernet_validator

    def attach(self, engine: Engine) -> None:
        """Register on `engine`; attach it before the record."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Validate the epoch just completed, if it is due."""
        assert isinstance(engine, ArchitectureSearcher)
        if engine.ends_search:
            self.supernet_validator.run(engine.state.epoch)
        if engine.ends_search or engine.state.search_epoch % self.interval == 0:
            self.validator.architecture = engine.landed().architecture
            self.validator.run(engine.state.epoch)
