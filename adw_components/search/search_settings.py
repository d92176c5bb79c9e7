"""The settings of a search, checked."""

from __future__ import annotations

from typing import Any

from ..errors import UserError


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
    if (
        isinstance(architecture_interval, bool)
        or not isinstance(architecture_interval, int)
        or architecture_interval < 1
    ):
        raise UserError(f"architecture_interval must be a whole number from 1 on, got {architecture_interval!r}")
    if initial_temperature <= 0 or not 0 < temperature_rate <= 1:
        raise UserError(
            "initial_temperature must be above 0 and temperature_rate in (0, 1], "
            f"got {initial_temperature} and {temperature_rate}"
        )
    _require_number("target_rate", target_rate, low=0.0, high=1.0)
    if isinstance(target_ramp, bool) or not isinstance(target_ramp, int | float) or not 0 <= target_ramp <= 1:
        raise UserError(f"target_ramp must be a number from 0 to 1, got {target_ramp!r}")
    if stop_entropy is not None:
        _require_number("stop_entropy", stop_entropy, low=0.0, high=1.0)


def _require_one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UserError(f"{name} must be {' or '.join(allowed)}, got {value!r}")


def _require_number(name: str, value: Any, *, low: float, high: float = float("inf")) -> None:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    if not known or not low < value <= high:
        end = "" if high == float("inf") else f" and up to {high:g}"
        raise UserError(f"{name} must be a number above {low:g}{end}, got {value!r}")
