"""Figures and facts of a plan as words. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..normalization import Normalization

# What dataset.json of the MSD writes where nothing was filled in.
_PLACEHOLDER = "xxxx"
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
    """A licence as dataset.json names it: "known" or not, "short", "long", and its "url", empty if not listed here."""
    short = stated(licence) or "not stated in dataset.json"
    long, url = _LICENCES.get(short, (short, ""))
    return {"known": bool(stated(licence)), "short": short, "long": long, "url": url}


def normalization_words(channel: Normalization) -> str:
    """What happens to the intensities of one channel."""
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
    """`text` in a cell of a Markdown table."""
    return str(text).replace("|", "\\|")
