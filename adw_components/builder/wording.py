"""Figures and facts of a plan as words. No torch here."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

from ..normalization import Normalization

# What dataset.json of the MSD writes where nothing was filled in.
_PLACEHOLDER = "xxxx"
# What Markdown takes for more than text, wherever a line of it may begin; an underscore between letters is left alone.
_MARKDOWN = re.compile(r"[\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_])|(?<!\S)(?:[-+=]+|#+)(?!\S)|(?<!\S)\d+(?=[.)](?!\S))")
_LICENCES = {
    "CC-BY-SA 4.0": (
        "Creative Commons Attribution-ShareAlike 4.0 International (CC-BY-SA 4.0)",
        "https://creativecommons.org/licenses/by-sa/4.0/",
    ),
    "CC-BY 4.0": (
        "Creative Commons Attribution 4.0 International (CC-BY 4.0)",
        "https://creativecommons.org/licenses/by/4.0/",
    ),
    "CC0 1.0": (
        "Creative Commons CC0 1.0 Universal (CC0 1.0)",
        "https://creativecommons.org/publicdomain/zero/1.0/",
    ),
}


def enumerated(words: Sequence[str]) -> str:
    """One, two and three."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def stated(text: str) -> str:
    """`text` on one line, or nothing if it only fills a field."""
    words = " ".join(text.split())
    return "" if words.casefold() == _PLACEHOLDER else words


def licence_words(licence: str) -> dict[str, Any]:
    """A licence as dataset.json names it: "known" or not, "short" for Markdown, "long" for text, "url" if listed."""
    short = stated(licence) or "not stated in dataset.json"
    long, url = _LICENCES.get(short, (without_tags(short), ""))
    return {"known": bool(stated(licence)), "short": in_markdown(short), "long": long, "url": url}


def normalization_words(channel: Normalization) -> str:
    """Say what happens to the intensities of one channel."""
    if channel.scheme == "ct":
        statistics = f"the mean {channel.mean:g} and the deviation {channel.std:g} of the labelled voxels"
        return f"clipped to {channel.low:g} to {channel.high:g} HU, then z-scored with {statistics}"
    if channel.nonzero:
        return "z-score of the image's voxels that are not 0; the others stay 0"
    return "z-score of all voxels of the image"


def thousands(number: int) -> str:
    """1,234,567."""
    return f"{number:,}"


def gigabytes(number: int) -> str:
    """Bytes in units of 10^9, to a hundredth."""
    return f"{number / 1e9:.2f}"


def about(number: float) -> str:
    """An estimate, to two figures."""
    return f"{float(f'{number:.2g}'):g}"


def power_of_ten(number: int) -> str:
    """A large number as 10^24 or 2 x 10^15."""
    digit, exponent = f"{number:.0e}".split("e")
    return f"{'' if digit == '1' else f'{digit} x '}10^{int(exponent)}"


def table_cell(text: object) -> str:
    """`text`, which is ours or in a code span, in a cell of a Markdown table."""
    return str(text).replace("|", "\\|")


def without_tags(text: str) -> str:
    """`text` of a record with <, > and & as HTML has them."""
    return html.escape(text, quote=False)


def in_markdown(text: str) -> str:
    """`text` of a record so that Markdown shows it as it is: no HTML, link, code, emphasis, heading, list or table."""
    return _MARKDOWN.sub(_escaped, without_tags(text))


def _escaped(match: re.Match[str]) -> str:
    mark = match.group()
    # The backslash of "1." stands before the point.
    return f"{mark}\\" if mark.isdecimal() else f"\\{mark}"
