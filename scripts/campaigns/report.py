"""`results.md` of a campaign, and the Dice of every case behind it."""

from __future__ import annotations

import pandas as pd

from adw_components.files import replacing, write_text

from .campaign import DEFAULT, Campaign, Retraining
from .cases import DEVELOPMENT_FOLD
from .figure import write_figure
from .final import estimate_folder
from .inference import COMPONENT, PLAIN, inference_folder, settings_tried
from .measured import cases_of, joined, retrained
from .nnunet import NETWORK, check_folder
from .tables import (
    common_cases,
    estimate_table,
    fold_table,
    inference_table,
    network_table,
    outside_table,
    paired_table,
    search_table,
)


def write_report(campaign: Campaign) -> str:
    """Write and give the tables of what is done so far."""
    sections = {"Searches": search_table(campaign)}
    cases = retrained(campaign)
    if len(cases):
        sections |= {
            "Networks on the fold of development": network_table(campaign, cases),
            "Paired over its cases": paired_table(cases[cases["fold"] == DEVELOPMENT_FOLD]),
            "Finalists on every fold": fold_table(cases),
            "Paired over the cases of all folds, first seed": paired_table(common_cases(cases)),
        }
        write_figure(campaign, cases[cases["fold"] == DEVELOPMENT_FOLD], campaign.folder / "results.svg")
        with replacing(campaign.folder / "cases.csv") as temporary:
            cases.to_csv(temporary, index=False)
    outside = _outside(campaign, cases)
    if len(outside):
        sections["Outside check"] = outside_table(outside)
    tried = _inference(campaign)
    if len(tried):
        sections["Inference"] = inference_table(tried)
    estimated = _estimate(campaign)
    if len(estimated):
        sections["Estimate of the network that ships"] = estimate_table(estimated)
    text = "\n".join(f"## {title}\n\n{table}" for title, table in sections.items())
    write_text(campaign.folder / "results.md", text)
    return text


def _outside(campaign: Campaign, cases: pd.DataFrame) -> pd.DataFrame:
    """nnU-Net's own default network, and ours from every seed."""
    folder = check_folder(campaign)
    if not (folder / "done").exists():
        return joined([])
    theirs = cases_of(folder / "evaluation", Retraining(network=NETWORK, fold=DEVELOPMENT_FOLD, seed=0))
    ours = cases[(cases["network"] == DEFAULT) & (cases["fold"] == DEVELOPMENT_FOLD)]
    return joined([theirs, ours])


def _inference(campaign: Campaign) -> pd.DataFrame:
    """The cases of every setting of the inference that is measured; its name stands for the network's."""
    folders = {name: inference_folder(campaign, name) for name in (*settings_tried(campaign), COMPONENT)}
    done = {name: folder for name, folder in folders.items() if (folder / "done").exists()}
    if PLAIN not in done:
        return joined([])
    return joined(
        cases_of(folder, Retraining(network=name, fold=DEVELOPMENT_FOLD, seed=0)) for name, folder in done.items()
    )


def _estimate(campaign: Campaign) -> pd.DataFrame:
    """The cases of the folds on which the final training was tried."""
    folds = (DEVELOPMENT_FOLD, *campaign.scale.confirming_folds)
    done = [fold for fold in folds if (estimate_folder(campaign, fold) / "done").exists()]
    name = campaign.scale.final_network
    return joined(
        cases_of(estimate_folder(campaign, fold) / "evaluation", Retraining(network=name, fold=fold, seed=0))
        for fold in done
    )
