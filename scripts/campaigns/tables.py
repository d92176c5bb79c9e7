"""The tables of searches, networks and folds, as Markdown, from what is done so far."""

from __future__ import annotations

import pandas as pd
from helpers.markdown import spread, table

from adw_components.architecture import Architecture
from adw_components.cost import count_parameters
from adw_components.files import read_json_lines

from .campaign import Campaign
from .cases import DEVELOPMENT_FOLD
from .measured import dice_of_runs, training_minutes
from .retrainings import Retraining, train_folder
from .scale import FINALISTS
from .searches import DERIVED, SEARCHES, networks, search_folder


def search_table(campaign: Campaign) -> str:
    """What every search cost and came to."""
    folds = (DEVELOPMENT_FOLD, *campaign.scale.confirming_folds)
    done = [
        (name, fold) for fold in folds for name in SEARCHES if (search_folder(campaign, name, fold) / "done").exists()
    ]
    header = ["search", "fold", "minutes", "entropy at its end", "FLOPs over default", "widths"]
    return table(header, (_search_row(campaign, name, fold) for name, fold in done))


def _search_row(campaign: Campaign, name: str, fold: int) -> list[str]:
    folder, setting = search_folder(campaign, name, fold), campaign.setting
    epochs = read_json_lines(folder / "search.jsonl")
    derived = Architecture.load(folder / "architecture.json")
    ratio = setting.flops(derived) / setting.flops(setting.default())
    minutes = sum(epoch["seconds"] for epoch in epochs) / 60
    return [name, str(fold), f"{minutes:.1f}", f"{epochs[-1]['entropy']:.2f}", f"{ratio:.3f}", widths(derived)]


def widths(architecture: Architecture) -> str:
    """The widths of every block: encoder, a bar, decoder."""
    sides = (architecture.encoder_widths, architecture.decoder_widths)
    return " \\| ".join(", ".join("-".join(map(str, block)) for block in side) for side in sides)


def network_table(campaign: Campaign, cases: pd.DataFrame) -> str:
    """Every network on the fold of development, the best first: cost, Dice over the seeds, by class, HD95."""
    own = dict(list(cases[cases["fold"] == DEVELOPMENT_FOLD].groupby("network")))
    names = sorted(own, key=lambda name: -dice_of_runs(own[name]).mean())
    classes = sorted(cases["class"].unique())
    header = ["network", "parameters", "GFLOPs (over default)", "seeds", "mean Dice", *classes, "HD95, mm", "minutes"]
    found = networks(campaign)
    return table(header, ([name, *_network_cells(campaign, found[name], name, own[name])] for name in names))


def _network_cells(campaign: Campaign, network: Architecture, name: str, cases: pd.DataFrame) -> list[str]:
    setting = campaign.setting
    flops, default = setting.flops(network), setting.flops(setting.default())
    parameters = count_parameters(network, in_channels=setting.in_channels, out_channels=setting.out_channels)
    seeds = sorted(cases["seed"].unique())
    folders = [train_folder(campaign, Retraining(network=name, seed=int(seed))) for seed in seeds]
    return [
        f"{parameters:,}",
        f"{flops / 1e9:.3f} ({flops / default:.3f})",
        str(len(seeds)),
        spread(dice_of_runs(cases)),
        *(f"{dice:.4f}" for dice in cases.groupby("class")["dice"].mean()),
        distance(cases),
        spread([training_minutes(folder) for folder in folders], 1),
    ]


def distance(cases: pd.DataFrame) -> str:
    """Mean HD95, and how often there is none because a class was not found."""
    missing = int(cases["hd95_mm"].isna().sum())
    return f"{cases['hd95_mm'].mean():.2f}" + (f" ({missing} of {len(cases)} have none)" if missing else "")


def fold_table(cases: pd.DataFrame) -> str:
    """The finalists on every fold, and the derived network less each other one over the folds; of one seed."""
    by_fold = dice_of_runs(cases).droplevel("seed").unstack("fold")
    rows = []
    for name in (name for name in FINALISTS if name in by_fold.index):
        own = by_fold.loc[name]
        cells = ["-" if pd.isna(value) else f"{value:.4f}" for value in own]
        less = (by_fold.loc[DERIVED] - own).dropna() if DERIVED in by_fold.index and name != DERIVED else []
        rows.append([name, *cells, spread(own.dropna()), spread(less)])
    return table(["network", *(f"fold {fold}" for fold in by_fold.columns), "mean ± sd", "derived less it"], rows)


def estimate_table(cases: pd.DataFrame) -> str:
    """Dice by class and HD95 of every network and fold, and over the folds."""
    classes = [str(name) for name in sorted(cases["class"].unique())]
    header = ["network", "fold", "mean Dice", *classes, "HD95, mm"]
    return table(header, (row for name in cases["network"].unique() for row in _estimate_rows(cases, str(name))))


def _estimate_rows(cases: pd.DataFrame, network: str) -> list[list[str]]:
    own = cases[cases["network"] == network]
    by_class = own.groupby(["fold", "class"])["dice"].mean().unstack()
    distances = own.groupby("fold")["hd95_mm"].mean()
    columns = [by_class.mean(axis=1), *(by_class[name] for name in by_class.columns)]
    rows = [
        [network, str(fold), *(f"{dice[fold]:.4f}" for dice in columns), f"{distances[fold]:.2f}"]
        for fold in by_class.index
    ]
    return [*rows, [network, "mean ± sd", *(spread(dice) for dice in columns), spread(distances, 2)]]
