"""The best and the last weights, over a validation that goes up and down, resumed too."""

from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events
from ignite.engine.events import State
from torch import nn

from adw_components.engines.best_model import BestAndLast
from adw_components.engines.checkpoint import RunCheckpoint


class Validator:
    """Stands in for an evaluator: one metric a validated epoch."""

    def __init__(self, metrics: dict[int, float]) -> None:
        self.metrics_of = metrics
        self.state: Any = State(epoch=0, metrics={}, key_metric_name="dice")

    def attach(self, engine: Engine) -> None:
        """Validate after the epochs that have a metric."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._validate)

    def _validate(self, engine: Engine) -> None:
        if engine.state.epoch in self.metrics_of:
            self.state.epoch = engine.state.epoch
            self.state.metrics = {"dice": self.metrics_of[engine.state.epoch]}


def train(
    folder: Path, epochs: int, metrics: dict[int, float] | None, *, resume: bool = False
) -> tuple[BestAndLast, list[int]]:
    """Run; the weight of the network is the number of the epoch. Gives the epochs in model.pt after each epoch."""
    network = nn.Linear(1, 1, bias=False)
    engine = Engine(lambda engine, _: nn.init.constant_(network.weight, engine.state.epoch))
    validator = None if metrics is None else Validator(metrics)
    if validator is not None:
        validator.attach(engine)
    best = BestAndLast(network=network, validator=validator, folder=folder)  # type: ignore[arg-type]
    best.attach(engine)
    RunCheckpoint(path=folder / "checkpoint.pt", objects={"best": best}, resume=resume).attach(engine)
    kept: list[int] = []
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda _: kept.append(epoch_in(folder / "model.pt")))
    engine.run([0], max_epochs=epochs)
    return best, kept


def epoch_in(path: Path) -> int:
    """The epoch whose weights a file holds."""
    return int(torch.load(path, weights_only=True)["weight"].item())


def test_best_epoch_is_kept_and_the_last_beside_it(tmp_path: Path) -> None:
    best, kept = train(tmp_path, 6, {2: 0.5, 4: 0.7, 6: 0.6})
    assert kept == [1, 2, 2, 4, 4, 4]
    assert epoch_in(tmp_path / "model_last.pt") == 6
    assert best.state_dict() == {"best_metric": 0.7, "best_epoch": 4}


def test_equal_metric_keeps_the_earlier_epoch(tmp_path: Path) -> None:
    assert train(tmp_path, 3, {1: 0.5, 2: 0.5, 3: 0.4})[1] == [1, 1, 1]


def test_without_validation_the_last_is_the_best(tmp_path: Path) -> None:
    assert train(tmp_path, 3, None)[1] == [1, 2, 3]


@pytest.mark.parametrize(("metric", "expected"), [(0.6, 2), (0.8, 4)])
def test_resumed_run_remembers_the_best(tmp_path: Path, metric: float, expected: int) -> None:
    train(tmp_path, 3, {2: 0.7})
    best, kept = train(tmp_path, 4, {4: metric}, resume=True)
    assert kept == [expected]
    assert best.best_metric == max(metric, 0.7)
    assert epoch_in(tmp_path / "model_last.pt") == 4


def test_metric_that_is_no_number_never_becomes_the_best(tmp_path: Path) -> None:
    best, kept = train(tmp_path, 3, {1: 0.1, 2: float("nan"), 3: 0.2})
    assert kept == [1, 1, 3]
    assert best.best_metric == 0.2


def test_first_validation_without_a_number_still_leaves_a_model(tmp_path: Path) -> None:
    best, kept = train(tmp_path, 3, {1: float("nan"), 3: 0.2})
    assert kept == [1, 2, 3]
    assert best.state_dict() == {"best_metric": 0.2, "best_epoch": 3}
