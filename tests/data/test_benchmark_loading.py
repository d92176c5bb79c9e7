"""The benchmark of loading counts what it says, on a clock that the test moves on; loaders are the bundle's own."""

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from ignite.engine import Engine

from adw_components.engines.data_wait import DataWait
from adw_components.errors import UserError

SCRIPTS = Path(__file__).parents[2] / "scripts"
SMALL = (
    "--iterations 2 --repeats 1 --patches 2 --patch_size 16,16,16 --batch_size 1 --base_widths 2,3 --base_width 2 "
    "--cases 8 --num_workers 0,1 --device cpu"
)
WORKFLOWS = {"search", "retraining"}

Tick = Callable[[float], None]


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    """The script as a module."""
    return import_module("benchmark_loading")


@pytest.fixture(scope="module")
def loading() -> ModuleType:
    """`benchmarks.loading`."""
    return import_module("benchmarks.loading")


@pytest.fixture(scope="module")
def waiting() -> ModuleType:
    """`benchmarks.waiting`."""
    return import_module("benchmarks.waiting")


@pytest.fixture
def tick(loading: ModuleType, waiting: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Tick:
    """Moves every clock on."""
    now = [0.0]
    for module in (loading, waiting, import_module("ignite.handlers.timing")):
        monkeypatch.setattr(module, "perf_counter", lambda: now[0])

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


class Loader:
    """Batches of 3 that take their time to come."""

    batch_size, num_workers = 3, 1

    def __init__(self, tick: Tick, seconds: list[float]) -> None:
        self.tick, self.seconds, self.generator = tick, seconds, torch.Generator()

    def __len__(self) -> int:
        return len(self.seconds)

    def __iter__(self) -> Iterator[float]:
        for seconds in self.seconds:
            self.tick(seconds)
            yield seconds


class Trainer(Engine):
    """A trainer of MONAI's form whose iterations take 3 s; it watches its own fetching of a second batch."""

    def __init__(self, tick: Tick, *loaders: Any) -> None:
        super().__init__(lambda *_: self.iteration())
        self.tick, self.data_loader, self.batches_b = tick, loaders[0], iter([])
        if len(loaders) == 2:
            self.architecture_data_loader, self.data_wait = loaders[1], DataWait()
            self.data_wait.attach(self)

    def iteration(self) -> None:
        if hasattr(self, "architecture_data_loader"):
            with self.data_wait.fetching():
                if self.state.iteration % 4 == 1:
                    self.batches_b = iter(self.architecture_data_loader)
                next(self.batches_b)
        self.tick(3.0)

    def run(self) -> None:
        super().run(self.data_loader, max_epochs=2)


class Config:
    """A parsed config."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer

    def get_parsed_content(self, name: str) -> Trainer:
        assert name == "train#trainer"
        return self.trainer


def test_flow_counts_the_first_batch_apart(loading: ModuleType, tick: Tick) -> None:
    found = loading.flow(Loader(tick, [2.0, 0.5, 0.25, 0.75]), seed=0)
    assert (found.start_seconds, found.patches_per_second) == (2.0, 9 / 1.5)


def test_flows_are_medians_of_loaders_taken_in_turn(loading: ModuleType, tick: Tick) -> None:
    order: list[str] = []

    class Noting(Loader):
        def __init__(self, name: str, starts: list[float]) -> None:
            super().__init__(tick, [0.0, 1.0])
            self.name, self.starts = name, iter(starts)

        def __iter__(self) -> Iterator[float]:
            order.append(self.name)
            tick(next(self.starts))
            return super().__iter__()

    found = loading.flows({"a": Noting("a", [1, 7, 2]), "b": Noting("b", [4, 4, 9])}, repeats=3)
    assert "".join(order) == "ab" + "ba" + "ab"
    assert [found[name].start_seconds for name in "ab"] == [2, 4]


@given(st.floats(0.1, 100), st.integers(1, 9), st.floats(0.01, 10))
def test_expected_wait_is_that_of_a_pipeline(waiting: ModuleType, rate: float, batch: int, step: float) -> None:
    """The slower of loading and computing sets the pace; without workers both add up."""
    found = waiting.Flow(start_seconds=1.0, patches_per_second=rate)
    sizes = {"batch_size": batch, "step_seconds": step}
    pace = max(step, batch / rate)
    assert waiting.expected_wait(found, num_workers=2, **sizes) == pytest.approx((pace - step) / pace)
    both = 2 * batch / rate
    alone = waiting.expected_wait(found, num_workers=0, loaders=2, **sizes)
    assert alone == pytest.approx(both / (both + step))


def test_waiting_of_a_retraining(waiting: ModuleType, tick: Tick) -> None:
    found = waiting.measured_wait(Config(Trainer(tick, Loader(tick, [9.0, 1.0, 1.0, 1.0]))))
    assert (found.step_seconds, found.loaders) == (3.0, 1)
    assert found.share == pytest.approx(12 / 24) and found.share_after_first == pytest.approx(3 / 12)


def test_waiting_of_a_search_counts_both_loaders(waiting: ModuleType, tick: Tick) -> None:
    loaders = Loader(tick, [9.0, 1.0, 1.0, 1.0]), Loader(tick, [5.0, 2.0, 2.0, 2.0])
    found = waiting.measured_wait(Config(Trainer(tick, *loaders)))
    assert (found.step_seconds, found.loaders) == (3.0, 2)
    assert found.share == pytest.approx(23 / 35) and found.share_after_first == pytest.approx(9 / 18)


def test_names_that_come_again_are_numbered(loading: ModuleType) -> None:
    assert loading.numbered(["A", "B", "A", "A"]) == ["A", "B", "A 2", "A 3"]


@pytest.fixture(scope="module")
def printed_and_written(benchmark: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """Tables and JSON of the smallest measurement."""
    output = tmp_path_factory.mktemp("loading") / "F.json"
    printed = benchmark.run(benchmark.parsed([*SMALL.split(), "--output", str(output)]))
    return printed, json.loads(output.read_text())


def test_json_has_every_figure(printed_and_written: tuple[str, dict[str, Any]]) -> None:
    written = printed_and_written[1]
    figures = written["figures"]
    assert set(figures["loaders"]) == {"memory", "mapped"}
    assert all(set(by_count) == {"0", "1"} for by_count in figures["loaders"].values())
    assert set(figures["runs"]) == WORKFLOWS and figures["runs"]["search"]["loaders"] == 2
    assert all(0 <= run[name] <= 1 for run in figures["runs"].values() for name in ("share", "share_after_first"))
    assert set(written["ratios"]) == {"search_wait", "retraining_wait", "mapped_over_memory_throughput"}
    assert written["sizes"]["patch_size"] == [16, 16, 16] and written["sizes"]["generated"] is True


def test_tables_have_the_transforms_of_the_bundle_and_every_number_of_workers(
    printed_and_written: tuple[str, dict[str, Any]],
) -> None:
    printed, written = printed_and_written
    config = SCRIPTS.parent / "bundles" / "hippocampus_mri_adwunet_segmentation" / "configs" / "search.json"
    names = [
        step["_target_"].rpartition(".")[2] for step in json.loads(config.read_text())["train"]["random_transforms"]
    ]
    found = list(written["figures"]["transforms"])
    assert [name.partition(" ")[0] for name in found] == names
    for line in (*found, "all", "0 workers", "1 workers", *WORKFLOWS):
        assert f"\n{line} " in printed


def test_loaders_are_the_bundles_own(generated_dataset: Path) -> None:
    configs = import_module("benchmarks.bundle_configs")
    options = {"dataset_dir": str(generated_dataset), "iterations_per_epoch": 3, "batch_size": 2}
    parser = configs.parsed_config("search", "Task04_Hippocampus", **options)
    loaders = configs.training_loaders(parser, (0, 2))
    own = parser.get_parsed_content("train#dataloader")
    for count, loader in loaders.items():
        assert (loader.num_workers, loader.batch_size, len(loader)) == (count, 2, 3)
        assert loader.dataset is own.dataset


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--task Task11_Nose", "'Task11_Nose' is no task of the MSD"),
        ("--iterations 1", "iterations must be at least 2"),
        ("--patch_size 16,16,15", r"patch_size must be divisible by \(8, 8, 8\), got \(16, 16, 15\)"),
        ("--num_workers two", "argument --num_workers: must be whole numbers from 0 on, such as 0,2,4, got 'two'"),
        ("--dataset_dir nowhere", "dataset_dir must be a folder, but nowhere is not there"),
    ],
)
def test_mistakes_are_told_in_one_line(benchmark: ModuleType, words: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        benchmark.run(benchmark.parsed(words.split()))
    assert "\n" not in str(caught.value)
