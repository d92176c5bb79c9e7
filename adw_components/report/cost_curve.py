"""The cost over the epochs of a search, against its target or nnU-Net's default network."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from .curves import Points, draw_line, epoch_figure, points
from .epochs import SearchEpoch
from .figures import INK, MUTED, series_colour
from .units import UNITS, Unit

# What is shown around a target; a search is no better for being nearer.
_BAND = 0.1


def cost_figure(epochs: Sequence[SearchEpoch], *, default_flops: float | None = None, name: str = "cost") -> str | None:
    """The SVG figure of one search's cost, in the unit of its target; without a target, FLOPs.

    Args:
        epochs: of one search, at least one.
        default_flops: of nnU-Net's default network, the reference of a search without a target.
        name: unique in the page.

    Returns:
        None where the rows have no cost to show.
    """
    target = epochs[-1].target
    if target is not None:
        unit = UNITS[target.kind]
        return epoch_figure(
            epochs, name, f"Cost in {unit.words}", lambda axes, rows: _against_target(axes, rows, target.value, unit)
        )
    if all(epoch.flops is None or epoch.warm_up for epoch in epochs):
        return None
    title = f"Cost of the derived network in {UNITS['flops'].words}"
    return epoch_figure(epochs, name, title, lambda axes, rows: _without_target(axes, rows, default_flops))


def _against_target(axes: Axes, epochs: Sequence[SearchEpoch], target: float, unit: Unit) -> None:
    draw_line(axes, _scaled(points(epochs, lambda epoch: epoch.expected_cost), unit), 0, "expected")
    # Before the choices move, what they would derive says nothing.
    searched = [epoch for epoch in epochs if not epoch.warm_up]
    argmax = _scaled(points(searched, lambda epoch: epoch.argmax_cost), unit)
    derived = _scaled(points(searched, lambda epoch: epoch.derived_cost), unit)
    if argmax[0] and argmax != derived:
        _steps(axes, argmax, 1, "of the likeliest choices")
        _steps(axes, derived, 2, "derived: changed for the target")
    else:
        _steps(axes, derived, 1, "derived")
    value = target / unit.size
    axes.axhspan((1 - _BAND) * value, (1 + _BAND) * value, facecolor=MUTED, alpha=0.15, edgecolor="none")
    axes.axhline(value, color=INK, linewidth=1, linestyle="--", label="target, ±10 %")
    axes.set_ylim(bottom=0)


def _without_target(axes: Axes, epochs: Sequence[SearchEpoch], default: float | None) -> None:
    unit = UNITS["flops"]
    searched = [epoch for epoch in epochs if not epoch.warm_up]
    _steps(axes, _scaled(points(searched, lambda epoch: epoch.flops), unit), 0, "derived")
    if default is not None:
        axes.axhline(default / unit.size, color=INK, linewidth=1, linestyle=":", label="nnU-Net default")
    axes.set_ylim(bottom=0)


def _scaled(found: Points, unit: Unit) -> Points:
    """The same points with their values in `unit`."""
    return found[0], [value / unit.size for value in found[1]]


def _steps(axes: Axes, found: Points, index: int, label: str) -> None:
    if found[0]:
        marker = "o" if len(found[0]) == 1 else ""
        axes.step(*found, where="mid", color=series_colour(index), linewidth=1.4, label=label, marker=marker)
