"""What the files of a run hold, as frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..architecture import Architecture
from ..search_space import SearchSpace

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
class Epoch:
    """One epoch of a retraining; `losses` by the name that the legend shows."""

    epoch: int
    losses: Scores
    learning_rate: float
    seconds: float
    validation: Validation | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Epoch:
        """The record in a row of `train.jsonl`."""
        return cls(losses={"loss": row["loss"]}, **_common(row))


@dataclass(frozen=True, kw_only=True)
class SearchEpoch(Epoch):
    """One epoch of a search; `alpha` is [block][convolution][width] and `beta` [block][depth], both logits."""

    warm_up: bool
    tau: float
    alpha: list[list[list[float]]]
    beta: list[list[float]]
    architecture: Architecture

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> SearchEpoch:
        """The record in a row of `search.jsonl`."""
        architecture = Architecture(**row["architecture"])
        for name in ("alpha", "beta"):
            if len(row[name]) != len(architecture.blocks) or not all(row[name]):
                raise ValueError(f"{name} must have one entry for each of the {len(architecture.blocks)} blocks")
        losses = {
            "weights": row["weight_loss"],
            "architecture, split A": row["architecture_loss_a"],
            "architecture, split B": row["architecture_loss_b"],
        }
        return cls(
            losses=losses,
            warm_up=row["phase"] == "warm-up",
            tau=row["tau"],
            alpha=row["alpha"],
            beta=row["beta"],
            architecture=architecture,
            **_common(row),
        )


def _common(row: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: row[name] for name in ("epoch", "learning_rate", "seconds")}
    return {**values, "validation": Validation.of(row["validation"])}


@dataclass(frozen=True, kw_only=True)
class SearchRun:
    """A search folder; `derived` is None while the search still runs."""

    folder: Path
    settings: Mapping[str, Any]
    epochs: tuple[SearchEpoch, ...]
    derived: Architecture | None
    space: SearchSpace | None

    @property
    def architecture(self) -> Architecture | None:
        """The derived architecture, or else what the last epoch would derive."""
        return self.derived or (self.epochs[-1].architecture if self.epochs else None)


@dataclass(frozen=True, kw_only=True)
class TrainRun:
    """A retraining folder."""

    folder: Path
    settings: Mapping[str, Any]
    epochs: tuple[Epoch, ...]
    architecture: Architecture | None


@dataclass(frozen=True, kw_only=True)
class Case:
    """One evaluated case; distances in mm, the paths resolved."""

    case: str
    image: Path
    label: Path
    prediction: Path
    dice: Scores
    mean_dice: float | None
    hd95_mm: Scores
    mean_hd95_mm: float | None


@dataclass(frozen=True, kw_only=True)
class Clicks:
    """Dice, in the mean and per class, after a number of simulated clicks on every case."""

    count: int
    mean_dice: float | None
    dice: Scores


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """An evaluation folder; `labels` by their voxel value, `clicks` for an interactive bundle."""

    folder: Path
    labels: Mapping[int, str]
    cases: tuple[Case, ...]
    summary: Mapping[str, Any] | None
    clicks: tuple[Clicks, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sources:
    """All that was found of a run."""

    run_dir: Path
    search: SearchRun | None
    train: TrainRun | None
    evaluation: Evaluation | None

    @property
    def architecture(self) -> Architecture | None:
        """The network that the page draws: the retrained one, or else what the search derived."""
        retrained = self.train.architecture if self.train else None
        return retrained or (self.search.architecture if self.search else None)
