"""The documents of a bundle: README, licence of the data, drawing of the network. No torch here."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..architecture import Architecture
from ..report.drawing import unet_svg
from ..report.standalone import standalone_svg
from ..tasks import Dice, Task
from .data_facts import data_facts, plan_facts
from .delivery import IN_REPOSITORY, Delivery
from .key_rows import of_configs
from .network_facts import network_facts, search_space_of
from .paragraphs import wrapped
from .source import BundleSource, msd_source
from .wording import in_markdown, power_of_ten, table_cell


def documents(
    source: BundleSource, *, architecture: Architecture, common: Path, delivery: Delivery = IN_REPOSITORY
) -> dict[str, str]:
    """Path inside the bundle -> text of every document, the same on every machine.

    Args:
        source: of the bundle.
        architecture: that the bundle ships.
        common: folder with the templates in `docs`, and texts of one bundle in `docs/measured`.
        delivery: whether its reader has the repository, and whether weights ship.
    """
    plan, task = source.plan, source.task
    environment, folder = _environment(common / "docs"), common / "docs"
    facts = {
        **plan_facts(plan, shipped_patch_size=delivery.patch_size),
        **data_facts(plan, task),
        "network": network_facts(architecture, source),
        "space": search_space_of(plan),
        "candidates": power_of_ten(search_space_of(plan).n_candidates),
        "references": _references(task) if task else None,
        "measured": _text(folder / "measured" / f"{source.name}.md"),
        "interactive": source.interactive,
        "delivery": delivery,
        "work": "train" if source.interactive else "search",
        "network_channels": source.network_channels,
        "plain_name": msd_source(task.name).name if task else None,
        "inference_memory": _text(folder / "inference_memory.md"),
    }
    return {
        "docs/README.md": wrapped(environment.get_template("README.md.j2").render(facts)),
        "docs/data_license.txt": environment.get_template("data_license.txt.j2").render(facts),
        "docs/architecture.svg": _drawing(architecture, source),
    }


@cache
def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = table_cell
    environment.filters["of_configs"] = of_configs
    return environment


def _text(path: Path) -> str:
    """Return what somebody wrote about one bundle, or about all; nothing where there is no such file."""
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def _references(task: Task) -> dict[str, Any]:
    """Header and rows of the table of what others reached."""
    labels = task.plan.dataset.labels[1:]
    has_means = any(dice.mean is not None for dice in task.reference_dice.values())
    header = [*(["mean"] if has_means else []), *map(in_markdown, labels)]
    rows = [[source, *_scores(dice, has_means)] for source, dice in task.reference_dice.items()]
    return {"header": header, "rows": rows, "has_means": has_means}


def _scores(dice: Dice, has_means: bool) -> list[str]:
    mean = "" if dice.mean is None else f"{dice.mean:.2f}"
    return [*([mean] if has_means else []), *(f"{score:.2f}" for score in dice.per_class)]


def _drawing(architecture: Architecture, source: BundleSource) -> str:
    svg = unet_svg(
        architecture,
        space=search_space_of(source.plan),
        in_channels=source.network_channels,
        out_channels=source.plan.out_channels,
    )
    return standalone_svg(svg)
