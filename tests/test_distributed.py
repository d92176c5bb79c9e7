"""Two gloo processes with half of a batch each do what one process does with the whole batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import FrozenNoise, RecordingSGD, loss_function, random_batch, space, supernet
from torch import distributed as dist
from torch import multiprocessing, nn

from adw_components import distributed
from adw_components.networks import AdwUNet, AdwUNetSupernet
from adw_components.search.mixed_level import MixedLevelStep, StepOrder

SIZE = (8, 8)
SPACE = space(n_stages=2, base_widths=(2, 4), depths=(1, 2))
CASES = 4
PROCESSES = 2
Gradients = list[torch.Tensor]


def batch(seed: int, part: slice = slice(None)) -> tuple[torch.Tensor, torch.Tensor]:
    """A part of a batch of four cases."""
    images, labels = random_batch(SIZE, cases=CASES, seed=seed)
    return images[part], labels[part]


def search_gradients(order: StepOrder, part: slice = slice(None)) -> dict[str, list[Gradients]]:
    """What the optimizers of one mixed-level step see; nothing moves."""
    network = supernet(SPACE).train()
    weights = RecordingSGD(network.weight_parameters(), network)
    choices = RecordingSGD(network.architecture_parameters(), network)
    step = MixedLevelStep(
        network=network,
        step_order=order,
        weight_optimizer=weights,
        architecture_optimizer=choices,
        loss_function=loss_function(),
        inferer=FrozenNoise(3),
        gradient_clip=None,
    )
    step.search(batch(1, part), lambda: batch(2, part))
    return {"weights": weights.gradients, "choices": choices.gradients}


def training_gradients(part: slice = slice(None)) -> Gradients:
    """Gradients of one pass of a derived network as `train.json` runs it."""
    torch.manual_seed(0)
    network = distributed.wrapped(AdwUNet(2, 1, 3, SPACE.sample(1)), "cpu").train()
    images, labels = batch(1, part)
    loss_function()(network(images), labels).backward()
    return [parameter.grad for parameter in distributed.unwrapped(network).parameters()]


def facts(rank: int) -> dict[str, Any]:
    """What the helpers say inside a process group."""
    found = {
        "rank": distributed.rank(),
        "is_distributed": distributed.is_distributed(),
        "own_part": distributed.own_part(list(range(5))),
        "part_of_one": distributed.own_part([7]),
        "mean": distributed.mean_over_processes(float(rank)),
        "wrapped": type(distributed.wrapped(nn.Linear(1, 1), "cpu")).__name__,
    }
    distributed.barrier()
    return found


def threads() -> set[str]:
    """Names of the threads of this process, those of C++ too."""
    return {path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")}


def threads_at_the_end() -> dict[str, set[str]]:
    """Threads before and after the group is left, with a network that is still in use as the config parser's is."""
    network = distributed.wrapped(nn.Linear(1, 1), "cpu")
    network(torch.ones(1, 1)).backward()
    found = {"before": threads()}
    distributed.leave_process_group()
    return {**found, "after": threads()}


def work(rank: int, folder: str) -> None:
    """One of the processes: everything at once, since starting it is what takes time."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=PROCESSES)
    half = CASES // PROCESSES
    part = slice(rank * half, (rank + 1) * half)
    found = {order: search_gradients(order, part) for order in ("sequential", "simultaneous")}
    found |= {"training": training_gradients(part), "facts": facts(rank), "threads": threads_at_the_end()}
    torch.save(found, f"{folder}/{rank}.pt")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of the processes found."""
    folder: Path = tmp_path_factory.mktemp("processes")
    multiprocessing.spawn(work, args=(str(folder),), nprocs=PROCESSES)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(PROCESSES)]


def assert_close(actual: Gradients, expected: Gradients) -> None:
    """Equal within 1e-5 of the norm of all, and within rounding one by one."""
    flat = [torch.cat([gradient.flatten() for gradient in gradients]) for gradients in (actual, expected)]
    assert (flat[0] - flat[1]).norm() <= 1e-5 * flat[1].norm()
    assert flat[1].norm() > 0
    torch.testing.assert_close(flat[0], flat[1], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("order", ["sequential", "simultaneous"])
@pytest.mark.parametrize("group", ["weights", "choices"])
def test_gradients_of_the_search_are_those_of_the_whole_batch(
    results: list[dict[str, Any]], order: str, group: str
) -> None:
    expected = search_gradients(order)[group]
    for found in results:
        assert len(found[order][group]) == len(expected) == (2 if (order, group) == ("sequential", "choices") else 1)
        for actual, whole in zip(found[order][group], expected, strict=True):
            assert_close(actual, whole)


def test_gradients_of_the_retraining_are_those_of_the_whole_batch(results: list[dict[str, Any]]) -> None:
    for found in results:
        assert_close(found["training"], training_gradients())


def test_processes_hold_bit_for_bit_the_same_gradients(results: list[dict[str, Any]]) -> None:
    first, second = ([*found["sequential"]["choices"][0], *found["training"]] for found in results)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_half_a_batch_alone_gives_another_gradient() -> None:
    """Otherwise the tests above would say nothing."""
    whole, half = (
        search_gradients("sequential")["weights"][0],
        search_gradients("sequential", slice(0, 2))["weights"][0],
    )
    assert not torch.allclose(whole[0], half[0], rtol=1e-2)


def test_helpers_inside_a_process_group(results: list[dict[str, Any]]) -> None:
    facts_of = [found["facts"] for found in results]
    assert [found["rank"] for found in facts_of] == [0, 1]
    assert [found["own_part"] for found in facts_of] == [[0, 2, 4], [1, 3]]
    assert all(found["is_distributed"] and found["mean"] == 0.5 for found in facts_of)
    assert all(found["wrapped"] == "DistributedDataParallel" for found in facts_of)
    assert [found["part_of_one"] for found in facts_of] == [[7], [7]]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="names of threads are read from /proc")
def test_threads_of_the_process_group_end_with_it(results: list[dict[str, Any]]) -> None:
    """One that outlives it may ask for the GIL while Python shuts down, which aborts the process."""
    for found in results:
        assert {"pt_gloo_runloop", "gloo_tcp_loop"} <= found["threads"]["before"]
        assert not [name for name in found["threads"]["after"] if "gloo" in name]


def test_helpers_without_a_process_group_change_nothing() -> None:
    network = nn.Linear(1, 1)
    network.weight.grad = torch.tensor([[3.0]])
    distributed.average_gradients(network.parameters())
    distributed.barrier()
    assert network.weight.grad.item() == 3.0
    assert (distributed.rank(), distributed.is_distributed()) == (0, False)
    assert distributed.own_part([1, 2]) == [1, 2]
    assert distributed.mean_over_processes(0.25) == 0.25
    assert distributed.wrapped(network, "cpu") is network is distributed.unwrapped(network)


def test_average_needs_no_gradient_of_what_is_held_fixed() -> None:
    network: AdwUNetSupernet = supernet(SPACE)
    distributed.average_gradients(network.parameters())
    assert all(parameter.grad is None for parameter in network.parameters())
