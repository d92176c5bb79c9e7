"""A whole campaign in miniature, by the command of the README: searches, retrainings, inference, the final network."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
import torch
from campaigns.campaign import BUNDLE, Campaign
from campaigns.cases import prepare_cases
from campaigns.contenders import TOLERANCE
from campaigns.final import INFERENCE, final_folder, unseen_evaluations
from campaigns.inference import COMPONENT, ENSEMBLES, PLAIN, SETTINGS, evaluation_folder
from campaigns.install import install
from campaigns.longer import longer_folder, longer_runs
from campaigns.retrainings import retrainings, train_folder
from campaigns.scale import FINALISTS, SCALES
from campaigns.searches import SEARCHES, network_path, networks, search_folder

from adw_components.architecture import Architecture
from adw_components.errors import UserError
from adw_components.files import read_json, read_json_lines
from adw_components.networks import AdwUNet

SCRIPT = Path(__file__).parents[2] / "scripts" / "campaign.py"
SCALE = SCALES["toy"]
FOLDS = (1, *SCALE.confirming_folds)


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--toy", "--output_dir", str(folder), "--threads", "1"]
    return subprocess.run(command, capture_output=True, text=True, check=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of a campaign that has run to its end."""
    folder = tmp_path_factory.mktemp("campaign")
    done = run(folder)
    assert (folder / "results.md").read_text().strip() in done.stdout
    yield folder


@pytest.fixture(scope="module")
def campaign(folder: Path) -> Campaign:
    """The campaign in the folder."""
    return Campaign(scale=SCALE, cases=prepare_cases(folder / "generated", folder), folder=folder, threads=1)


def settings_of(folder: Path) -> dict[str, object]:
    return read_json(folder / "settings.json", "settings")


def test_every_search_is_what_its_name_says(campaign: Campaign) -> None:
    found = {name: networks(campaign)[name] for name in SEARCHES}
    assert {len(block) for block in found["width_only"].blocks} == {2}
    narrow = campaign.setting.space.uniform(width=0, depth=1)
    assert [set(block) for block in found["depth_only"].blocks] == [set(block) for block in narrow.blocks]
    target = 0.5 * campaign.setting.flops(campaign.setting.default())
    for name in ("derived", "depth_only", "width_only"):
        assert campaign.setting.flops(found[name]) == pytest.approx(target, rel=0.1), name
    assert "target" not in found["derived_free"].provenance


@pytest.mark.parametrize("fold", FOLDS)
def test_a_folds_network_was_searched_without_its_validation_cases(campaign: Campaign, fold: int) -> None:
    settings = settings_of(search_folder(campaign, "derived", fold))
    assert settings["fold"] == fold and settings["split_file"] == str(campaign.cases.split_file)
    split = read_json(campaign.cases.split_file, "folds")[str(fold)]
    assert settings["n_cases"] == 8 == len(set(split["training"]) | set(split["validation"]))
    assert Architecture.load(network_path(campaign, "derived", fold)) == Architecture.load(
        search_folder(campaign, "derived", fold) / "architecture.json"
    )


def test_random_networks_have_the_flops_aimed_at(campaign: Campaign) -> None:
    found = networks(campaign)
    flops = 0.5 * campaign.setting.flops(campaign.setting.default())
    randoms = [network for name, network in found.items() if name.startswith("random")]
    assert len(randoms) == SCALE.n_random
    assert all(abs(campaign.setting.flops(each) / flops - 1) <= TOLERANCE for each in randoms)


def test_every_network_was_retrained_alike(campaign: Campaign) -> None:
    """The settings of all retrainings are one, but for network, fold and seed."""
    runs = retrainings(campaign)
    names = {run.network for run in runs if (run.fold, run.seed) == (1, 0)}
    assert names == set(networks(campaign)) and len(runs) == len(set(runs)) == len(names) + 2 * len(FINALISTS)
    common = []
    for run in runs:
        folder = train_folder(campaign, run)
        settings = settings_of(folder)
        assert settings["architecture"] == networks(campaign, run.fold)[run.network].structure()
        assert (settings["fold"], settings["seed"]) == (run.fold, run.seed)
        common.append({name: value for name, value in settings.items() if name not in ("architecture", "fold", "seed")})
        assert len(read_json_lines(folder / "train.jsonl")) == SCALE.train_epochs
    assert all(each == common[0] for each in common)


