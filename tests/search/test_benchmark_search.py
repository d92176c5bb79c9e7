"""The benchmark of the search compares networks and steps that are what they are called, and says what it measured."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from tiny import choose, randomize_norms, snapshot, space, unchanged
from torch import nn

from adw_components.errors import UserError
from adw_components.networks import AdwUNet

CPU = torch.device("cpu")
SCRIPTS = Path(__file__).parents[2] / "scripts"
SPACE = space(spatial_dims=3, n_stages=2, base_widths=(1, 2), depths=(1, 2, 3))
TINY = "--base_widths [2,3] --stages 2 --patch_size 8,8,8 --dints_patch_size 16,16,16 --repeats 1 --device cpu"
RATIOS = {
    "supernet_over_plain",
    "explicit_masks_over_plain",
    "parallel_paths_over_plain",
    "simultaneous_over_sequential",
    "single_path_over_sequential",
    "sequential_single_path_over_sequential",
    "ours_over_dints",
    "sequential_over_dints",
    "simultaneous_over_dints",
    "single_path_over_dints",
    "sequential_single_path_over_dints",
}


@pytest.fixture(scope="module")
def scripts() -> Iterator[pytest.MonkeyPatch]:
    """Imports as a script has them, and a DiNTS of few blocks and resolutions, which takes seconds otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPTS)
        for name, value in {"num_blocks": 2, "num_depths": 2, "channel_mul": 0.125}.items():
            patch.setitem(import_module("benchmarks.dints").SETTING, name, value)
        yield patch


