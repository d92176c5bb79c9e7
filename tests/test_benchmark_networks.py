"""The comparison of networks counts what it says, and gives figures of all of them."""

import json
import math
import sys
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from runpy import run_path
from types import ModuleType
from typing import Any

import pytest
import torch

from adw_components.architecture import Architecture
from adw_components.cost import count_activation_bytes, count_flops, count_parameters
from adw_components.errors import UserError
from adw_components.networks import AdwUNet
from adw_components.plan import Plan
from adw_components.reference import nnunet_default
from adw_components.search_space import SearchSpace
from adw_components.tasks import task, task_names

CPU = torch.device("cpu")
SCRIPTS = Path(__file__).parents[1] / "scripts"
HIPPOCAMPUS = task("Task04_Hippocampus").plan
PATCH = (16, 16, 16)
SMALL = "--base_width 2 --patch_size 16,16,16 --volume_size 16,16,16 --batch_size 2 --repeats 1 --device cpu"
FIGURES = {"parameters", "flops", "latency_seconds", "voxels_per_second", "step_seconds", "step_bytes"}
OTHERS = ["random_0", "random_1", "random_2", "nnunet_default", "dynunet", "dynunet_residual", "segresnet"]


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    """The script as a module."""
    return import_module("benchmark_networks")


@pytest.fixture(scope="module")
def networks() -> ModuleType:
    """`benchmarks.networks`."""
    return import_module("benchmarks.networks")


@pytest.fixture(scope="module")
def costs() -> ModuleType:
    """`benchmarks.network_costs`."""
    return import_module("benchmarks.network_costs")


@pytest.fixture(scope="module")
def derived() -> Architecture:
    """An architecture as a search would give it."""
    space = SearchSpace(strides=HIPPOCAMPUS.strides, kernel_sizes=HIPPOCAMPUS.kernel_sizes, base_widths=(2, 3))
    return space.sample(7)


