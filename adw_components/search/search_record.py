"""What a search writes down: a row an epoch, and the derived architecture at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events
from monai.engines import Evaluator

from .. import __version__
from ..cost import count_flops, count_parameters
from ..distributed import rank
from ..engines.epoch_record import Row
from ..engines.validation import Labels, validation_row
from .searcher import LOSS_NAMES, ArchitectureSearcher


class SearchRow:
    """The row of one epoch of a search.

    It holds the phase, losses, tau, learning rate, all logits of alpha and beta, the architecture they favour, its
    parameters and FLOPs, and the validation of the discretized network.

    Args:
        patch_size: at which FLOPs are counted.
        labels: label value -> name, background left out.
        validator: evaluator of the discretized network, or None.
    """

    def __init__(self, *, patch_size: Sequence[int], labels: Labels, validator: Evaluator | None = None) -> None:
        self.patch_size = tuple(patch_size)
        self.labels = labels
        self.validator = validator

    def __call__(self, engine: Engine) -> Row:
        """The row of the epoch that `engine`, an `ArchitectureSearcher`, has just completed."""
        assert isinstance(engine, ArchitectureSearcher)
        supernet = engine.network
        architecture = supernet.derive()
        channels = {"in_channels": supernet.in_channels, "out_channels": supernet.out_channels}
        return {
            "phase": "warm-up" if engine.is_warming_up else "search",
            **{name: engine.state.metrics.get(name) for name in LOSS_NAMES},
            "tau": engine.state.tau,
            "learning_rate": engine.mixed_level.weight_optimizer.param_groups[0]["lr"],
            **supernet.logits(),
            "architecture": architecture.structure(),
            "parameters": count_parameters(architecture, **channels),
            "flops": count_flops(architecture, **channels, patch_size=self.patch_size),
            "validation": validation_row(engine, self.validator, self.labels),
        }


class SaveDerivedArchitecture:
    """Write the derived architecture when the search is complete.

    Args:
        path: the JSON file.
        settings: settings of the search, which go into the provenance.
    """

    def __init__(self, *, path: str | Path, settings: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self.settings = dict(settings)

    def attach(self, engine: Engine) -> None:
        """Register on `engine`."""
        engine.add_event_handler(Events.COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Derive and save."""
        assert isinstance(engine, ArchitectureSearcher)
        if rank() == 0:
            engine.network.derive(self._provenance(engine)).save(self.path)
            print(f"derived architecture: {self.path}")

    def _provenance(self, engine: ArchitectureSearcher) -> dict[str, Any]:
        supernet = engine.network
        network = {
            "in_channels": supernet.in_channels,
            "out_channels": supernet.out_channels,
            "patch_size": list(self.settings["patch_size"]),
        }
        return {
            "source": "search by adw_components",
            "package_version": __version__,
            "network": network,
            "settings": self.settings,
        }