def test_tables_hold_what_the_evaluations_measured(campaign: Campaign) -> None:
    text = (campaign.folder / "results.md").read_text()
    cases = pd.read_csv(campaign.folder / "cases.csv")
    for run in retrainings(campaign):
        folder = train_folder(campaign, run)
        found = read_json(folder / "evaluation" / "summary.json", "summary")
        own = cases[(cases["network"] == run.network) & (cases["fold"] == run.fold) & (cases["seed"] == run.seed)]
        assert own.groupby("class")["dice"].mean().mean() == pytest.approx(found["mean_dice"])
        assert found["settings"]["checkpoints"] == [str(folder / "model_last.pt")]
        if run.network in FINALISTS and run.seed == 0:
            (row,) = [
                line
                for line in text.partition("## Finalists")[2].splitlines()
                if line.startswith(f"| {run.network} |") and line.count("|") == len(FOLDS) + 4
            ]
            assert f"{found['mean_dice']:.4f}" in row.split("|")[2 + FOLDS.index(run.fold)]


def test_tables_are_all_there_and_name_every_network_and_setting(campaign: Campaign) -> None:
    text = (campaign.folder / "results.md").read_text()
    titles = [
        "Searches",
        "Networks on the fold of development",
        "Finalists on every fold",
        "A longer budget",
        "Inference",
        "Ensembles",
        "Estimate of the network that ships",
    ]
    for title in titles:
        assert f"## {title}\n" in text
    for name in (*networks(campaign), *SETTINGS, COMPONENT, *ENSEMBLES):
        assert f"| {name} |" in text


def test_drawing_names_every_network(campaign: Campaign) -> None:
    text = (campaign.folder / "results.svg").read_text()
    assert [name for name in networks(campaign) if f">{name}<" not in text] == []


def test_longer_retrainings_differ_in_their_length_alone(campaign: Campaign) -> None:
    expected = {*product(["derived", "default"], FOLDS), *product(networks(campaign), [1])}
    assert {(run.network, run.fold) for run in longer_runs(campaign)} == expected
    for run in longer_runs(campaign):
        short, longer = settings_of(train_folder(campaign, run)), settings_of(longer_folder(campaign, run))
        assert (short.pop("max_epochs"), longer.pop("max_epochs")) == (SCALE.train_epochs, SCALE.longer_epochs)
        assert short == longer


def test_every_case_of_the_longer_retrainings_is_kept(campaign: Campaign) -> None:
    cases = pd.read_csv(campaign.folder / "cases_longer.csv").set_index(["network", "fold"])
    assert set(cases.index) == {(run.network, run.fold) for run in longer_runs(campaign)}
    for run in longer_runs(campaign):
        found = read_json(longer_folder(campaign, run) / "evaluation" / "summary.json", "summary")
        dice = cases.loc[(run.network, run.fold)].groupby("class")["dice"].mean()
        assert dice.mean() == pytest.approx(found["mean_dice"])


@pytest.mark.parametrize("fold", FOLDS)
def test_every_setting_of_the_inference_is_of_the_same_weights(campaign: Campaign, fold: int) -> None:
    found = {name: evaluation_folder(campaign, name, fold) for name in SETTINGS}
    summaries = {name: read_json(folder / "summary.json", "summary")["settings"] for name, folder in found.items()}
    weights = [str(found[PLAIN].parent / "model_last.pt")]
    assert all((each["checkpoints"], each["fold"]) == (weights, fold) for each in summaries.values())
    tried = {name: (each["mirror_tta"], each["overlap"]) for name, each in summaries.items()}
    assert tried == {
        "plain": (False, 0.5),
        "mirrored": (True, 0.5),
        "overlap 0.25": (False, 0.25),
        "overlap 0.75": (False, 0.75),
    }


