"""What a row says about a validation."""

import math
from typing import Any

import pytest
import torch
from ignite.engine.events import State

from adw_components.engines.validation import number_or_none, validation_row

LABELS = {"1": "Anterior", "2": "Posterior"}


class Engine:
    """Stands in for a trainer or an evaluator."""

    def __init__(self, epoch: int, dice: list[list[float]] | None = None) -> None:
        self.state: Any = State(epoch=epoch, key_metric_name="dice", metrics={}, metric_details={})
        if dice is not None:
            details = torch.tensor(dice)
            self.state.metric_details["dice"] = details
            self.state.metrics["dice"] = float(details.nanmean())


def row(trainer: Engine, validator: Engine | None) -> dict[str, Any] | None:
    """The row of the stand-ins."""
    return validation_row(trainer, validator, LABELS)  # type: ignore[arg-type]


def test_epoch_without_validation_has_no_row() -> None:
    assert row(Engine(3), None) is None
    assert row(Engine(3), Engine(2, [[0.5, 0.5]])) is None


def test_classes_are_averaged_over_the_cases_that_have_them() -> None:
    values = row(Engine(2), Engine(2, [[0.5, 0.8], [0.7, math.nan]]))
    assert values is not None
    assert values["dice"] == pytest.approx({"Anterior": 0.6, "Posterior": 0.8})
    assert values["mean_dice"] == pytest.approx(2 / 3)


def test_class_that_never_occurs_is_none() -> None:
    values = row(Engine(1), Engine(1, [[0.5, math.nan]]))
    assert values is not None
    assert values["dice"] == {"Anterior": 0.5, "Posterior": None}


def test_labels_that_do_not_fit_the_classes_are_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        row(Engine(1), Engine(1, [[0.5, 0.5, 0.5]]))


def test_number_or_none() -> None:
    assert number_or_none(math.nan) is None
    assert number_or_none(0.25) == 0.25
