"""What the files of a run hold, as frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..architecture import Architecture
from ..search_space import SearchSpace
from .branches import Branch, searches
from .epochs import Epoch, Scores, SearchEpoch


@dataclass(frozen=True, kw_only=True)
class SearchRun:
    """A search folder; `derived` holds what its searches have derived so far, by the name of their folder in it.

    The only search of a run has no folder of its own: its name is empty.
    """

    folder: Path
    settings: Mapping[str, Any]
    epochs: tuple[SearchEpoch, ...]
    derived: Mapping[str, Architecture]
    space: SearchSpace | None

    @property
    def planned(self) -> tuple[str, ...]:
        """Names of the targets in the settings; earlier versions had none."""
        targets = self.settings.get("targets") or ()
        return tuple(str(target["name"]) for target in targets if isinstance(target, Mapping) and "name" in target)

    @property
    def is_set(self) -> bool:
        """Whether the run searches for several targets and has begun to; its warm-up is that of any search."""
        begun = {name for name in searches(self.epochs) if name}
        return bool(begun) and max(len(self.planned), len(begun)) > 1

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        """The searches that have begun, in their order."""
        folders = {name: name if self.is_set else "" for name in searches(self.epochs)}
        return tuple(
            Branch(
                name=name, epochs=epochs, folder=self.folder / folders[name], derived=self.derived.get(folders[name])
            )
            for name, epochs in searches(self.epochs).items()
        )

    @property
    def n_searches(self) -> int:
        """Searches of the whole run."""
        return max(1, len(self.planned), len(self.branches))

    @property
    def has_ended(self) -> bool:
        """Whether all its searches have derived their architecture."""
        if not self.epochs:
            return bool(self.derived)
        return len(self.branches) == self.n_searches and all(branch.derived for branch in self.branches)

    @property
    def architecture(self) -> Architecture | None:
        """What a single search derived, or else what its last epoch would; None for a set, which has several."""
        if self.is_set:
            return None
        return self.derived.get("") or (self.epochs[-1].architecture if self.epochs else None)


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
        """The network that the page is about: the retrained one, or else what a single search derived."""
        retrained = self.train.architecture if self.train else None
        return retrained or (self.search.architecture if self.search else None)

    @property
    def any_architecture(self) -> Architecture | None:
        """The same, or else one of a set: those have their geometry in common."""
        branches = self.search.branches if self.search else ()
        return self.architecture or (branches[-1].architecture if branches else None)
