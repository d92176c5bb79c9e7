"""Matplotlib figures as inline SVG whose colours follow the page's light or dark mode."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TypeVar

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Stand-ins that matplotlib takes for colours; `inline_svg` turns each into a variable of page.css.
INK, MUTED, GRID, PAPER, SHADE = "#01f001", "#01f002", "#01f003", "#01f004", "#01f005"
# Names are texts, no formulas.
matplotlib.rcParams["text.parse_math"] = False
SERIES = tuple(f"#01f01{index}" for index in range(1, 7))
_VARIABLES = {INK: "--ink", MUTED: "--muted", GRID: "--line", PAPER: "--paper", SHADE: "--shade"}
_VARIABLES.update({colour: f"--series-{index}" for index, colour in enumerate(SERIES, start=1)})

MAX_POINTS = 300
Item = TypeVar("Item")


def thinned(items: Sequence[Item], limit: int = MAX_POINTS) -> list[Item]:
    """At most `limit` of `items`, evenly spread, the first and the last always among them."""
    if len(items) <= limit:
        return list(items)
    step = (len(items) - 1) / (limit - 1)
    return [items[round(index * step)] for index in range(limit)]


def series_colour(index: int) -> str:
    """Colour of the series `index`; they repeat."""
    return SERIES[index % len(SERIES)]


def plain(axes: Axes) -> None:
    """Give `axes` the page's look: no box, light horizontal lines, muted ticks."""
    axes.set_facecolor("none")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8, labelcolor=MUTED)


def inline_svg(figure: Figure, *, name: str, title: str) -> str:
    """`figure` as an SVG element to stand inside HTML.

    Args:
        name: unique in the page; the identifiers inside the SVG are drawn from it, so the text is the same every time.
        title: what the figure shows, for readers who cannot see it.
    """
    figure.patch.set_alpha(0)
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return _for_html(text.getvalue(), title)


def _for_html(svg: str, title: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # Nothing refers to groups and images by name, and the same name may stand twice in a page.
    svg = re.sub(r' id="(?:[\w.]+_\d+|image\w+)"', "", svg)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg).replace("xlink:href", "href")
    # Coordinates to a hundredth of a point, inside tags only: what is written stays.
    svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d\.\d\d)\d+", r"\1", tag.group()), svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    size = re.compile(r'<svg width="[^"]*" height="[^"]*"')
    return size.sub(lambda _: f'<svg role="img" aria-label="{_attribute(title)}"', svg, count=1)


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
