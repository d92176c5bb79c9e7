"""`results.md` and `results.svg` of a campaign, and the Dice of every case behind them."""

from __future__ import annotations

import pandas as pd

from adw_components.files import replacing, write_text

from .campaign import Campaign
from .cases import DEVELOPMENT_FOLD
from .figure import write_figure
from .final import estimate_folder, estimate_runs
from .inference import COMPONENT, PLAIN, inference_folder, settings_tried
from .longer import longer_folder, longer_runs
from .measured import cases_of, joined, of_retrainings
from .nnunet import NETWORK, check_folder
from .paired_tables import derived_table, inference_table, outside_table, over_folds_table
from .retrainings import Retraining
from .scale import FINALISTS
from .searches import DEFAULT, DERIVED
from .tables import estimate_table, fold_table, network_table, search_table


def write_report(campaign: Campaign) -> str:
    """Write and give the tables of what is done so far."""
    sections = {"Searches": search_table(campaign)}
    cases = of_retrainings(campaign)
    if len(cases):
        sections |= _of_networks(campaign, cases)
        write_figure(campaign, cases[cases["fold"] == DEVELOPMENT_FOLD], campaign.folder / "results.svg")
        with replacing(campaign.folder / "cases.csv") as temporary:
            cases.to_csv(temporary, index=False)
    others = {
        "Outside check": (_outside(campaign, cases), outside_table),
        "A longer budget": (_longer(campaign), _longer_section),
        "Inference": (_inference(campaign), inference_table),
        "Estimate of the network that ships": (_estimate(campaign), estimate_table),
    }
    sections |= {title: make(rows) for title, (rows, make) in others.items() if len(rows)}
    text = "\n".join(f"## {title}\n\n{section}" for title, section in sections.items())
    write_text(campaign.folder / "results.md", text)
    return text


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
    """The cases of every setting of the inference that is measured; its name stands for the network's."""
    folders = {name: inference_folder(campaign, name) for name in (*settings_tried(campaign), COMPONENT)}
    done = {name for name, folder in folders.items() if (folder / "done").exists()}
    done |= {COMPONENT} if PLAIN in done else set()
    known = [cases_of(folders[name], Retraining(network=name)) for name in folders if name in done]
    return joined(known) if PLAIN in done else joined([])


def _longer(campaign: Campaign) -> pd.DataFrame:
    """The cases of the longer retrainings."""
    done = [run for run in longer_runs(campaign) if (longer_folder(campaign, run) / "done").exists()]
    return joined(cases_of(longer_folder(campaign, run) / "evaluation", run) for run in done)


def _longer_section(cases: pd.DataFrame) -> str:
    return estimate_table(cases) + "\n" + over_folds_table(cases, DERIVED)


def _estimate(campaign: Campaign) -> pd.DataFrame:
    """The cases of the folds on which the final training was tried."""
    done = [run for run in estimate_runs(campaign) if (estimate_folder(campaign, run.fold) / "done").exists()]
    return joined(cases_of(estimate_folder(campaign, run.fold) / "evaluation", run) for run in done)
