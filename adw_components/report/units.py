"""Costs, deviations and times in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..cost import CostKind


@dataclass(frozen=True)
class Unit:
    """In what a kind of cost is shown: divided by `size`, followed by `words`."""

    size: float
    words: str


UNITS: Mapping[CostKind, Unit] = {
    "flops": Unit(1e9, "GFLOPs a patch"),
    "parameters": Unit(1e6, "million parameters"),
    "memory": Unit(1e6, "MB of activations"),
}


def digits(number: float) -> str:
    """At least three digits, and all before the point: 0.0123, 12.3, 1,234."""
    return f"{number:,.0f}" if abs(number) >= 999.5 else f"{number:.3g}"


def in_unit(kind: CostKind, cost: float) -> str:
    """A cost in its unit: 30.5."""
    return digits(cost / UNITS[kind].size)


def amount(kind: CostKind, cost: float) -> str:
    """A cost with its unit: 30.5 GFLOPs a patch."""
    return f"{in_unit(kind, cost)} {UNITS[kind].words}"


def percent(share: float) -> str:
    """A signed deviation: +1.7 %."""
    # Adding 0 turns a rounded -0.0 into 0.0.
    return f"{round(100 * share, 1) + 0.0:+.1f}\N{NO-BREAK SPACE}%"


def duration(seconds: float) -> str:
    """A rounded time: 40 s, 12 min, 1.5 h."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
