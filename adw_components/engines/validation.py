"""Reading the result of a validation off its engine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from ignite.engine import Engine
from monai.engines import Evaluator

Labels = Mapping[str, str]


def validation_row(engine: Engine, validator: Evaluator | None, labels: Labels) -> dict[str, Any] | None:
    """Mean and per-class Dice if the epoch just completed was validated, else None.

    Args:
        engine: the trainer.
        validator: its evaluator, whose key metric is a `MeanDice` without background.
        labels: label value -> name, background left out.
    """
    if validator is None or validator.state.epoch != engine.state.epoch:
        return None
    name = validator.state.key_metric_name
    details = torch.as_tensor(validator.state.metric_details[name])
    per_class = torch.nanmean(details, dim=0).tolist()
    dice = {label: number_or_none(value) for label, value in zip(labels.values(), per_class, strict=True)}
    return {"mean_dice": number_or_none(validator.state.metrics[name]), "dice": dice}


def number_or_none(value: float) -> float | None:
    """JSON has no NaN: a Dice without any label is None."""
    return None if math.isnan(value) else float(value)
