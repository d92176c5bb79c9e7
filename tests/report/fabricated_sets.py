"""Folders of searches for targets: one, or several from one warm-up, as a run writes them."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from fabricated_runs import LABELS, NETWORK, SPACE, space_settings, validation

from adw_components.architecture import Architecture
from adw_components.cost import CostKind, count
from adw_components.cost_target import CostTarget
from adw_components.reference import nnunet_default
from adw_components.search_space import SearchSpace

WARM_UP, MAX_EPOCHS = 3, 8
# Every row has these seconds and this share of waiting.
SECONDS, DATA_WAIT = 60.0, 0.04
# The argmax is so much dearer than what is derived in the end.
BEFORE_LANDING = 1.05


@dataclass(frozen=True, kw_only=True)
class Searches:
    """What searches are about; the defaults make a small run.

    Args:
        space: of the searches.
        network: channels and patch.
        kind: of the targets.
        ratios: to nnU-Net's default, a search each.
        warm_up: epochs that the searches share.
        max_epochs: epochs of each search, warm-up included.
        saved: epochs that the first search was ended early by.
    """

    space: SearchSpace = SPACE
    network: Mapping[str, Any] = field(default_factory=lambda: NETWORK)
    kind: CostKind = "flops"
    ratios: tuple[float, ...] = (0.02, 0.03, 0.04)
    warm_up: int = WARM_UP
    max_epochs: int = MAX_EPOCHS
    saved: int = 0

    def cost(self, architecture: Architecture) -> int:
        """In the unit of the targets."""
        return count(self.kind, architecture, **self.network)

    @cached_property
    def targets(self) -> list[CostTarget]:
        """One a search."""
        default = self.cost(nnunet_default(strides=self.space.strides, kernel_sizes=self.space.kernel_sizes))
        return [
            CostTarget(kind=self.kind, value=ratio * default, ratio=ratio, name=f"{self.kind}_{ratio:g}")
            for ratio in self.ratios
        ]

    def derived(self, target: CostTarget) -> Architecture:
        """Of the candidates that a few seeds give, the one nearest to the target."""
        return min(self._candidates, key=lambda one: abs(math.log(self._candidates[one] / target.value)))

    @cached_property
    def _candidates(self) -> dict[Architecture, int]:
        return {one: self.cost(one) for one in (self.space.sample(seed=seed) for seed in range(200))}

    def provenance(self, target: CostTarget) -> dict[str, Any]:
        """What the derived architecture's file says of its cost."""
        cost = self.cost(self.derived(target))
        before = {"cost_before_landing": BEFORE_LANDING * cost, "changes_to_meet_target": 2}
        return {"target": target.to_dict(), "cost": cost, **before}


def search_rows(searches: Searches) -> list[dict[str, Any]]:
    """The rows of all searches, the warm-up once."""
    rows, length = [], searches.max_epochs - searches.warm_up
    for index, target in enumerate(searches.targets):
        saved = 0 if index else searches.saved
        for search_epoch in range(1 if index == 0 else searches.warm_up + 1, searches.max_epochs - saved + 1):
            is_last = search_epoch == searches.max_epochs - saved
            row = {"epoch": search_epoch + index * length, **_row(searches, target, search_epoch, is_last=is_last)}
            if is_last and saved:
                row["stopped_early"] = {"epochs_saved": saved, "seconds_saved": saved * SECONDS}
            rows.append(row)
    return rows


def _row(searches: Searches, target: CostTarget, search_epoch: int, *, is_last: bool) -> dict[str, Any]:
    warming_up, derived = search_epoch <= searches.warm_up, searches.derived(target)
    done = 0.0 if warming_up else (search_epoch - searches.warm_up) / (searches.max_epochs - searches.warm_up)
    cost, channels = searches.cost(derived), {name: searches.network[name] for name in ("in_channels", "out_channels")}
    dice = 0.85 * (1 - math.exp(-search_epoch / 10)) + 0.02 * math.log(target.ratio or 1)
    start = searches.cost(searches.space.uniform(width=1, depth=2))
    return {
        "search_epoch": search_epoch,
        "phase": "warm-up" if warming_up else "search",
        "weight_loss": 1 / search_epoch + 0.05,
        "architecture_loss_a": None if warming_up else 1 / search_epoch + 0.07,
        "architecture_loss_b": None if warming_up else 1 / search_epoch + 0.1,
        "tau": 5.0 * 0.97 ** max(0, search_epoch - searches.warm_up),
        "learning_rate": 0.01 * (1 - search_epoch / (searches.max_epochs + 1)) ** 0.9,
        **_logits(searches.space, derived, 6 * done),
        "entropy": 1 - 0.96 * done,
        "architecture": derived.structure(),
        "parameters": count("parameters", derived, **channels, patch_size=searches.network["patch_size"]),
        "flops": count("flops", derived, **channels, patch_size=searches.network["patch_size"]),
        # All searches share the warm-up, so that it has no target.
        "target": None if warming_up else target.to_dict(),
        "expected_cost": None if warming_up else start * (cost / start) ** min(1, 1.5 * done),
        "derived_cost": None if warming_up else cost,
        "cost_before_landing": None if warming_up else BEFORE_LANDING * cost * (start / cost) ** (0.4 * (1 - done)),
        "validation": validation(dice) if is_last or search_epoch % 2 == 0 else None,
        "supernet_validation": validation(dice + 0.03) if is_last else None,
        "stopped_early": None,
        "data_wait": DATA_WAIT,
        "seconds": SECONDS,
    }


def _logits(space: SearchSpace, derived: Architecture, strength: float) -> dict[str, Any]:
    """Logits that favour `derived`, the more the larger `strength`, some more than others."""
    alpha, beta = [], []
    for index, (widths, candidates) in enumerate(zip(derived.blocks, space.block_widths, strict=True)):
        wanted = [*widths, *[candidates[0]] * (space.max_depth - len(widths))]
        pull = strength * (1 + 0.2 * (index % 3))
        alpha.append([[pull * (width == chosen) for width in candidates] for chosen in wanted])
        beta.append([pull * (depth == len(widths)) for depth in space.depths])
    return {"alpha": alpha, "beta": beta}


def write_searches(folder: Path, searches: Searches, *, ended: int | None = None, **settings: Any) -> Path:
    """The folder of a run of which `ended` searches, all if None, are complete, and no other has begun."""
    targets = searches.targets[:ended]
    names = {target.name for target in targets}
    rows = [row for row in search_rows(searches) if row["target"] is None or row["target"]["name"] in names]
    values = {"kind": "search", "dataset": "Task04_Hippocampus", "labels": LABELS, **searches.network}
    values |= {"warmup_epochs": searches.warm_up, "max_epochs": searches.max_epochs}
    values |= {"search_space": space_settings(searches.space), "stop_entropy": 0.05 if searches.saved else None}
    values |= {"targets": [target.to_dict() for target in searches.targets]}
    write_rows(folder, rows, values | settings)
    for target in targets:
        path = folder / target.name if len(searches.ratios) > 1 else folder
        replace(searches.derived(target), provenance=searches.provenance(target)).save(path / "architecture.json")
    return folder


def write_rows(folder: Path, rows: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> None:
    """The record and the settings of a search."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "search.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
