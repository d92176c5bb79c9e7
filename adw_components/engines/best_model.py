"""Keep the weights of the best validated epoch and of the last one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events
from monai.engines import Evaluator
from torch import nn

from ..distributed import rank, unwrapped
from .checkpoint import save_torch


class BestAndLast:
    """Write `model.pt` after an epoch with the best key metric so far, and `model_last.pt` after every one.

    Both are bare state dicts. Before the first validation the last one counts as the best. The best metric is part of
    the state of the run, so that resuming does not forget it.

    Args:
        network: the network that is trained.
        validator: its evaluator, or None to take the last for the best.
        folder: where the files go.
    """

    def __init__(self, *, network: nn.Module, validator: Evaluator | None, folder: str | Path) -> None:
        self.network = network
        self.validator = validator
        self.folder = Path(folder)
        self.best_metric = float("-inf")
        self.best_epoch = 0

    def attach(self, engine: Engine) -> None:
        """Register on `engine`; attach it after validation and before `RunCheckpoint`."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.keep)
        engine.add_event_handler(Events.COMPLETED, self._tell)

    def keep(self, engine: Engine) -> None:
        """Write the files of the epoch just completed."""
        if self._is_best(engine):
            self._save("model.pt")
        self._save("model_last.pt")

    def _tell(self, engine: Engine) -> None:
        if rank() == 0 and self.best_epoch:
            print(f"best weights: {self.folder / 'model.pt'}, epoch {self.best_epoch}, Dice {self.best_metric:.4f}")

    def _is_best(self, engine: Engine) -> bool:
        if self.validator is None or self.validator.state.epoch != engine.state.epoch:
            return self.best_epoch == 0
        metric = self.validator.state.metrics[self.validator.state.key_metric_name]
        if not metric > self.best_metric:  # NaN is never better
            return self.best_epoch == 0
        self.best_metric, self.best_epoch = float(metric), engine.state.epoch
        return True

    def _save(self, name: str) -> None:
        if rank() == 0:
            save_torch(self.folder / name, unwrapped(self.network).state_dict())

    def state_dict(self) -> dict[str, Any]:
        """The best so far."""
        return {"best_metric": self.best_metric, "best_epoch": self.best_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with this best."""
        self.best_metric, self.best_epoch = state_dict["best_metric"], state_dict["best_epoch"]
