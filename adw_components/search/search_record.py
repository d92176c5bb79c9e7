"""What a search writes down: a row an epoch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from ignite.engine import Engine
from monai.engines import Evaluator

from ..cost import count_flops, count_parameters
from ..engines.data_wait import data_wait
from ..engines.epoch_record import Row
from ..engines.validation import Labels, validation_row
from .searcher import LOSS_NAMES, ArchitectureSearcher


class SearchRow:
    """The row of one epoch of a search.

    It holds the phase, losses, tau, learning rate, all logits of alpha and beta and their entropy, the architecture
    that they favour, its cost beside the target, the validations, and the share of the time spent waiting for data.

    Args:
        patch_size: at which FLOPs are counted.
        labels: label value -> name, background left out.
        validator: evaluator of the discretized network, or None.
        supernet_validator: evaluator of the supernet, or None.
    """

    def __init__(
        self,
        *,
        patch_size: Sequence[int],
        labels: Labels,
        validator: Evaluator | None = None,
        supernet_validator: Evaluator | None = None,
    ) -> None:
        self.patch_size = tuple(patch_size)
        self.labels = labels
        self.validator, self.supernet_validator = validator, supernet_validator

    def __call__(self, engine: Engine) -> Row:
        """The row of the epoch that `engine`, an `ArchitectureSearcher`, has just completed."""
        assert isinstance(engine, ArchitectureSearcher)
        return {
            "search_epoch": engine.state.search_epoch,
            "phase": "warm-up" if engine.is_warming_up else "search",
            **{name: engine.state.metrics.get(name) for name in LOSS_NAMES},
            "tau": engine.state.tau,
            "learning_rate": engine.mixed_level.weight_optimizer.param_groups[0]["lr"],
            **engine.network.logits(),
            "entropy": engine.state.entropy,
            **self._costs(engine),
            "validation": validation_row(engine, self.validator, self.labels),
            "supernet_validation": validation_row(engine, self.supernet_validator, self.labels),
            "stopped_early": _stopped_early(engine),
            "data_wait": data_wait(engine),
        }

    def _costs(self, engine: ArchitectureSearcher) -> Row:
        supernet, landed = engine.network, engine.landed()
        channels = {"in_channels": supernet.in_channels, "out_channels": supernet.out_channels}
        return {
            "architecture": landed.architecture.structure(),
            "parameters": count_parameters(landed.architecture, **channels),
            "flops": count_flops(landed.architecture, **channels, patch_size=self.patch_size),
            "target": None if landed.target is None else landed.target.to_dict(),
            "expected_cost": _expected_cost(engine),
            "derived_cost": landed.cost,
            "cost_before_landing": landed.cost_before,
        }


@torch.no_grad()
def _expected_cost(engine: ArchitectureSearcher) -> float | None:
    return None if engine.target is None else engine.steering.expected().item()


def _stopped_early(engine: ArchitectureSearcher) -> Row | None:
    if not engine.epochs_saved:
        return None
    # ignite's time of an epoch is that of its iterations; what validation would have taken is not counted.
    seconds = engine.state.times["EPOCH_COMPLETED"] or 0.0
    return {"epochs_saved": engine.epochs_saved, "seconds_saved": round(engine.epochs_saved * seconds, 1)}
