"""What a retraining writes down: a row an epoch, and the architecture beside the weights."""

from __future__ import annotations

from pathlib import Path

from ignite.engine import Engine
from monai.engines import Evaluator
from torch.optim import Optimizer

from ..architecture import Architecture
from ..distributed import rank
from ..engines.checksums import sealed
from ..engines.data_wait import data_wait
from ..engines.epoch_record import Row
from ..engines.validation import Labels, validation_row


class TrainRow:
    """The row of one epoch of a retraining: mean loss, learning rate, validation, share of waiting for data.

    Args:
        optimizer: of the weights.
        labels: label value -> name, background left out.
        validator: evaluator, or None.
        loss_name: metric that holds the mean loss.
    """

    def __init__(
        self,
        *,
        optimizer: Optimizer,
        labels: Labels,
        validator: Evaluator | None = None,
        loss_name: str = "train_loss",
    ) -> None:
        self.optimizer = optimizer
        self.labels = labels
        self.validator = validator
        self.loss_name = loss_name

    def __call__(self, engine: Engine) -> Row:
        """The row of the epoch that `engine` has just completed."""
        return {
            "loss": float(engine.state.metrics[self.loss_name]),
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "validation": validation_row(engine, self.validator, self.labels),
            "data_wait": data_wait(engine),
        }


def save_architecture(*, architecture: Architecture, folder: str | Path) -> None:
    """Put the architecture record beside the weights that are trained with it."""
    if rank() == 0:
        with sealed(Path(folder) / "architecture.json") as temporary:
            architecture.save(temporary)
