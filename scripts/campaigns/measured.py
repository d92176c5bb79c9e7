"""Dice and HD95 of every case, class and run of a campaign, as one table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from adw_components.files import read_json, read_json_lines

from .campaign import Campaign
from .retrainings import Retraining, retrainings, train_folder

RUN = ["network", "fold", "seed"]
COLUMNS = [*RUN, "case", "class", "dice", "hd95_mm"]


def cases_of(evaluation: Path, run: Retraining) -> pd.DataFrame:
    """A row for every case and class of an evaluation.

    Args:
        evaluation: folder with its `cases.json`.
        run: whose evaluation it is.
    """
    cases = read_json(evaluation / "cases.json", "evaluation")["cases"]
    rows = [
        (run.network, run.fold, run.seed, case["case"], name, case["dice"][name], case["hd95_mm"][name])
        for case in cases
        for name in case["dice"]
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def joined(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """The tables below each other; an empty one if there are none."""
    tables = list(tables)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def of_retrainings(campaign: Campaign) -> pd.DataFrame:
    """The cases of all retrainings that are done."""
    done = [run for run in retrainings(campaign) if (train_folder(campaign, run) / "done").exists()]
    return joined(cases_of(train_folder(campaign, run) / "evaluation", run) for run in done)


def dice_of_runs(cases: pd.DataFrame) -> pd.Series:
    """Mean Dice of every run: the mean over the classes of the mean over the cases, as nnU-Net's foreground mean."""
    return cases.groupby([*RUN, "class"])["dice"].mean().groupby(RUN).mean()


def dice_of_cases(cases: pd.DataFrame) -> pd.Series:
    """Mean Dice of every case over its classes, and over the runs that are given."""
    return cases.groupby("case")["dice"].mean()


def training_minutes(folder: Path) -> float:
    """Of a retraining, its validation included."""
    return sum(row["seconds"] for row in read_json_lines(folder / "train.jsonl")) / 60
