"""The rows of `train.jsonl` and `search.jsonl`, as frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..architecture import Architecture
from ..cost_target import CostTarget
from ..errors import UserError
from ..record_fields import MOST_EPOCHS, is_list, number, printable, shown, whole_number

# Larger figures are no loss, cost or time, and no axis has a scale for them.
_LARGEST = 1e30
Scores = Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True)
class Validation:
    """Dice of one validation: the mean and one value a class, None where a class never occurred."""

    mean_dice: float | None
    dice: Scores

    @classmethod
    def of(cls, values: Mapping[str, Any] | None) -> Validation | None:
        """The record in the field "validation" of a row; None where the epoch was not validated."""
        if values is None:
            return None
        return cls(mean_dice=score("mean_dice", values["mean_dice"]), dice=scores("dice", values.get("dice", {})))


@dataclass(frozen=True, kw_only=True)
class EarlyStop:
    """What it saved to end a search before its last epoch."""

    epochs_saved: int
    seconds_saved: float

    @classmethod
    def of(cls, values: Mapping[str, Any] | None) -> EarlyStop | None:
        """The record in the field "stopped_early" of a row; None for a search that went on."""
        if values is None:
            return None
        return cls(
            epochs_saved=whole_number("epochs_saved", values["epochs_saved"], high=MOST_EPOCHS),
            seconds_saved=number("seconds_saved", values["seconds_saved"], low=0, high=_LARGEST),
        )


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One epoch of a retraining; `losses` by the name that the legend shows.

    `data_wait` is the share of its training time that passed waiting for batches; None in earlier versions' files.
    """

    epoch: int
    losses: Scores
    learning_rate: float
    seconds: float
    validation: Validation | None
    data_wait: float | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Epoch:
        """The record in a row of `train.jsonl`."""
        return cls(losses=scores("losses", {"loss": row["loss"]}), **_common(row))


@dataclass(frozen=True, kw_only=True)
class SearchEpoch(Epoch):
    """One epoch of a search; `alpha` is [block][convolution][width] and `beta` [block][depth], both logits.

    `epoch` counts the epochs of the run and `search_epoch` those of its own search. Costs are in the unit of the
    target: `expected_cost` under the probabilities of the choices, `argmax_cost` of the likeliest choices and
    `derived_cost` of `architecture`, which meets the target. `validation` is that of `architecture` with the
    supernet's weights. What earlier versions did not write is None.
    """

    warm_up: bool
    tau: float
    alpha: list[list[list[float]]]
    beta: list[list[float]]
    architecture: Architecture
    search_epoch: int
    target: CostTarget | None = None
    expected_cost: float | None = None
    argmax_cost: float | None = None
    derived_cost: float | None = None
    parameters: float | None = None
    flops: float | None = None
    entropy: float | None = None
    supernet_validation: Validation | None = None
    stopped_early: EarlyStop | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> SearchEpoch:
        """The record in a row of `search.jsonl`."""
        architecture = Architecture.from_dict({"format_version": 1, **row["architecture"]})
        _check_logits("alpha", row["alpha"], levels=3, count=len(architecture.blocks))
        _check_logits("beta", row["beta"], levels=2, count=len(architecture.blocks))
        return cls(
            losses=_search_losses(row),
            warm_up=row["phase"] == "warm-up",
            tau=number("tau", row["tau"], low=0, high=_LARGEST),
            alpha=row["alpha"],
            beta=row["beta"],
            architecture=architecture,
            search_epoch=row.get("search_epoch", row["epoch"]),
            supernet_validation=Validation.of(row.get("supernet_validation")),
            stopped_early=EarlyStop.of(row.get("stopped_early")),
            **_costs(row),
            **_common(row),
        )


def _check_logits(name: str, values: Any, *, levels: int, count: int | None = None) -> None:
    """Raise a `UserError` unless `values` are numbers in lists within lists, the outer one of `count` entries."""
    if not is_list(values) or not values or (count is not None and len(values) != count):
        entries = "entries" if count is None else f"an entry for each of the {count} blocks"
        raise UserError(f"{name} must be a list with {entries}, got {shown(values)}")
    for index, value in enumerate(values):
        if levels > 1:
            _check_logits(f"{name}[{index}]", value, levels=levels - 1)
        else:
            number(f"{name}[{index}]", value, low=-_LARGEST, high=_LARGEST)


def _search_losses(row: Mapping[str, Any]) -> Scores:
    losses = {
        "weights": row["weight_loss"],
        "architecture, split A": row["architecture_loss_a"],
        "architecture, split B": row["architecture_loss_b"],
    }
    return scores("losses", losses)


def _costs(row: Mapping[str, Any]) -> dict[str, Any]:
    target = row.get("target")
    names = ("expected_cost", "derived_cost", "parameters", "flops", "entropy")
    return {
        "target": None if target is None else CostTarget.from_dict(target),
        "argmax_cost": _optional_number(row, "cost_before_landing"),
        **{name: _optional_number(row, name) for name in names},
    }


def _common(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "epoch": row["epoch"],
        **{name: number(name, row[name], low=0, high=_LARGEST) for name in ("learning_rate", "seconds")},
        "validation": Validation.of(row["validation"]),
        "data_wait": _optional_number(row, "data_wait"),
    }


def _optional_number(row: Mapping[str, Any], name: str) -> float | None:
    return score(name, row.get(name))


def score(name: str, value: Any) -> float | None:
    """Return a figure of a record, or None."""
    return None if value is None else float(number(name, value, low=-_LARGEST, high=_LARGEST))


def scores(name: str, values: Any) -> Scores:
    """Return figures of a record by their name."""
    if not isinstance(values, Mapping):
        raise UserError(f"{name} must map names to figures, got {shown(values)}")
    return {printable(f"a name in {name}", key, longest=200): score(name, value) for key, value in values.items()}
