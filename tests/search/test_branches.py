"""Several searches in one run: which epoch belongs where, and each is what it would be alone."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from ignite.engine import Events
from miniature_search import EPOCHS, SIZE, SPACE, Search, finished, search
from tiny import CLASSES

from adw_components.architecture import Architecture
from adw_components.cost import count_flops
from adw_components.cost_target import CostTarget, cost_target
from adw_components.search.branches import Branches

COSTS = [
    count_flops(end, in_channels=1, out_channels=CLASSES, patch_size=SIZE) for end in (SPACE.smallest, SPACE.largest)
]
SHARES = (0.2, 0.6)


def target(share: float) -> CostTarget:
    """FLOPs between those of the smallest and the largest architecture."""
    flops = COSTS[0] + share * (COSTS[1] - COSTS[0])
    return cost_target({"flops": flops}, search_space=SPACE, in_channels=1, out_channels=CLASSES, patch_size=SIZE)


TARGETS = tuple(target(share) for share in SHARES)


def options(*targets: CostTarget, **others: Any) -> dict[str, Any]:
    """Of a search that aims at targets; two epochs of warm-up."""
    return {"targets": targets, "warmup_epochs": 2, **others}


def comparable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without the count of epochs of the whole run."""
    return [{name: value for name, value in row.items() if name != "epoch"} for row in rows]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Search, Path]:
    """One run for two targets, and its folder."""
    folder = tmp_path_factory.mktemp("both")
    return finished(folder, **options(*TARGETS)), folder


@pytest.mark.parametrize("ramp", [0.0, 0.5, 1.0])
def test_every_search_approaches_its_target_over_the_same_share_of_its_iterations(tmp_path: Path, ramp: float) -> None:
    run = search(tmp_path, **options(*TARGETS, target_ramp=ramp))
    found: list[float] = []

    def note(engine: Any) -> None:
        if not engine.is_warming_up:
            found.append(engine.steering.progress)

    run.searcher.add_event_handler(Events.ITERATION_COMPLETED, note)
    run.searcher.run()
    n = len(found) // 2
    assert found == pytest.approx([1.0 if ramp == 0 else min(1.0, index / (ramp * n)) for index in range(n)] * 2)


@given(warmup=st.integers(0, 5), searched=st.integers(1, 5), n=st.integers(1, 4))
def test_every_epoch_belongs_to_one_search(warmup: int, searched: int, n: int) -> None:
    branches = Branches(warmup_epochs=warmup, max_epochs=warmup + searched, n=n)
    expected = [(0, epoch) for epoch in range(1, warmup + 1)]
    expected += [(branch, warmup + epoch) for branch in range(n) for epoch in range(1, searched + 1)]
    epochs = range(1, branches.n_epochs + 1)
    assert [(branches.branch(epoch), branches.search_epoch(epoch)) for epoch in epochs] == expected
    assert [epoch for epoch in epochs if branches.is_first(epoch)] == [warmup + 1 + k * searched for k in range(n)]
    assert {branches.last(epoch) for epoch in epochs} == {warmup + (k + 1) * searched for k in range(n)}


def test_one_search_counts_as_before() -> None:
    branches = Branches(warmup_epochs=100, max_epochs=250)
    assert branches.n_epochs == 250
    assert [branches.search_epoch(epoch) for epoch in (1, 100, 101, 250)] == [1, 100, 101, 250]


@pytest.mark.parametrize("index", range(len(TARGETS)))
def test_each_search_of_a_run_is_what_it_would_be_alone(both: tuple[Search, Path], tmp_path: Path, index: int) -> None:
    together, folder = both
    alone = finished(tmp_path, **options(TARGETS[index]))
    first = EPOCHS + index * (EPOCHS - 2) - 2
    expected = together.rows()[:2] + together.rows()[first : first + EPOCHS - 2]
    actual = alone.rows()
    assert comparable(actual) == comparable(expected)
    own = folder / TARGETS[index].name
    assert Architecture.load(own / "architecture.json") == Architecture.load(tmp_path / "architecture.json")
    weights, others = (torch.load(path / "supernet.pt") for path in (own, tmp_path))
    assert all(torch.equal(weight, others[name]) for name, weight in weights.items())


@pytest.mark.parametrize("stop_after", [1, 2, 3, 4, 5])
def test_resumed_run_of_several_searches_equals_an_uninterrupted_one(
    both: tuple[Search, Path], tmp_path: Path, stop_after: int
) -> None:
    interrupted = interrupted_search(tmp_path, stop_after)
    assert interrupted == stop_after
    torch.manual_seed(4711)
    resumed = finished(tmp_path, resume=True, **options(*TARGETS))
    assert resumed.rows() == both[0].rows()
    for one in TARGETS:
        files = [folder / one.name / "architecture.json" for folder in (tmp_path, both[1])]
        assert files[0].read_bytes() == files[1].read_bytes()


def interrupted_search(folder: Path, epochs: int) -> int:
    """A run that ends by an error right after the checkpoint of an epoch."""
    run = search(folder, **options(*TARGETS))

    def stop(engine: Any) -> None:
        if engine.state.epoch == epochs:
            raise KeyboardInterrupt

    run.searcher.add_event_handler(Events.EPOCH_COMPLETED, stop)
    with pytest.raises(KeyboardInterrupt):
        run.searcher.run()
    return len(run.rows())


def test_several_searches_write_into_folders_of_their_own(both: tuple[Search, Path]) -> None:
    _, folder = both
    assert not (folder / "architecture.json").exists()
    for one in TARGETS:
        architecture = Architecture.load(folder / one.name / "architecture.json")
        assert architecture.provenance["target"] == one.to_dict()
        assert architecture.provenance["cost"] == count_flops(
            architecture, in_channels=1, out_channels=CLASSES, patch_size=SIZE
        )
        assert architecture.provenance["cost"] == pytest.approx(one.value, rel=0.25)


def test_supernet_is_validated_at_the_end_of_each_search_only(both: tuple[Search, Path]) -> None:
    validated = [row["epoch"] for row in both[0].rows() if row["supernet_validation"]]
    assert validated == [EPOCHS, EPOCHS + EPOCHS - 2]


def test_settled_search_ends_early_and_the_next_one_begins(tmp_path: Path) -> None:
    """Every entropy is at most 1, so that each search ends after its first epoch."""
    run = finished(tmp_path, epochs=6, **options(*TARGETS, stop_entropy=1.0))
    rows = run.rows()
    assert [(row["epoch"], row["search_epoch"]) for row in rows] == [(1, 1), (2, 2), (3, 3), (7, 3)]
    ends = [row["stopped_early"] for row in run.record.rows]
    assert [end and end["epochs_saved"] for end in ends] == [None, None, 3, 3]
    assert ends[2]["seconds_saved"] > 0
    assert all(row["validation"] and row["supernet_validation"] for row in rows[2:])
    assert all((tmp_path / one.name / "architecture.json").exists() for one in TARGETS)
    assert run.searcher.state.epoch == run.searcher.branches.n_epochs


def test_resuming_a_search_that_has_settled_adds_nothing(tmp_path: Path) -> None:
    first = finished(tmp_path, **options(TARGETS[0], stop_entropy=1.0))
    again = finished(tmp_path, resume=True, **options(TARGETS[0], stop_entropy=1.0))
    assert again.rows() == first.rows() and len(first.rows()) == 3


def test_search_that_does_not_settle_runs_to_its_end(tmp_path: Path) -> None:
    rows = finished(tmp_path, stop_entropy=1e-6).record.rows
    assert len(rows) == EPOCHS and all(row["stopped_early"] is None for row in rows)
