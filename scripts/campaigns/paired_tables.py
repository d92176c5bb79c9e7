"""Networks, pipelines and settings of the inference against each other, case by case, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from helpers.markdown import table
from scipy import stats

from .inference import PLAIN
from .measured import dice_of_cases, dice_of_runs
from .nnunet import NETWORK
from .paired import Paired, paired
from .searches import DEFAULT, DERIVED
from .tables import distance

_HEADER = ["runs", "mean", "95 % interval over cases", "Wilcoxon p", "adjusted p", "cases better"]


def derived_table(cases: pd.DataFrame) -> str:
    """The derived network less every other one, and less the means of the uniform and the random ones.

    Networks are compared from the seeds that both have. P values are adjusted for their number (Benjamini, Hochberg).
    """
    names = [str(name) for name in sorted(cases["network"].unique()) if name != DERIVED]
    groups: dict[str, list[str]] = {name: [name] for name in names}
    for kind in ("uniform", "random"):
        members = [name for name in names if name.startswith(kind)]
        if len(members) > 1:
            groups[f"mean of {kind}"] = members
    return _table("derived less", {label: _less(cases, DERIVED, members) for label, members in groups.items()})


def outside_table(cases: pd.DataFrame) -> str:
    """Dice of nnU-Net's own trainings and of ours, and ours less theirs."""
    rows = [[str(name), str(seed), f"{dice:.4f}"] for (name, _, seed), dice in dice_of_runs(cases).items()]
    runs = table(["pipeline", "seed", "mean Dice"], rows)
    return runs + "\n" + _table("ours less", {NETWORK: _less(cases, DEFAULT, [NETWORK])})


def inference_table(cases: pd.DataFrame) -> str:
    """Every setting of the inference, and less the plain one over the cases of all folds."""
    common = _of_common_folds(cases)
    own = {str(name): common[common["network"] == name] for name in common["network"].unique()}
    rows = [[name, f"{dice_of_runs(each).mean():.4f}", distance(each)] for name, each in own.items()]
    found = {name: _less(common, name, [PLAIN]) for name in own if name != PLAIN and PLAIN in own}
    return table(["setting", "mean Dice", "HD95, mm"], rows) + "\n" + _table("less plain", found)


def ensemble_table(cases: pd.DataFrame) -> str:
    """Every ensemble less the mean of its members."""
    members = dice_of_cases(cases[cases["network"] == DERIVED])
    names = [str(name) for name in cases["network"].unique() if name != DERIVED]
    n_members = cases.loc[cases["network"] == DERIVED, "seed"].nunique()
    found = {name: (n_members, paired(dice_of_cases(cases[cases["network"] == name]), members)) for name in names}
    return _table("less its members", found)


def over_folds_table(cases: pd.DataFrame, network: str) -> str:
    """A network less every other one, over the cases of the folds that all have.

    Args:
        cases: of one run of every network on every fold; every fold has cases of its own.
        network: that the others are taken from.
    """
    common = _of_common_folds(cases)
    names = [str(name) for name in common["network"].unique()]
    others = [name for name in names if name != network and network in names]
    return _table(f"{network} less", {name: _less(common, network, [name]) for name in others})


def _of_common_folds(cases: pd.DataFrame) -> pd.DataFrame:
    folds = cases.groupby("fold")["network"].nunique()
    return cases[cases["fold"].isin(folds[folds == cases["network"].nunique()].index)]


def _less(cases: pd.DataFrame, name: str, others: list[str]) -> tuple[int, Paired]:
    """The number of seeds that all of them have, and the comparison from these."""
    used = cases[cases["network"].isin([name, *others])]
    seeds = used.groupby("seed")["network"].nunique()
    used = used[used["seed"].isin(seeds[seeds == 1 + len(others)].index)]
    theirs = used[used["network"].isin(others)]
    return used["seed"].nunique(), paired(dice_of_cases(used[used["network"] == name]), dice_of_cases(theirs))


def _table(label: str, found: Mapping[str, tuple[int, Paired]]) -> str:
    adjusted = stats.false_discovery_control([each.p_value for _, each in found.values()]) if found else []
    rows = [
        [
            name,
            str(runs),
            f"{each.mean:+.4f}",
            f"{each.low:+.4f} to {each.high:+.4f}",
            f"{each.p_value:.2g}",
            f"{p_value:.2g}",
            f"{each.wins} of {each.n_cases}",
        ]
        for (name, (runs, each)), p_value in zip(found.items(), adjusted, strict=True)
    ]
    return table([label, *_HEADER], rows)
