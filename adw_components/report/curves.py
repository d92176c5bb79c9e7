"""Losses, Dice, temperature and learning rate over the epochs of a search or a retraining."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .epochs import Epoch, SearchEpoch
from .figures import INK, MUTED, SHADE, inline_svg, plain, series_colour, thinned

Points = tuple[list[int], list[float]]
Row = TypeVar("Row", bound=Epoch)


def epoch_figures(epochs: Sequence[Epoch], *, name: str) -> list[str]:
    """The SVG figures of one run, in reading order; `name` tells the runs of a page apart."""
    figures = [
        epoch_figure(epochs, f"{name} losses", "Loss", _losses),
        epoch_figure(epochs, f"{name} learning rate", "Learning rate of the weights", _learning_rate),
    ]
    if any(epoch.validation for epoch in epochs):
        figures.insert(1, epoch_figure(epochs, f"{name} Dice", "Dice on the validation cases", _dice))
    if any(isinstance(epoch, SearchEpoch) for epoch in epochs):
        figures.append(epoch_figure(epochs, f"{name} tau", "Temperature tau", _tau))
    return figures


def points(epochs: Sequence[Row], value: Callable[[Row], float | None]) -> Points:
    """Epoch numbers and values, without the epochs that have none, thinned out."""
    pairs = [(epoch.epoch, found) for epoch in epochs if (found := value(epoch)) is not None]
    kept = thinned(pairs)
    return [number for number, _ in kept], [found for _, found in kept]


def mean_dice(epoch: Epoch) -> float | None:
    """The mean Dice of an epoch that was validated."""
    return epoch.validation.mean_dice if epoch.validation else None


def shade_warm_up(axes: Axes, epochs: Sequence[Epoch], *, label: bool = True) -> None:
    """Shade the epochs in which only the weights were trained."""
    warm = [epoch.epoch for epoch in epochs if isinstance(epoch, SearchEpoch) and epoch.warm_up]
    if not warm:
        return
    axes.axvspan(warm[0] - 0.5, warm[-1] + 0.5, facecolor=SHADE, edgecolor="none", zorder=-1)
    if label:
        place = axes.get_xaxis_transform()
        middle = (warm[0] + warm[-1]) / 2
        axes.text(middle, 0.03, "warm-up", transform=place, fontsize=8, color=MUTED, ha="center")


def epoch_figure(epochs: Sequence[Row], name: str, title: str, draw: Callable[[Axes, Sequence[Row]], None]) -> str:
    """One small SVG figure over the epochs; `draw` puts the lines into its axes, `name` is unique in the page."""
    figure = Figure(figsize=(5.4, 2.6), layout="constrained")
    axes = figure.add_subplot()
    plain(axes)
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.set_xlabel("epoch", fontsize=8, color=INK)
    draw(axes, epochs)
    axes.set_xlim(epochs[0].epoch - 0.5, epochs[-1].epoch + 0.5)
    shade_warm_up(axes, epochs)
    if len(axes.get_legend_handles_labels()[0]) > 1:
        axes.legend(fontsize=8, frameon=False, labelcolor=INK, loc="best")
    return inline_svg(figure, name=name, title=f"{title} over the epochs")


def draw_line(axes: Axes, found: Points, index: int, label: str, width: float = 1.6, few: int = 40) -> None:
    """Draw `found` in the colour of series `index`, with markers for as many points as are `few`."""
    # A lone point draws no line.
    marker = "o" if len(found[0]) <= few else ""
    axes.plot(*found, color=series_colour(index), linewidth=width, label=label, marker=marker, markersize=2.5)


def _losses(axes: Axes, epochs: Sequence[Epoch]) -> None:
    for index, label in enumerate(epochs[0].losses):
        found = points(epochs, lambda epoch, label=label: epoch.losses[label])  # type: ignore[misc]
        if found[0]:
            draw_line(axes, found, index, label)


def _dice(axes: Axes, epochs: Sequence[Epoch]) -> None:
    classes = {label: None for epoch in epochs if epoch.validation for label in epoch.validation.dice}
    for index, label in enumerate(classes, start=1):
        draw_line(axes, points(epochs, lambda epoch, label=label: _class_dice(epoch, label)), index, label, 1.1)  # type: ignore[misc]
    draw_line(axes, points(epochs, mean_dice), 0, "mean", 2.2)


def _class_dice(epoch: Epoch, label: str) -> float | None:
    return epoch.validation.dice.get(label) if epoch.validation else None


def _learning_rate(axes: Axes, epochs: Sequence[Epoch]) -> None:
    draw_line(axes, points(epochs, lambda epoch: epoch.learning_rate), 0, "learning rate")


def _tau(axes: Axes, epochs: Sequence[Epoch]) -> None:
    draw_line(axes, points(epochs, lambda epoch: epoch.tau if isinstance(epoch, SearchEpoch) else None), 0, "tau")
