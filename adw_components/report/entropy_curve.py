"""How decided the choices are over the epochs of a search."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .curves import points, shade_warm_up
from .epochs import SearchEpoch
from .figures import INK, MUTED, inline_svg, plain, series_colour, thinned
from .probabilities import entropies


def entropy_figure(epochs: Sequence[SearchEpoch], *, stop_entropy: float | None = None, name: str = "entropy") -> str:
    """Mean normalized entropy of the depth and of the width choices, with the range over the choices.

    Args:
        epochs: of one search, at least one.
        stop_entropy: at which the search ends; drawn beside the entropy that is compared with it.
        name: unique in the page.
    """
    kept = thinned(epochs)
    figure = Figure(figsize=(5.4, 2.6), layout="constrained")
    axes = figure.add_subplot()
    plain(axes)
    axes.set_title("Entropy of the choices (1 undecided, 0 decided)", loc="left", fontsize=10, color=INK)
    axes.set_xlabel("epoch", fontsize=8, color=INK)
    _entropy_band(axes, kept, 0, "depth", lambda epoch: entropies(epoch.beta))
    _entropy_band(axes, kept, 1, "width", lambda epoch: entropies(row for block in epoch.alpha for row in block))
    if stop_entropy is not None:
        _stop(axes, epochs, stop_entropy)
    axes.set_ylim(-0.02, 1.05)
    axes.set_xlim(epochs[0].epoch - 0.5, epochs[-1].epoch + 0.5)
    shade_warm_up(axes, epochs)
    if axes.lines:
        axes.legend(fontsize=8, frameon=False, labelcolor=INK, loc=(0.01, 0.12))
    return inline_svg(figure, name=name, title="Entropy of the depth and width choices over the epochs")


def _entropy_band(
    axes: Axes, epochs: list[SearchEpoch], index: int, label: str, found: Callable[[SearchEpoch], list[float]]
) -> None:
    rows = [found(epoch) for epoch in epochs]
    if not rows[0]:
        return
    numbers, colour = [epoch.epoch for epoch in epochs], series_colour(index)
    axes.fill_between(numbers, [min(row) for row in rows], [max(row) for row in rows], color=colour, alpha=0.15, lw=0)
    means = [sum(row) / len(row) for row in rows]
    axes.plot(numbers, means, color=colour, linewidth=1.8, label=f"{label}: mean and range")


def _stop(axes: Axes, epochs: Sequence[SearchEpoch], stop_entropy: float) -> None:
    axes.plot(*points(epochs, lambda epoch: epoch.entropy), color=INK, linewidth=1.4, label="of what is derived: mean")
    axes.axhline(stop_entropy, color=MUTED, linewidth=1, linestyle=":", label=f"stops at {stop_entropy:g}")
