"""Searching to a budget, and retraining from the supernet, as a user of the bundle does it."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from adw_components.architecture import Architecture
from adw_components.cost import count_flops
from adw_components.errors import UserError
from adw_components.networks.record_buffer import record_of
from adw_components.reference import nnunet_default

from .conftest import PATCH, TOY_SEARCH, TOY_TRAIN

RATIOS = [0.004, 0.008]
Runner = Callable[..., None]


@pytest.fixture(scope="module")
def searched(runner: Runner, generated_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two searches after one warm-up."""
    folder = tmp_path_factory.mktemp("budget") / "search"
    runner(
        "search",
        "search",
        dataset_dir=str(generated_dataset),
        output_dir=str(folder),
        **{**TOY_SEARCH, "base_widths": [2, 3, 4], "target_flops_ratio": RATIOS, "weight_step": "single_path"},
    )
    return folder


@contextmanager
def a_user_error(message: str) -> Iterator[None]:
    """MONAI wraps what its components raise; the command prints the cause alone."""
    with pytest.raises(RuntimeError) as caught:
        yield
    assert isinstance(caught.value.__cause__, UserError)
    assert re.search(message, str(caught.value.__cause__))


def architecture_of(searched: Path, ratio: float) -> Architecture:
    return Architecture.load(searched / f"flops_{ratio}" / "architecture.json")


@pytest.mark.parametrize("ratio", RATIOS)
def test_derived_networks_cost_what_was_asked_for(searched: Path, ratio: float) -> None:
    architecture = architecture_of(searched, ratio)
    default = nnunet_default(strides=architecture.strides, kernel_sizes=architecture.kernel_sizes)
    flops, unit = (count_flops(one, in_channels=1, out_channels=3, patch_size=PATCH) for one in (architecture, default))
    assert flops / unit == pytest.approx(ratio, rel=0.1)
    assert architecture.provenance["cost"] == flops
    assert architecture.provenance["target"]["ratio"] == ratio


def test_record_has_one_warm_up_and_a_search_for_each_target(searched: Path) -> None:
    rows = [json.loads(line) for line in (searched / "search.jsonl").read_text().splitlines()]
    assert [row["search_epoch"] for row in rows] == [1, 2, 3, 2, 3]
    names = [row["target"] and row["target"]["name"] for row in rows]
    assert names == [None, "flops_0.004", "flops_0.004", "flops_0.008", "flops_0.008"]
    assert [row["supernet_validation"] is not None for row in rows] == [False, False, True, False, True]


def test_retraining_starts_from_the_supernet_beside_the_architecture(
    runner: Runner, searched: Path, generated_dataset: Path, tmp_path: Path
) -> None:
    """At a rate of almost 0 the weights stay what they were: those of the supernet."""
    branch = searched / f"flops_{RATIOS[1]}"
    options = {**TOY_TRAIN, "max_epochs": 1, "iterations_per_epoch": 1, "learning_rate": 1e-12}
    runner(
        "train",
        "train",
        dataset_dir=str(generated_dataset),
        output_dir=str(tmp_path / "train"),
        architecture_path=str(branch / "architecture.json"),
        inherit="true",
        **options,
    )
    supernet, network = (torch.load(path) for path in (branch / "supernet.pt", tmp_path / "train" / "model_last.pt"))
    assert record_of(supernet) != record_of(network)
    for name, weight in network.items():
        if name.startswith("encoder"):
            leading = supernet[name][tuple(slice(size) for size in weight.shape)]
            torch.testing.assert_close(weight, leading)
    assert json.loads((tmp_path / "train" / "settings.json").read_text())["inherit"] is True


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": {"flops": 5}}, r"target is out of reach with flops 5 .* change target, base_widths or depths"),
        ({"target": {"flop": 0.5}}, "target must name one of flops, .* got 'flop'; did you mean flops"),
        ({"target": 0.5}, "target must be one kind of cost and a number"),
        ({"target_flops_ratio": [0.004, 0.004]}, "target_flops_ratio must hold distinct numbers"),
        ({"target_flops_ratio": 0.004, "target": {"flops": 0.004}}, "both given"),
        ({"weight_step": "single"}, "weight_step must be mixture or single_path, got 'single'"),
        ({"architecture_interval": 0}, "architecture_interval must be a whole number from 1 to 10000000, got 0"),
        ({"stop_entropy": 2}, "stop_entropy must be a number above 0 and at most 1, got 2"),
        ({"target_rate": "much"}, "target_rate must be a number above 0 and at most 1, got 'much'"),
        ({"target_ramp": 1.5}, "target_ramp must be a number from 0 to 1, got 1.5"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    runner: Runner, generated_dataset: Path, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    output = tmp_path / "search"
    with a_user_error(message):
        runner(
            "search",
            "search",
            dataset_dir=str(generated_dataset),
            output_dir=str(output),
            **{**TOY_SEARCH, **options},
        )
    assert not output.exists()


def test_inheriting_without_a_supernet_is_refused(runner: Runner, generated_dataset: Path, tmp_path: Path) -> None:
    with a_user_error(r"the supernet configs/supernet\.pt, which does not exist"):
        runner(
            "train",
            "train",
            dataset_dir=str(generated_dataset),
            output_dir=str(tmp_path / "train"),
            inherit=True,
            **TOY_TRAIN,
        )
    assert not (tmp_path / "train").exists()
