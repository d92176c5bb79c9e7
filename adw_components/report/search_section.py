"""The section of the page about a search, or about a set of searches from one warm-up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ..architecture import Architecture
from ..cost import CostKind, count
from ..describe import NetworkShape, default_like
from .branches import Branch
from .choices import choices_figure
from .cost_curve import cost_figure
from .curves import epoch_figures
from .drawing import unet_svg
from .entropy_curve import entropy_figure
from .records import SearchRun
from .sentences import branch_sentences, landing, there
from .set_figures import set_figures
from .set_table import block_rows, set_table
from .units import UNITS


@dataclass(frozen=True, kw_only=True)
class BranchPart:
    """One search of the section; of a set also its network's drawing."""

    name: str
    sentences: list[str]
    drawing: Markup | None
    curves: list[Markup]
    choices: Markup


def search_section(
    search: SearchRun | None, *, shape: NetworkShape | None, retrained: Architecture | None, page_folder: Path
) -> dict[str, Any]:
    """What search.html shows; empty without an epoch.

    Args:
        search: the run.
        shape: of its networks, where it is known.
        retrained: the network of the retraining, to mark it in a set.
        page_folder: from where links lead.
    """
    if search is None or not search.epochs:
        return {}
    kind = search.epochs[-1].target.kind if search.epochs[-1].target else "flops"
    default = default_cost(kind, search.epochs[-1].architecture, shape)
    figures = set_figures(search.branches, kind=kind, default_cost=default) if search.is_set else []
    return {
        "is_set": search.is_set,
        "figures": [Markup(svg) for svg in figures],
        "table": set_table(search, retrained=retrained, default_cost=default, page_folder=page_folder),
        "blocks": block_rows([branch.architecture for branch in search.branches]),
        "to_come": search.planned[len(search.branches) :],
        "unit": UNITS[kind].words,
        "lands": search.epochs[-1].target is not None,
        "parts": [_part(index, branch, search, shape, default) for index, branch in enumerate(search.branches)],
    }


def default_cost(kind: CostKind, like: Architecture, shape: NetworkShape | None) -> int | None:
    """Cost of nnU-Net's default network with the strides and kernels of `like`."""
    if shape is None:
        return None
    channels = {"in_channels": shape.in_channels, "out_channels": shape.out_channels}
    return count(kind, default_like(like), patch_size=shape.patch_size, **channels)


def _part(index: int, branch: Branch, search: SearchRun, shape: NetworkShape | None, default: int | None) -> BranchPart:
    name = f"search {branch.name}".strip()
    stop = search.settings.get("stop_entropy")
    stop = stop if isinstance(stop, int | float) else None
    curves = epoch_figures(branch.epochs, name=name)
    cost = cost_figure(branch.epochs, default_flops=default, name=f"{name} cost")
    entropy = entropy_figure(branch.epochs, stop_entropy=stop, name=f"{name} entropy")
    return BranchPart(
        name=branch.name,
        sentences=there([landing(branch.architecture)] if search.is_set else []) + branch_sentences(branch),
        drawing=drawing(branch.architecture, search, shape, name=f"unet-{index}") if search.is_set else None,
        curves=[Markup(svg) for svg in (*curves, entropy, cost) if svg],
        choices=Markup(choices_figure(branch.epochs, search.space, name=f"{name} choices")),
    )


def drawing(
    architecture: Architecture, search: SearchRun | None, shape: NetworkShape | None, *, name: str = "unet"
) -> Markup:
    """The drawing of one network, with the outlines of the search space where there is one."""
    ends = {"in_channels": shape.in_channels, "out_channels": shape.out_channels} if shape else {}
    # Made by ElementTree, which escapes.
    return Markup(unet_svg(architecture, space=search.space if search else None, name=name, **ends))