@pytest.fixture(scope="module")
def benchmark(scripts: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module."""
    return import_module("benchmark_search")


@pytest.fixture(scope="module")
def variants(scripts: pytest.MonkeyPatch) -> ModuleType:
    """`benchmarks.variants`."""
    return import_module("benchmarks.variants")


@pytest.fixture(scope="module")
def steps(scripts: pytest.MonkeyPatch) -> ModuleType:
    """`benchmarks.search_steps`."""
    return import_module("benchmarks.search_steps")


@pytest.fixture(scope="module")
def parts(scripts: pytest.MonkeyPatch) -> ModuleType:
    """`benchmarks.search_parts`."""
    return import_module("benchmarks.search_parts")


@pytest.fixture(scope="module")
def sizes(scripts: pytest.MonkeyPatch) -> Any:
    """Sizes that take no time."""
    made = import_module("benchmarks.search_sizes").Sizes
    return made(base_widths=(2, 3), n_stages=3, patch_size=(16, 16, 16), dints_patch_size=(16, 16, 16), repeats=1)


@pytest.fixture(scope="module")
def written(benchmark: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The JSON of a run of all parts but the switches and growth."""
    path = tmp_path_factory.mktemp("benchmark") / "search.json"
    words = [*TINY.split(), "--parts", "passes,iterations,dints", "--output", str(path)]
    benchmark.run(benchmark.parsed(words))
    return json.loads(path.read_text())


def path_weights(supernet: nn.Module, path: int) -> dict[str, torch.Tensor]:
    """The parameters of one path of every block, named as a derived network names them."""
    own = f".paths.{path}."
    named = supernet.named_parameters()
    shared = {name: value for name, value in named if ".paths." not in name and ".choice." not in name}
    chosen = {n.replace(own, ".layers."): value for n, value in supernet.named_parameters() if own in n}
    return shared | chosen


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_parallel_path_equals_the_network_of_its_own_weights(variants: ModuleType, depth: int) -> None:
    torch.manual_seed(0)
    supernet = variants.VARIANTS["parallel_paths"](SPACE).train()
    randomize_norms(supernet)
    architecture = SPACE.uniform(width=1, depth=depth)
    choose(supernet, architecture)
    network = AdwUNet(3, 1, variants.CLASSES, architecture).train()
    network.load_state_dict(network.state_dict() | path_weights(supernet, depth - 1))
    images = torch.randn(2, 1, 8, 8, 8)
    torch.testing.assert_close(supernet(images), network(images))


def test_parallel_paths_share_nothing(variants: ModuleType) -> None:
    block = variants.VARIANTS["parallel_paths"](SPACE).encoder[0]
    weights = [layer.conv.weight for path in block.paths for layer in path]
    assert [len(path) for path in block.paths] == [1, 2, 3]
    assert len({weight.data_ptr() for weight in weights}) == 6
    assert not any(torch.equal(weights[0], other) for other in weights[1:])


def test_parallel_paths_mix_under_the_drawn_masks(variants: ModuleType) -> None:
    block = variants.VARIANTS["parallel_paths"](SPACE).train().encoder[0]
    block.drawn = block.choice.draw(torch.tensor(1.0))
    x = torch.randn(1, 1, 4, 4, 4)
    expected = 0
    for weight, path in zip(block.drawn.depth, block.paths, strict=True):
        output = x
        for index, layer in enumerate(path):
            output = layer(output) * block.drawn.masks[index][None, :, None, None, None]
        expected = expected + weight * output
    torch.testing.assert_close(block(x), expected)


def test_plain_network_is_the_largest_of_the_space(variants: ModuleType) -> None:
    plain, supernet = (variants.VARIANTS[name](SPACE) for name in ("plain", "supernet"))
    assert {name: p.shape for name, p in plain.named_parameters()} == {
        name: p.shape for name, p in supernet.named_parameters() if ".choice." not in name
    }


@pytest.fixture(scope="module")
def dints_iteration(steps: ModuleType) -> Any:
    """An iteration of DiNTS on a tiny patch."""
    dints = import_module("benchmarks.dints")
    a, b = (steps.random_batch((16, 16, 16), 1, device=CPU, seed=seed) for seed in (0, 1))
    return dints.DintsIteration(a, b)


@pytest.mark.parametrize("stage", ["train_weights", "train_architecture"])
def test_dints_moves_one_group_at_a_time(dints_iteration: Any, stage: str) -> None:
    weights, choices = snapshot(dints_iteration.weights), snapshot(dints_iteration.choices)
    getattr(dints_iteration, stage)()
    moved = stage == "train_weights"
    assert unchanged(dints_iteration.weights, weights) is not moved
    for choice, before in zip(dints_iteration.choices, choices, strict=True):
        assert torch.equal(choice, before) is moved


def test_dints_iteration_moves_both_groups(dints_iteration: Any) -> None:
    weights, choices = snapshot(dints_iteration.weights), snapshot(dints_iteration.choices)
    dints_iteration()
    assert not unchanged(dints_iteration.weights, weights)
    assert not any(torch.equal(now, then) for now, then in zip(dints_iteration.choices, choices, strict=True))


def test_architecture_of_dints_pays_for_memory_and_entropy(dints_iteration: Any) -> None:
    """With all paths open and one operation each, only memory is left to pay: its entropies are zero."""
    choice_a, choice_c = dints_iteration.choices
    with torch.no_grad():
        for choice, value in ((choice_a, 50.0), (choice_c, 0.0)):
            choice.fill_(value)
        choice_c[..., 0] = 200.0
        loss = dints_iteration.architecture_loss((1, 1, 16, 16, 16)).item()
        open_everywhere = dints_iteration.space.get_ram_cost_usage((1, 1, 16, 16, 16), full=True)
        usage = dints_iteration.space.get_ram_cost_usage((1, 1, 16, 16, 16))
    assert loss == pytest.approx(abs(0.8 - (usage / open_everywhere).item()), abs=1e-3)


@pytest.mark.parametrize("name", ["sequential", "simultaneous", "single_path", "sequential_single_path"])
def test_our_iterations_move_both_groups(steps: ModuleType, name: str) -> None:
    a, b = (steps.random_batch((8, 8, 8), 1, device=CPU, seed=seed) for seed in (0, 1))
    step = steps.SearchIteration(SPACE, a, b, name=name)
    weights, choices = snapshot(step.network.weight_parameters()), snapshot(step.network.architecture_parameters())
    step()
    assert step.done == step.iterations == (8 if "single_path" in name else 1)
    assert not unchanged(step.network.weight_parameters(), weights)
    assert not unchanged(step.network.architecture_parameters(), choices)


def test_time_is_that_of_one_iteration(steps: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "alternate", lambda named, **_: dict.fromkeys(named, 4.0))
    monkeypatch.setattr(steps, "peak_memory", lambda *_, **__: 7)
    measured = {n: SimpleNamespace(iterations=n, network=nn.Module()) for n in (1, 8)}
    figures = steps.measure(measured, repeats=1, device=CPU, label="x")
    assert figures == {1: {"seconds": 4.0, "bytes": 7}, 8: {"seconds": 0.5, "bytes": 7}}


def test_ratios_have_exactly_these_names(written: dict[str, Any]) -> None:
    assert set(written["ratios"]) == {f"{name}_{word}" for name in RATIOS for word in ("time", "memory")}
    assert set(written["figures"]) == {"passes", "iterations", "dints"}
    assert written["sizes"]["base_widths"] == [2, 3] and written["device"]["device"] == "cpu"


def test_ratios_are_those_of_the_figures(written: dict[str, Any]) -> None:
    ratios, figures = written["ratios"], written["figures"]
    for word, figure in (("time", "seconds"), ("memory", "bytes")):
        plain, dints = figures["passes"]["plain"][figure], figures["dints"]["dints"][figure]
        assert ratios[f"supernet_over_plain_{word}"] == figures["passes"]["supernet"][figure] / plain
        assert ratios[f"ours_over_dints_{word}"] == ratios[f"simultaneous_over_dints_{word}"]
        assert ratios[f"single_path_over_dints_{word}"] == figures["dints"]["single_path"][figure] / dints


def test_memory_is_in_order(written: dict[str, Any]) -> None:
    ratios = {name: value for name, value in written["ratios"].items() if name.endswith("_memory")}
    assert 1 < ratios["supernet_over_plain_memory"] < 1.25 < ratios["explicit_masks_over_plain_memory"]
    assert ratios["parallel_paths_over_plain_memory"] > 2
    assert ratios["simultaneous_over_sequential_memory"] == pytest.approx(1, abs=0.05)
    assert ratios["single_path_over_sequential_memory"] <= 1


def test_ours_over_dints_is_what_was_asked_for(parts: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {name: {"seconds": float(n), "bytes": n} for n, name in enumerate((*parts.ITERATIONS, "dints"), start=1)}
    monkeypatch.setattr(parts, "measure", lambda *_, **__: figures)
    monkeypatch.setattr(parts, "ours", lambda *_: {})
    monkeypatch.setattr(parts, "DintsIteration", lambda *_: None)
    sizes = import_module("benchmarks.search_sizes").Sizes(iteration="simultaneous")
    _, ratios = parts.dints(sizes, CPU)
    assert ratios["ours_over_dints_time"] == ratios["simultaneous_over_dints_time"] == 2 / 5


def refuse(network: nn.Module) -> None:
    """Stand in for `nn.Module.compile` where there is no compiler: the first call fails."""

    def fail(*_: Any) -> None:
        raise RuntimeError("no working C++ compiler\nand much more")

    network._compiled_call_impl = fail  # type: ignore[assignment]


def test_switches_without_a_compiler(
    parts: ModuleType, sizes: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(nn.Module, "compile", refuse)
    figures, ratios = parts.switches(sizes, CPU)
    assert list(figures) == ["default", "bfloat16", "channels_last", "cudnn_benchmark", "together"]
    assert ratios["bfloat16_over_default_memory"] < 0.75
    assert ratios["channels_last_over_default_memory"] == pytest.approx(1, abs=0.01)
    assert "torch.compile is left out: RuntimeError: no working C++ compiler\n" in capsys.readouterr().err


class CountedStep:
    """A step that counts its calls."""

    def __init__(self) -> None:
        self.network, self.calls = nn.Module(), 0

    def __call__(self) -> None:
        self.calls += 1


def test_compiled_step_has_run_once_before_it_is_timed(parts: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[nn.Module] = []
    monkeypatch.setattr(nn.Module, "compile", lambda network: compiled.append(network))
    step = CountedStep()
    assert parts.compiled(step) is step
    assert compiled == [step.network] and step.calls == 1


def test_growth_falls_with_widths_patch_and_stages(parts: ModuleType, sizes: Any) -> None:
    figures, ratios = parts.growth(sizes, CPU)
    assert list(figures) == ["largest", "widths 1 to 1", "widths 1 to 2", "patch 8x8x8", "2 stages"]
    memory = {name: row["bytes"] for name, row in figures.items()}
    assert memory["widths 1 to 1"] < memory["widths 1 to 2"] < memory["largest"]
    assert memory["patch 8x8x8"] < memory["largest"] / 6 and memory["2 stages"] < memory["largest"]
    assert figures["patch 8x8x8"]["voxels"] == 8**3 and ratios == {}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--patch_size 8,9,8", "must be divisible by"),
        ("--dints_patch_size 16,16,24", "dints_patch_size must be divisible by 16"),
        ("--parts passes,speed", "parts must be some of passes, iterations, dints, switches, growth, got speed"),
        ("--base_widths [3,2]", "base_widths must rise strictly"),
        ("--base_widths [3,0]", "whole number from 1 on"),
        ("--repeats 0", "whole number from 1 on"),
        ("--device tpu9", "device must be one that torch finds here"),
    ],
)
def test_mistakes_are_one_line(benchmark: ModuleType, words: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        benchmark.run(benchmark.parsed([*TINY.split(), *words.split()]))
    assert "\n" not in str(caught.value)


def test_growth_is_added_to_the_parts(benchmark: ModuleType) -> None:
    given = benchmark.parsed(["--growth", "--parts", "dints,passes"])
    assert benchmark.checked_parts(given) == ["passes", "dints", "growth"]


def test_table_compares_with_the_first_step(benchmark: ModuleType) -> None:
    figures = {"x": {"one": {"seconds": 0.5, "bytes": 2e6}, "two": {"seconds": 1.0, "bytes": 6e6}}}
    lines = benchmark.report(figures, {"two_over_one_time": 2.0}).splitlines()
    assert lines[3].split() == ["two", "1000", "6", "2", "3"]
    assert lines[-1].split() == ["two_over_one_time", "2"]
