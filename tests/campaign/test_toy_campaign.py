"""A whole campaign in miniature, by the command of the README: searches, retrainings, inference, the final network."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch
from campaigns.campaign import FINALISTS, SEARCHES, Campaign
from campaigns.cases import prepare_cases
from campaigns.contenders import TOLERANCE
from campaigns.final import install
from campaigns.inference import COMPONENT, settings_tried
from campaigns.scale import SCALES

from adw_components.architecture import Architecture
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
    found = {name: campaign.networks[name] for name in SEARCHES}
    assert {len(block) for block in found["width_only"].blocks} == {2}
    narrow = campaign.setting.space.uniform(width=0, depth=1)
    widths = [set(block) for block in found["depth_only"].blocks]
    assert widths == [set(block) for block in narrow.blocks]
    target = 0.5 * campaign.setting.flops(campaign.setting.default())
    for name in ("derived", "depth_only", "width_only"):
        assert campaign.setting.flops(found[name]) == pytest.approx(target, rel=0.1), name
    assert "target" not in found["derived_free"].provenance


def test_networks_of_the_derived_ones_flops(campaign: Campaign) -> None:
    networks = campaign.networks
    flops = campaign.setting.flops(networks["derived"])
    randoms = [network for name, network in networks.items() if name.startswith("random")]
    assert len(randoms) == SCALE.n_random
    assert all(abs(campaign.setting.flops(each) / flops - 1) <= TOLERANCE for each in randoms)


def test_every_network_was_retrained_alike(campaign: Campaign) -> None:
    """The settings of all retrainings are one, but for network, fold and seed."""
    runs = list(campaign.retrainings())
    networks = {run.network for run in runs if (run.fold, run.seed) == (1, 0)}
    assert networks == set(campaign.networks) and len(runs) == len(networks) + 2 * len(FINALISTS)
    common = []
    for run in runs:
        settings = settings_of(campaign.train_folder(run))
        assert settings["architecture"] == campaign.networks[run.network].structure()
        assert (settings["fold"], settings["seed"]) == (run.fold, run.seed)
        common.append({name: value for name, value in settings.items() if name not in ("architecture", "fold", "seed")})
        assert len(read_json_lines(campaign.train_folder(run) / "train.jsonl")) == SCALE.train_epochs
    assert all(each == common[0] for each in common)


def test_tables_hold_what_the_evaluations_measured(campaign: Campaign) -> None:
    text = (campaign.folder / "results.md").read_text()
    cases = pd.read_csv(campaign.folder / "cases.csv")
    for run in campaign.retrainings():
        found = read_json(campaign.train_folder(run) / "evaluation" / "summary.json", "summary")
        own = cases[(cases["network"] == run.network) & (cases["fold"] == run.fold) & (cases["seed"] == run.seed)]
        assert own.groupby("class")["dice"].mean().mean() == pytest.approx(found["mean_dice"])
        assert found["settings"]["checkpoints"] == [str(campaign.train_folder(run) / "model_last.pt")]
        if run.network == "derived" and run.fold == 2:
            (row,) = [line for line in text.splitlines() if line.startswith("| derived |") and "fold" not in line][-1:]
            assert f"{found['mean_dice']:.4f}" in row
    for title in (
        "Searches",
        "Networks on the fold of development",
        "Finalists on every fold",
        "Inference",
        "Estimate of the network that ships",
    ):
        assert f"## {title}\n" in text
    for name in (*campaign.networks, *settings_tried(campaign), COMPONENT):
        assert f"| {name} |" in text


def test_drawing_names_every_network(campaign: Campaign) -> None:
    text = (campaign.folder / "results.svg").read_text()
    assert {name for name in campaign.networks if f">{name}<" in text} == set(campaign.networks)


def test_final_network_has_seen_every_case_and_no_other(campaign: Campaign) -> None:
    settings = settings_of(campaign.folder / "final")
    assert settings["fold"] == "all" and settings["n_cases"] == 8
    assert settings["architecture"] == campaign.networks["derived"].structure()


def test_final_network_goes_into_a_bundle(campaign: Campaign, tmp_path: Path) -> None:
    install(campaign, bundle=tmp_path / "bundle", shipped=tmp_path / "shipped")
    architecture = Architecture.load(tmp_path / "shipped" / "architecture.json")
    assert architecture == campaign.networks["derived"]
    retrained = architecture.provenance["retrained"]
    assert (retrained["n_cases"], retrained["max_epochs"], retrained["iterations_per_epoch"]) == (8, 2, 2)
    settings = read_json(tmp_path / "bundle" / "models" / "settings.json", "settings")
    assert settings["mirror_axes"] == [0] and not {"dataset_dir", "cache_dir", "output_dir"} & set(settings)
    network = AdwUNet(spatial_dims=3, in_channels=1, out_channels=3, architecture=architecture)
    network.load_state_dict(torch.load(tmp_path / "bundle" / "models" / "model.pt", weights_only=True))
    found = read_json(campaign.folder / "final" / "evaluation" / "summary.json", "summary")
    metrics = read_json(tmp_path / "shipped" / "metrics.json", "metrics")
    assert metrics["mean_dice"] == pytest.approx(found["mean_dice"], abs=1e-4) and metrics["fold"] == 1


def test_what_is_done_is_not_done_again(folder: Path) -> None:
    files = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    done = run(folder)
    assert (folder / "results.md").read_text().strip() in done.stdout
    rewritten = {"results.md", "cases.csv", "scale.json", "folds.json", "dataset.json"}
    changed = {path for path in files if path.stat().st_mtime_ns != files[path]}
    assert {path.name for path in changed if path.parent.name != "networks"} <= rewritten
