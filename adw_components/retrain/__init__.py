"""Retraining of a derived network; the engine is MONAI's `SupervisedTrainer`."""

from .train_record import TrainRow, save_architecture

__all__ = ["TrainRow", "save_architecture"]
