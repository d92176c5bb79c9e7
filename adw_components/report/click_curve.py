"""Dice after every number of simulated clicks."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from .figures import INK, inline_svg, plain, series_colour
from .records import Clicks


def click_figure(clicks: Sequence[Clicks]) -> str:
    """The SVG figure of a click curve: a line a class, and a bold one of their mean."""
    figure = Figure(figsize=(5.4, 2.6), layout="constrained")
    axes = figure.add_subplot()
    plain(axes)
    axes.set_title("Dice after simulated clicks", loc="left", fontsize=10, color=INK)
    axes.set_xlabel("clicks on every case", fontsize=8, color=INK)
    counts = [point.count for point in clicks]
    rows = {"mean": [point.mean_dice for point in clicks]}
    rows |= {name: [point.dice[name] for point in clicks] for name in clicks[0].dice}
    for index, (name, values) in enumerate(rows.items()):
        heights = [float("nan") if value is None else value for value in values]
        width = 1.1 if index else 2.2
        axes.plot(counts, heights, color=series_colour(index), linewidth=width, label=name, marker="o", markersize=2.5)
    axes.set_xticks(counts)
    axes.legend(fontsize=8, frameon=False, labelcolor=INK, loc="best")
    return inline_svg(figure, name="clicks", title="Dice after simulated clicks")
