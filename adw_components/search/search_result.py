"""What a search leaves behind: the derived architecture, and the supernet that it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events

from .. import __version__
from ..architecture import SEARCHED
from ..distributed import rank
from ..engines.checkpoint import save_torch
from ..engines.checksums import sealed
from .searcher import ArchitectureSearcher


class SaveSearchResult:
    """Write `architecture.json` and `supernet.pt` at the end of every search.

    The only search of a run writes to the folder of the run, one of several to a folder of its own there, with the
    name of its target.

    Args:
        output_dir: folder of the run.
        settings: settings of the search, which go into the provenance.
    """

    def __init__(self, *, output_dir: str | Path, settings: Mapping[str, Any]) -> None:
        self.output_dir = Path(output_dir)
        self.settings = dict(settings)
        self._saved: int | None = None

    def attach(self, engine: Engine) -> None:
        """Register on `engine`; attach it before `RunCheckpoint`: a search that is passed over has its result."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._save_ended)
        # Resumed with fewer epochs, a run may be complete without another epoch.
        engine.add_event_handler(Events.COMPLETED, self._save_unsaved)

    def _save_ended(self, engine: Engine) -> None:
        assert isinstance(engine, ArchitectureSearcher)
        if engine.ends_search:
            self._save(engine)

    def _save_unsaved(self, engine: Engine) -> None:
        assert isinstance(engine, ArchitectureSearcher)
        if self._saved != engine.branches.branch(engine.state.epoch):
            self._save(engine)

    def _save(self, engine: ArchitectureSearcher) -> None:
        self._saved = engine.branches.branch(engine.state.epoch)
        if rank() == 0:
            folder, landed = self._folder(engine), engine.landed()
            save_torch(folder / "supernet.pt", engine.network.state_dict())
            provenance = {**self._provenance(engine), **landed.facts()}
            with sealed(folder / "architecture.json") as temporary:
                replace(landed.architecture, provenance=provenance).save(temporary)
            print(f"derived architecture: {folder / 'architecture.json'}{landed.account()}")

    def _folder(self, engine: ArchitectureSearcher) -> Path:
        if engine.target is None or engine.branches.n == 1:
            return self.output_dir
        return self.output_dir / engine.target.name

    def _provenance(self, engine: ArchitectureSearcher) -> dict[str, Any]:
        supernet = engine.network
        network = {
            "in_channels": supernet.in_channels,
            "out_channels": supernet.out_channels,
            "patch_size": list(self.settings["patch_size"]),
        }
        return {
            "source": SEARCHED,
            "package_version": __version__,
            "network": network,
            "settings": self.settings,
        }
