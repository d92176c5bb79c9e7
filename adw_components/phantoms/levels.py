"""Intensities of a scene in terms of the real labelled voxels' statistics. No torch here."""

from __future__ import annotations

from collections.abc import Sequence

from ..plan import Plan


def level(plan: Plan, deviations: float | Sequence[float]) -> tuple[float, ...]:
    """Per channel, the plan's foreground mean plus so many of its standard deviations; one number goes for all."""
    rows = plan.foreground_intensity
    wanted = [deviations] * len(rows) if isinstance(deviations, int | float) else deviations
    return tuple(row["mean"] + share * row["std"] for row, share in zip(rows, wanted, strict=True))


def spread(plan: Plan) -> tuple[float, ...]:
    """Per channel, the standard deviation of the plan's foreground."""
    return tuple(row["std"] for row in plan.foreground_intensity)
