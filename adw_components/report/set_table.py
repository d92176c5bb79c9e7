"""The tables of a set of searches: what came of each, and their networks block by block."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ..architecture import Architecture
from ..describe import block_names
from .branches import Branch
from .records import SearchRun
from .units import digits, in_unit, percent


@dataclass(frozen=True, kw_only=True)
class BranchRow:
    """One search in the table of its set, costs in the target's unit; `link` leads to its folder if it has ended."""

    name: str
    target: str
    cost: str
    deviation: str
    to_default: str
    parameters: float | None
    mean_dice: float | None
    supernet_dice: float | None
    epochs: str
    retrained: bool
    link: str


def set_table(
    search: SearchRun, *, retrained: Architecture | None, default_cost: float | None, page_folder: Path
) -> list[BranchRow]:
    """A row a search that has begun.

    Args:
        search: the run.
        retrained: the network of the retraining, which is marked.
        default_cost: of nnU-Net's default network, in the unit of the targets.
        page_folder: from where links lead.
    """
    return [_row(branch, retrained, default_cost, page_folder) for branch in search.branches]


def _row(branch: Branch, retrained: Architecture | None, default_cost: float | None, page_folder: Path) -> BranchRow:
    target, last = branch.target, branch.last
    cost = last.derived_cost if target else None
    return BranchRow(
        name=branch.name,
        target=in_unit(target.kind, target.value) if target else "",
        cost=in_unit(target.kind, cost) if target and cost is not None else "",
        deviation="" if branch.deviation is None else percent(branch.deviation),
        to_default="" if cost is None or default_cost is None else digits(cost / default_cost),
        parameters=last.parameters,
        mean_dice=branch.mean_dice,
        supernet_dice=last.supernet_validation.mean_dice if last.supernet_validation else None,
        epochs=_epochs(branch),
        retrained=branch.derived is not None and branch.derived == retrained,
        link=_link(branch.folder, page_folder) if branch.derived else "",
    )


def _epochs(branch: Branch) -> str:
    if branch.derived is None:
        return f"{branch.last.epoch}, unfinished"
    return f"{branch.last.epoch}{', stopped early' if branch.last.stopped_early else ''}"


def _link(folder: Path, page_folder: Path) -> str:
    way = Path(os.path.relpath(folder.resolve(), page_folder.resolve()))
    # The first "./" keeps a browser from taking what stands before a colon for a protocol.
    return f"./{quote(way.as_posix())}/"


def block_rows(architectures: Sequence[Architecture]) -> list[tuple[str, list[str]]]:
    """Name of every block, and the widths of its convolutions in every network."""
    names = block_names(architectures[0].n_stages)
    rows = zip(*(architecture.blocks for architecture in architectures), strict=True)
    return [(name, [", ".join(map(str, widths)) for widths in row]) for name, row in zip(names, rows, strict=True)]
