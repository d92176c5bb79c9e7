"""Puts the page together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..files import write_text
from . import numbers
from .choices import choices_figure, entropy_figure
from .click_curve import click_figure
from .curves import epoch_figures
from .drawing import unet_svg
from .overlays import CLASS_COLOURS, best_and_worst, missing_files, overlay_figure
from .records import Case, Evaluation, SearchRun, Sources
from .sources import find_sources


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """One case in the gallery; `problem` says why it has no picture."""

    case: Case
    svg: Markup | None
    problem: str = ""


def build_report(run_dir: str | Path, *, output: str | Path | None = None) -> Path:
    """Write one self-contained HTML page about the run in `run_dir` and return its path.

    The search, the retraining and the evaluation are looked for in `run_dir` and up to two folders down, the
    newest of each kind; what is not there is left out and named on the page.

    Args:
        run_dir: folder of a search, a retraining, an evaluation, or one that holds such folders.
        output: the page; `report.html` in `run_dir` if not given.

    Raises:
        UserError: there is nothing to report, or a file is damaged; the message names the file.
    """
    sources = find_sources(run_dir)
    path = Path(output) if output is not None else Path(run_dir) / "report.html"
    write_text(path, render(sources))
    return path


def render(sources: Sources) -> str:
    """The page as HTML text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["score"] = numbers.number
    environment.filters["short"] = numbers.short
    return environment.get_template("page.html").render(_content(sources))


def _content(sources: Sources) -> dict[str, Any]:
    architecture, shape = sources.architecture, numbers.network_shape(sources)
    space = sources.search.space if sources.search else None
    costs = numbers.cost_rows(architecture, shape, space) if architecture and shape else []
    overlays = _overlays(sources.evaluation) if sources.evaluation else []
    runs = {"search": sources.search, "retraining": sources.train}
    settings = {name: run.settings for name, run in runs.items() if run}
    return {
        "title": _title(sources),
        "facts": numbers.headline(sources, costs),
        "architecture": architecture,
        "drawing": _drawing(sources),
        "outlines_from_space": space is not None and architecture in space,
        "costs": costs,
        "shape": shape,
        "search": _search_figures(sources.search),
        "train": [Markup(svg) for svg in epoch_figures(sources.train.epochs, name="retraining")]
        if sources.train and sources.train.epochs
        else [],
        "evaluation": sources.evaluation,
        "clicks": _click_figures(sources.evaluation),
        "overlays": overlays,
        "class_colours": CLASS_COLOURS,
        "settings_of": list(settings),
        "settings": numbers.settings_rows(list(settings.values())),
        "provenance": numbers.settings_rows([architecture.provenance]) if architecture else [],
        "notes": _notes(sources),
        "missing": _missing(sources, bool(costs)),
    }


def _title(sources: Sources) -> str:
    runs = [run.settings for run in (sources.train, sources.search) if run]
    names = [Path(str(settings["dataset"])).name for settings in runs if settings.get("dataset")]
    return names[0] if names and names[0] else sources.run_dir.resolve().name


def _drawing(sources: Sources) -> Markup | None:
    if sources.architecture is None:
        return None
    shape = numbers.network_shape(sources)
    ends = {"in_channels": shape.in_channels, "out_channels": shape.out_channels} if shape else {}
    space = sources.search.space if sources.search else None
    # Made by ElementTree, which escapes.
    return Markup(unet_svg(sources.architecture, space=space, **ends))


def _search_figures(search: SearchRun | None) -> dict[str, Any]:
    if search is None or not search.epochs:
        return {}
    curves = [*epoch_figures(search.epochs, name="search"), entropy_figure(search.epochs)]
    return {"curves": [Markup(svg) for svg in curves], "choices": Markup(choices_figure(search.epochs, search.space))}


def _click_figures(evaluation: Evaluation | None) -> list[Markup]:
    return [Markup(click_figure(evaluation.clicks))] if evaluation and evaluation.clicks else []


def _overlays(evaluation: Evaluation) -> list[tuple[str, list[Overlay]]]:
    ranked = zip(("Best", "Worst"), best_and_worst(evaluation.cases), strict=True)
    return [(rank, [_overlay(case, evaluation) for case in cases]) for rank, cases in ranked if cases]


def _overlay(case: Case, evaluation: Evaluation) -> Overlay:
    missing = missing_files(case)
    if missing:
        return Overlay(case=case, svg=None, problem=f"no file {missing[0]}")
    try:
        return Overlay(case=case, svg=Markup(overlay_figure(case, evaluation)))
    except (OSError, ValueError) as error:
        return Overlay(case=case, svg=None, problem=str(error))


def _notes(sources: Sources) -> list[str]:
    search, train = sources.search, sources.train
    notes = []
    if search and search.epochs and search.derived is None:
        notes.append("The search has not ended: the network drawn is the one that its last epoch would derive.")
    if search and search.epochs and search.epochs[-1].warm_up:
        notes.append("Only warm-up epochs so far: the choices have not begun to move.")
    if search and train and search.architecture and train.architecture not in (None, search.architecture):
        notes.append("The retrained network, which is drawn here, is not the one that this search derived.")
    return notes


def _missing(sources: Sources, costs: bool) -> list[str]:
    search, train, evaluation = sources.search, sources.train, sources.evaluation
    there = {
        "a search": search,
        "the epochs of the search (search.jsonl)": not search or search.epochs,
        "a retraining": train,
        "the epochs of the retraining (train.jsonl)": not train or train.epochs,
        "an evaluation (cases.json)": evaluation,
        "the summary of the evaluation (summary.json)": not evaluation or evaluation.summary is not None,
        "the network (architecture.json)": sources.architecture,
        "its costs (in_channels, out_channels, patch_size in settings.json)": not sources.architecture or costs,
    }
    return [name for name, found in there.items() if not found]
