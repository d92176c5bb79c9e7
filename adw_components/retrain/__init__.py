"""Retraining of a derived network; the engine is MONAI's `SupervisedTrainer`."""

from .inheriting import InheritWeights, require_supernet, supernet_beside
from .train_record import TrainRow, save_architecture

__all__ = ["InheritWeights", "TrainRow", "require_supernet", "save_architecture", "supernet_beside"]