def test_an_ensemble_has_a_member_of_every_seed(campaign: Campaign) -> None:
    for name, setting in ENSEMBLES.items():
        settings = read_json(evaluation_folder(campaign, name) / "summary.json", "summary")["settings"]
        assert len(set(settings["checkpoints"])) == SCALE.n_seeds and settings["mirror_tta"] is (setting != PLAIN)


def test_final_network_is_the_derived_one_and_has_seen_every_case_and_no_other(campaign: Campaign) -> None:
    settings = settings_of(final_folder(campaign))
    assert settings["architecture"] == networks(campaign)["derived"].structure()
    assert (settings["fold"], settings["n_cases"], settings["max_epochs"]) == ("all", 8, SCALE.final_epochs)


def test_final_network_is_measured_as_its_bundle_infers(campaign: Campaign) -> None:
    """By the defaults of the configs."""
    shipped = {name: read_json(BUNDLE / "configs" / f"{name}.json", "config") for name in ("evaluate", "inference")}
    assert all(each["mirror_tta"] is (INFERENCE != PLAIN) for each in shipped.values())
    folders = [*unseen_evaluations(campaign).values(), final_folder(campaign) / "evaluation"]
    for folder in folders:
        settings = read_json(folder / "summary.json", "summary")["settings"]
        assert settings["mirror_tta"] is shipped["evaluate"]["mirror_tta"]
        assert settings["overlap"] == shipped["evaluate"]["overlap"]
    assert [run.fold for run in unseen_evaluations(campaign)] == list(FOLDS)


def test_final_network_goes_into_a_bundle(campaign: Campaign, tmp_path: Path) -> None:
    bundle, shipped = tmp_path / "bundle", tmp_path / "shipped"
    install(campaign, bundle=bundle, shipped=shipped)
    record = (shipped / "architecture.json").read_text()
    architecture = Architecture.load(shipped / "architecture.json")
    assert architecture == networks(campaign)["derived"]
    settings = read_json(bundle / "models" / "settings.json", "settings")
    assert settings["mirror_axes"] == [0] and settings["n_cases"] == 8
    for text in (record, json.dumps(settings), (shipped / "metrics.json").read_text()):
        assert '": "/' not in text
    network = AdwUNet(spatial_dims=3, in_channels=1, out_channels=3, architecture=architecture)
    network.load_state_dict(torch.load(bundle / "models" / "model.pt", weights_only=True))


def test_metrics_are_those_of_the_estimate_and_of_the_weights(campaign: Campaign, tmp_path: Path) -> None:
    install(campaign, bundle=tmp_path, shipped=tmp_path)
    metrics = read_json(tmp_path / "metrics.json", "metrics")
    assert metrics["weights_sha256"] == hashlib.sha256((tmp_path / "models" / "model.pt").read_bytes()).hexdigest()
    seen = read_json(final_folder(campaign) / "evaluation" / "summary.json", "summary")
    assert metrics["seen_in_training"]["mean_dice"] == pytest.approx(seen["mean_dice"], abs=1e-4)
    unseen = [read_json(folder / "summary.json", "summary") for folder in unseen_evaluations(campaign).values()]
    assert metrics["unseen"]["mean_dice_of_folds"] == pytest.approx([each["mean_dice"] for each in unseen], abs=1e-4)


def test_nothing_is_put_into_a_bundle_before_its_end(campaign: Campaign, tmp_path: Path) -> None:
    unfinished = replace(campaign, folder=tmp_path / "none")
    message = r"none.inference.mirrored.fold_1 is not done; run the parts longer, inference and final first"
    with pytest.raises(UserError, match=message):
        install(unfinished, bundle=tmp_path / "bundle", shipped=tmp_path / "shipped")
    assert not (tmp_path / "bundle").exists() and not (tmp_path / "shipped").exists()


def test_what_is_done_is_not_done_again(folder: Path) -> None:
    files = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    done = run(folder)
    assert (folder / "results.md").read_text().strip() in done.stdout
    changed = {path for path in files if path.stat().st_mtime_ns != files[path] and "networks" not in path.parts}
    tables = {"results.md", "results.svg", "cases.csv", "cases_longer.csv"}
    rewritten = {*tables, "scale.json", "folds.json", "dataset.json", "lock"}
    assert {path.name for path in changed} <= rewritten