@pytest.fixture(scope="module")
def path(derived: Architecture, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it is."""
    path = tmp_path_factory.mktemp("derived") / "architecture.json"
    derived.save(path)
    return path


@pytest.fixture(scope="module")
def printed_and_written(benchmark: ModuleType, path: Path) -> tuple[str, dict[str, Any]]:
    """Table and JSON of the smallest comparison."""
    output = path.with_name("F.json")
    printed = benchmark.run(benchmark.parsed([*SMALL.split(), "--architectures", str(path), "--output", str(output)]))
    return printed, json.loads(output.read_text())


def default(plan: Plan, base_width: int = 32) -> Architecture:
    """nnU-Net's default for `plan`."""
    return nnunet_default(strides=plan.strides, kernel_sizes=plan.kernel_sizes, base_width=base_width)


def channels(plan: Plan) -> dict[str, int]:
    """As the counting functions take them."""
    return {"in_channels": plan.in_channels, "out_channels": plan.out_channels}


def weights_of_kernels_below(plan: Plan) -> list[int]:
    """By how many weights DynUNet's block at every decoder stage exceeds ours: it has the kernel of the stage below."""
    kernels, widths = [math.prod(k) for k in plan.kernel_sizes], [block[0] for block in default(plan).encoder_widths]
    return [(kernels[s + 1] - kernels[s]) * 3 * widths[s] ** 2 for s in range(len(plan.strides) - 1)]


@pytest.mark.parametrize("name", task_names())
def test_dynunet_differs_from_our_default_by_biases_and_kernels(
    networks: ModuleType, costs: ModuleType, name: str
) -> None:
    """Ours have a bias in every convolution; DynUNet's in every transposed convolution and head."""
    plan = task(name).plan
    architecture = default(plan)
    counted = costs.count(lambda: networks.dynunet(plan, base_width=32), (1, plan.in_channels, *plan.patch_size))
    convolutions = sum(map(sum, architecture.blocks))
    transposed = sum(block[-1] for block in architecture.encoder_widths[:-1])
    heads = plan.out_channels * (architecture.n_stages - 1)
    below = weights_of_kernels_below(plan)
    ours = count_parameters(architecture, **channels(plan))
    assert counted["parameters"] == ours - convolutions + transposed + heads + sum(below)
    strides = [math.prod(stride) for stride in plan.strides]
    positions = [math.prod(plan.patch_size) // math.prod(strides[: s + 1]) for s in range(len(below))]
    more = sum(2 * weights * count for weights, count in zip(below, positions, strict=True))
    assert counted["flops"] == count_flops(architecture, **channels(plan), patch_size=plan.patch_size) + more


def test_biases_are_all_that_sets_them_apart_for_the_hippocampus(networks: ModuleType, costs: ModuleType) -> None:
    """One kernel everywhere; 1175 more biases of ours, of 5.6 million parameters."""
    counted = costs.count(lambda: networks.dynunet(HIPPOCAMPUS, base_width=32), (1, 1, *HIPPOCAMPUS.patch_size))
    biases = 2 * (32 + 64 + 128 + 256 + 128 + 64 + 32) - (128 + 64 + 32) - 3 * 3
    assert weights_of_kernels_below(HIPPOCAMPUS) == [0, 0, 0]
    assert count_parameters(default(HIPPOCAMPUS), **channels(HIPPOCAMPUS)) - counted["parameters"] == biases == 1175


def test_counted_flops_are_those_of_the_record(networks: ModuleType, costs: ModuleType, derived: Architecture) -> None:
    counted = costs.count(networks.our_network(HIPPOCAMPUS, derived), (1, 1, *HIPPOCAMPUS.patch_size))
    assert counted["flops"] == count_flops(derived, **channels(HIPPOCAMPUS), patch_size=HIPPOCAMPUS.patch_size)
    assert counted["parameters"] == count_parameters(derived, **channels(HIPPOCAMPUS))


def test_residual_dynunet_adds_its_shortcuts(networks: ModuleType, costs: ModuleType) -> None:
    """An encoder block whose channels or resolution change has a 1x1x1 convolution and a norm besides."""
    shape = (1, 1, *HIPPOCAMPUS.patch_size)
    plain, residual = (
        costs.count(lambda r=r: networks.dynunet(HIPPOCAMPUS, base_width=4, residual=r), shape) for r in (False, True)
    )
    widths = [1, 4, 8, 16, 32]
    shortcuts = sum(below * above + 2 * above for below, above in pairwise(widths))
    assert residual["parameters"] - plain["parameters"] == shortcuts


def test_memory_of_a_training_step_is_that_of_network_and_loss(costs: ModuleType, derived: Architecture) -> None:
    """The network keeps what the record says; the loss is run alone on outputs of the same shapes."""
    peak_memory = import_module("benchmarks.timing").peak_memory
    network = AdwUNet(3, 1, 3, derived)
    images, labels = torch.randn(2, 1, *PATCH), torch.randint(3, (2, 1, *PATCH), dtype=torch.uint8)
    step = costs.TrainingStep(network, images, labels, plan=HIPPOCAMPUS, amp=False)
    outputs = [level.detach().requires_grad_() for level in network(images)]
    of_network = count_activation_bytes(derived, **channels(HIPPOCAMPUS), patch_size=PATCH, batch_size=2)
    of_loss = peak_memory(lambda: step.loss(outputs, labels), device=CPU)
    assert peak_memory(step, device=CPU, parameters=network.parameters()) == of_network + of_loss
    kept = peak_memory(lambda: network.train()(images), device=CPU, parameters=network.parameters())
    assert kept == of_network


def test_training_step_descends_as_sgd_by_hand(costs: ModuleType, derived: Architecture) -> None:
    torch.manual_seed(0)
    network = AdwUNet(3, 1, 3, derived)
    images, labels = torch.randn(2, 1, *PATCH), torch.randint(3, (2, 1, *PATCH), dtype=torch.uint8)
    step = costs.TrainingStep(network, images, labels, plan=HIPPOCAMPUS, amp=False)
    weight = network.heads[-1].weight
    before = weight.detach().clone()
    (gradient,) = torch.autograd.grad(step.loss(network(images), labels), weight)
    step()
    # The first step of Nesterov momentum m goes 1 + m times the decayed gradient.
    expected = before - 1e-2 * (1 + 0.99) * (gradient + 3e-5 * before)
    torch.testing.assert_close(weight.detach(), expected)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_every_level_of_dynunet_is_supervised_at_full_resolution(networks: ModuleType, costs: ModuleType) -> None:
    network = networks.dynunet(HIPPOCAMPUS, base_width=2).train()
    outputs = costs.levels(network(torch.randn(1, 1, *PATCH)), 5)
    assert [tuple(level.shape) for level in outputs] == [(1, 3, *PATCH)] * 3


@pytest.mark.parametrize(("base_width", "expected"), [(32, (16, 24, 32, 40, 48)), (8, (4, 6, 8, 10, 12)), (1, (1, 2))])
def test_widths_of_random_architectures_scale(networks: ModuleType, base_width: int, expected: Sequence[int]) -> None:
    assert networks.scaled_widths(base_width) == expected


@pytest.mark.parametrize("name", ["Task01_BrainTumour", "Task04_Hippocampus", "Task05_Prostate", "Task09_Spleen"])
def test_networks_of_a_task(networks: ModuleType, name: str) -> None:
    """Every one runs on a patch; SegResNet is left out where three halvings do not divide it."""
    plan = task(name).plan
    scale = {"base_width": 8, "patch_size": plan.patch_size}
    ours = networks.our_architectures(name, plan, derived=[], **scale)
    made, left_out = networks.builders(plan, ours, **scale)
    flat = plan.patch_size[2] % 8 != 0
    assert list(left_out) == ["segresnet"] * flat
    published = name in ("Task01_BrainTumour", "Task05_Prostate")
    assert list(made) == ["published"] * published + [other for other in OTHERS if other not in left_out]
    for build in made.values():
        with torch.device("meta"):
            output = build().eval()(torch.empty(1, plan.in_channels, *plan.patch_size))
        assert output.shape == (1, plan.out_channels, *plan.patch_size)


def test_table_and_json_have_every_network(printed_and_written: tuple[str, dict[str, Any]]) -> None:
    printed, written = printed_and_written
    assert [line.split()[0] for line in printed.splitlines()[1:]] == ["derived", *OTHERS]
    assert list(written["figures"]) == ["derived", *OTHERS]
    for row in written["figures"].values():
        assert set(row) == FIGURES and all(0 < value < math.inf for value in row.values())


def test_json_has_the_figures_of_the_derived_network(
    printed_and_written: tuple[str, dict[str, Any]], derived: Architecture, path: Path
) -> None:
    written = printed_and_written[1]
    row = written["figures"]["derived"]
    assert row["parameters"] == count_parameters(derived, **channels(HIPPOCAMPUS))
    assert row["flops"] == count_flops(derived, **channels(HIPPOCAMPUS), patch_size=PATCH)
    assert row["step_bytes"] > count_activation_bytes(derived, **channels(HIPPOCAMPUS), patch_size=PATCH, batch_size=2)
    assert written["sizes"]["patch_size"] == list(PATCH) and written["sizes"]["architectures"] == [str(path)]
    assert written["device"]["device"] == "cpu"


def test_ratios_are_flat_and_to_dynunet(printed_and_written: tuple[str, dict[str, Any]]) -> None:
    ratios, figures = (printed_and_written[1][name] for name in ("ratios", "figures"))
    assert len(ratios) == (len(figures) - 1) * len(FIGURES)
    steps = [figures[name]["step_seconds"] for name in ("derived", "dynunet")]
    assert ratios["derived_over_dynunet_time"] == steps[0] / steps[1]
    assert ratios["nnunet_default_over_dynunet_flops"] == 1


def test_several_derived_networks_are_numbered(networks: ModuleType, derived: Architecture, path: Path) -> None:
    scale = {"base_width": 2, "patch_size": PATCH}
    ours = networks.our_architectures("Task04_Hippocampus", HIPPOCAMPUS, derived=[path, path], **scale)
    assert list(ours)[:2] == ["derived_1", "derived_2"] and ours["derived_2"] == derived


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--task Task11_Nose", "'Task11_Nose' is no task of the MSD"),
        ("--patch_size 16,16,15", r"patch_size must be divisible by \(8, 8, 8\), got \(16, 16, 15\)"),
        ("--volume_size 16,16", r"volume_size must have 3 axes like the patch, got \(16, 16\)"),
        ("--base_width 0", "argument --base_width: must be a whole number from 1 on, got '0'; --help"),
        ("--repeats many", "argument --repeats: must be a whole number from 1 on, got 'many'"),
        ("--width 3", "unrecognized arguments: --width 3; --help lists the options"),
        ("--device meta", "device must be one that torch finds here, such as cpu or cuda, got 'meta'"),
        ("--device nowhere", "device must be one that torch finds here"),
        ("--amp maybe", "amp must be true or false, got 'maybe'"),
        ("--architectures missing.json", "architecture file missing.json does not exist"),
    ],
)
def test_mistakes_are_told_in_one_line(benchmark: ModuleType, words: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        benchmark.run(benchmark.parsed(words.split()))
    assert "\n" not in str(caught.value)


def test_architecture_that_does_not_fit_the_patch_is_named(networks: ModuleType, path: Path) -> None:
    with pytest.raises(UserError, match=rf"{path}: patch_size must be divisible by \(8, 8, 8\).*made for"):
        networks.load(path, (20, 20, 20))


def test_mistake_ends_the_command_with_its_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmark_networks.py", "--batch_size", "0"])
    with pytest.raises(SystemExit, match="1"):
        run_path(str(SCRIPTS / "benchmark_networks.py"), run_name="__main__")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: argument --batch_size: must be a whole number from 1 on, got '0'; --help")
    assert printed.err.count("\n") == 1
