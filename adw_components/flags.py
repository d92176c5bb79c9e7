"""Switches as they come from a command line."""

from __future__ import annotations

from typing import Any

from .errors import UserError


def flag(value: Any, *, name: str) -> bool:
    """`value` as a truth value: True, False, or their names in any case; `--resume false` arrives as a text.

    Args:
        value: what was given.
        name: of the setting, for the message.

    Raises:
        UserError: it is neither.
    """
    if isinstance(value, bool):
        return value
    known = {"true": True, "false": False}
    if str(value).lower() not in known:
        raise UserError(f"{name} must be true or false, got {value!r}")
    return known[str(value).lower()]
