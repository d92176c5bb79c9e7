"""The rows of `train.jsonl` and `search.jsonl`, as frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..architecture import Architecture
from ..cost import COST_KINDS
from ..cost_target import CostTarget

Scores = Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True)
class Validation:
    """Dice of one validation: the mean and one value a class, None where a class never occurred."""

    mean_dice: float | None
    dice: Scores

    @classmethod
    def of(cls, values: Mapping[str, Any] | None) -> Validation | None:
        """The record in the field "validation" of a row; None where the epoch was not validated."""
        return None if values is None else cls(mean_dice=values["mean_dice"], dice=values.get("dice", {}))


@dataclass(frozen=True, kw_only=True)
class EarlyStop:
    """What it saved to end a search before its last epoch."""

    epochs_saved: int
    seconds_saved: float


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
        return cls(losses={"loss": row["loss"]}, **_common(row))


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
        architecture = Architecture(**row["architecture"])
        for name in ("alpha", "beta"):
            if len(row[name]) != len(architecture.blocks) or not all(row[name]):
                raise ValueError(f"{name} must have one entry for each of the {len(architecture.blocks)} blocks")
        stopped = row.get("stopped_early")
        return cls(
            losses=_search_losses(row),
            warm_up=row["phase"] == "warm-up",
            tau=row["tau"],
            alpha=row["alpha"],
            beta=row["beta"],
            architecture=architecture,
            search_epoch=row.get("search_epoch", row["epoch"]),
            supernet_validation=Validation.of(row.get("supernet_validation")),
            stopped_early=None if stopped is None else EarlyStop(**stopped),
            **_costs(row),
            **_common(row),
        )


def _search_losses(row: Mapping[str, Any]) -> Scores:
    return {
        "weights": row["weight_loss"],
        "architecture, split A": row["architecture_loss_a"],
        "architecture, split B": row["architecture_loss_b"],
    }


def _costs(row: Mapping[str, Any]) -> dict[str, Any]:
    target = row.get("target")
    names = ("expected_cost", "derived_cost", "parameters", "flops", "entropy")
    return {
        "target": None if target is None else _target(target),
        "argmax_cost": _optional_number(row, "cost_before_landing"),
        **{name: _optional_number(row, name) for name in names},
    }


def _target(values: Mapping[str, Any]) -> CostTarget:
    """The target in a row; its name is that of a folder, and its value a divisor."""
    target = CostTarget(**values)
    if target.kind not in COST_KINDS or target.value <= 0:
        raise ValueError(f"target must be above 0 and of a kind in {', '.join(COST_KINDS)}, got {dict(values)}")
    if not target.name or not set(target.name).isdisjoint("/\\:") or target.name.startswith("."):
        raise ValueError(f"the name of a target must be that of a folder, got {target.name!r}")
    return target


def _common(row: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: row[name] for name in ("epoch", "learning_rate", "seconds")}
    return {
        **values,
        "validation": Validation.of(row["validation"]),
        "data_wait": _optional_number(row, "data_wait"),
    }


def _optional_number(row: Mapping[str, Any], name: str) -> float | None:
    value = row.get(name)
    return None if value is None else float(value)
