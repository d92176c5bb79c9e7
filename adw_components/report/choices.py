"""The choices over the epochs of a search: depth and width probabilities of every block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from ..describe import block_names
from ..search_space import SearchSpace
from .curves import shade_warm_up
from .epochs import SearchEpoch
from .figures import GRID, INK, MUTED, inline_svg, plain, series_colour, thinned
from .probabilities import argmax, softmax

# One hue from transparent to full: it reads on a light page and on a dark one.
_HEAT = LinearSegmentedColormap.from_list("heat", [(0.18, 0.44, 0.86, 0.0), (0.18, 0.44, 0.86, 1.0)])
_UNUSED_HEAT = LinearSegmentedColormap.from_list("unused", [(0.5, 0.5, 0.5, 0.0), (0.5, 0.5, 0.5, 0.55)])
_ROW_INCHES, _HEAD_INCHES, _FOOT_INCHES = 0.92, 0.75, 0.45
_SMALL_POINTS = 150


def choices_figure(epochs: Sequence[SearchEpoch], space: SearchSpace | None, *, name: str = "choices") -> str:
    """Small multiples: a row per block, its depth probabilities as lines and its width probabilities as heat maps.

    Args:
        epochs: of one search, at least one.
        space: names the candidates.
        name: unique in the page.
    """
    kept = thinned(epochs, _SMALL_POINTS)
    names = block_names(epochs[-1].architecture.n_stages)
    columns = 1 + max(len(block) for block in epochs[-1].alpha)
    figure = Figure(figsize=(11, _HEAD_INCHES + _FOOT_INCHES + _ROW_INCHES * len(names)))
    grid = figure.subplots(len(names), columns, squeeze=False, sharex=True)
    _place(figure)
    highest = _highest_width_probability(kept)
    for block, label in enumerate(names):
        _depth_panel(grid[block, 0], kept, block, label, space)
        for convolution, axes in enumerate(grid[block, 1:]):
            _width_panel(axes, kept, (block, convolution), space, highest)
    grid[0, 0].set_title("depth: probability of each", loc="left", fontsize=9, color=INK, pad=13)
    for convolution, axes in enumerate(grid[0, 1:]):
        axes.set_title(f"width of convolution {convolution + 1}", loc="left", fontsize=9, color=INK, pad=13)
    for axes in grid[-1]:
        axes.set_xlabel("epoch", fontsize=8, color=INK)
    _keys(figure, grid[0, 0], highest)
    return inline_svg(figure, name=name, title="Probabilities of the depths and widths of every block by epoch")


def _place(figure: Figure) -> None:
    height = figure.get_figheight()
    top, bottom = 1 - _HEAD_INCHES / height, _FOOT_INCHES / height
    figure.subplots_adjust(left=0.115, right=0.985, top=top, bottom=bottom, wspace=0.2, hspace=0.28)


def _depth_panel(axes: Axes, epochs: list[SearchEpoch], block: int, name: str, space: SearchSpace | None) -> None:
    plain(axes)
    axes.set_ylabel(name, fontsize=9, color=INK, rotation=0, ha="right", va="center", labelpad=26)
    axes.set_ylim(-0.04, 1.04)
    axes.set_yticks([0, 0.5, 1], ["0", "½", "1"])
    if len(epochs[-1].beta[block]) == 1:
        return _fixed(axes, f"{space.depths[0]}" if space else "")
    rows = np.array([softmax(epoch.beta[block]) for epoch in epochs])
    for index, values in enumerate(rows.T):
        label = str(space.depths[index] if space else index + 1)
        axes.plot([epoch.epoch for epoch in epochs], values, color=series_colour(index), linewidth=1.5, label=label)
    shade_warm_up(axes, epochs, label=False)


def _width_panel(
    axes: Axes, epochs: list[SearchEpoch], place: tuple[int, int], space: SearchSpace | None, highest: float
) -> None:
    block, convolution = place
    plain(axes)
    axes.grid(False)
    if convolution >= len(epochs[-1].alpha[block]):
        return axes.set_axis_off()
    logits = [epoch.alpha[block][convolution] for epoch in epochs]
    widths = space.block_widths[block] if space else tuple(range(1, len(logits[0]) + 1))
    derived = epochs[-1].architecture.blocks[block]
    kept = convolution < len(derived)
    if len(logits[0]) == 1:
        axes.set_yticks([])
        return _fixed(axes, str(widths[0]) if space else "")
    heat = np.array([softmax(row) for row in logits]).T
    extent = (epochs[0].epoch - 0.5, epochs[-1].epoch + 0.5, -0.5, len(widths) - 0.5)
    axes.imshow(
        heat,
        cmap=_HEAT if kept else _UNUSED_HEAT,
        vmin=0,
        vmax=highest,
        aspect="auto",
        origin="lower",
        extent=extent,
        interpolation="none",
    )
    # Landed on a target, a width need not be the likeliest.
    known = space is not None and kept and derived[convolution] in widths
    _mark_widths(axes, widths, widths.index(derived[convolution]) if known else argmax(logits[-1]), kept)
    # A line, not the shade of the other figures, which would darken the heat map.
    warm = [epoch.epoch for epoch in epochs if epoch.warm_up]
    if 0 < len(warm) < len(epochs):
        axes.axvline(warm[-1] + 0.5, color=MUTED, linewidth=0.8, linestyle=":")


def _mark_widths(axes: Axes, widths: Sequence[int], chosen: int, kept: bool) -> None:
    axes.set_yticks(range(len(widths)), [str(width) for width in widths], fontsize=7)
    if not kept:
        axes.text(1, 1.03, "beyond the chosen depth", transform=axes.transAxes, ha="right", va="bottom",
                  fontsize=7.5, color=MUTED)  # fmt: skip
        return
    tick = axes.get_yticklabels()[chosen]
    tick.set_color(INK)
    tick.set_fontweight("bold")
    beside = axes.get_yaxis_transform()
    axes.plot([1.015], [chosen], marker="<", markersize=4, color=INK, clip_on=False, transform=beside)


def _fixed(axes: Axes, value: str) -> None:
    axes.text(0.5, 0.5, f"fixed {value}".strip(), transform=axes.transAxes, ha="center", va="center",
              fontsize=8, color=MUTED)  # fmt: skip


def _highest_width_probability(epochs: list[SearchEpoch]) -> float:
    """Where the colour scale ends, so that a search that has hardly begun to choose still shows."""
    found = [p for epoch in epochs for block in epoch.alpha for row in block if len(row) > 1 for p in softmax(row)]
    return float(np.clip(np.ceil(max(found, default=1.0) * 10) / 10, 0.5, 1.0))


def _keys(figure: Figure, depth_axes: Axes, highest: float) -> None:
    height = figure.get_figheight()
    handles, labels = depth_axes.get_legend_handles_labels()
    if handles:
        figure.legend(handles, [f"depth {label}" for label in labels], loc="upper left", ncols=len(labels),
                      bbox_to_anchor=(0.09, 1.0), fontsize=8, frameon=False, labelcolor=INK)  # fmt: skip
    axes = figure.add_axes((0.72, 1 - 0.22 / height, 0.2, 0.12 / height))
    axes.imshow([[0.0, 1.0]], cmap=_HEAT, aspect="auto", interpolation="bicubic", extent=(0, 1, 0, 1))
    axes.set_axis_off()
    axes.axhline(0, color=GRID, linewidth=0.8)
    axes.text(-0.03, 0.5, "width probability 0", ha="right", va="center", fontsize=8, color=INK)
    axes.text(1.03, 0.5, f"{highest:.1f}", ha="left", va="center", fontsize=8, color=INK)
