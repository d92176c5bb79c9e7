"""Schedules as pure functions of the epoch."""

from __future__ import annotations


def polynomial(epoch: int, *, max_epochs: int, power: float = 0.9) -> float:
    """Factor of the learning rate: (1 - epoch / max_epochs) ** power; epoch counts from 0 (nnU-Net's poly decay)."""
    return max(0.0, 1.0 - epoch / max_epochs) ** power


def exponential(epoch: int, *, start: float, rate: float) -> float:
    """start * rate ** epoch; epoch counts from 0 (the paper's temperature: 5 * 0.97 ** epoch)."""
    return start * rate**epoch
