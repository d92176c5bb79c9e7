"""The numbers and tables of the page: headline, costs, settings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..architecture import Architecture
from ..describe import Cost, NetworkShape, default_like, network_cost, shape_of
from ..search_space import SearchSpace
from .progress import hours, progress, waiting
from .records import SearchRun, Sources, TrainRun

_SUFFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One number of the headline; `note` is the line below it."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class CostRow:
    """One network of the cost table, with its ratios to nnU-Net's default."""

    name: str
    cost: Cost
    parameters_ratio: float
    flops_ratio: float


def short(number: float) -> str:
    """A large number in three digits: 66.6 M."""
    for size, suffix in _SUFFIXES:
        if number >= size:
            return f"{number / size:.3g} {suffix}"
    return f"{number:.3g}"


def network_shape(sources: Sources) -> NetworkShape | None:
    """Channels and patch from the settings of the retraining or the search, or else the provenance."""
    architecture = sources.any_architecture
    if architecture is None:
        return None
    runs = [run.settings for run in (sources.search, sources.train) if run]
    merged = {name: value for settings in runs for name, value in settings.items() if value is not None}
    # The network of an interactive bundle has more channels than its images.
    merged["in_channels"] = merged.get("network_channels", merged.get("in_channels"))
    given = {name: merged[name] for name in NetworkShape.__annotations__ if merged.get(name) is not None}
    return shape_of(architecture, **given)[0]


def cost_rows(architecture: Architecture, shape: NetworkShape, space: SearchSpace | None) -> list[CostRow]:
    """The network itself, nnU-Net's default, and the smallest and largest uniform network of the space."""
    networks = {"this network": architecture, "nnU-Net default": default_like(architecture)}
    if space is not None and space.strides == architecture.strides:
        scalings = list(space.uniform_scalings())
        networks |= {"smallest uniform of the space": scalings[0], "largest uniform of the space": scalings[-1]}
    default = network_cost(networks["nnU-Net default"], shape)
    costs = {name: network_cost(network, shape) for name, network in networks.items()}
    return [
        CostRow(
            name=name,
            cost=cost,
            parameters_ratio=cost.parameters / default.parameters,
            flops_ratio=cost.flops / default.flops,
        )
        for name, cost in costs.items()
    ]


def headline(sources: Sources, costs: Sequence[CostRow]) -> list[Fact]:
    """The numbers at the top of the page, as far as they are known."""
    facts = _scores(sources)
    if costs:
        own = costs[0]
        facts.append(_cost_fact("parameters", own.cost.parameters, own.parameters_ratio))
        facts.append(_cost_fact("FLOPs of a patch", own.cost.flops, own.flops_ratio))
    for name, run in (("search", sources.search), ("retraining", sources.train)):
        if run and run.epochs:
            facts.append(Fact(name=name, value=hours(run.epochs), note=_run_note(run)))
    return facts


def _run_note(run: SearchRun | TrainRun) -> str:
    share = waiting(run.epochs)
    waited = "" if share is None else f"; waited for data {100 * share:.0f} % of the training time"
    return progress(run) + waited


def _cost_fact(name: str, value: int, ratio: float) -> Fact:
    return Fact(name=name, value=short(value), note=f"{ratio:.3g} times the nnU-Net default")


def _scores(sources: Sources) -> list[Fact]:
    summary = sources.evaluation.summary if sources.evaluation else None
    if summary is not None:
        cases = f"{summary.get('n_cases')} cases"
        facts = [Fact(name="mean Dice", value=number(summary.get("mean_dice"), 4), note=cases)]
        if summary.get("mean_hd95_mm") is not None:
            facts.append(Fact(name="mean HD95", value=f"{summary['mean_hd95_mm']:.2f} mm", note="95th percentile"))
        return facts
    return [fact for fact in (_retraining_score(sources.train), _search_score(sources.search)) if fact][:1]


def _retraining_score(train: TrainRun | None) -> Fact | None:
    for epoch in reversed(train.epochs if train else ()):
        if epoch.validation:
            return _dice_fact(epoch.validation.mean_dice, f"last validation of the retraining, epoch {epoch.epoch}")
    return None


def _search_score(search: SearchRun | None) -> Fact | None:
    """The Dice of the derived network with the supernet's weights; the highest of a set."""
    scored = [branch for branch in (search.branches if search else ()) if branch.mean_dice is not None]
    if not scored:
        return None
    best = max(scored, key=lambda branch: branch.mean_dice or 0)
    which = f"{best.name}, the highest of the set; " if search and search.is_set else ""
    return _dice_fact(best.mean_dice, f"{which}derived network with the supernet's weights")


def _dice_fact(mean_dice: float | None, note: str) -> Fact:
    return Fact(name="mean Dice", value=number(mean_dice, 4), note=note)


def number(value: Any, digits: int) -> str:
    """A score for a table; a dash where there is none."""
    return f"{value:.{digits}f}" if isinstance(value, int | float) else "\N{EN DASH}"


def settings_rows(settings: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """Every setting of any of the runs by its dotted name, and its value in each run."""
    flat = [dict(_flat(found)) for found in settings]
    names = list(dict.fromkeys(name for found in flat for name in found))
    return [(name, [found.get(name, "") for found in flat]) for name in names]


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            rows += _flat(value, f"{prefix}{name}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            rows.append((f"{prefix}{name}", text))
    return rows
