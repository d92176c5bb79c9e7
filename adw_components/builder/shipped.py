"""Read the parts of a bundle that no plan gives: a searched network, and the scores of its weights. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..architecture import Architecture
from ..files import read_json_object


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """The result of a search that a bundle ships.

    Attributes:
        architecture: the record of the network.
        metrics: of its weights, for the metadata.
    """

    architecture: Architecture
    metrics: Mapping[str, Any]


def shipped_with(name: str, common: Path) -> Shipped | None:
    """Return what the bundle of this name ships; None where no search has been shipped.

    Args:
        name: of the bundle.
        common: folder of the bodies; `shipped/NAME` in it holds `architecture.json` and `metrics.json`.
    """
    folder = common / "shipped" / name
    if not (folder / "architecture.json").is_file():
        return None
    return Shipped(
        architecture=Architecture.load(folder / "architecture.json"),
        metrics=read_json_object(folder / "metrics.json", "metrics"),
    )
