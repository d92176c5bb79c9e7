"""Puts the page together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..files import write_text
from ..locks import sole_writer
from . import numbers
from .click_curve import click_figure
from .curves import epoch_figures
from .notes import missing_parts, notes
from .overlays import CLASS_COLOURS, best_and_worst, missing_files, overlay_figure
from .records import Case, Evaluation, Sources
from .search_section import drawing, search_section
from .sentences import landing
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
    with sole_writer(path, "output"):
        write_text(path, render(sources, page_folder=path.parent))
    return path


def render(sources: Sources, *, page_folder: Path | None = None) -> str:
    """The page as HTML text, with links as seen from `page_folder`, which is that of the run if not given."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["score"] = numbers.number
    environment.filters["short"] = numbers.short
    return environment.get_template("page.html").render(_content(sources, page_folder or sources.run_dir))


def _content(sources: Sources, page_folder: Path) -> dict[str, Any]:
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
        "drawing": drawing(architecture, sources.search, shape) if architecture else None,
        "landing": landing(architecture) if architecture else None,
        "outlines_from_space": architecture is not None and space is not None and architecture in space,
        "costs": costs,
        "shape": shape,
        "search": search_section(
            sources.search,
            shape=shape,
            retrained=sources.train.architecture if sources.train else None,
            page_folder=page_folder,
        ),
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
        "notes": notes(sources),
        "missing": missing_parts(sources, bool(costs)),
    }


def _title(sources: Sources) -> str:
    runs = [run.settings for run in (sources.train, sources.search) if run]
    names = [Path(str(settings["dataset"])).name for settings in runs if settings.get("dataset")]
    return names[0] if names and names[0] else sources.run_dir.resolve().name


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
