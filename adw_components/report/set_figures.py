"""The searches of a set side by side: their costs, their Dice, and one against the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..cost import CostKind
from .branches import Branch
from .curves import draw_line, mean_dice, points, shade_warm_up
from .epochs import SearchEpoch
from .figures import INK, MUTED, inline_svg, plain, series_colour
from .units import UNITS


def set_figures(branches: Sequence[Branch], *, kind: CostKind, default_cost: float | None) -> list[str]:
    """The SVG figures of a set, in reading order.

    Args:
        branches: at least one.
        kind: of the targets.
        default_cost: of nnU-Net's default network.
    """
    networks = "derived networks, supernet's weights"
    figures = [
        _figure("Expected cost", "epoch", lambda axes: _costs(axes, branches, kind), UNITS[kind].words),
        _figure("Dice", "epoch", lambda axes: _lines(axes, branches, mean_dice), networks),
    ]
    if any(map(_is_point, branches)):
        pareto = partial(_pareto, branches=branches, kind=kind, default_cost=default_cost)
        figures.insert(0, _figure("Dice over cost", f"cost in {UNITS[kind].words}", pareto, networks))
    return figures


def _is_point(branch: Branch) -> bool:
    """Whether a search has ended with a cost and a Dice."""
    return branch.derived is not None and branch.mean_dice is not None and branch.last.derived_cost is not None


def _figure(title: str, label: str, draw: Callable[[Axes], None], note: str) -> str:
    figure = Figure(figsize=(5.4, 2.9), layout="constrained")
    axes = figure.add_subplot()
    plain(axes)
    axes.set_title(f"{title} ({note})", loc="left", fontsize=10, color=INK)
    axes.set_xlabel(label, fontsize=8, color=INK)
    draw(axes)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8, frameon=False, labelcolor=INK, loc="best")
    return inline_svg(figure, name=f"set {title}", title=f"{title} of the searches of the set")


def _costs(axes: Axes, branches: Sequence[Branch], kind: CostKind) -> None:
    unit = UNITS[kind]
    _lines(axes, branches, lambda epoch: None if epoch.expected_cost is None else epoch.expected_cost / unit.size)
    for index, branch in enumerate(branches):
        if branch.target:
            axes.axhline(branch.target.value / unit.size, color=series_colour(index), linewidth=0.9, linestyle="--")
    axes.set_ylim(bottom=0)


def _lines(axes: Axes, branches: Sequence[Branch], value: Callable[[SearchEpoch], float | None]) -> None:
    """A line a branch from the end of the warm-up, which is drawn once."""
    warm_up = points([epoch for epoch in branches[0].epochs if epoch.warm_up], value)
    axes.plot(*warm_up, color=MUTED, linewidth=1.6)
    for index, branch in enumerate(branches):
        numbers, values = points([epoch for epoch in branch.epochs if not epoch.warm_up], value)
        draw_line(axes, (warm_up[0][-1:] + numbers, warm_up[1][-1:] + values), index, branch.name, few=1)
    shade_warm_up(axes, branches[0].epochs)


def _pareto(axes: Axes, branches: Sequence[Branch], kind: CostKind, default_cost: float | None) -> None:
    size = UNITS[kind].size
    for index, branch in enumerate(branches):
        if not _is_point(branch):
            continue
        cost, dice = (branch.last.derived_cost or 0) / size, branch.mean_dice or 0
        axes.plot([cost], [dice], marker="o", markersize=6, color=series_colour(index), linestyle="")
        axes.annotate(
            branch.name, (cost, dice), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8, color=INK
        )
    if default_cost is not None:
        axes.axvline(default_cost / size, color=MUTED, linewidth=1, linestyle=":", label="nnU-Net default")
    # Room for the names.
    axes.margins(x=0.2, y=0.25)
