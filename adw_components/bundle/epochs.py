"""Defaults in epochs that give way to a short run. No torch here."""

from __future__ import annotations

from typing import Any


def epochs_within(*, wanted: int, max_epochs: Any, spare: int = 0) -> int:
    """`wanted`, or what a run of `max_epochs` epochs leaves of it when `spare` epochs are kept for something else.

    A `max_epochs` that is no number gives `wanted`: the check of the settings says what is wrong with it.
    """
    if isinstance(max_epochs, bool) or not isinstance(max_epochs, int):
        return wanted
    return max(0, min(wanted, max_epochs - spare))
