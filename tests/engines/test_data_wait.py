"""The share of waiting: counted on a clock that the test moves on."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ignite.engine import Engine, Events

from adw_components.engines.data_wait import DataWait, data_wait

Tick = Callable[[float], None]


class Loader:
    """Batches that take their time to come, `seconds` each."""

    def __init__(self, tick: Tick, seconds: list[float]) -> None:
        self.tick, self.seconds = tick, seconds

    def __len__(self) -> int:
        return len(self.seconds)

    def __iter__(self) -> Iterator[float]:
        for seconds in self.seconds:
            self.tick(seconds)
            yield seconds


@pytest.fixture
def tick(monkeypatch: pytest.MonkeyPatch) -> Tick:
    """Moves the clock on."""
    now = [0.0]
    monkeypatch.setattr("ignite.handlers.timing.perf_counter", lambda: now[0])

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


def shares(engine: Engine, data: Loader, *, epochs: int = 1, done: int = 0) -> list[float]:
    """The share after every epoch; `done` of them were done before, as a checkpoint says."""

    def resume() -> None:
        engine.state.epoch, engine.state.iteration = done, done * len(data)

    found: list[float] = []
    engine.add_event_handler(Events.STARTED, resume)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda: found.append(engine.state.data_wait))
    engine.run(data, max_epochs=epochs)
    return found


def test_share_of_an_epoch(tick: Tick) -> None:
    engine = Engine(lambda *_: tick(3.0))
    DataWait().attach(engine)
    assert shares(engine, Loader(tick, [1.0, 5.0])) == [pytest.approx(6 / 12)]


def test_every_epoch_is_measured_anew_and_a_resumed_one_alike(tick: Tick) -> None:
    """The step takes the number of its epoch; loading takes 1 a batch."""

    def engine() -> Engine:
        made = Engine(lambda engine, _: tick(float(engine.state.epoch)))
        DataWait().attach(made)
        return made

    expected = [pytest.approx(1 / (1 + epoch)) for epoch in (1, 2, 3)]
    assert shares(engine(), Loader(tick, [1.0, 1.0]), epochs=3) == expected
    assert shares(engine(), Loader(tick, [1.0, 1.0]), epochs=3, done=2) == expected[2:]


def test_share_grows_and_falls_within_an_epoch(tick: Tick) -> None:
    engine, seen = Engine(lambda *_: tick(1.0)), []
    DataWait().attach(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: seen.append(engine.state.data_wait))
    engine.run(Loader(tick, [3.0, 0.0, 5.0]), max_epochs=1)
    assert seen == [pytest.approx(share) for share in (3 / 4, 3 / 5, 8 / 11)]


def test_batches_that_the_iteration_fetches_count_as_well(tick: Tick) -> None:
    wait = DataWait()

    def iteration(*_: Any) -> None:
        with wait.fetching():
            tick(2.0)
        tick(4.0)

    engine = Engine(iteration)
    wait.attach(engine)
    assert shares(engine, Loader(tick, [2.0])) == [pytest.approx(4 / 8)]


def test_fetching_ends_with_an_error(tick: Tick) -> None:
    wait = DataWait()
    engine = Engine(lambda *_: tick(1.0))
    wait.attach(engine)

    def failing() -> None:
        with pytest.raises(StopIteration), wait.fetching():
            tick(1.0)
            raise StopIteration

    engine.add_event_handler(Events.ITERATION_STARTED, failing)
    assert shares(engine, Loader(tick, [0.0])) == [pytest.approx(1 / 2)]


def test_neither_handlers_nor_validation_are_part_of_it(tick: Tick) -> None:
    """What follows the last iteration, and what happens between two, is no waiting."""
    engine = Engine(lambda *_: tick(1.0))
    DataWait().attach(engine)
    engine.add_event_handler(Events.EPOCH_STARTED, lambda: tick(2.0))
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: tick(4.0))
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda: tick(100.0))
    assert shares(engine, Loader(tick, [1.0, 1.0]), epochs=2) == [pytest.approx(2 / 10)] * 2


def test_row_has_four_digits_or_nothing() -> None:
    engine = Engine(lambda *_: None)
    assert data_wait(engine) is None
    engine.state.data_wait = 1 / 3
    assert data_wait(engine) == 0.3333
