"""Pooled statistics against those of all voxels together, each case weighing the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adw_components.planning.intensities import VALUES, case_statistics, evenly, pooled_statistics

PERCENTILES = {"percentile_00_5": 0.5, "median": 50, "percentile_99_5": 99.5}


def weighted_percentiles(cases: list[np.ndarray]) -> dict[str, tuple[float, float]]:
    """Of all voxels, each case weighing 1: the values 0.1 % below and above a percentile; 2 % around the median."""
    voxels = np.concatenate(cases)
    weights = np.concatenate([np.full(len(case), 1 / len(case) / len(cases)) for case in cases])
    order = np.argsort(voxels)
    ranks, ordered = np.cumsum(weights[order]), voxels[order]
    slack = {name: 0.02 if percent == 50 else 0.001 for name, percent in PERCENTILES.items()}

    def at(rank: float) -> float:
        return float(ordered[min(np.searchsorted(ranks, rank), len(ordered) - 1)])

    return {
        name: (at(percent / 100 - slack[name]), at(percent / 100 + slack[name]))
        for name, percent in PERCENTILES.items()
    }


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 30_000), min_size=1, max_size=5))
def test_pooled_statistics_are_those_of_all_voxels_weighted_by_case(seed: int, sizes: list[int]) -> None:
    rng = np.random.default_rng(seed)
    cases = [rng.normal(rng.uniform(-100, 100), rng.uniform(1, 60), size).astype(np.float32) for size in sizes]
    found = pooled_statistics([case_statistics(case) for case in cases])
    means = [case.astype(np.float64).mean() for case in cases]
    squares = [(case.astype(np.float64) ** 2).mean() for case in cases]
    assert found["mean"] == pytest.approx(np.mean(means), abs=1e-6)
    assert found["std"] == pytest.approx(np.sqrt(max(np.mean(squares) - np.mean(means) ** 2, 0)), abs=1e-3)
    assert found["min"] == min(case.min() for case in cases)
    assert found["max"] == max(case.max() for case in cases)
    for name, (low, high) in weighted_percentiles(cases).items():
        assert low - 1e-4 <= found[name] <= high + 1e-4


def test_a_small_case_weighs_as_much_as_a_large_one() -> None:
    cases = [case_statistics(np.full(size, value)) for size, value in ((3, 0.0), (50_000, 10.0))]
    assert pooled_statistics(cases) == {
        "mean": 5.0,
        "std": 5.0,
        "min": 0.0,
        "max": 10.0,
        "median": 5.0,
        "percentile_00_5": 0.0,
        "percentile_99_5": 10.0,
    }


@given(st.integers(1, 200), st.integers(1, 200))
def test_evenly_spaced_values_are_in_order_and_each_as_often_as_the_next(size: int, count: int) -> None:
    taken = evenly(np.arange(size), count)
    times = np.bincount(taken, minlength=size)
    assert len(taken) == count
    assert (np.diff(taken) >= 0).all()
    assert times.max() - times.min() <= 1


def test_a_row_keeps_few_values_without_needless_digits() -> None:
    row = case_statistics(np.arange(100_000, dtype=np.int16).astype(np.float32))
    assert len(row["values"]) == VALUES
    assert all(isinstance(value, int) for value in row["values"])
    assert case_statistics(np.array([0.1], dtype=np.float32))["values"] == [0.1]
