"""Dice against FLOPs, a point for every retraining: what people would rather look at than a table."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from adw_components.files import replacing

from .campaign import Campaign
from .measured import dice_of_runs
from .searches import networks

# The first that a name begins with gives its colour.
_COLOURS = {
    "derived": "#c0392b",
    "default": "#2c3e50",
    "depth_only": "#8e44ad",
    "width_only": "#2980b9",
    "uniform": "#7f8c8d",
    "random": "#d4ac0d",
}


def write_figure(campaign: Campaign, cases: pd.DataFrame, path: Path) -> None:
    """Draw the retrainings on one fold.

    Args:
        campaign: whose networks they are.
        cases: of these retrainings.
        path: an SVG file.
    """
    dice = dice_of_runs(cases)
    flops = {name: campaign.setting.flops(each) / 1e9 for name, each in networks(campaign).items()}
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot(
        xlabel="forward GFLOPs of a patch", ylabel="mean Dice of the validation cases", xscale="log"
    )
    for set_formatter in (axes.xaxis.set_major_formatter, axes.xaxis.set_minor_formatter):
        set_formatter(StrMethodFormatter("{x:g}"))
    for network, values in dice.groupby(level="network"):
        name = str(network)
        colour = next(colour for start, colour in _COLOURS.items() if name.startswith(start))
        middle = (flops[name], values.mean())
        axes.plot([flops[name]] * len(values), values, "o", color=colour, alpha=0.5)
        axes.plot(*middle, "_", color=colour, markersize=16)
        axes.annotate(name, middle, xytext=(9, 0), textcoords="offset points", va="center")
    axes.grid(alpha=0.3)
    # The same tables give the same bytes.
    with matplotlib.rc_context({"svg.hashsalt": "campaign", "svg.fonttype": "none"}), replacing(path) as temporary:
        figure.savefig(temporary, format="svg", metadata={"Date": None})
