"""The tables of a campaign, as Markdown, from what is done so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from adw_components.architecture import Architecture
from adw_components.cost import count_parameters
from adw_components.files import read_json_lines

from .campaign import DERIVED, FINALISTS, SEARCHES, Campaign
from .cases import DEVELOPMENT_FOLD
from .inference import PLAIN
from .measured import dice_of_cases, dice_of_runs, training_minutes
from .paired import paired


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a dash for what is not there."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (header, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(header), *lines[1:]]) + "\n"


def spread(values: pd.Series, digits: int = 4) -> str:
    """Mean, and standard deviation if there are several."""
    if values.empty:
        return "-"
    deviation = f" ± {values.std():.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{deviation}"


def widths(architecture: Architecture) -> str:
    """The widths of every block: encoder, a bar, decoder."""
    sides = (architecture.encoder_widths, architecture.decoder_widths)
    return " \\| ".join(", ".join("-".join(map(str, block)) for block in side) for side in sides)


def search_table(campaign: Campaign) -> str:
    """What every search cost and came to."""
    default = campaign.setting.flops(campaign.setting.default())
    rows = []
    for name in SEARCHES:
        epochs = read_json_lines(campaign.search_folder(name) / "search.jsonl")
        path = campaign.search_folder(name) / "architecture.json"
        if epochs and path.exists():
            derived = Architecture.load(path)
            minutes = sum(epoch["seconds"] for epoch in epochs) / 60
            flops = campaign.setting.flops(derived)
            entropy = f"{epochs[-1]['entropy']:.2f}"
            rows.append([name, f"{minutes:.1f}", entropy, f"{flops / default:.3f}", widths(derived)])
    return markdown(["search", "minutes", "entropy at its end", "FLOPs over default", "widths"], rows)


def network_table(campaign: Campaign, cases: pd.DataFrame) -> str:
    """Every network on the fold of development: cost, Dice over the seeds, by class, HD95."""
    setting, networks = campaign.setting, campaign.networks
    default = setting.flops(setting.default())
    rows = []
    for name, architecture in networks.items():
        own = cases[(cases["network"] == name) & (cases["fold"] == DEVELOPMENT_FOLD)]
        if own.empty:
            continue
        flops = setting.flops(architecture)
        parameters = count_parameters(architecture, in_channels=setting.in_channels, out_channels=setting.out_channels)
        folders = (campaign.folder / "train" / name).glob(f"fold_{DEVELOPMENT_FOLD}_*")
        minutes = pd.Series([training_minutes(folder) for folder in folders if (folder / "done").exists()])
        by_class = own.groupby("class")["dice"].mean()
        rows.append(
            [
                name,
                f"{parameters:,}",
                f"{flops / 1e9:.3f} ({flops / default:.3f})",
                str(own["seed"].nunique()),
                spread(dice_of_runs(own)),
                *(f"{dice:.4f}" for dice in by_class),
                f"{own['hd95_mm'].mean():.2f}",
                f"{minutes.mean():.1f}",
            ]
        )
    rows.sort(key=lambda row: row[4], reverse=True)
    header = ["network", "parameters", "GFLOPs (over default)", "seeds", "mean Dice", *_classes(cases)]
    return markdown([*header, "HD95, mm", "minutes a retraining"], rows)


def _classes(cases: pd.DataFrame) -> list[str]:
    return sorted(cases["class"].unique())


def paired_table(cases: pd.DataFrame) -> str:
    """The derived network less every other one, and less the means of the uniform and the random ones."""
    own = cases[(cases["network"] == DERIVED)]
    names = [name for name in sorted(cases["network"].unique()) if name != DERIVED]
    groups: Mapping[str, list[str]] = {
        **{f"mean of {kind}": [name for name in names if name.startswith(kind)] for kind in ("uniform", "random")},
        **{name: [name] for name in names},
    }
    rows = []
    for label, members in groups.items():
        theirs = cases[cases["network"].isin(members)]
        if own.empty or theirs.empty:
            continue
        found = paired(dice_of_cases(own), _of_members(theirs))
        rows.append(
            [
                label,
                f"{found.mean:+.4f}",
                f"{found.low:+.4f} to {found.high:+.4f}",
                f"{found.p_value:.2g}",
                f"{found.wins} of {found.n_cases}",
            ]
        )
    return markdown(["derived less", "mean", "95 % interval", "Wilcoxon p", "cases better"], rows)


def _of_members(cases: pd.DataFrame) -> pd.Series:
    """Dice by case, every network with the same weight, however many seeds it has."""
    return cases.groupby(["network", "case"])["dice"].mean().groupby("case").mean()


def fold_table(cases: pd.DataFrame) -> str:
    """The finalists on every fold, seed 0, and over all of them."""
    first = cases[(cases["seed"] == 0) & cases["network"].isin(FINALISTS)]
    folds = sorted(first["fold"].unique())
    dice = dice_of_runs(first) if len(first) else pd.Series(dtype=float)
    rows = []
    for name in FINALISTS:
        own = [dice.get((name, fold, 0)) for fold in folds]
        known = pd.Series([value for value in own if value is not None], dtype=float)
        rows.append([name, *("-" if value is None else f"{value:.4f}" for value in own), spread(known)])
    return markdown(["network", *(f"fold {fold}" for fold in folds), "mean ± sd of folds"], rows)


def common_cases(cases: pd.DataFrame) -> pd.DataFrame:
    """The finalists' cases, first seed, of the folds on which all of them were retrained."""
    first = cases[(cases["seed"] == 0) & cases["network"].isin(FINALISTS)]
    counted = first.groupby("fold")["network"].nunique()
    return first[first["fold"].isin(counted[counted == len(FINALISTS)].index)]


def outside_table(cases: pd.DataFrame) -> str:
    """nnU-Net's own training beside ours, run by run."""
    rows = [[str(network), str(seed), f"{dice:.4f}"] for (network, _, seed), dice in dice_of_runs(cases).items()]
    return markdown(["pipeline", "seed", "mean Dice"], rows)


def inference_table(cases: pd.DataFrame) -> str:
    """Every setting of the inference less the plain one, case by case."""
    plain = dice_of_cases(cases[cases["network"] == PLAIN])
    rows = []
    for name in cases["network"].unique():
        own = cases[cases["network"] == name]
        found = paired(dice_of_cases(own), plain)
        rows.append(
            [
                name,
                f"{dice_of_runs(own).iloc[0]:.4f}",
                f"{own['hd95_mm'].mean():.2f}",
                f"{found.mean:+.4f} ({found.low:+.4f} to {found.high:+.4f})",
                f"{found.p_value:.2g}",
            ]
        )
    return markdown(["setting", "mean Dice", "HD95, mm", "less plain (95 % interval)", "Wilcoxon p"], rows)


def estimate_table(cases: pd.DataFrame) -> str:
    """Dice by class and HD95 of every fold, and over the folds."""
    by_class = cases.groupby(["fold", "class"])["dice"].mean().unstack()
    distance = cases.groupby("fold")["hd95_mm"].mean()
    dice = by_class.mean(axis=1)
    rows = [
        [str(fold), f"{dice[fold]:.4f}", *(f"{value:.4f}" for value in by_class.loc[fold]), f"{distance[fold]:.2f}"]
        for fold in by_class.index
    ]
    of_folds = [dice, *(by_class[name] for name in by_class.columns)]
    rows.append(["mean ± sd", *(spread(values) for values in of_folds), spread(distance, 2)])
    return markdown(["fold", "mean Dice", *by_class.columns, "HD95, mm"], rows)
