"""What the runs of a comparison of searches came to, read from their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import markdown

from adw_components.architecture import Architecture
from adw_components.files import read_json, read_json_lines

Row = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One search and what follows from it."""

    folder: Path
    variant: str
    seed: int


def summary(runs: Sequence[Run]) -> list[Row]:
    """A row for every run whose search is done; what is not there yet is None."""
    return [row_of(run) for run in runs if (run.folder / "search" / "done").exists()]


def row_of(run: Run) -> Row:
    """The figures of one run."""
    epochs = read_json_lines(run.folder / "search" / "search.jsonl")
    last = epochs[-1]
    provenance = Architecture.load(run.folder / "search" / "architecture.json").provenance
    return {
        "variant": run.variant,
        "seed": run.seed,
        "blocks": [*last["architecture"]["encoder_widths"], *last["architecture"]["decoder_widths"]],
        "parameters": last["parameters"],
        "gflops": last["flops"] / 1e9,
        "cost_over_target": provenance["cost"] / provenance["target"]["value"],
        "before_landing": provenance["cost_before_landing"] / provenance["target"]["value"],
        "changes": provenance["changes_to_meet_target"],
        "search_minutes": searching(epochs) / 60,
        "entropy": last["entropy"],
        "supernet_dice": last["supernet_validation"]["mean_dice"],
        "inherited_dice": last["validation"]["mean_dice"],
        **{part: retrained(run.folder / part) for part in ("train", "inherit")},
    }


def searching(epochs: Sequence[Row]) -> float:
    """Seconds of a search; its last epoch, which is validated, counts as the one before."""
    seconds = [epoch["seconds"] for epoch in epochs]
    return sum(seconds[:-1]) + (seconds[-2] if len(seconds) > 2 else seconds[-1])


def retrained(folder: Path) -> Row | None:
    """Dice of a retraining: of its last weights on the whole validation cases, and by epoch on the way."""
    if not (folder / "done").exists():
        return None
    rows = read_json_lines(folder / "train.jsonl")
    curve = {str(row["epoch"]): row["validation"]["mean_dice"] for row in rows if row["validation"]}
    summary_of = read_json(folder / "evaluation" / "summary.json", "summary")
    return {
        "dice": summary_of["mean_dice"],
        "hd95_mm": summary_of["mean_hd95_mm"],
        "curve": curve,
        "minutes": sum(row["seconds"] for row in rows) / 60,
    }


def table(rows: Sequence[Row]) -> str:
    """Markdown: a line for every run, then the means of every variant."""
    columns: Mapping[str, Any] = {
        "variant": lambda row: row["variant"],
        "seed": lambda row: str(row["seed"]),
        "GFLOPs": lambda row: f"{row['gflops']:.2f}",
        "parameters": lambda row: f"{row['parameters']:,}",
        "over target (before landing; changes)": lambda row: (
            f"{row['cost_over_target']:.3f} ({row['before_landing']:.3f}; {row['changes']})"
        ),
        "search, min": lambda row: f"{row['search_minutes']:.1f}",
        "supernet": lambda row: f"{row['supernet_dice']:.4f}",
        "derived, inherited": lambda row: f"{row['inherited_dice']:.4f}",
        "retrained": lambda row: dice(row["train"]),
        "retrained from inherited": lambda row: dice(row["inherit"]),
    }
    of_runs = markdown.table(list(columns), [[cell(row) for cell in columns.values()] for row in rows])
    return f"{of_runs}\n{means(rows)}"


def dice(row: Row | None) -> str:
    """Four digits, or a dash."""
    return f"{row['dice']:.4f}" if row else "-"


def means(rows: Sequence[Row]) -> str:
    """Markdown of mean and standard deviation over the seeds."""
    header = ["variant", "seeds", "search, min", "supernet less inherited", "retrained", "retrained from inherited"]
    lines = []
    for variant in dict.fromkeys(row["variant"] for row in rows):
        own = [row for row in rows if row["variant"] == variant]
        lines.append(
            [
                variant,
                str(len(own)),
                markdown.spread([row["search_minutes"] for row in own], 1),
                markdown.spread([row["supernet_dice"] - row["inherited_dice"] for row in own]),
                *(markdown.spread([row[part]["dice"] for row in own if row[part]]) for part in ("train", "inherit")),
            ]
        )
    return markdown.table(header, lines)
