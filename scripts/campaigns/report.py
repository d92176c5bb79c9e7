"""`results.md` and `results.svg` of a campaign, and the Dice of every case behind them."""

from __future__ import annotations

import pandas as pd

from adw_components.files import replacing, write_text

from .campaign import Campaign
from .cases import DEVELOPMENT_FOLD
from .figure import write_figure
from .final import unseen_evaluations
from .inference import COMPONENT, ENSEMBLES, SETTINGS, evaluation_folder
from .longer import longer_folder, longer_runs
from .measured import cases_of, joined, of_retrainings
from .nnunet import NETWORK, check_folder
from .paired_tables import derived_table, ensemble_table, inference_table, outside_table, over_folds_table
from .retrainings import Retraining
from .scale import FINALISTS
from .searches import DEFAULT, DERIVED
from .tables import estimate_table, fold_table, network_table, search_table


def write_report(campaign: Campaign) -> str:
    """Write and give the tables of what is done so far; the cases go to `cases.csv` and `cases_longer.csv`."""
    sections = {"Searches": search_table(campaign)}
    cases = of_retrainings(campaign)
    if len(cases):
        sections |= _of_networks(campaign, cases)
        write_figure(campaign, cases[cases["fold"] == DEVELOPMENT_FOLD], campaign.folder / "results.svg")
        _write_cases(campaign, cases, "cases.csv")
    longer = _longer(campaign)
    if len(longer):
        _write_cases(campaign, longer, "cases_longer.csv")
    others = {
        "Outside check": (_outside(campaign, cases), outside_table),
        "A longer budget": (longer, _longer_section),
        "Inference": (_inference(campaign), inference_table),
        "Ensembles": (_ensembles(campaign, cases), ensemble_table),
        "Estimate of the network that ships": (_unseen(campaign), estimate_table),
    }
    sections |= {title: make(rows) for title, (rows, make) in others.items() if len(rows)}
    text = "\n".join(f"## {title}\n\n{section}" for title, section in sections.items())
    write_text(campaign.folder / "results.md", text)
    return text


def _write_cases(campaign: Campaign, cases: pd.DataFrame, name: str) -> None:
    with replacing(campaign.folder / name) as temporary:
        cases.to_csv(temporary, index=False)


def _of_networks(campaign: Campaign, cases: pd.DataFrame) -> dict[str, str]:
    development = cases[cases["fold"] == DEVELOPMENT_FOLD]
    sections = {"Networks on the fold of development": network_table(campaign, cases)}
    if DERIVED in set(development["network"]):
        sections["Paired over its cases"] = derived_table(development)
    first = cases[(cases["seed"] == 0) & cases["network"].isin(FINALISTS)]
    return {**sections, "Finalists on every fold": fold_table(first) + "\n" + over_folds_table(first, DERIVED)}


def _outside(campaign: Campaign, cases: pd.DataFrame) -> pd.DataFrame:
    """nnU-Net's own default network, and ours, from the seeds that both have."""
    seeds = [seed for seed in range(campaign.scale.n_seeds) if (check_folder(campaign, seed) / "done").exists()]
    theirs = [
        cases_of(check_folder(campaign, seed) / "evaluation", Retraining(network=NETWORK, seed=seed)) for seed in seeds
    ]
    ours = cases[(cases["network"] == DEFAULT) & (cases["fold"] == DEVELOPMENT_FOLD) & cases["seed"].isin(seeds)]
    return joined([*theirs, ours]) if seeds else joined([])


def _inference(campaign: Campaign) -> pd.DataFrame:
    """The cases of every setting of the inference on every fold; its name stands for the network's."""
    runs = [
        (evaluation_folder(campaign, name, fold), Retraining(network=name, fold=fold))
        for name in (*SETTINGS, COMPONENT)
        for fold in (DEVELOPMENT_FOLD, *campaign.scale.confirming_folds)
    ]
    return joined(cases_of(folder, run) for folder, run in runs if (folder / "cases.json").exists())


def _ensembles(campaign: Campaign, cases: pd.DataFrame) -> pd.DataFrame:
    """The cases of the ensembles, and of the derived network from each of their seeds."""
    folders = {name: evaluation_folder(campaign, name) for name in ENSEMBLES}
    done = [
        cases_of(folder, Retraining(network=name)) for name, folder in folders.items() if (folder / "done").exists()
    ]
    members = cases[(cases["network"] == DERIVED) & (cases["fold"] == DEVELOPMENT_FOLD)]
    return joined([members, *done]) if done else joined([])


def _longer(campaign: Campaign) -> pd.DataFrame:
    """The cases of the longer retrainings."""
    done = [run for run in longer_runs(campaign) if (longer_folder(campaign, run) / "done").exists()]
    return joined(cases_of(longer_folder(campaign, run) / "evaluation", run) for run in done)


def _longer_section(cases: pd.DataFrame) -> str:
    compared = cases[cases["network"].isin([DERIVED, DEFAULT])]
    development = cases[cases["fold"] == DEVELOPMENT_FOLD]
    parts = [estimate_table(cases), over_folds_table(compared, DERIVED)]
    return "\n".join([*parts, *([derived_table(development)] if DERIVED in set(development["network"]) else [])])


def _unseen(campaign: Campaign) -> pd.DataFrame:
    """The cases of the derived network of every fold, under the longer budget and as it ships."""
    found = unseen_evaluations(campaign).items()
    return joined(cases_of(folder, run) for run, folder in found if (folder / "done").exists())
