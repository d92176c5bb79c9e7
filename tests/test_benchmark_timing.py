"""What the benchmarks share: the order of their steps, the bytes that autograd keeps, tables and JSON."""

import gc
import json
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

CPU = torch.device("cpu")
FLOAT = 4


@pytest.fixture(scope="module")
def timing() -> ModuleType:
    """`benchmarks.timing`."""
    return import_module("benchmarks.timing")


@pytest.fixture(scope="module")
def results() -> ModuleType:
    """`benchmarks.results`."""
    return import_module("benchmarks.results")


class FakeClock:
    """A clock that only the steps move on: each call takes the next of its durations."""

    def __init__(self, durations: dict[str, list[float]]) -> None:
        self.now, self.calls = 0.0, list[str]()
        self._durations = {name: iter(values) for name, values in durations.items()}

    def step(self, name: str) -> Callable[[], None]:
        """The step `name`."""

        def run() -> None:
            self.calls.append(name)
            self.now += next(self._durations[name])

        return run


def test_every_repeat_begins_one_further_and_medians_are_taken(
    timing: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock({"a": [100, 1, 50, 3], "b": [100, 7, 5, 6], "c": [100, 2, 2, 2]})
    monkeypatch.setattr(timing, "perf_counter", lambda: clock.now)
    medians = timing.alternate({name: clock.step(name) for name in "abc"}, repeats=3, device=CPU)
    assert "".join(clock.calls) == "abc" + "abc" + "bca" + "cab"
    assert medians == {"a": 3, "b": 6, "c": 2}


def test_no_warm_up_is_timed_from_the_first_call(timing: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock({"a": [4, 8]})
    monkeypatch.setattr(timing, "perf_counter", lambda: clock.now)
    assert timing.alternate({"a": clock.step("a")}, repeats=2, device=CPU, warm_ups=0) == {"a": 6}


@given(count=st.integers(1, 6), rounds=st.integers(1, 5))
def test_every_step_has_every_place_equally_often(timing: ModuleType, count: int, rounds: int) -> None:
    names = [str(number) for number in range(count)]
    orders = [timing.rotated(names, index) for index in range(rounds * count)]
    for place in range(count):
        assert Counter(order[place] for order in orders) == dict.fromkeys(names, rounds)


def products(x: torch.Tensor, w: torch.Tensor, count: int) -> torch.Tensor:
    """exp(...exp(x w)) of `count` exponentials: the product keeps x and w, every exponential its result."""
    y = x * w
    for _ in range(count):
        y = y.exp()
    return y.sum()


@pytest.fixture
def x() -> torch.Tensor:
    """1000 values."""
    return torch.rand(1000)


@pytest.fixture
def w() -> torch.Tensor:
    """1000 weights."""
    return torch.zeros(1000, requires_grad=True)


def test_what_autograd_keeps_counts_without_parameters(timing: ModuleType, x: torch.Tensor, w: torch.Tensor) -> None:
    def step() -> None:
        products(x.requires_grad_(), w, 2).backward()

    assert timing.peak_memory(step, device=CPU, parameters=[w]) == 3 * 1000 * FLOAT
    assert timing.peak_memory(step, device=CPU) == 4 * 1000 * FLOAT


def test_passes_in_turn_count_as_the_largest(timing: ModuleType, x: torch.Tensor, w: torch.Tensor) -> None:
    def step() -> None:
        for count in (1, 3, 2):
            products(x, w, count).backward()

    assert timing.peak_memory(step, device=CPU, parameters=[w]) == 4 * 1000 * FLOAT


def test_graphs_that_live_together_count_together(timing: ModuleType, x: torch.Tensor, w: torch.Tensor) -> None:
    """x is the same storage in both."""
    peak = timing.peak_memory(lambda: products(x, w, 1) + products(x, w, 3), device=CPU, parameters=[w])
    assert peak == (1 + 1 + 3) * 1000 * FLOAT


def test_views_of_a_storage_count_once_and_of_a_parameter_not_at_all(timing: ModuleType, w: torch.Tensor) -> None:
    x = torch.rand(2000, requires_grad=True)

    def step() -> None:
        ((x[:500] * w[:500]).sum() + (x[500:1000] * w[500:]).sum()).backward()

    assert timing.peak_memory(step, device=CPU, parameters=[w]) == 2000 * FLOAT


def test_the_gradients_are_those_without_counting(timing: ModuleType, x: torch.Tensor, w: torch.Tensor) -> None:
    products(x, w, 2).backward()
    expected, w.grad = w.grad, None
    timing.peak_memory(lambda: products(x, w, 2).backward(), device=CPU, parameters=[w])
    torch.testing.assert_close(w.grad, expected, rtol=0, atol=0)


def test_nothing_is_kept_once_a_step_is_over(timing: ModuleType, x: torch.Tensor, w: torch.Tensor) -> None:
    kept = timing.KeptBytes([w])
    with torch.autograd.graph.saved_tensors_hooks(kept.pack, kept.unpack):
        total = products(x, w, 2)
        assert kept.live == kept.peak == 3 * 1000 * FLOAT
        total.backward()
        assert kept.live == 0
        with pytest.raises(RuntimeError, match="backward through the graph a second time"):
            total.backward()
    del total
    gc.collect()
    assert kept.live == 0 and kept.peak == 3 * 1000 * FLOAT


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_peak_on_a_gpu_is_what_the_step_adds(timing: ModuleType) -> None:
    device = torch.device("cuda")
    held = torch.zeros(1 << 20, device=device)
    peak = timing.peak_memory(lambda: [torch.zeros(1 << 20, device=device) for _ in range(3)], device=device)
    assert held.nbytes * 3 <= peak < held.nbytes * 4


def test_table_aligns_names_left_and_figures_right(results: ModuleType) -> None:
    rows = {"plain": {"s": 0.123456, "parameters": 12345678}, "folded masks": {"s": 12.0, "note": "slow"}}
    assert results.table(rows).splitlines() == [
        "                   s  parameters  note",
        "plain         0.1235    12345678     -",
        "folded masks      12           -  slow",
    ]


def test_json_holds_ratios_device_sizes_and_versions(results: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "new" / "F.json"
    parts = {"sizes": {"patch": (16, 16)}, "ratios": {"a_over_b_time": 0.5}, "figures": {"a": {"s": 1.0}}}
    results.write(path, device=CPU, **parts)
    written = json.loads(path.read_text())
    assert written["ratios"] == parts["ratios"] and written["figures"] == parts["figures"]
    assert written["sizes"] == {"patch": [16, 16]}
    facts = written["device"]
    assert (facts["device"], facts["threads"], facts["torch"]) == ("cpu", torch.get_num_threads(), torch.__version__)
    assert facts["name"] and facts["monai"]
