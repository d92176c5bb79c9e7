"""Validation of the discretized network: what the search would derive now, with inherited weights."""

from __future__ import annotations

from typing import Any

from monai.engines import SupervisedEvaluator

from ..architecture import Architecture
from ..networks import AdwUNetSupernet


class DiscretizedEvaluator(SupervisedEvaluator):
    """`SupervisedEvaluator` that derives a network from the supernet at every run.

    The mixture of the supernet says little about the network that will be retrained; this network is also
    smaller, so that validation costs less.

    Args:
        supernet: the network that is searched.
        kwargs: arguments of `SupervisedEvaluator` other than `network`.

    Attributes:
        architecture: what is derived at the next runs; None leaves it to the supernet.
    """

    def __init__(self, *, supernet: AdwUNetSupernet, **kwargs: Any) -> None:
        super().__init__(network=supernet, **kwargs)
        self.supernet = supernet
        self.architecture: Architecture | None = None

    def run(self, global_epoch: int = 1) -> None:  # type: ignore[override]  # as in MONAI
        """Derive, inherit the weights, and validate once."""
        self.network = self.supernet.inherit(self.architecture or self.supernet.derive())
        super().run(global_epoch)
