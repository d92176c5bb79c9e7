"""The settings of a search, checked."""

from __future__ import annotations

from typing import Any

from ..errors import UserError
from ..record_fields import MOST_EPOCHS, number, whole_number


def check_search_settings(
    *,
    max_epochs: int,
    warmup_epochs: int,
    step_order: str,
    weight_step: str,
    architecture_interval: int,
    initial_temperature: float,
    temperature_rate: float,
    target_rate: float,
    target_ramp: float,
    stop_entropy: float | None,
) -> None:
    """Raise a `UserError` unless the settings of an `ArchitectureSearcher` are in their ranges."""
    _require_one_of("step_order", step_order, ("sequential", "simultaneous"))
    _require_one_of("weight_step", weight_step, ("mixture", "single_path"))
    if not 0 <= warmup_epochs < max_epochs:
        raise UserError(
            f"warmup_epochs must be at least 0 and below max_epochs {max_epochs}, or nothing is searched; "
            f"got {warmup_epochs}"
        )
    whole_number("architecture_interval", architecture_interval, low=1, high=MOST_EPOCHS)
    if initial_temperature <= 0 or not 0 < temperature_rate <= 1:
        raise UserError(
            "initial_temperature must be above 0 and temperature_rate in (0, 1], "
            f"got {initial_temperature} and {temperature_rate}"
        )
    number("target_rate", target_rate, low=0, high=1, above=True)
    number("target_ramp", target_ramp, low=0, high=1)
    if stop_entropy is not None:
        number("stop_entropy", stop_entropy, low=0, high=1, above=True)


def _require_one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UserError(f"{name} must be {' or '.join(allowed)}, got {value!r}")
