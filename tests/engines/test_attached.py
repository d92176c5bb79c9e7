"""A handler under a key of its own is attached as it would be in the list."""

from ignite.engine import Engine, Events

from adw_components.engines.attached import Attached


class Counter:
    """Counts epochs."""

    def __init__(self) -> None:
        self.epochs = 0

    def attach(self, engine: Engine) -> None:
        """Register."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._count)

    def _count(self, engine: Engine) -> None:
        self.epochs += 1


def test_the_handler_runs() -> None:
    counter, engine = Counter(), Engine(lambda engine, batch: None)
    Attached(handler=counter).attach(engine)
    engine.run([0], max_epochs=3)
    assert counter.epochs == 3
