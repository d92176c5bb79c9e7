"""Take over the settings of the weights that a fine-tuning starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from ..engines.checkpoint import load_torch
from ..errors import UserError
from ..inference.ensemble import load_weights
from ..inference.model_folder import architecture_of, mirror_axes_of, patch_size_of


def architecture_to_train(*, fine_tuning: bool, model_dir: str | Path, shipped: str | Path) -> str:
    """Path of the architecture: that of the weights in `model_dir` if they are fine-tuned, else the shipped one.

    Args:
        fine_tuning: whether the training starts from the weights in `model_dir`.
        model_dir: folder of the bundle's weights.
        shipped: the bundle's own `architecture.json`.
    """
    return architecture_of(model_dir=model_dir, shipped=shipped) if fine_tuning else str(shipped)


def patch_size_to_train(*, fine_tuning: bool, model_dir: str | Path, planned: Sequence[int]) -> list[int]:
    """Patch size: that of the weights in `model_dir` if they are fine-tuned, else the planned one.

    Args:
        fine_tuning: whether the training starts from the weights in `model_dir`.
        model_dir: folder of the bundle's weights, with the `settings.json` of their retraining if it is known.
        planned: patch size of the bundle's plan.
    """
    return patch_size_of(model_dir=model_dir, shipped=planned) if fine_tuning else list(planned)


def mirror_axes_to_train(*, fine_tuning: bool, model_dir: str | Path, default: Sequence[int]) -> list[int]:
    """Axes that the augmentation mirrors: those of the weights in `model_dir` if they are fine-tuned.

    Args:
        fine_tuning: whether the training starts from the weights in `model_dir`.
        model_dir: folder of the bundle's weights, with the `settings.json` of their retraining if it is known.
        default: axes of every other training.
    """
    return mirror_axes_of(model_dir=model_dir, shipped=default) if fine_tuning else list(default)


def require_weights(*, model_dir: str | Path, network: nn.Module) -> None:
    """Raise a `UserError` unless `model_dir` holds the `model.pt` that a fine-tuning of `network` starts from.

    Args:
        model_dir: folder of the bundle's weights.
        network: to be fine-tuned, which has the weights afterwards.
    """
    path = Path(model_dir) / "model.pt"
    if not path.exists():
        raise UserError(f"a fine-tuning starts from {path}, which does not exist; retrain first and copy its model.pt")
    content = load_torch(path)
    if not isinstance(content, Mapping) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise UserError(f"a fine-tuning starts from the weights in {path}, which is of another kind; copy a model.pt")
    load_weights(path, network)
