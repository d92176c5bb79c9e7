"""What a search derives: the paper's argmax, landed on the target where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..architecture import Architecture
from ..cost import count
from ..cost_target import CostTarget
from ..networks import AdwUNetSupernet
from .landing import TOLERANCE, land


@dataclass(frozen=True, kw_only=True)
class Landed:
    """A derived architecture, and what became of its cost.

    Attributes:
        architecture: the result.
        target: what it should cost, or None.
        cost: what it costs, in the target's unit.
        cost_before: what the argmax alone would cost.
        n_changes: changes of a width or a depth between the two.
    """

    architecture: Architecture
    target: CostTarget | None = None
    cost: float | None = None
    cost_before: float | None = None
    n_changes: int = 0

    def facts(self) -> dict[str, Any]:
        """For the provenance; empty without a target."""
        if self.target is None:
            return {}
        return {
            "target": self.target.to_dict(),
            "cost": self.cost,
            "cost_before_landing": self.cost_before,
            "changes_to_meet_target": self.n_changes,
        }

    def account(self) -> str:
        """How the cost compares with the target, for the end of a search; empty without one."""
        if self.target is None or self.cost is None or self.cost_before is None:
            return ""
        share, before = self.cost / self.target.value, self.cost_before / self.target.value
        off = abs(share - 1) > TOLERANCE
        reason = ", and no change in the search space comes closer: add base_widths or depths" if off else ""
        return f"\n{self.target.name}: {share:.3f} of the target ({before:.3f} before landing){reason}"


def landed(supernet: AdwUNetSupernet, target: CostTarget | None, *, patch_size: Sequence[int]) -> Landed:
    """What `supernet` gives now (paper section 3.4, and `landing.land`)."""
    argmax = supernet.derive()
    if target is None:
        return Landed(architecture=argmax)
    shape: dict[str, Any] = {
        "in_channels": supernet.in_channels,
        "out_channels": supernet.out_channels,
        "patch_size": tuple(patch_size),
    }
    logits = supernet.logits()
    architecture, n_changes = land(supernet.search_space, logits["alpha"], logits["beta"], target, **shape)
    costs = [count(target.kind, one, **shape) for one in (architecture, argmax)]
    return Landed(architecture=architecture, target=target, cost=costs[0], cost_before=costs[1], n_changes=n_changes)
