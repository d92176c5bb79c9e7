"""One network for prediction from one or several checkpoints."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from ignite.engine import Engine, Events
from torch import nn

from ..engines.checkpoint import load_torch
from ..errors import UserError

logger = logging.getLogger(__name__)

Paths = str | Path | Sequence[str | Path]


class CheckpointEnsemble(nn.Module):
    """Mean of the logits of one architecture with several sets of weights, such as those of five folds.

    Args:
        network: the network; it is copied once per checkpoint.
        checkpoints: path, or several, of state dicts; read when `load` is called.
    """

    def __init__(self, network: nn.Module, checkpoints: Paths) -> None:
        super().__init__()
        self.paths = [Path(path) for path in ([checkpoints] if isinstance(checkpoints, str | Path) else checkpoints)]
        if not self.paths:
            raise UserError("checkpoint_path must name at least one file, got an empty list")
        self.members = nn.ModuleList([network, *(copy.deepcopy(network) for _ in self.paths[1:])])

    def require_files(self) -> None:
        """Raise a `UserError` unless all checkpoints are there: better before the images are read than after."""
        for path in self.paths:
            if path.is_dir():
                raise UserError(f"checkpoint {path} is a folder; give a file in it, such as {path / 'model.pt'}")
        missing = [str(path) for path in self.paths if not path.is_file()]
        if missing:
            raise UserError(
                f"checkpoint {', '.join(missing)} does not exist; train first, or give --model_dir (the folder of a "
                "retraining) or --checkpoint_path"
            )

    def load(self) -> None:
        """Load the weights.

        Raises:
            UserError: a file is missing, unreadable, or belongs to another architecture.
        """
        for path, member in zip(self.paths, self.members, strict=True):
            load_weights(path, member)
            logger.info("weights of %s", path)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (N, C, *spatial) -> mean logits (N, classes, *spatial)."""
        total = self.members[0](x)
        for member in list(self.members)[1:]:
            total = total + member(x)
        return total / len(self.members)


class LoadWeights:
    """Load the checkpoints of a `CheckpointEnsemble` when an evaluator starts, not when it is built.

    Args:
        network: the ensemble.
    """

    def __init__(self, *, network: CheckpointEnsemble) -> None:
        self.network = network

    def attach(self, engine: Engine) -> None:
        """Register on `engine`."""
        engine.add_event_handler(Events.STARTED, lambda _: self.network.load())


def load_weights(path: Path, network: nn.Module) -> None:
    """Load the state dict at `path`, or the network of a run's checkpoint.

    Raises:
        UserError: the file is missing, unreadable, or belongs to another architecture.
    """
    content = load_torch(path)
    weights = content.get("network", content) if isinstance(content, dict) else content
    try:
        network.load_state_dict(weights)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    except (RuntimeError, AttributeError, TypeError) as error:
        first = str(error).strip().splitlines()[-1].strip()
        raise UserError(
            f"{path} does not fit the network ({first}); give the --architecture_path it was trained with"
        ) from error
