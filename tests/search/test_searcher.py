"""A whole search in memory: phases, temperature, metrics, reproducibility, resuming, what it writes."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events
from miniature_search import EPOCHS, SIZE, SPACE, Search, cases, evaluator, finished, same_state, search
from monai.data import Dataset
from tiny import CLASSES, supernet

from adw_components.architecture import Architecture
from adw_components.cost import count_flops, count_parameters
from adw_components.data.loaders import training_loader
from adw_components.errors import UserError
from adw_components.networks import AdwUNet
from adw_components.search.searcher import LOSS_NAMES


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Search, Path]:
    """A finished search and its folder."""
    folder = tmp_path_factory.mktemp("whole")
    return finished(folder), folder


def test_temperature_waits_for_the_warm_up_and_then_decays(tmp_path: Path) -> None:
    searcher = search(tmp_path, epochs=250, warmup_epochs=100).searcher
    assert [searcher.temperature(epoch) for epoch in (1, 50, 100, 101)] == [5.0] * 4
    assert searcher.temperature(102) == pytest.approx(5 * 0.97)
    assert searcher.temperature(250) == pytest.approx(5 * 0.97**149)


def test_phases_and_temperature_of_every_epoch(whole: tuple[Search, Path]) -> None:
    rows = whole[0].rows()
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert [row["phase"] for row in rows] == ["warm-up", "search", "search", "search"]
    assert [row["tau"] for row in rows] == pytest.approx([5, 5, 5 * 0.97, 5 * 0.97**2])
    assert whole[0].network.tau.item() == pytest.approx(5 * 0.97**2)


def test_learning_rate_is_that_of_the_epoch(whole: tuple[Search, Path]) -> None:
    rates = [row["learning_rate"] for row in whole[0].rows()]
    assert rates == pytest.approx([0.05 * (1 - epoch / EPOCHS) ** 0.9 for epoch in range(EPOCHS)])


def test_warm_up_keeps_the_choices_and_the_search_moves_them(whole: tuple[Search, Path]) -> None:
    alphas = [torch.tensor(row["alpha"]) for row in whole[0].rows()]
    assert not alphas[0].any()
    assert all(not torch.equal(before, after) for before, after in itertools.pairwise(alphas))


@pytest.mark.parametrize("order", ["sequential", "simultaneous"])
def test_metrics_of_every_phase(tmp_path: Path, order: str) -> None:
    run = search(tmp_path, epochs=2, step_order=order)
    names: list[set[str]] = []

    def note(engine: Engine) -> None:
        names.append(set(engine.state.metrics))

    run.searcher.add_event_handler(Events.EPOCH_COMPLETED, note)
    run.searcher.run()
    assert names == [{"weight_loss"}, set(LOSS_NAMES)]


def test_metrics_are_the_means_over_the_iterations(tmp_path: Path) -> None:
    run = search(tmp_path, epochs=2)
    losses: list[float] = []
    run.searcher.add_event_handler(
        Events.ITERATION_COMPLETED, lambda engine: losses.append(engine.state.output[0]["loss"])
    )
    run.searcher.run()
    means = [sum(losses[:2]) / 2, sum(losses[2:]) / 2]
    assert [row["weight_loss"] for row in run.rows()] == pytest.approx(means)


def test_epoch_needs_more_batches_of_b_than_its_loader_has(tmp_path: Path) -> None:
    short = training_loader(Dataset(cases(2)), batch_size=2, iterations=1)
    run = search(tmp_path, epochs=2, architecture_data_loader=short)
    run.searcher.run()
    assert run.searcher.state.iteration == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"step_order": "both"}, "step_order must be sequential or simultaneous, got 'both'"),
        ({"warmup_epochs": 4}, "warmup_epochs must be at least 0 and below max_epochs 4.*got 4"),
        ({"warmup_epochs": -1}, "warmup_epochs must be at least 0"),
        ({"initial_temperature": 0.0}, "initial_temperature must be above 0"),
        ({"temperature_rate": 0.0}, "temperature_rate in .0, 1."),
        ({"temperature_rate": 1.5}, "temperature_rate in .0, 1."),
    ],
)
def test_argument_out_of_range_is_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        search(tmp_path, **options)


def test_non_finite_loss_stops_the_search(tmp_path: Path) -> None:
    run = search(tmp_path, loss_function=lambda outputs, _: outputs[0].sum() * float("nan"), output_dir="runs/x")
    with pytest.raises(UserError, match=r"the loss is nan in epoch 1, iteration 1.*runs/x"):
        run.searcher.run()
    assert same_state(run.network, supernet(SPACE))


def test_same_seed_gives_the_same_search_and_another_seed_another(whole: tuple[Search, Path], tmp_path: Path) -> None:
    again = finished(tmp_path / "again")
    other = finished(tmp_path / "other", seed=1)
    assert again.rows() == whole[0].rows()
    assert same_state(again.network, whole[0].network)
    assert other.rows()[0]["weight_loss"] != whole[0].rows()[0]["weight_loss"]


def without(rows: list[dict[str, Any]], left_out: str) -> list[dict[str, Any]]:
    """Rows without one field."""
    return [{name: value for name, value in row.items() if name != left_out} for row in rows]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_resumed_search_equals_an_uninterrupted_one(
    whole: tuple[Search, Path], tmp_path: Path, num_workers: int
) -> None:
    straight = finished(tmp_path / "straight", num_workers=2) if num_workers else whole[0]
    finished(tmp_path / "parts", epochs=2, num_workers=num_workers)
    torch.manual_seed(12345)
    resumed = finished(tmp_path / "parts", resume=True, num_workers=num_workers)
    # The first part ended with its second epoch, which so has one validation more.
    assert resumed.rows()[1].pop("supernet_validation") is not None
    assert without(resumed.rows(), "supernet_validation") == without(straight.rows(), "supernet_validation")
    assert same_state(resumed.network, straight.network)
    stored = [json.loads(line) for line in (tmp_path / "parts" / "search.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in stored] == [1, 2, 3, 4]


def test_finished_search_has_nothing_to_resume(whole: tuple[Search, Path]) -> None:
    run, folder = whole
    resumed = finished(folder, resume=True)
    assert resumed.rows() == run.rows()
    assert same_state(resumed.network, run.network)


def test_rows_are_json_and_tell_the_favoured_architecture_and_its_cost(whole: tuple[Search, Path]) -> None:
    run, folder = whole
    stored = [json.loads(line) for line in (folder / "search.jsonl").read_text().splitlines()]
    assert stored == run.record.rows
    last = stored[-1]
    derived = run.network.derive()
    channels = {"in_channels": 1, "out_channels": CLASSES}
    assert last["architecture"] == derived.structure()
    assert last["parameters"] == count_parameters(derived, **channels)
    assert last["flops"] == count_flops(derived, **channels, patch_size=SIZE)
    assert {"alpha": last["alpha"], "beta": last["beta"]} == run.network.logits()
    assert last["seconds"] > 0


def test_only_validated_epochs_have_a_validation(whole: tuple[Search, Path]) -> None:
    validations = [row["validation"] for row in whole[0].rows()]
    assert [validation is not None for validation in validations] == [False, True, False, True]
    dice = validations[-1]["dice"]
    assert list(dice) == ["near", "far"]
    assert validations[-1]["mean_dice"] == pytest.approx(sum(dice.values()) / 2)


def test_derived_architecture_is_saved_with_its_provenance(whole: tuple[Search, Path]) -> None:
    run, folder = whole
    architecture = Architecture.load(folder / "architecture.json")
    assert architecture in SPACE
    assert architecture == run.network.derive()
    network = {"in_channels": 1, "out_channels": CLASSES, "patch_size": [8, 8]}
    assert architecture.provenance["network"] == network
    assert architecture.provenance["settings"] == {"seed": 0, "patch_size": [8, 8]}
    assert architecture.provenance["package_version"]


def test_validation_sees_the_derived_network_with_inherited_weights(whole: tuple[Search, Path]) -> None:
    run, _ = whole
    validator = evaluator(run.network)
    validator.run()
    assert isinstance(validator.network, AdwUNet)
    expected = run.network.inherit(run.network.derive()).eval()
    image = torch.stack([case["image"] for case in cases(9, n=2)])
    assert torch.equal(validator.network.eval()(image), expected(image))
    assert validator.state.metrics["val_mean_dice"] == pytest.approx(run.rows()[-1]["validation"]["mean_dice"])


def test_mixed_precision_search_runs_on_the_cpu(tmp_path: Path) -> None:
    run = finished(tmp_path, epochs=2, amp=True)
    assert all(torch.isfinite(parameter).all() for parameter in run.network.parameters())
