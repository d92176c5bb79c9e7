"""Gradient clipping and a stop at a loss that is no number."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine
from monai.engines import IterationEvents

from ..errors import UserError


def require_finite(loss: float, engine: Engine, output_dir: str | Path) -> float:
    """`loss`, if it is a finite number.

    Raises:
        UserError: it is not; the message says where the run stands and how to go on.
    """
    if not math.isfinite(loss):
        raise UserError(
            f"the loss is {loss} in epoch {engine.state.epoch}, iteration {engine.state.iteration}: the run stops; the "
            f"checkpoint of epoch {engine.state.epoch - 1} is kept in {output_dir}; lower the learning rate or switch "
            "amp off, and look for extreme voxel values in the images"
        )
    return loss


class StopAtNonFiniteLoss:
    """End a supervised training with a clear message once its loss is no finite number, before the weights take it.

    Args:
        output_dir: where the last good checkpoint is kept, for the message.
    """

    def __init__(self, *, output_dir: str | Path) -> None:
        self.output_dir = output_dir

    def attach(self, engine: Engine) -> None:
        """Register on `engine`."""
        engine.add_event_handler(IterationEvents.LOSS_COMPLETED, self)

    def __call__(self, engine: Any) -> None:
        """Look at the loss of this iteration."""
        require_finite(engine.state.output["loss"].item(), engine, self.output_dir)


class ClipGradients:
    """Clip the norm of all gradients of a supervised training before the optimizer's step (nnU-Net: 12).

    Args:
        max_norm: largest norm.
    """

    def __init__(self, *, max_norm: float) -> None:
        self.max_norm = max_norm

    def attach(self, engine: Engine) -> None:
        """Register on `engine`."""
        engine.add_event_handler(IterationEvents.BACKWARD_COMPLETED, self)

    def __call__(self, engine: Any) -> None:
        """Clip the gradients of this iteration."""
        if engine.scaler is not None:
            engine.scaler.unscale_(engine.optimizer)
        torch.nn.utils.clip_grad_norm_(engine.network.parameters(), self.max_norm)
