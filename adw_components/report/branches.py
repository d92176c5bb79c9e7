"""The searches of one run: each with a target of its own, all from one warm-up. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..architecture import Architecture
from ..cost_target import CostTarget
from .epochs import SearchEpoch, Validation


@dataclass(frozen=True, kw_only=True)
class Branch:
    """One search of a run.

    Args:
        name: of its target; empty for a search without one.
        folder: where it left its architecture.
        epochs: those of the warm-up and its own, at least one; `epoch` is counted within this search.
        derived: what it derived; None while it still runs.
    """

    name: str
    folder: Path
    epochs: tuple[SearchEpoch, ...]
    derived: Architecture | None

    @property
    def last(self) -> SearchEpoch:
        """Its last epoch so far."""
        return self.epochs[-1]

    @property
    def architecture(self) -> Architecture:
        """The derived architecture, or else what the last epoch would derive."""
        return self.derived or self.last.architecture

    @property
    def target(self) -> CostTarget | None:
        """The cost that it aims at."""
        return self.last.target

    @property
    def deviation(self) -> float | None:
        """How far the derived cost is from the target, relative to it."""
        if self.target is None or self.last.derived_cost is None:
            return None
        return self.last.derived_cost / self.target.value - 1

    @property
    def validation(self) -> Validation | None:
        """The last validation of the derived network with the supernet's weights."""
        found = [epoch.validation for epoch in self.epochs if epoch.validation]
        return found[-1] if found else None

    @property
    def mean_dice(self) -> float | None:
        """The mean Dice of that validation."""
        return self.validation.mean_dice if self.validation else None


def target_name(epoch: SearchEpoch) -> str:
    """The name of the search that a row belongs to."""
    return epoch.target.name if epoch.target else ""


def searches(epochs: Sequence[SearchEpoch]) -> dict[str, tuple[SearchEpoch, ...]]:
    """The epochs of every search of a run by the name of its target, renumbered within it.

    The warm-up, whose rows name no target, is the beginning of each; while there is nothing else, it stands for itself.
    """
    begun = [epoch for epoch in epochs if not epoch.warm_up] or epochs[-1:]
    return {
        name: tuple(
            replace(epoch, epoch=epoch.search_epoch) for epoch in epochs if epoch.warm_up or target_name(epoch) == name
        )
        for name in dict.fromkeys(map(target_name, begun))
    }
